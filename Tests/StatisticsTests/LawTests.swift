import Kernels
import Randomness
import Statistics
import Testing

/// Tests of a sample, given as a histogram, against a whole law and against single quantiles.
@Suite struct LawTests {
  static let normal = TabulatedLaw(name: "normal", from: -9, to: 9) { Elementary.exp(-0.5 * $0 * $0) }
  static let exponential = TabulatedLaw(name: "exponential", from: 0, to: 40) { Elementary.exp(-$0) }

  private func histogram(_ stream: inout Stream, _ count: Int, _ draw: (inout Stream) -> Double) -> BitHistogram {
    var result = BitHistogram()
    for _ in 0..<count { result.add(draw(&stream)) }
    return result
  }

  @Test("Distribution function from a table: inside, at quantiles, beyond them, at an atom")
  func probability() throws {
    for x in [-2.5, -1, -0.001, 0, 0.3, 1.7, 3] {
      let exact = 0.5 * (1 + Elementary.erf(x * 0x1.6a09e667f3bcdp-1))
      let known = Self.normal.probability(below: x)
      #expect(known.lowerBound == known.upperBound && (known.lowerBound - exact).magnitude < 5e-5, "\(x)")
    }
    #expect((Self.normal.probability(below: Self.normal.quantile(512)).lowerBound - 0.25).magnitude < 1e-12)
    #expect(Self.normal.probability(below: -8) == 0...1 / 2048.0)
    #expect(Self.normal.probability(below: .infinity) == 2047 / 2048.0...1)
    // Half of the mass in a spike that one cell resolves: the quantiles within differ by less than the cell's width.
    let spike = TabulatedLaw(name: "spike", from: 0, to: 1) { ($0 - 0.5).magnitude < 1e-5 ? 65536 : 1 }
    #expect(spike.probability(below: 0.49).upperBound < 0.3 && spike.probability(below: 0.51).lowerBound > 0.7)
  }

  /// Samples of the law itself: p-values below 0.05 and 0.5 as often as they should be, 300 samples each, three binomial
  /// standard deviations above (conservative below, by a tenth of the share and three more). 4 x 2 tests.
  @Test("The p-value of a true law is uniform, a little conservative")
  func trueLaw() {
    var s = Stream(key: 41)
    let cases: [(String, TabulatedLaw, Int, (inout Stream) -> Double)] = [
      ("normal", Self.normal, 500, { $0.normal() }), ("normal", Self.normal, 20_000, { $0.normal() }),
      ("exponential", Self.exponential, 500, { -Elementary.log($0.uniform()) }),
      ("exponential", Self.exponential, 20_000, { -Elementary.log($0.uniform()) }),
    ]
    for (number, item) in cases.enumerated() {
      var (rare, half) = (0.0, 0.0)
      for sample in 0..<300 {
        s.start(draw: UInt64(1000 * number + sample))
        let test = KolmogorovSmirnov(histogram(&s, item.2, item.3), item.1)
        if test.pValue < 0.05 { rare += 1 }
        if test.pValue < 0.5 { half += 1 }
        #expect(test.effectiveCount == Double(item.2) && test.resolution < 0.02 + 3 / Double(item.2).squareRoot())
      }
      #expect(rare <= 15 + 3 * 3.8 && rare >= 15 * 0.9 - 3 * 3.8, "\(item.0) \(item.2): \(rare) of 300 below 0.05")
      #expect(half <= 150 + 3 * 8.7 && half >= 150 * 0.9 - 3 * 8.7, "\(item.0) \(item.2): \(half) of 300 below 0.5")
    }
  }

  /// Three times the critical distance is found; a law in a handful of buckets has no power, and its resolution says so.
  @Test("Other laws are found out, and buckets that are too wide are owned up to")
  func otherLaws() {
    var s = Stream(key: 42)
    s.start(draw: 0)
    let shifted = KolmogorovSmirnov(histogram(&s, 20_000) { 0.1 + $0.normal() }, Self.normal)
    #expect(shifted.pValue < 1e-6 && (shifted.distance - 0.0399).magnitude < 0.01)
    let wide = KolmogorovSmirnov(histogram(&s, 20_000) { 1.1 * $0.normal() }, Self.normal)
    #expect(wide.pValue < 1e-3)
    // Beyond the table: 1% of the values at -20 are 1% - 1/2048 too much.
    var outliers = histogram(&s, 9900) { $0.normal() }
    for _ in 0..<100 { outliers.add(-20) }
    #expect(KolmogorovSmirnov(outliers, Self.normal).distance >= 0.01 - 1 / 2048.0)
    let far = TabulatedLaw(name: "far", from: 1000, to: 1002) { _ in 1 }
    let narrow = KolmogorovSmirnov(histogram(&s, 10_000) { 1000 + $0.uniform() }, far)
    #expect(narrow.resolution > 0.5 && narrow.distance + narrow.resolution >= 0.5)
    #expect(KolmogorovSmirnov(BitHistogram(), Self.normal).pValue.isNaN)
  }

  /// The distance of the samples themselves lies between `distance` and `distance + resolution`.
  @Test("Resolution of two samples holds their own distance")
  func resolution() {
    var s = Stream(key: 43)
    for sample in 0..<50 {
      s.start(draw: UInt64(sample))
      let a = (0..<400).map { _ in 3 + 0.05 * s.normal() }
      let b = (0..<300).map { _ in 3.01 + 0.05 * s.normal() }
      var (first, second) = (BitHistogram(), BitHistogram())
      for x in a { first.add(x) }
      for x in b { second.add(x) }
      let direct = (a + b).map { x in
        (Double(a.filter { $0 <= x }.count) / 400 - Double(b.filter { $0 <= x }.count) / 300).magnitude
      }.max()!
      let test = KolmogorovSmirnov(first, second)
      #expect(test.distance <= direct + 1e-12 && direct <= test.distance + test.resolution + 1e-12)
      var law = KolmogorovSmirnov(first) { x in
        let share = Double(b.filter { $0 < x }.count) / 300
        return share...share
      }
      #expect(law.distance <= direct + 1e-12 && direct <= law.distance + law.resolution + 1e-12)
      law = KolmogorovSmirnov(first) { x in
        let share = Double(a.filter { $0 < x }.count) / 400
        return share...share
      }
      #expect(law.distance == 0)
    }
    #expect((KolmogorovSmirnov.band(1000, alpha: 0.05) - 0.04294694).magnitude < 1e-7)
  }

  /// z over 300 samples: chi-square with 300 degrees of freedom, bounds at five of its standard deviations (24.5). 2 x 4 tests.
  @Test(arguments: [2000, 50_000])
  func quantiles(count: Int) {
    var s = Stream(key: 44)
    let levels = [
      (0.01, 0.01005033585350145), (0.25, 0.287682072451781), (0.5, 0.693147180559945), (0.99, 4.60517018598809),
    ]
    var totals = Array(repeating: 0.0, count: levels.count)
    for sample in 0..<300 {
      s.start(draw: UInt64(sample))
      let h = histogram(&s, count) { -Elementary.log($0.uniform()) }
      for (place, (level, known)) in levels.enumerated() {
        let test = QuantileTest(h, level: level, predicted: known)
        totals[place] += test.z * test.z
      }
    }
    for total in totals { #expect((177.0...423).contains(total), "\(total) for 300") }
  }

  @Test("A quantile off by five errors is found, an atom is not a difference, few values are not tested")
  func wrongQuantiles() {
    var s = Stream(key: 45)
    s.start(draw: 0)
    let h = histogram(&s, 40_000) { $0.normal() }
    // The median's error is 1.2533 / 200.
    let low = QuantileTest(h, level: 0.5, predicted: -0.05)
    #expect(low.z < -5 && QuantileTest(h, level: 0.5, predicted: 0.05).z > 5)
    #expect(
      QuantileTest(h, level: 0.5, predicted: 0).z.magnitude < 4 && (low.value - 0).magnitude < 4 * low.standardError)
    #expect(
      QuantileTest(h, level: 1e-4, predicted: -3.7).z.isNaN && QuantileTest(h, level: 1 - 1e-4, predicted: 3.7).z.isNaN)
    // Fair dice: 3 is every quantile from 1/3 to 1/2.
    let dice = histogram(&s, 6000) { Double($0.word() % 6) + 1 }
    #expect(QuantileTest(dice, level: 0.42, predicted: 3).z == 0)
    #expect(QuantileTest(dice, level: 0.42, predicted: 2).z < -5 && QuantileTest(dice, level: 0.42, predicted: 4).z > 5)
    #expect(QuantileTest(dice, level: 0.42, predicted: 4.5).z > 5)
    #expect(QuantileTest(BitHistogram(), level: 0.5, predicted: 0).z.isNaN)
  }
}
