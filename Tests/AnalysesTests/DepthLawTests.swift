import Analyses
import Experiments
import Kernels
import Randomness
import Statistics
import Testing

/// Exponents and rates of laws that are known.
@Suite struct DepthLawTests {
  private static let depths: [Double] = [8, 16, 32, 64, 128]

  private static func axis(_ depths: [Double]) -> Axis { Axis(name: "layer", summary: "", values: depths) }

  /// Values mean(l) + noise; of one leg whose noise is a random walk over the layers, or of a case for each depth.
  private static func snapshot(
    _ request: DepthLawRequest, known: [DepthLaw], draws: UInt64, seed: UInt64, isSwept: Bool, noise: Double = 0.3,
    walks: Bool = true, mean: @escaping @Sendable (Double) -> Double
  ) -> Snapshot {
    func leg(_ depths: [Double]) -> Leg {
      let draw = ClosureDraw(schema: Schema(axis: axis(depths), observables: observables("x"))) { stream, values in
        var walk = 0.0
        for (k, depth) in depths.enumerated() {
          walk = (walks ? walk : 0) + stream.normals(1)[0]
          values[k] = mean(depth) * (1 + noise * walk / Double(walks ? k + 1 : 1).squareRoot())
        }
      }
      return Leg(
        name: "network", role: .finite, content: .sampled(Experiment(draw), draws: draws), attributes: [:],
        asymptotics: known)
    }
    let width = SmallParameter("width", table: "network", Parameter.Smallness(.inverse, "n", ratios: ["depth"]))
    let cases =
      isSwept
      ? depths.map { Case(label: "network.depth=\($0)", swept: ["network.depth": "\($0)"], legs: [leg([$0])]) }
      : [Case(label: "main", swept: [:], legs: [leg(depths)])]
    let job = Job(
      title: "", seed: 1, cases: cases, tolerances: Tolerances(distance: 0.02, mean: 0.05, alpha: 0.01),
      covarianceLimit: 0, exponents: request, smallParameters: [width], text: "", identity: [])
    return run(job, seed: seed)
  }

  private static let power = DepthLawRequest(.power, from: 1, tolerance: 0.1)
  /// A next term moves the exponent of one power alone, and the error says so: within 2/(8 log 4) of it.
  private static let bent = DepthLawRequest(.power, from: 1, tolerance: 0.3)

  private static func law(_ exponent: Double, _ constant: Double? = nil, _ form: DepthLaw.Form = .power) -> [DepthLaw] {
    [DepthLaw(form, .mean, of: "x", exponent: exponent, constant: constant)]
  }

  /// 2 l^p, alone and with a next term, in layers of one leg and in a sweep: exponent and constant.
  @Test(arguments: [-1.0, 0, 0.5, 2], [false, true]) func powers(exponent: Double, isSwept: Bool) throws {
    for bend in [0, 1.0] {
      let found = Analyses.depthLaws(
        Self.snapshot(
          bend == 0 ? Self.power : Self.bent, known: Self.law(exponent, 2), draws: 40_000, seed: 3, isSwept: isSwept,
          noise: 0.05,
          mean: { 2 * Elementary.exp(exponent * Elementary.log($0)) * (1 + bend / $0) }))
      #expect(found.count == 1 && found[0].isSwept == isSwept)
      let row = try #require(found[0].rows.first { $0.statistic == .mean })
      #expect(
        row.exponentError < (bend == 0 ? 0.03 : 0.1) && (row.exponent - exponent).magnitude < 4 * row.exponentError,
        "\(found[0].sentence)")
      #expect(
        (row.constant - 2).magnitude < 4 * row.constantError && row.constantError < 0.1,
        "\(row.constant) \(row.constantError)")
      #expect(row.quantity == "E x" && found[0].verdict == .agrees, "\(found[0].sentence)")
      // The spread is as large a part of the mean everywhere.
      let variance = try #require(found[0].rows.first { $0.statistic == .variance })
      #expect((variance.exponent - 2 * exponent).magnitude < 4 * variance.exponentError && variance.verdict == nil)
    }
  }

  /// The wrong exponent is told, and one that the data leave open is not.
  @Test(arguments: [false, true]) func verdicts(isSwept: Bool) {
    func verdict(_ known: Double, draws: UInt64, noise: Double) -> Equivalence? {
      Analyses.depthLaws(
        Self.snapshot(
          Self.power, known: Self.law(known), draws: draws, seed: 5, isSwept: isSwept, noise: noise, mean: { 3 / $0 }))[
          0
        ]
        .verdict
    }
    #expect(verdict(-1, draws: 40_000, noise: 0.05) == .agrees)
    #expect(verdict(-0.8, draws: 40_000, noise: 0.05) == .differs)
    #expect(verdict(-1, draws: 300, noise: 1) == .undecided)
  }

  /// 100 seeds of a power law with a tolerance that allows for nothing: the true exponent is off by more than its interval in at most alpha, 1%,
  /// of the seeds; 5 of 100 are its four standard deviations. Layers of one leg are all but equal, the worst case; the bound holds for those.
  @Test(arguments: [false, true]) func falseAlarms(isSwept: Bool) {
    var alarms = 0
    for seed in 0..<UInt64(100) {
      let found = Analyses.depthLaws(
        Self.snapshot(
          DepthLawRequest(.power, from: 1, tolerance: 1e-9), known: Self.law(-1), draws: 400, seed: seed,
          isSwept: isSwept, mean: { 1 / $0 }))
      alarms += found[0].verdict == .differs ? 1 : 0
    }
    #expect(alarms <= 5, "\(alarms) of 100")
  }

  /// What an exponential law gains a layer, with a transient that dies out; 100 seeds.
  @Test(arguments: [false, true]) func rates(isSwept: Bool) throws {
    func snapshot(_ known: Double, _ tolerance: Double, seed: UInt64, draws: UInt64 = 400) -> DepthLaws {
      Analyses.depthLaws(
        Self.snapshot(
          DepthLawRequest(.rate, from: 16, tolerance: tolerance), known: Self.law(known, nil, .rate), draws: draws,
          seed: seed, isSwept: isSwept, noise: 0.01, mean: { 5 - 0.2 * $0 + Elementary.exp(-0.1 * $0) }))[0]
    }
    let one = snapshot(-0.2, 0.05, seed: 1)
    let row = one.rows[0]
    #expect(one.verdict == .agrees && row.depths == [16, 32, 64, 128], "\(one.sentence)")
    #expect((row.exponent + 0.2).magnitude < 2 * row.exponentError && row.exponentError < 0.02)
    #expect(snapshot(-0.1, 0.02, seed: 1, draws: 20_000).verdict == .differs)
    var alarms = 0
    for seed in 0..<UInt64(100) { alarms += snapshot(-0.2, 1e-9, seed: seed).verdict == .differs ? 1 : 0 }
    #expect(alarms <= 5, "\(alarms) of 100")
  }

  /// The same law of the values, over 40 seeds: five layers of one leg, whatever they have in common, against five independent depths. The error of
  /// a power is a root of five times as large on the average, less where the bend of a next term has come to its end.
  @Test func layersCountAsTheWorstCorrelation() throws {
    func error(isSwept: Bool) throws -> Double {
      try (0..<UInt64(40)).reduce(0.0) { sum, seed in
        let found = Analyses.depthLaws(
          Self.snapshot(
            Self.power, known: [], draws: 1000, seed: seed, isSwept: isSwept, noise: 0.02, walks: false,
            mean: { 1 / $0 })
        )
        return sum + (try #require(found[0].rows.first { $0.statistic == .mean }).exponentError)
      }
    }
    let ratio = try error(isSwept: false) / error(isSwept: true)
    #expect(ratio > 1.4 && ratio < 2.4, "\(ratio)")
  }

  /// What dies out slowly and has not yet is part of the error of a rate.
  @Test func transientsOfRates() throws {
    let found = Analyses.depthLaws(
      Self.snapshot(
        DepthLawRequest(.rate, from: 8, tolerance: 0.1), known: [], draws: 1000, seed: 2, isSwept: false, noise: 1e-6,
        mean: { 5 - 0.2 * $0 + Elementary.exp(-$0 / 40) }))
    let row = found[0].rows[0]
    let off = (row.exponent + 0.2).magnitude
    #expect(
      off > 1e-3 && off < row.exponentError && row.exponentError < 0.02, "\(row.exponent) +- \(row.exponentError)")
  }

  /// Three depths, or depths too close, give no power; a quantity that is 0 has none.
  @Test func whatHasNoPower() {
    let few = Analyses.depthLaws(
      Self.snapshot(
        DepthLawRequest(.power, from: 32, tolerance: 0.1), known: Self.law(-1), draws: 400, seed: 1, isSwept: false,
        mean: { 1 / $0 }))
    #expect(few.isEmpty)
    let zero = Analyses.depthLaws(
      Self.snapshot(Self.power, known: [], draws: 400, seed: 1, isSwept: false, mean: { _ in 0 }))
    #expect(zero.isEmpty)
  }
}
