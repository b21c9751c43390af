import Analyses
import Engine
import Experiments
import Foundation
import Jobs
import Testing

/// Jobs with `equation = "sde"`: keys, sweeps, identity, and what is refused.
@Suite struct OwnSDEJobTests {
  static let text = """
    seed = 3
    [network]
    architecture = "mlp"
    activation = "linear"
    width = 20
    depth = 20
    inputs = { correlation = 0.3 }
    observables = ["log_V", "q", { name = "gap", formula = "log_V[0] - log_V[1]" }]
    draws = 100
    [[limit]]
    equation = "sde"
    observable = "log_V[0]"
    drift = { formula = "-a - 0*x", a = 1 }
    diffusion = { formula = "sqrt(2)" }
    """

  private func leg(_ settings: [String]) throws -> Leg {
    try job(Self.text, settings).job.cases[0].legs.first { $0.name == "sde" }!
  }

  @Test("A parameter is set with and without the name of the only limit, and swept")
  func parameters() throws {
    #expect(try leg([]).attributes["drift.a"] == "1")
    for key in ["limit.sde.drift.a", "limit.drift.a"] {
      #expect(try leg(["\(key)=2.5"]).attributes["drift.a"] == "2.5")
      let cases = try job(Self.text + "\n[sweep]\n\"\(key)\" = [1, 2]").job.cases
      #expect(cases.map(\.label) == ["\(key)=1", "\(key)=2"])
    }
    #expect(try leg(["limit.draws=77"]).draws == 77)
  }

  @Test("Spaces do not make another job, numbers do")
  func identity() throws {
    let plain = try job(Self.text).job
    #expect(try job(Self.text, ["limit.sde.drift.formula=\"(-a)-0 * x\""]).job.firstDifference(from: plain) == nil)
    #expect(try job(Self.text, ["limit.sde.drift.a=2"]).job.firstDifference(from: plain) != nil)
  }

  @Test("An observable by formula has no start, but its law is compared like any other")
  func derivedObservable() throws {
    let settings = ["limit.sde.observable=\"gap\"", "limit.sde.start=0", "network.draws=2000"]
    let own = try leg(settings)
    #expect(own.observables.map(\.name) == ["gap"] && own.attributes["start"] == "0.0")
    // A drift of -1 moves what has mean 0 by symmetry.
    let file = try job(Self.text, settings)
    let comparison = try Analyses.comparisons(LocalRun.run(file.job, ranks: 2).snapshot).first { $0.reference == "sde" }
    #expect(comparison?.rows.map(\.observable) == ["gap"])
    #expect(try #require(comparison?.rows.first).z > 3)
  }

  @Test(
    "What is refused, and how",
    arguments: [
      (["drift=3"], ["limit.drift = 3", "write drift = { formula = \"3\" }"]),
      (["drift=\"-x\""], ["must be a table", "write drift = { formula = \"-x\" }"]),
      (["drift={formla=\"x\"}"], ["did you mean formula?"]),
      (["drift.formula=\"-a*xx\""], ["limit.drift.formula", "column 4", "did you mean x?"]),
      (["drift.b=2"], ["limit.drift.b", "no such parameter", "did you mean a?"]),
      (["drift.a=\"2\""], ["limit.drift.a", "finite number"]),
      (["drift.a=[1, 2]"], ["limit.drift.a", "[sweep]"]),
      (["difusion={}"], ["limit.difusion", "did you mean diffusion?"]),
      (["diffusion.formula=\"log(x - 1)\""], ["limit.diffusion", "nan at the start", "x = 0.0", "log(-1.0)"]),
      (["drift.formula=\"a/t\""], ["limit.drift", "inf at the start", "t = 0.0"]),
      (["diffusion.formula=\"sqrt(x)\""], ["no finite derivative at the start", "euler-maruyama"]),
      (["observable=\"logV[0]\""], ["limit.observable", "did you mean log_V[0]?"]),
      (["observable=\"gip\"", "start=0"], ["limit.observable = \"gip\"", "did you mean gap?"]),
      (["observable=\"gap\""], ["limit.observable", "needs a start"]),
      (["start=\"x\""], ["limit.start", "finite number"]),
      (["step=0"], ["limit.step = 0", "above 0.0"]), (["step=1e-12"], ["limit.step", "at least 1e-09"]),
      (["time=-1"], ["limit.time", "above 0.0"]),
      (["integrator=\"milsten\""], ["limit.integrator", "did you mean milstein?"]),
      (["diffusion.formula=\"trigamma(x + 2)\"", "integrator=\"milstein\""], ["needs a derivative", "trigamma"]),
    ])
  func badInput(settings: [String], words: [String]) throws {
    let error = #expect(throws: Failure.self) { try job(Self.text, settings.map { "limit.sde.\($0)" }) }
    #expect(error?.status == .badData)
    for word in words { #expect(error?.message.contains(word) == true, "\(word): \(error?.message ?? "")") }
  }

  @Test("Without a derivative of the diffusion the integrator is the other one, and a note says so")
  func fallsBack() throws {
    _ = Notes.take()
    #expect(try leg(["limit.sde.diffusion.formula=\"trigamma(x + 2)\""]).attributes["integrator"] == "euler-maruyama")
    #expect(Notes.take().contains { $0.contains("no derivative in x") && $0.contains("euler-maruyama") })
    #expect(try leg([]).attributes["integrator"] == "milstein")
  }
}
