import Engine
import Experiments
import Statistics
import Testing

/// Networks of finite width against those of an independent program, which drew every weight: n times variances and means of the tangent kernel and of
/// its change, with the standard errors of both. A table of arXiv:2106.10165, ch. 8 and 11, and arXiv:2310.07765 at finite n.
@Suite struct PrintedNetworksTests {
  struct Row: CustomTestStringConvertible, Sendable {
    let network: String
    let n: Int
    var depth = 3
    /// A component of the kernel, or f_dNTK[0].
    let name: String
    /// Variance of the kernel, mean of its change; n times, over `scale`.
    let value, error: Double
    var scale = 1.0

    var testDescription: String { "\(name), n = \(n), L = \(depth): \(network)" }
  }

  private static let tanh = "activation = \"tanh\"\nc = 1.0\ninputs = { count = 1 }"
  private static let haar = tanh + "\nensemble = \"orthogonal\""
  private static let gelu = """
    activation = "gelu"
    c = 1.5
    bias = 0.31622776601683794
    lambda_b = 0.3
    lambda_w = 1.1
    inputs = { gram = [[1.3]] }
    """
  private static let relu = "activation = \"relu\"\nc = 2.0\ninputs = { gram = [[2.0]] }"
  /// x = (1, .5, .2), (.3, -1, .8); the readout without its gain, so that kernels are over c.
  private static let two = "activation = \"tanh\"\nc = 1.5\ninputs = { gram = [[0.645, -0.02], [-0.02, 0.865]] }"
  private static let critical = """
    activation = "gelu"
    c = 1.98305826
    inputs = { gram = [[0.8527150518, -0.0264407768], [-0.0264407768, 1.1435635966]] }
    """
  private static let ofTwo = 1.5 * 1.5
  private static let ofCritical = 1.98305826 * 1.98305826

  static let rows: [Row] = [
    .init(network: tanh, n: 16, name: "NTK[0,0]", value: 1.371, error: 0.005),
    .init(network: tanh, n: 64, name: "NTK[0,0]", value: 1.296, error: 0.004),
    .init(network: tanh, n: 16, name: "f_dNTK[0]", value: -0.2725, error: 0.0014),
    .init(network: tanh, n: 64, name: "f_dNTK[0]", value: -0.2521, error: 0.0010),
    .init(network: tanh, n: 32, depth: 20, name: "NTK[0,0]", value: 5.45, error: 0.18),
    .init(network: gelu, n: 32, name: "NTK[0,0]", value: 34.2, error: 0.2),
    .init(network: gelu, n: 64, name: "NTK[0,0]", value: 31.8, error: 0.1),
    .init(network: gelu, n: 32, name: "f_dNTK[0]", value: 11.64, error: 0.06),
    .init(network: gelu, n: 64, name: "f_dNTK[0]", value: 10.73, error: 0.04),
    .init(network: relu, n: 16, name: "NTK[0,0]", value: 815, error: 5),
    .init(network: relu, n: 64, name: "NTK[0,0]", value: 685, error: 2),
    .init(network: relu, n: 16, name: "f_dNTK[0]", value: 237.6, error: 1.5),
    .init(network: relu, n: 64, name: "f_dNTK[0]", value: 178.2, error: 0.7),
    .init(network: haar, n: 16, name: "NTK[0,0]", value: 0.1999, error: 0.0006),
    .init(network: haar, n: 32, name: "NTK[0,0]", value: 0.2069, error: 0.0006),
    .init(network: haar, n: 64, name: "NTK[0,0]", value: 0.2103, error: 0.0007),
    .init(network: haar, n: 16, name: "f_dNTK[0]", value: -0.1390, error: 0.0006),
    .init(network: haar, n: 32, name: "f_dNTK[0]", value: -0.1529, error: 0.0008),
    .init(network: haar, n: 64, name: "f_dNTK[0]", value: -0.1601, error: 0.0009),
    .init(network: haar, n: 64, depth: 20, name: "NTK[0,0]", value: 0.0548, error: 0.0004),
    .init(network: two, n: 16, name: "NTK[0,0]", value: 3.07, error: 0.02, scale: ofTwo),
    .init(network: two, n: 16, name: "NTK[0,1]", value: 0.776, error: 0.003, scale: ofTwo),
    .init(network: two, n: 16, name: "NTK[1,1]", value: 3.91, error: 0.03, scale: ofTwo),
    .init(network: two, n: 64, name: "NTK[0,0]", value: 2.91, error: 0.02, scale: ofTwo),
    .init(network: two, n: 64, name: "NTK[0,1]", value: 0.763, error: 0.003, scale: ofTwo),
    .init(network: two, n: 64, name: "NTK[1,1]", value: 3.66, error: 0.03, scale: ofTwo),
    .init(network: critical, n: 32, name: "NTK[0,0]", value: 21.2, error: 0.2, scale: ofCritical),
    .init(network: critical, n: 64, name: "NTK[0,0]", value: 19.4, error: 0.2, scale: ofCritical),
    .init(network: critical, n: 128, name: "NTK[0,0]", value: 18.2, error: 0.1, scale: ofCritical),
  ]

  /// Of 29 tests one has |z| > 4 with probability 2e-3.
  @Test(arguments: rows) func asPrinted(row: Row) throws {
    let isChange = row.name.hasPrefix("f_")
    let file = try job(
      """
      seed = 29
      [network]
      architecture = "mlp"
      probes = \(isChange ? #"["ntk", "dntk", "output"]"# : #"["ntk"]"#)
      \(row.network)
      width = \(row.n)
      depth = \(row.depth)
      observables = ["\(isChange ? "f_dntk" : "ntk")"]
      draws = \(validating ? 300_000 : row.depth > 3 ? 5000 : 20_000)
      """)
    let snapshot = try LocalRun.run(file.job, ranks: 1).snapshot
    let leg = try #require(snapshot.job.cases[0].finite)
    let place = try #require(leg.schema.place(of: row.name))
    let moments = snapshot.states[0].tally.moments(leg.schema.index(leg.axis.count - 1, place))
    let factor = Double(row.n) / row.scale
    let (value, error) =
      isChange
      ? (factor * moments.mean, factor * moments.meanError)
      : (factor * moments.variance, factor * moments.varianceError)
    let both = (error * error + row.error * row.error).squareRoot()
    #expect((value - row.value).magnitude < 4 * both, "\(value) +- \(error), printed \(row.value) +- \(row.error)")
    #expect(error < 0.15 * value.magnitude)
  }
}
