import Analyses
import Engine
import Experiments
import Foundation
import Jobs
import Statistics
import Testing

/// What explanations promise.
@Suite struct ExplanationTests {
  /// log V of a linear network so wide that the limit holds to a twentieth of the tolerance.
  private static func text(_ seed: Int) -> String {
    """
    seed = \(seed)
    [network]
    architecture = "linear-mlp"
    width = 100000
    depth = 2
    inputs = { count = 1 }
    observables = ["log_V"]
    draws = 2000
    [[limit]]
    equation = "infinite-width"
    [comparison]
    mean = 0.05
    """
  }

  /// The draws that are named decide with the probability that is named: of 60 seeds, three standard deviations less.
  @Test func theNamedDrawsDecide() throws {
    var (asked, decided) = (0, 0)
    for seed in 1...60 {
      let file = try job(Self.text(seed))
      let snapshot = try LocalRun.run(file.job, ranks: 1).snapshot
      let explanation = Explanation(snapshot)
      guard let remedy = explanation.remedies.first, remedy.purpose.contains("probability") else { continue }
      // A difference near the tolerance takes more draws than a test should.
      guard case .draws(let factor) = remedy.change, factor < 50 else { continue }
      asked += 1
      let advice = try Advisor(snapshot, name: "job.toml", data: RootedData()).advice(remedy.change, remedy.item)
      #expect(advice.resumes)
      let more = try job(Self.text(seed), advice.settings)
      let again = try LocalRun.run(more.job, ranks: 1, restored: snapshot.states).snapshot
      decided += Analyses.comparisons(again).allSatisfy { $0.verdict != .undecided } ? 1 : 0
    }
    let n = Double(asked)
    #expect(asked >= 20, "\(asked)")
    #expect(Double(decided) >= 0.9 * n - 3 * (0.09 * n).squareRoot(), "\(decided) of \(asked)")
  }

  @Test func settingsComeApart() {
    for (recorded, text, settings) in [
      ("a = 1\n", "a = 1\n", []),
      ("a = 1\n\n# --set b=2\n# --set c=3\n", "a = 1\n", ["b=2", "c=3"]),
      ("a = 1\n# --set x=1\n\n# --set b=2\n", "a = 1\n# --set x=1\n", ["b=2"]),
      ("", "", []),
    ] {
      let found = Advisor.split(recorded)
      #expect(found.text == text && found.settings == settings, "\(found)")
    }
  }

  /// Rows of files cannot be made here, and a job that sweeps its draws must change its sweep.
  @Test func whatCannotBeDone() throws {
    let swept = Self.text(1) + "\n[sweep]\n\"network.draws\" = [1000, 2000]"
    let snapshot = try LocalRun.run(job(swept).job, ranks: 1).snapshot
    let advisor = Advisor(snapshot, name: "job.toml", data: RootedData())
    #expect { try advisor.advice(.draws(factor: 2), nil) } throws: { "\($0)".contains("is swept by the job") }
    let samples = try String(contentsOfFile: root + "/jobs/numpy-network.toml", encoding: .utf8)
    let rows = try LocalRun.run(job(samples, ["network.draws=1000"]).job, ranks: 1).snapshot
    let other = Advisor(rows, name: "job.toml", data: RootedData())
    #expect { try other.advice(.draws(factor: 2), nil) } throws: { "\($0)".contains("rows of files") }
  }

  /// Slopes along sweeps: what is flat or not is said, and what is open asks for draws, for as many as decide.
  @Test func trendsAreExplained() throws {
    let text = try String(contentsOfFile: root + "/jobs/coordinate-check.toml", encoding: .utf8)
    func explain(_ settings: [String]) throws -> Explanation {
      let file = try job(text, ["training.depth=1", "sweep={\"training.width\"=[64,256,1024]}"] + settings)
      return try Explanation(LocalRun.run(file.job, ranks: 1).snapshot)
    }
    let flat = try explain([])
    let said = try #require(flat.statements.first { $0.subject == "trend" })
    #expect(said.part == .shows && said.code == "trend" && said.sentence.contains("flat within 0.05"))
    let open = try explain(["training.draws=3"])
    #expect(open.statements.contains { $0.subject == "trend" && $0.part == .open && $0.code == "no_power" })
    let asked = open.remedies.compactMap { if case .draws(let factor) = $0.change { factor } else { nil } }
    #expect(asked.count == 1 && (2...200).contains(asked[0]), "\(asked)")
  }

  /// Exponents without a known value are shown; a known one that is open asks for draws.
  @Test func exponentsAreExplained() throws {
    let text = try String(contentsOfFile: root + "/jobs/critical-exponents.toml", encoding: .utf8)
    let file = try job(
      text,
      [
        "network.draws=400", "network.width=64", "network.depth=32", "network.layers=[4,8,16,32]",
        "sweep={\"network.activation\"=[\"tanh\"]}",
      ])
    let explanation = try Explanation(LocalRun.run(file.job, ranks: 1).snapshot)
    let said = try #require(explanation.statements.first { $0.subject == "exponents" })
    #expect(said.part == .open && said.code == "no_power" && said.sentence.contains("undecided at tolerance"))
    #expect(!explanation.remedies.isEmpty)
  }
}
