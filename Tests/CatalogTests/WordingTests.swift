import Analyses
import Engine
import Experiments
import Jobs
import Results
import Statistics
import Testing

/// What the program says of its results, in words.
@Suite struct WordingTests {
  /// `[bias]` speaks of the law: neither of an acceptance rate nor of a step size, which depend on N and h by nature.
  @Test func biasSpeaksOfTheLawOnly() throws {
    let text = """
      seed = 7
      [particles]
      system = "double-well"
      integrator = "mala"
      number = 10
      step = 0.3
      warm_up = 20
      steps = 200
      replicas = 8
      [bias]
      """
    let snapshot = try LocalRun.run(job(text).job, ranks: 2, options: LocalRun.Options()).snapshot
    let leg = try #require(snapshot.job.cases[0].finite)
    #expect(leg.observables.contains { $0.role == .acceptanceRate })
    let bias = try #require(Analyses.scalings(snapshot).first { $0.kind == .refinements })
    #expect(!bias.sentence.contains("acceptance") && bias.sentence.contains("bias in N"))
    #expect(Set(bias.refined.map(\.observable)).isDisjoint(with: ["acceptance", "step_size"]))
  }

  /// A file with more draws than the job now asks for, and one with fewer.
  @Test func countsOfDraws() throws {
    func lines(_ draws: Int, asked: Int) throws -> String {
      let text = BadInputTests.network.replacing("draws = 20000", with: "draws = \(draws)")
      let made = try LocalRun.run(job(text).job, ranks: 1, options: LocalRun.Options()).snapshot
      let now = try job(BadInputTests.network.replacing("draws = 20000", with: "draws = \(asked)")).job
      return try Report(Snapshot(job: now, states: made.states, provenance: [])).text
    }
    #expect(try lines(300, asked: 200).contains("network: 300 draws, the job asks for 200\n"))
    #expect(try lines(200, asked: 300).contains("network: 200 of 300 draws\n"))
  }
}
