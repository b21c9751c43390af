import Analyses
import Engine
import Experiments
import Foundation
import Jobs
import Results
import Statistics
import Testing

/// Runs that end when they are decided.
@Suite struct StopTests {
  /// V of a linear network against its exact moments; the tolerance decides at which look.
  static let text = """
    seed = 11
    [network]
    architecture = "mlp"
    activation = "linear"
    width = 40
    depth = 2
    inputs = { count = 1 }
    observables = ["log_V"]
    draws = 12800
    [[limit]]
    equation = "infinite-width"
    [comparison]
    mean = 0.1
    [stop]
    """

  static func options(_ file: JobFile) -> LocalRun.Options {
    var options = LocalRun.Options()
    options.shards = file.shards
    options.isReached = { Decision($0).isReached }
    return options
  }

  @Test("Looks double, the last has all draws, and their levels add up to the whole")
  func looks() throws {
    for looks in 2...30 {
      let rule = StopRule(decided: true, wanted: [], looks: looks)
      #expect((0..<looks).reduce(0) { $0 + rule.share(ofLook: $1) } == 1)
      let draws = (0..<looks).map { rule.draws(1_000_001, atLook: $0) }
      #expect(draws.last == 1_000_001 && draws[0] >= 1)
      #expect(zip(draws, draws.dropFirst()).allSatisfy { $0 <= $1 && $1 <= 2 * $0 && 2 * $0 <= $1 + 1 })
    }
  }

  /// The standard error of the mean of log V falls as n^-1/2: the look is the first whose error is below what is wanted.
  @Test("A wanted standard error is reached at the first look that has it, whatever the ranks, and after any stop")
  func standardError() throws {
    let file = try job(Self.text + "\nstandard_error = { \"E log_V[0]\" = 6e-3 }\nlooks = 8")
    let whole = try LocalRun.run(file.job, ranks: 1, options: Self.options(file)).snapshot
    let look = try #require(whole.job.look)
    #expect((1..<7).contains(look) && whole.isFinished)
    func error(_ look: Int) throws -> Double {
      let job = file.job.looks[look]
      return try LocalRun.run(job, ranks: 1).snapshot.states[0].tally.moments(0).meanError
    }
    let (there, before) = (try error(look), try error(look - 1))
    #expect(there <= 6e-3 && before > 6e-3)
    let digest = try Digest.of(whole.states)
    for ranks in [2, 3, 7] {
      let found = try LocalRun.run(file.job, ranks: ranks, options: Self.options(file)).snapshot
      let same = try Digest.of(found.states) == digest
      #expect(found.job.look == look && same)
    }
    var restored: [LegState]?
    var stops = 0
    for (ranks, questions) in [(1, 1), (3, 4), (2, 2), (7, 30)] {
      let asked = Counter()
      var options = Self.options(file)
      options.stopRequested = { asked.next() > questions }
      let (snapshot, outcome) = try LocalRun.run(file.job, ranks: ranks, restored: restored, options: options)
      stops += outcome == .stopped ? 1 : 0
      restored = try reread(snapshot.states, snapshot.job)
    }
    #expect(stops >= 2)
    for _ in 0..<2 {
      let end = try LocalRun.run(file.job, ranks: 2, restored: restored, options: Self.options(file)).snapshot
      let same = try Digest.of(end.states) == digest
      #expect(end.job.look == look && same)
      restored = try reread(end.states, end.job)
    }
  }

  @Test("Decided: no verdict is left undecided at the look, and one was before it")
  func decided() throws {
    let file = try job(Self.text + "\ndecided = true\nlooks = 8")
    let end = try LocalRun.run(file.job, ranks: 2, options: Self.options(file)).snapshot
    let look = try #require(end.job.look)
    #expect((1..<7).contains(look))
    #expect(Analyses.comparisons(end).allSatisfy { $0.verdict != .undecided })
    let before = try LocalRun.run(file.job.looks[look - 1], ranks: 1).snapshot
    #expect(!Decision(before).isReached && Decision(before).missing.contains { $0.contains("undecided") })
  }

  /// E V against its exact value, 300 seeds, eight looks, alpha 0.05. Run until decided, false alarms stay within the binomial range of 0.05
  /// (four standard deviations); looking eight times at the level 0.05 and stopping at the first alarm does not.
  @Test("False alarms under optional stopping")
  func falseAlarms() throws {
    let text = Self.text.replacingOccurrences(of: "[[limit]]\nequation = \"infinite-width\"\n", with: "")
      .replacingOccurrences(of: "log_V", with: "V").replacingOccurrences(of: "depth = 2", with: "depth = 1")
      .replacingOccurrences(of: "mean = 0.1", with: "mean = 0.001\nalpha = 0.05")
      .replacingOccurrences(of: "draws = 12800", with: "draws = 51200")
    let seeds = 300
    let plainJob = try job(text.replacingOccurrences(of: "[stop]", with: "")).job
    var (spent, plain) = (0, 0)
    for seed in 1...seeds {
      let file = try job(text + "\ndecided = true\nlooks = 8", ["seed=\(seed)"])
      func isAlarm(_ snapshot: Snapshot) -> Bool { Analyses.comparisons(snapshot).contains { $0.verdict == .differs } }
      let end = try LocalRun.run(file.job, ranks: 1, options: Self.options(file)).snapshot
      spent += isAlarm(end) ? 1 : 0
      // The same draws, each look at the whole level.
      var states: [LegState]?
      for look in file.job.looks {
        let made = try LocalRun.run(look, ranks: 1, restored: states).snapshot
        states = made.states
        if isAlarm(Snapshot(job: plainJob, states: made.states, provenance: [])) {
          plain += 1
          break
        }
      }
    }
    let expected = 0.05 * Double(seeds)
    let bound = expected + 4 * (expected * 0.95).squareRoot()
    #expect(Double(spent) <= bound, "\(spent) of \(seeds), at most \(bound)")
    #expect(Double(plain) > bound, "\(plain) of \(seeds) without spending, more than \(bound)")
  }

  static let particles = """
    seed = 5
    [particles]
    system = "gaussian"
    inverse_temperature = 1
    number = 8
    step = 0.05
    steps = 20
    [stop]
    decided = true
    """

  @Test("at_most is the number of draws of a family that gives none, and the same job as with both")
  func atMostAlone() throws {
    let alone = Self.text.replacingOccurrences(of: "draws = 12800\n", with: "")
    let network = try job(alone + "\ndecided = true\nat_most = 1e4").job
    #expect(network.cases[0].legs.filter(\.isSampled).map(\.draws) == [10_000])
    #expect(try job(Self.text + "\ndecided = true\nat_most = 1e4").job.firstDifference(from: network) == nil)
    let particles = try job(Self.particles + "\nat_most = 64").job
    #expect(particles.cases[0].finite?.draws == 64 && particles.identity.contains { $0.contains("at most 64 draws") })
  }

  @Test("Where neither is given, or at_most is no number of replicas")
  func atMostRefused() throws {
    func message(_ text: String) -> String {
      let error = #expect(throws: Failure.self) { try job(text) }
      return error?.message ?? ""
    }
    let alone = Self.text.replacingOccurrences(of: "draws = 12800\n", with: "")
    let missing = message(alone + "\ndecided = true")
    #expect(missing.contains("network.draws is missing") && missing.contains("or stop.at_most"), "\(missing)")
    let large = message(Self.particles + "\nat_most = 1e6")
    #expect(
      large.contains("stop.at_most = 1000000: stands for particles.replicas") && large.contains("100000"), "\(large)")
    // A sweep may give the draws.
    let swept = try job(alone + "\ndecided = true\n[sweep]\n\"network.draws\" = [100, 200]").job
    #expect(swept.cases.map { $0.finite!.draws } == [100, 200])
  }

  @Test(
    "Rules that say nothing, or name what is not there",
    arguments: [
      ("", "must have decided = true"), ("standard_error = 3", "table of quantities"),
      ("standard_error = { \"E log_v[0]\" = 0.1 }", "did you mean log_V[0]?"),
      ("standard_error = { \"E log_V[0]\" = 0 }", "positive standard errors"),
      ("decided = true\nlooks = 1", "[2, 30]"), ("decided = true\nat_mots = 3", "did you mean at_most?"),
    ])
  func badInput(rule: String, message: String) throws {
    let error = #expect(throws: Failure.self) { try job(Self.text + "\n" + rule) }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }
}
