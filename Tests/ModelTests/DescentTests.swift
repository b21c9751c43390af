import Experiments
import Kernels
import Limits
import Networks
import Randomness
import Statistics
import Testing

/// Gradient descent by answers, and the s-family of parametrisations (arXiv:2210.04909).
@Suite struct DescentTests {
  static func model(
    _ activation: String, _ observables: [String], probes: [Probe] = [.descent], width: Int, depth: Int,
    count: Int = 1, sampler: String = "conditional", _ extra: [String: JobValue] = [:]
  ) throws -> NetworkModel {
    let keys: [String: JobValue] = [
      "activation": .text(activation), "observables": PassTests.names(observables), "c": .real(1),
    ]
    return try PassTests.model(
      "mlp", probes: probes, keys.merging(extra) { $1 }, width: width, depth: depth, count: count, sampler: sampler)
  }

  /// Plain descent over every weight and bias, with gradients by differences of the output: two inputs, three layers,
  /// biases, learning rates of their own, four steps, s = 1/2.
  @Test(arguments: ["tanh", "gelu"])
  func stepsAreThoseOfEveryWeight(activation: String) throws {
    let (m, n, d, steps, s, eta, bias) = (2, 5, 3, 4, 0.5, 0.3, 0.3)
    let targets = [1.2, -0.7]
    let (weightRate, biasRate) = (0.7, 0.2)
    let network = try #require(
      try Self.model(
        activation, ["learned", "f_trained"], width: n, depth: d, count: m,
        [
          "c": .real(1.4), "bias": .real(bias), "lambda_w": .real(weightRate), "lambda_b": .real(biasRate),
          "s": .real(s), "eta": .real(eta), "steps": .integer(Int64(steps)),
          "targets": .list(targets.map { .real($0) }),
        ]
      ).architecture as? PassMLP)
    let settings = network.passes
    var stream = Stream(key: 31)
    stream.start(draw: 6)
    let explicit = (0..<d).map { ExplicitMatrix(settings.law, rows: n, columns: $0 == 0 ? settings.features : n) }
    for matrix in explicit { matrix.renew(&stream) }
    let state = network.makeState(explicit.map(PassTests.Fixed.init))
    for layer in 1...d { network.advance(state, &stream, layer: layer, measure: true) }
    var values: [Double] = Array(repeating: 0, count: network.ownObservables.count)
    network.writeOwn(state, to: &values)

    // Two components of an input with c |x|^2 / 2 = V_0 - sigma_b^2, and first weights that give the same z_1.
    let gram = settings.network.inputs.gram
    let inner = gram.map { 2 * ($0 - bias * bias) / settings.gain }
    let lower = try #require(Triangular.cholesky(inner, m: 2))
    let inputs = [[lower[0], 0], [lower[2], lower[3]]]
    let rows = settings.network.inputs
    let first = (0..<n).map { i -> [Double] in
      let z = (0..<m).map { a in
        (0..<rows.features).reduce(0) { $0 + explicit[0].entries[i][$1] * rows.rows[a * rows.features + $1] }
      }
      let w = z[0] / lower[0]
      return [w, (z[1] - lower[2] * w) / lower[3]]
    }
    let root = Double(n).squareRoot().squareRoot()
    let readout = (0..<n).map { settings.scale * state.readout[0][$0] }
    var plain = PassTests.Plain(
      phi: settings.activation, inputs: inputs,
      weights: [first]
        + (1..<d).map { layer in (0..<n).map { i in (0..<n).map { settings.scale * explicit[layer].entries[i][$0] } } }
        + [[readout]],
      biases: [Array(repeating: 0, count: n)]
        + (1..<d).map { layer in (0..<n).map { bias * state.biases[layer][$0] } } + [[0]])
    plain.biases[d][0] = state.values[0] * root - plain.output(0)
    // n^{-s/2} of the output: s = 1/2.
    #expect(abs(plain.output(1) / root - state.values[1]) < 1e-13)

    let parameters = plain.parameters(weightRate, biasRate)
    func gradient(_ a: Int) -> [Double] {
      let h = 1e-5
      return parameters.map { path, _ in
        (plain.moved([(path, h)]).output(a) - plain.moved([(path, -h)]).output(a)) / (2 * h) / root
      }
    }
    let rate = Double(n).squareRoot()
    func kernel(_ a: Int) -> Double {
      zip(parameters, gradient(a)).reduce(0) { $0 + rate * $1.0.rate * $1.1 * $1.1 }
    }
    let before = (0..<m).map(kernel)
    for _ in 0..<steps {
      let gradients = (0..<m).map(gradient)
      let residuals = (0..<m).map { plain.output($0) / root - targets[$0] }
      plain = plain.moved(
        parameters.indices.map { i in
          let slope = (0..<m).reduce(0) { $0 + residuals[$1] * gradients[$1][i] }
          return (parameters[i].path, -eta * rate * parameters[i].rate * slope)
        })
    }
    for a in 0..<m {
      let learned = Double(n).squareRoot() * (kernel(a) / before[a] - 1)
      #expect(abs(values[a] - learned) < 1e-6 * max(1, abs(learned)), "learned: \(values[a]), plain \(learned)")
      let output = plain.output(a) / root
      #expect(abs(values[m + a] - output) < 1e-7, "f_trained: \(values[m + a]), plain \(output)")
    }
  }

  /// One step of a linear network of one hidden layer: $E\,learned = \eta^2 (y^2 + n^{-s}) - 2 \eta n^{1-s}/(n + 1)$ at
  /// every width. |z| < 4.5 in 6 comparisons fails one true family in 24,000.
  @Test(arguments: [0, 0.5, 1.0], ["conditional", "weights"])
  func oneStepOfALinearNetwork(s: Double, sampler: String) throws {
    let (n, y, eta) = (16.0, 1.5, 0.8)
    let model = try Self.model(
      "linear", ["learned"], width: 16, depth: 1, sampler: sampler,
      ["s": .real(s), "eta": .real(eta), "targets": .list([.real(y)])])
    let found = sample(model.experiment, validating ? 500_000 : 20_000, name: "step \(s) \(sampler)").moments(0)
    let power = Elementary.exp(-s * Elementary.log(n))
    let exact = eta * eta * (y * y + power) - 2 * eta * n * power / (n + 1)
    #expect(abs(found.mean - exact) < 4.5 * found.meanError, "\(found.mean), exact \(exact)")
  }

  /// Gradient flow ends where the limit says, network by network: plain descent over every weight, 16 units, small
  /// steps.
  @Test(arguments: [0, 0.5, 1.0])
  func flowEndsThere(s: Double) throws {
    let (n, y, eta) = (16, 1.5, 2e-3)
    var stream = Stream(key: 12)
    let power = Elementary.exp(s * Elementary.log(Double(n)))
    for draw in 0..<5 {
      stream.start(draw: UInt64(draw))
      var u = (0..<n).map { _ in stream.normal() }
      var v = (0..<n).map { _ in stream.normal() }
      func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
      let (p, m) = (0.5 * (dot(u, u) + dot(v, v)) + dot(u, v), 0.5 * (dot(u, u) + dot(v, v)) - dot(u, v))
      let start = dot(u, u) + dot(v, v)
      for _ in 0..<5_000 {
        let f = dot(u, v) / (Double(n) * power).squareRoot()
        let step = eta * (f - y) * (power / Double(n)).squareRoot()
        (u, v) = (zip(u, v).map { $0 - step * $1 }, zip(v, u).map { $0 - step * $1 })
      }
      let end = 2 * y * (Double(n) * power).squareRoot()
      let exact = (end * end + 4 * p * m).squareRoot() / (p + m)
      let found = (dot(u, u) + dot(v, v)) / start
      #expect(abs(found - exact) < 2e-3 * exact, "s = \(s): \(found), exact \(exact)")
    }
  }

  /// Printed changes of the kernel of networks of width 16 and 64 with y = 1.5; |z| < 4.5 against errors of both in 6
  /// comparisons. The probe's descent has steps of its own: within 8% of the flow.
  @Test(arguments: [
    (0.0, 16, 0.05312, 6e-5), (0, 64, 0.01061, 1e-5), (0.5, 16, 0.26690, 1.5e-4), (0.5, 64, 0.13061, 4e-5),
    (1, 16, 0.88239, 3.7e-4), (1, 64, 0.82130, 1.6e-4),
  ])
  func printedChanges(s: Double, width: Int, change: Double, error: Double) throws {
    let model = try Self.model(
      "linear", ["learned"], width: width, depth: 1,
      ["s": .real(s), "eta": .real(0.05), "steps": .integer(60), "targets": .list([.real(1.5)])])
    let legs = try limitLegs(
      .table(["equation": .text("linear-flow")]), path: "limit", network: model, networkDraws: 10)
    let flow = sample(try #require(legs.legs[0].experiment), 100_000, name: "flow \(s) \(width)").moments(0)
    let scale = Elementary.exp((1 - s) * Elementary.log(Double(width)))
    let spread = (flow.meanError * flow.meanError + scale * error * scale * error).squareRoot()
    #expect(abs(flow.mean - scale * change) < 4.5 * spread, "\(flow.mean / scale), printed \(change)")
    guard width == 16 else { return }
    let descent = sample(model.experiment, validating ? 50_000 : 1_000, name: "descent \(s) \(width)").moments(0)
    #expect(
      abs(descent.mean - flow.mean) < 4.5 * descent.meanError + 0.08 * flow.mean.magnitude,
      "\(descent.mean), flow \(flow.mean)")
  }

  /// f has a factor n^(-s/2), the kernel none, its change n^(s/2), draw by draw.
  @Test func parametrisation() throws {
    func values(_ s: Double) throws -> [String: Double] {
      let model = try Self.model(
        "tanh", ["ntk", "f_dntk", "dntk", "f", "f_product"], probes: [.tangentKernel, .kernelChange, .output], width: 9,
        depth: 2, ["s": .real(s)])
      return Dictionary(
        uniqueKeysWithValues: zip(model.experiment.observables.map(\.name), model.experiment.makeRunner(3).values(4)))
    }
    let (plain, field) = (try values(0), try values(1))
    for (name, power) in [
      ("f[0]", -1.0), ("f_product[0,0]", -2), ("NTK[0,0]", 0), ("dNTK[0,0,0]", 1), ("f_dNTK[0]", 0),
    ] {
      let (x, y) = (try #require(plain[name]), try #require(field[name]))
      #expect(abs(y / x - Elementary.exp(power * Elementary.log(3))) < 1e-12, "\(name): \(x), \(y)")
    }
  }

  @Test func refusals() throws {
    func refuse(_ extra: [String: JobValue], probes: [Probe] = [.descent], _ words: String...) {
      do {
        _ = try Self.model("tanh", probes[0].defaults, probes: probes, width: 8, depth: 2, count: 2, extra)
        Issue.record("\(extra) was taken")
      } catch let failure as Failure {
        for word in words { #expect(failure.message.contains(word), "\(failure.message)") }
      } catch { Issue.record("\(error)") }
    }
    refuse(["targets": .list([.real(1)])], "network.targets", "2 here")
    refuse(["targets": .real(1)], "network.targets")
    refuse(["eta": .real(0)], "network.eta", "above 0")
    refuse(["s": .real(1.5)], "network.s", "nearest is 1")
    refuse(["s": .real(0.5)], probes: [.jacobian], "network.s", "jacobian")
    refuse(["steps": .integer(0)], "network.steps")
    refuse(["steps": .integer(10_000), "width": .integer(100_000)], "network.width", "at most")
    refuse(
      ["s": .real(0.5), "variance": .table(["law": .text("fixed"), "value": .real(2)])], probes: [.output],
      "network.s", "variance")
    let tanh = try Self.model("tanh", ["learned"], width: 8, depth: 1)
    #expect(throws: Failure.self) {
      try limitLegs(.table(["equation": .text("linear-flow")]), path: "limit", network: tanh, networkDraws: 10)
    }
  }
}
