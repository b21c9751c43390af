import Analyses
import Engine
import Experiments
import Testing

/// Covariances far from 1: references have the value that they have, statistics an error or none, and nothing is 0 that is not.
@Suite struct UnderflowTests {
  private static func text(_ architecture: String, _ activation: String) -> String {
    """
    seed = 7
    [network]
    architecture = "\(architecture)"
    activation = "\(activation)"
    width = 200
    depth = 4
    inputs = { gram = [[1.0, 0.3], [0.3, 4.0]] }
    draws = 2000
    [[limit]]
    equation = "infinite-width"
    """
  }

  private func comparisons(_ text: String, _ settings: [String]) throws -> [Comparison] {
    Analyses.comparisons(try LocalRun.run(try job(text, settings).job, ranks: 1).snapshot)
  }

  private func row(_ comparison: Comparison, _ quantity: String) throws -> Comparison.Row {
    try #require(comparison.rows.first { $0.quantity == quantity })
  }

  /// E V_aa = c^depth V_aa(0) for linear networks and, with c in units of 1 / E phi(g)^2, for ReLU.
  @Test(
    "E V of 1e-168 and of 1e200",
    arguments: [
      ("mlp", "linear", 0.01, 84, 1.0), ("mlp", "linear", 100, 100, 1.0), ("orthogonal-mlp", "linear", 0.01, 84, 1.0),
      ("mlp", "relu", 0.02, 84, 1.0), ("mlp", "relu", 200, 100, 1.0), ("ntk-mlp", "relu", 0.02, 80, 1.0),
    ])
  func values(architecture: String, activation: String, gain: Double, depth: Int, unit: Double) throws {
    let found = try comparisons(
      Self.text(architecture, activation),
      ["network.c=\(gain)", "network.depth=\(depth)"] + (architecture == "ntk-mlp" ? [] : ["network.width=400"]))
    let each = activation == "relu" ? gain / 2 : gain
    var known = unit
    for _ in 0..<depth { known *= each }
    #expect(known < 1e-155 || known > 1e190)
    let limit = try #require(found.first { $0.reference == "infinite-width" })
    for (a, scale) in [(0, 1.0), (1, 4.0)] {
      let one = try row(limit, "E V[\(a),\(a)]")
      #expect((one.reference / (scale * known) - 1).magnitude < 1e-10, "\(one.reference) \(known)")
      #expect(one.z.isNaN || one.z.magnitude < 30, "\(one.z)")
      let log = try row(limit, "E log_V[\(a)]")
      #expect(log.reference.isFinite && log.reference.magnitude > 350)
    }
    let rho = try row(limit, "E rho[0,1]").reference
    #expect(activation == "relu" ? rho > 0.3 && rho <= 1 : (rho - 0.15).magnitude < 1e-12)
    for comparison in found {
      for row in comparison.rows {
        #expect(row.reference.isFinite && !row.z.isInfinite, "\(row)")
        #expect(row.reference != 0 || row.quantity == "E V[0,1]^2", "\(row)")
      }
    }
  }

  /// An error where one can be found, within a factor of two of the scatter that theory gives: Var V / (E V)^2 = (1 + 2/n)^depth - 1.
  @Test("The error of a mean of 1e-168 is not 0")
  func error() throws {
    let found = try comparisons(
      Self.text("mlp", "linear"),
      [
        "network.c=0.01", "network.depth=84", "network.width=2000", "network.inputs={count=1}",
        "network.observables=[\"V\"]",
      ])
    let exact = try #require(found.first { $0.role == .exact })
    let row = try row(exact, "E V[0,0]")
    var growth = 1.0
    for _ in 0..<84 { growth *= 1 + 2 / 2000.0 }
    let expected = ((growth - 1) / 2000).squareRoot() * row.reference
    #expect(row.finiteError > 0.5 * expected && row.finiteError < 2 * expected, "\(row.finiteError), \(expected)")
    #expect(row.z.magnitude < 4 && exact.verdict != .differs, "\(exact.sentence)")
    #expect(!exact.rows.contains { $0.quantity == "E V[0,0]^2" && $0.reference == 0 })
  }

  @Test("What has left the range of numbers has no reference")
  func outOfRange() throws {
    for (gain, depth) in [(0.01, 170), (100.0, 170)] {
      let found = try comparisons(Self.text("mlp", "linear"), ["network.c=\(gain)", "network.depth=\(depth)"])
      for comparison in found { #expect(comparison.rows.allSatisfy { $0.statistic != .mean }, "\(comparison.rows)") }
    }
  }

  /// Roundings of a limit are not shown as values: log V = 0, V_ab = 0 and rho = 0 exactly.
  @Test("A limit of 0 is 0", arguments: ["relu", "linear", "erf", "tanh"])
  func zeros(activation: String) throws {
    let found = try comparisons(
      Self.text("mlp", activation),
      ["network.inputs={correlation=0.0,count=3}", "network.depth=60", "network.layers=\"all\"", "network.draws=200"])
    let rows = try #require(found.first { $0.reference == "infinite-width" }).rows
    #expect(rows.count > 60 * 9)
    for row in rows {
      #expect(row.reference == 0 || row.reference.magnitude > 1e-12, "\(row.quantity): \(row.reference)")
      #expect(row.reference != 0 || row.reference.sign == .plus)
    }
  }
}
