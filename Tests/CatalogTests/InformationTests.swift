import Analyses
import Engine
import Experiments
import Jobs
import Testing

/// `[information]` and `[exponents]` as jobs ask for them.
@Suite struct InformationTests {
  private static func linear(_ n: Int, draws: Int, _ more: String = "") -> String {
    """
    seed = 12
    [network]
    architecture = "mlp"
    activation = "linear"
    c = 1.0
    width = \(n)
    depth = 1
    inputs = { count = 1 }
    observables = ["log_V"]
    draws = \(draws)
    [information]
    \(more)
    """
  }

  /// Printed are I/(v^2/8) of one linear layer, v = 2/n: .570, .699, .889 (n = 8, 16, 64). Networks within four standard errors, and the error small
  /// enough to tell them from 1. Nine tests of the family.
  @Test(arguments: [(8, 0.570), (16, 0.699), (64, 0.889)]) func printedValues(n: Int, ratio: Double) throws {
    let file = try job(Self.linear(n, draws: 60_000))
    let rows = Analyses.estimands(try LocalRun.run(file.job, ranks: 2).snapshot)[0].rows
    #expect(rows.map(\.estimand.name) == ["fluctuation[0]", "information[0]", "information_series[0]"])
    let scale = 0.5 / Double(n * n)
    let (value, error) = (rows[1].value / scale, rows[1].error / scale)
    #expect((value - ratio).magnitude < 4 * error + 5e-4 && error < 0.03, "n = \(n): \(value) +- \(error)")
    #expect((rows[0].value - 2 / Double(n)).magnitude < 4 * rows[0].error)
    let v = 2 / Double(n)
    #expect((rows[2].value - v * v / 8 * (1 - 13.0 / 3 * v)).magnitude < 4 * rows[2].error + 1e-12)
  }

  /// 100 seeds of 1,000 draws: |z| < 1.96 in 95% within four standard deviations of the binomial law, of I itself and of v. The plug-in's bias
  /// is of order 1/draws.
  @Test func errorsAreThoseOfTheEstimates() throws {
    var within = [0, 0]
    let truth = [2.0 / 16, 0.6987449138 * 0.5 / 256]
    let file = try job(Self.linear(16, draws: 1000))
    for seed in 0..<100 {
      let one = seed == 0 ? file : try job(Self.linear(16, draws: 1000), ["seed=\(seed)"])
      let rows = Analyses.estimands(try LocalRun.run(one.job, ranks: 1).snapshot)[0].rows
      for k in 0..<2 { within[k] += ((rows[k].value - truth[k]) / rows[k].error).magnitude < 1.96 ? 1 : 0 }
    }
    for count in within { #expect((86...100).contains(count), "\(within)") }
  }

  /// The leading order of the theory: v = (l times the vertex of a layer)/n, and v^2/8; ReLU has 5 l/n.
  @Test func theLimit() throws {
    let text = """
      seed = 12
      [network]
      architecture = "mlp"
      activation = "relu"
      width = 1000
      depth = 4
      layers = [1, 4]
      inputs = { count = 1 }
      observables = ["log_V"]
      draws = 2
      [information]
      units = [2, 3]
      [[limit]]
      equation = "finite-width"
      """
    let known = try #require(try job(text).job.cases[0].legs.first { $0.name == "finite-width" }?.known)
    func value(_ name: String, _ record: Int) -> Double {
      known.statistics.first { $0.statistic == .estimand(name) && $0.record == record }?.value ?? .nan
    }
    for (record, v) in [0.005, 0.02].enumerated() {
      #expect((value("fluctuation[0]", record) / v - 1).magnitude < 1e-9)
      #expect((value("information[0]", record) / (0.75 * v * v) - 1).magnitude < 1e-9)
    }
  }

  /// log_distance beside the same by the entries of V, which cancel: as many digits agree as a distance of 1e-4 leaves of them.
  @Test func distances() throws {
    let text = """
      seed = 3
      [network]
      architecture = "mlp"
      activation = "tanh"
      c = 2.0
      bias = 0.2
      width = 30
      depth = 3
      layers = "all"
      inputs = { gram = [[1.0, 0.9999, 0.2], [0.9999, 1.0, 0.2], [0.2, 0.2, 0.7]] }
      draws = 200
      observables = ["V", "log_distance",
        { name = "near", formula = "log(V[0,0] + V[1,1] - 2*V[0,1])" },
        { name = "far", formula = "log(V[1,1] + V[2,2] - 2*V[1,2])" }]
      """
    let file = try job(text)
    let state = try LocalRun.run(file.job, ranks: 2).snapshot.states[0]
    let schema = file.job.cases[0].legs[0].schema
    func mean(_ name: String, _ record: Int) throws -> Double {
      state.tally.moments(schema.index(record, try #require(schema.place(of: name)))).mean
    }
    for record in 0..<3 {
      #expect((try mean("log_distance[0,1]", record) - mean("near", record)).magnitude < 1e-10)
      #expect((try mean("log_distance[1,2]", record) - mean("far", record)).magnitude < 1e-13)
    }
  }

  @Test func whatIsRefused() {
    func refusal(_ more: String, _ settings: [String] = []) -> String {
      do { _ = try job(Self.linear(8, draws: 10, more), settings) } catch { return "\(error)" }
      return ""
    }
    #expect(refusal("") == "")
    #expect(
      refusal("units = [1, 0]").contains(
        "information.units = [1, 0]: must be an array of two numbers of units in [1, 1000]"))
    #expect(refusal("units = [1]").contains("must be an array of two numbers"))
    #expect(refusal("", ["network.observables=[\"V\"]"]).contains("must hold log_V for [information]"))
    #expect(refusal("", ["network.bound=10.0"]).contains("cannot be given together with [information]"))
    #expect(refusal("unit = 3").contains("did you mean units"))
    #expect(refusal("[exponents]\nlaw = \"powr\"").contains("exponents.law"))
    #expect(refusal("[exponents]\ntolerance = 0.0").contains("exponents.tolerance"))
  }
}
