import Analyses
import Engine
import Experiments
import Testing

/// Chains of five systems that do not mix get no certificate; well-mixed ones of the same systems raise no alarm.
@Suite struct MixingTests {
  /// Keys over `base`.
  struct Chain: Sendable, CustomTestStringConvertible {
    let name: String
    let keys: [String]
    let reasons: [Mixing.Reason]
    var testDescription: String { name }
  }

  static let base = """
    seed = 7
    [particles]
    system = "gaussian"
    integrator = "mala"
    number = 10
    step = 0.1
    warm_up = 100
    steps = 1000
    replicas = 8
    """

  static func diagnose(_ keys: [String]) throws -> Diagnostics {
    let file = try job(base, keys.map { $0.hasPrefix("seed") ? $0 : "particles.\($0)" })
    return try #require(Analyses.diagnostics(try LocalRun.run(file.job, ranks: 1).snapshot).first)
  }

  static let unmixed = [
    Chain(
      name: "gaussian, nearly frozen", keys: ["step=1000"], reasons: [.stuckChains, .acceptance]),
    Chain(name: "gaussian, frozen", keys: ["step=1000000"], reasons: [.noChainMoved]),
    Chain(
      name: "gaussian, unmixed", keys: ["step=1e-5", "start_std=2"], reasons: [.rHat]),
    Chain(
      name: "double-well, all at one point",
      keys: ["system=\"double-well\"", "theta=0", "step=1e5", "start_mean=1", "start_std=0"], reasons: [.noChainMoved]),
    Chain(
      name: "double-well, two modes",
      keys: ["system=\"double-well\"", "theta=0", "inverse_temperature=60", "number=1", "step=0.004", "start_std=2"],
      reasons: [.rHat]),
    Chain(
      name: "two-well, two modes",
      keys: ["system=\"two-well\"", "separation=8", "integrator=\"hmc\"", "number=1", "start_std=10"], reasons: [.rHat]),
    Chain(
      name: "curie-weiss, two modes",
      keys: ["system=\"curie-weiss\"", "integrator=\"heat-bath\"", "inverse_temperature=2", "number=1000"],
      reasons: [.rHat]),
    Chain(
      name: "log-gas, unmixed",
      keys: ["system=\"log-gas\"", "integrator=\"lmc\"", "number=8", "step=1e-6", "start_std=3"], reasons: [.rHat]),
    Chain(
      name: "log-gas, frozen", keys: ["system=\"log-gas\"", "number=8", "step=1e5"], reasons: [.noChainMoved]),
  ]

  @Test("Frozen, two-mode, constant and unmixed chains: no certificate, few effective samples", arguments: unmixed)
  func noCertificate(chain: Chain) throws {
    let found = try Self.diagnose(chain.keys)
    #expect(chain.reasons.contains(found.mixing.code) && !found.mixing.isMixed, "\(found.mixing.sentence)")
    #expect(found.verdict != .agrees && !found.sentence.contains(": consistent"), "\(found.sentence)")
    // A frozen or constant series too; a magnetisation without its sign has mixed.
    let slow = found.rows.filter {
      $0.mixing.isJudged && (found.mixing.code == .noChainMoved || $0.rHat > 1.5 || $0.mixing.state == .constant)
    }
    #expect(!slow.isEmpty)
    for row in slow {
      let sizes = [row.effectiveSamples, row.mixing.bulkEffectiveSamples ?? 0]
      #expect(sizes.allSatisfy { $0 <= 2 * 8 }, "\(row.observable): \(sizes)")
    }
    if found.mixing.code == .noChainMoved {
      #expect(found.sentence.contains("NOT stationary, no chain moved") && found.freeEnergy == nil)
      #expect(found.marginals.allSatisfy { $0.entropy.isNaN && $0.divergence.isNaN && $0.normalDivergence.isNaN })
      #expect(found.rows.allSatisfy { $0.mixing.state == .frozen || $0.mixing.state == .constant })
      #expect(found.rows.filter { $0.mixing.state == .frozen }.allSatisfy { $0.rHat == .infinity })
    } else {
      #expect(try #require(found.mixing.worst).rHat > 1.5 || found.mixing.code == .acceptance)
    }
  }

  static let mixed = [
    Chain(name: "gaussian", keys: ["step=0.5"], reasons: [.mixed]),
    // A start far out would be stuck for good: the proposals overshoot.
    Chain(
      name: "double-well",
      keys: [
        "system=\"double-well\"", "theta=0", "integrator=\"hmc\"", "step=0.3", "leapfrog_steps=4", "number=1",
        "start_std=0.5",
      ], reasons: [.mixed]),
    Chain(
      name: "two-well",
      keys: ["system=\"two-well\"", "separation=1", "integrator=\"hmc\"", "step=0.3", "leapfrog_steps=4", "number=1"],
      reasons: [.mixed]),
    Chain(
      name: "curie-weiss",
      keys: ["system=\"curie-weiss\"", "integrator=\"heat-bath\"", "inverse_temperature=0.5", "number=50"],
      reasons: [.mixed]),
    Chain(
      name: "log-gas", keys: ["system=\"log-gas\"", "number=4", "integrator=\"hmc\"", "step=0.15", "leapfrog_steps=5"],
      reasons: [.mixed]),
  ]

  /// 40 seeds of each (full size: 100); R-hat is over its bound in one of a million observables. The certificates, of which one in a hundred is to
  /// be off, are in the binomial range of four standard deviations: at most 3 (5).
  @Test("Well-mixed controls: no alarm in any seed", arguments: mixed)
  func noAlarm(chain: Chain) throws {
    let seeds = validating ? 100 : 40
    let most = 0.01 * Double(seeds) + 4 * (0.01 * 0.99 * Double(seeds)).squareRoot()
    var off = 0
    for seed in 1...seeds {
      let found = try Self.diagnose(chain.keys + ["seed=\(seed)"])
      let isMixed = found.mixing.isMixed
      #expect(isMixed, "seed \(seed): \(found.mixing.sentence)")
      #expect(found.verdict != .undecided, "seed \(seed): \(found.sentence)")
      off += found.verdict == .differs ? 1 : 0
    }
    #expect(off <= Int(most.rounded(.up)), "\(off) of \(seeds) certificates are off")
  }

  @Test("Moments that hold from the start are judged without mixing, those of the stationary law are not")
  func fromTheStart() throws {
    let file = try job(
      """
      seed = 3
      [particles]
      system = "gaussian"
      number = 16
      step = 0.001
      warm_up = 10
      steps = 100
      replicas = 2000
      start_std = 2
      [[limit]]
      equation = "gaussian-moments"
      """)
    let found = Analyses.comparisons(try LocalRun.run(file.job, ranks: 1).snapshot)
    let moments = try #require(found.first { $0.reference == "gaussian-moments" })
    let square = try #require(moments.rows.first { $0.quantity == "E x^2" })
    #expect(square.verdict == .agrees && moments.rows.allSatisfy { $0.reason != .notMixed }, "\(moments.sentence)")
    let stationary = try #require(found.first { $0.reference == "exact" })
    #expect(stationary.verdict == .undecided && stationary.rows.allSatisfy { $0.reason == .notMixed })
  }

  @Test("The bound of R-hat: what chance explains, between 1.01 and 1.1")
  func bound() {
    #expect(Mixing.bounds.lowerBound == 1.01)
    // 16 halves: 3.766 is the one-in-a-million quantile of chi^2/15.
    for (samples, bound) in [(1e6, 1.01), (5, 1.1), (40, (1 + 3.766 / 40).squareRoot())] {
      #expect((Mixing.bound(effectiveSamples: samples, halves: 16) - bound).magnitude < 0.002)
    }
  }
}
