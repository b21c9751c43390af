import Analyses
import Engine
import Experiments
import Foundation
import Jobs
import Testing

/// Chains against their laws: the second route to every divergence. Each job is tested with alpha = 1e-3 (10 jobs, a fixed seed: a false alarm in any has probability 0.01).
@Suite struct ChainTests {
  private static let draws = ProcessInfo.processInfo.environment["FATHOM_VALIDATE"] != nil ? 400_000 : 20_000

  private static func verdict(_ keys: String) throws -> Verdict {
    let job = try read(
      keys, limits: "[comparison]\nalpha = 1e-3\nks = 0.03\nmean = 0.1", settings: ["divergence.draws=\(draws)"])
    let snapshot = try LocalRun.run(job, ranks: 1, options: LocalRun.Options()).snapshot
    return try #require(Checker.verdicts(snapshot).first { $0.subject == "exact" })
  }

  @Test(arguments: [
    "law = \"line\"\ntarget = \"smoothed-power\"\nalpha = 1.5\nstep = 0.2\nsteps = 12\nrecords = [0, 4, 12]",
    "law = \"line\"\ntarget = \"two-well\"\nstep = 0.1\nsteps = 30\nrecords = [10, 30]\nstart_mean = 1.0",
    "law = \"line\"\ntarget = \"power\"\npower = 1.25\nstep = 0.1\nsteps = 20\nrecords = [20]\nstart_mean = 1.0",
    "law = \"line\"\ntarget = \"cosine\"\nintegrator = \"mala\"\nstep = 0.3\nsteps = 12\nrecords = [1, 3, 12]\nstart_mean = 1.0",
    "law = \"line\"\ntarget = \"own\"\npotential = { formula = \"x^4/4 - x^2/2\" }\nintegrator = \"mala\"\nstep = 0.2\nsteps = 6\nrecords = [6]\nstart_mean = 1.0",
    "law = \"gaussian\"\nintegrator = \"ulmc\"\nfriction = 1.5\ncurvatures = [1, 4]\nstep = 0.3\nsteps = 9\nrecords = [2, 9]\nstart_mean = 1.0",
    "law = \"gaussian\"\nintegrator = \"obabo\"\ncurvatures = [1, 4]\nstep = 0.5\nsteps = 9\nrecords = [2, 9]\nstart_mean = 1.0",
    "law = \"gaussian\"\nintegrator = \"baoab\"\ncurvatures = [1, 4]\nstep = 0.5\nsteps = 9\nrecords = [2, 9]\nstart_mean = 1.0",
    "law = \"steps-to-epsilon\"\nintegrator = \"obabo\"\nkappa = 10\nepsilon = [0.1, 0.01]",
    "law = \"particles\"\nintegrator = \"ulmc\"\nnumber = 6\nmarginals = [1, 3]\nstep = 0.2\nsteps = 8\nrecords = [2, 8]",
  ])
  func chainsHaveTheirLaw(keys: String) throws {
    let verdict = try Self.verdict(keys)
    #expect(verdict.word == .agrees, "\(verdict.sentence)")
  }
}
