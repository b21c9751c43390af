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
}
