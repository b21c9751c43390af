import Randomness
import Statistics
import Testing

/// Statistics of numbers whose powers are out of the range of numbers.
@Suite struct RangeTests {
  /// A heavy tail: normals cubed, plus one.
  private static let values: [Double] = {
    var stream = Stream(key: 31)
    return (0..<4000).map { index in
      stream.start(draw: UInt64(index))
      let g = stream.normal()
      return 1 + 0.2 * g * g * g
    }
  }()

  private static func scaled(_ exponent: Int) -> [Double] {
    values.map { Double(sign: .plus, exponent: exponent, significand: $0) }
  }

  private static func tally(_ columns: [[Double]], centres: [Double], pair: Bool = false) -> Tally {
    let tally = Tally(
      layout: .init(
        perGroup: columns.count, groups: 1, covariances: pair, centres: centres,
        jointPairs: pair ? [.init(group: 0, i: 0, j: 1)] : []))
    for i in columns[0].indices { tally.record(columns.map { $0[i] }, overflowed: false, underflowed: false) }
    return tally
  }

  private static func close(_ a: Double, _ b: Double, _ tolerance: Double) -> Bool {
    (a - b).magnitude <= tolerance * b.magnitude
  }

  @Test(
    "A change of units by 2^k changes errors by 2^k",
    arguments: [-1000, -700, -560, -400, -300, -200, -120, -60, 0, 60, 130, 200, 300, 510, 700, 1000])
  func units(exponent: Int) {
    let one = Moments(values: Self.values)
    let unit = Double(sign: .plus, exponent: exponent, significand: 1)
    let columns = [Self.scaled(exponent)]
    for (name, found, tolerance) in [
      ("values", Moments(values: columns[0]), 1e-12),
      ("tally", Self.tally(columns, centres: [0.9 * unit]).moments(0), 0.02),
    ] {
      #expect(Self.close(found.mean, one.mean * unit, 1e-12), "\(name): \(found)")
      #expect(Self.close(found.meanError, one.meanError * unit, tolerance), "\(name): \(found)")
      #expect(Self.close(found.standardDeviation, one.standardDeviation * unit, tolerance), "\(name): \(found)")
      #expect(
        Self.close(found.standardDeviationError, one.standardDeviationError * unit, tolerance), "\(name): \(found)")
      #expect(Self.close(found.skewness, one.skewness, tolerance), "\(name): \(found)")
      #expect(Self.close(found.kurtosis, one.kurtosis, 2 * tolerance), "\(name): \(found)")
      #expect(Self.close(found.kurtosisError, one.kurtosisError, 2 * tolerance), "\(name): \(found)")
      // What has no value in the range of numbers is not 0.
      if exponent.magnitude < 500 {
        #expect(Self.close(found.variance, one.variance * unit * unit, tolerance), "\(name): \(found)")
        #expect(Self.close(found.secondMoment, one.secondMoment * unit * unit, tolerance), "\(name): \(found)")
      } else if exponent.magnitude > 530 {
        #expect(found.variance.isNaN && found.varianceError.isNaN && found.secondMoment.isNaN, "\(name): \(found)")
      }
    }
  }

  @Test("Values too close for the histogram have an unknown error, not 0")
  func narrow() {
    let unit = 0x1p-560
    let values = Self.values.map { unit * (1 + 1e-9 * $0) }
    let found = Self.tally([values], centres: [0]).moments(0)
    #expect(Self.close(found.mean, unit, 1e-8) && found.meanError.isNaN && found.standardDeviation.isNaN)
    let same = Self.tally([Self.values.map { _ in unit }], centres: [unit]).moments(0)
    #expect(same.mean == unit && same.meanError == 0 && same.variance == 0)
  }

  @Test("Covariances in other units", arguments: [-560, -300, -200, 0, 200, 300])
  func covariances(exponent: Int) throws {
    let unit = Double(sign: .plus, exponent: exponent, significand: 1)
    let other = Self.values.indices.map { 0.5 * Self.values[$0] + 0.3 * Self.values[Self.values.count - 1 - $0] }
    let columns = [Self.values.map { $0 * unit }, other.map { $0 * unit }]
    let one = JointMoments(values: Self.values, other)
    let direct = JointMoments(values: columns[0], columns[1])
    #expect(Self.close(direct.correlation, one.correlation, 1e-12))
    #expect(Self.close(direct.correlationError, one.correlationError, 1e-9))
    let tally = Self.tally(columns, centres: [unit, unit], pair: true)
    let found = try #require(tally.jointMoments(group: 0, i: 0, j: 1))
    let wanted = one.covariance * unit * unit
    for value in [direct.covariance, found.covariance, tally.covariance(group: 0)[1]] {
      #expect(exponent < -500 ? value.isNaN : Self.close(value, wanted, 1e-6), "\(value), \(wanted)")
    }
    // Fourth powers are out of the range of numbers, and in a tally so are their sums.
    #expect(
      exponent.magnitude > 250
        ? found.covarianceError.isNaN : Self.close(found.correlationError, one.correlationError, 1e-6))
  }
}
