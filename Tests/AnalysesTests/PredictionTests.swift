import Analyses
import Experiments
import Kernels
import Randomness
import Statistics
import Testing

/// References that predict statistics: right ones agree, ones that are 10% off do not.
@Suite struct PredictionTests {
  /// u uniform of variance 1; w = 0.6 u + 0.8 g; c chi-square with 8 degrees of freedom; g normal.
  static let schema = Schema(axis: point, observables: observables("u", "w", "c", "g"))
  static let draw = ClosureDraw(schema: schema) { stream, values in
    let u = 12.squareRoot() * (stream.uniform() - 0.5)
    let normals = stream.normals(9)
    let g = normals[0]
    values[0] = u
    values[1] = 0.6 * u + 0.8 * g
    values[2] = (1..<9).reduce(0) { $0 + normals[$1] * normals[$1] }
    values[3] = g
  }

  /// Exact values, and the size of 10% of each in standard errors of 100,000 draws.
  static let truths: [(String, Statistic, value: Double, power: Double)] = [
    ("c", .mean, 8, 63), ("c", .secondMoment, 80, 32), ("c", .variance, 16, 17), ("c", .standardDeviation, 4, 34),
    ("c", .skewness, 1, 5.8), ("u", .kurtosis, -1.2, 33), ("u", .covariance("w"), 0.6, 20),
    ("w", .covariance("u"), 0.6, 20), ("u", .correlation("w"), 0.6, 29), ("u", .covariance("u"), 1, 35),
    ("g", .quantile(0.9), 1.2815515655446004, 23), ("c", .quantile(0.5), 7.344121497701792, 45),
  ]

  static func compare(
    _ predictions: [(String, Statistic, Double)], role: Leg.Role = .exact, seed: UInt64 = 16, draws: UInt64 = 100_000,
    mean: Double = 0.05
  ) throws -> Comparison {
    let legs = [
      finite(draw, draws: draws), reference("theory", role, predict(schema, predictions)),
    ]
    let job = makeJob([Case(label: "main", swept: [:], legs: legs)], mean: mean)
    return try #require(Analyses.comparisons(run(job, seed: seed)).first)
  }

  @Test("Exact references that are right agree, all statistics together")
  func right() throws {
    // A tolerance that all of them have the power for: the kurtosis is the weakest.
    let found = try Self.compare(Self.truths.map { ($0.0, $0.1, $0.value) }, mean: 0.5)
    #expect(found.rows.count == Self.truths.count)
    #expect(found.rows.allSatisfy { $0.verdict == .agrees }, "\(found.rows)")
    #expect(
      found.verdict == .agrees && found.sentence.contains("agrees with the exact statistics"), "\(found.sentence)")
    #expect(found.criticalZ == Gaussian.critical(0.01 / Double(Self.truths.count)))
  }

  @Test("One that is off by 10% differs, alone among the rows", arguments: truths.indices)
  func wrong(_ place: Int) throws {
    var predictions = Self.truths.map { ($0.0, $0.1, $0.value) }
    predictions[place].2 *= 1.1
    let found = try Self.compare(predictions)
    let differing = found.rows.filter { $0.verdict == .differs }
    #expect(differing.count == 1 && found.verdict == .differs, "\(found.sentence)")
    let row = try #require(differing.first)
    #expect(row.observable == predictions[place].0 && row.statistic == predictions[place].1)
    // The stated power, to 5 standard errors and a tenth: z is that far below 0 for a prediction that is too large.
    let power = Self.truths[place].power * (predictions[place].2 > 0 ? -1 : 1)
    #expect((row.z - power).magnitude < 5 + 0.1 * power.magnitude, "\(row)")
  }

  @Test("Limits: equivalence, relative to the predicted size; 10% off is beyond a tolerance of 5%")
  func limits() throws {
    for (name, statistic, value, _) in Self.truths where statistic != .secondMoment && statistic != .skewness {
      let right = try Self.compare([(name, statistic, value)], role: .limit)
      #expect(right.verdict == .agrees, "\(right.sentence)")
      if case .quantile = statistic { continue }
      if statistic == .mean { continue }
      let wrong = try Self.compare([(name, statistic, value * 1.1)], role: .limit)
      #expect(wrong.verdict == .differs, "\(wrong.sentence)")
      let shift = try #require(wrong.rows.first).shift
      #expect((shift * (value < 0 ? -1 : 1) + 1 / 11.0).magnitude < 0.02, "\(shift)")
    }
    // Means and quantiles in standard deviations: 8 against 8.8 is 0.2 of 4.
    let mean = try Self.compare([("c", .mean, 8.8)], role: .limit)
    #expect(mean.verdict == .differs && (mean.rows[0].shift + 0.2).magnitude < 0.02)
    #expect(mean.sentence.contains("differs by more than 0.05: mean off by -0."), "\(mean.sentence)")
    let quantile = try Self.compare([("g", .quantile(0.9), 1.41)], role: .limit)
    #expect(quantile.verdict == .differs && (quantile.rows[0].shift + 0.128).magnitude < 0.03)
    // Second moments decide nothing about limits.
    #expect(try Self.compare([("c", .mean, 8), ("c", .secondMoment, 99)], role: .limit).rows.count == 1)
    // Few draws, an interval as wide as the tolerance: undecided.
    #expect(try Self.compare([("c", .variance, 16.5)], role: .limit, draws: 2000).verdict == .undecided)
  }

  @Test("A covariance of 0 is judged in units of the standard deviations")
  func vanishing() throws {
    let found = try Self.compare([("c", .covariance("g"), 0), ("c", .correlation("g"), 0)], role: .limit)
    #expect(found.verdict == .agrees)
    #expect((found.rows[0].shift - found.rows[1].shift).magnitude < 1e-4, "\(found.rows)")
  }

  @Test("Laws: the right one agrees, one of a 10% larger spread differs, exact and within a tolerance")
  func laws() throws {
    func law(_ spread: Double) -> TabulatedLaw {
      TabulatedLaw(name: "normal", from: -9, to: 9) { Elementary.exp(-0.5 * $0 * $0 / (spread * spread)) }
    }
    for role in [Leg.Role.exact, .limit] {
      for (spread, word) in [(1.0, Equivalence.agrees), (1.1, .differs)] {
        let place = Self.schema.place(of: "g")!
        let values = ReferenceValues(
          schema: Self.schema,
          statistics: [PredictedStatistic(.law, record: 0, observable: place, value: .nan, law: law(spread))])
        let legs = [finite(Self.draw, draws: 100_000), reference("theory", role, values)]
        let job = makeJob([Case(label: "main", swept: [:], legs: legs)], distance: 0.01)
        let found = try #require(Analyses.comparisons(run(job, seed: 5)).first)
        #expect(found.verdict == word && found.rows[0].ks != nil, "\(role) \(spread) \(found.sentence)")
        // The largest distance of two normal laws whose spreads differ by 10% is 0.0231.
        if spread == 1.1 { #expect((found.rows[0].ks!.distance - 0.0231).magnitude < 0.008) }
      }
    }
  }

  @Test("False alarms of an exact comparison over 300 seeds are as frequent as alpha says")
  func falseAlarms() throws {
    let names = ["mean", "variance", "kurtosis", "x", "y", "quantile", "law", "deviation"]
    let schema = Schema(axis: point, observables: names.map { Observable($0, "") })
    // One independent quantity for each of the seven tests, so that sharing alpha among them loses almost nothing.
    let draw = ClosureDraw(schema: schema) { stream, values in
      let normals = stream.normals(8)
      for i in 0..<8 { values[i] = normals[i] }
      values[0] += 1
      values[4] = 0.5 * normals[3] + normals[4]
    }
    let law = TabulatedLaw(name: "normal", from: -9, to: 9) { Elementary.exp(-0.5 * $0 * $0) }
    let known: [(String, Statistic, Double)] = [
      ("mean", .mean, 1), ("variance", .variance, 1), ("kurtosis", .kurtosis, 0), ("x", .covariance("y"), 0.5),
      ("quantile", .quantile(0.25), -0.6744897501960817), ("deviation", .standardDeviation, 1),
    ]
    let values = ReferenceValues(
      schema: schema,
      statistics: predict(schema, known).statistics + [
        PredictedStatistic(.law, record: 0, observable: 6, value: .nan, law: law)
      ])
    let job = makeJob(
      [Case(label: "main", swept: [:], legs: [finite(draw, draws: 20_000), reference("theory", .exact, values)])],
      alpha: 0.1)
    var alarms: [String: Int] = [:]
    var total = 0
    for seed in 0..<300 {
      let found = try #require(Analyses.comparisons(run(job, seed: UInt64(seed))).first)
      #expect(found.rows.count == 7 && found.rows.allSatisfy { $0.verdict != nil })
      if found.verdict == .differs { total += 1 }
      for row in found.rows where row.verdict == .differs { alarms[row.observable, default: 0] += 1 }
    }
    // 1 - (1 - alpha/7)^7 with alpha = 0.1.
    #expect(range(300, 0.0958).contains(Double(total)), "\(total) of 300: \(alarms)")
  }

  @Test("Alpha is shared among all tests of a case, whatever reference they belong to")
  func sharing() throws {
    let one = predict(Self.schema, [("g", .mean, 0), ("g", .variance, 1)])
    let two = predict(Self.schema, [("c", .mean, 8)])
    let legs = [finite(Self.draw, draws: 1000), reference("one", .exact, one), reference("two", .exact, two)]
    let found = Analyses.comparisons(run(makeJob([Case(label: "main", swept: [:], legs: legs)]), seed: 1))
    #expect(found.map(\.reference) == ["one", "two"] && found.map(\.index) == [0, 1])
    #expect(found.allSatisfy { $0.criticalZ == Gaussian.critical(0.01 / 3) })
  }

  @Test("What cannot be tested is not: few draws, heavy tails")
  func untested() throws {
    let few = try Self.compare([("c", .mean, 99)], draws: 150)
    #expect(few.verdict == .undecided && few.rows[0].z.isNaN && few.rows[0].verdict == nil)
    #expect(few.sentence.contains("undecided: too few draws"), "\(few.sentence)")
    let schema = Schema(axis: point, observables: observables("h"))
    let draw = ClosureDraw(schema: schema) { stream, values in values[0] = Elementary.exp(3 * stream.normals(1)[0]) }
    let predictions: [(String, Statistic, Double)] = [("h", .mean, 90), ("h", .variance, 1), ("h", .kurtosis, 1)]
    let legs = [finite(draw, draws: 20_000), reference("theory", .exact, predict(schema, predictions))]
    let found = Analyses.comparisons(run(makeJob([Case(label: "main", swept: [:], legs: legs)]), seed: 1))[0]
    #expect(found.rows.allSatisfy { $0.z.isNaN } && found.verdict == .undecided, "\(found.rows)")
  }
}
