import Kernels
import Limits
import Networks
import Randomness
import Experiments
import Statistics
import Testing

/// The empirical neural tangent kernel: its reduced sampler against explicit weights network by network, the kernel itself against
/// differences of the output, and its limit.
@Suite struct TangentTests {
  static let activations: [JobValue] =
    ["linear", "relu", "leaky-relu", "tanh", "erf", "gelu", "silu", "softplus", "sinh"].map { .text($0) } + [
      .table(["name": .text("tanh"), "a": .real(0.7)]), .table(["name": .text("softplus"), "a": .real(0.7)]),
    ]

  @Test(arguments: activations)
  func derivativesAreThoseOfTheFunction(activation: JobValue) throws {
    let phi = try ActivationChoice(activation, path: "activation", width: 4).function
    for x in stride(from: -6.05, through: 6, by: 0.1) {
      let h = 1e-5
      let difference = (phi.value(x + h) - phi.value(x - h)) / (2 * h)
      #expect(abs(phi.derivative(x) - difference) < 1e-8 * max(1, abs(difference)), "\(activation) at \(x)")
      var (value, slope) = ([x], [0.0])
      phi.apply(&value, slopes: &slope, 1)
      #expect(value[0] == phi.value(x) && slope[0] == phi.derivative(x))
    }
  }

  /// A network with weights that are known, as plain arrays.
  struct Explicit {
    let m, n, d: Int
    let scale, bias: Double
    let phi: any Activation
    /// m inputs of m features.
    let inputs: [Double]
    /// W_1 (n x m), W_2 ... W_d (n x n), biases of layers 2 ... d, v, and the bias of the output.
    var first: [Double]
    var matrices: [[Double]]
    var biases: [[Double]]
    var readout: [Double]
    var last: Double

    func output(_ a: Int) -> Double {
      var z = (0..<n).map { i in (0..<m).reduce(0.0) { $0 + first[i * m + $1] * inputs[a * m + $1] } }
      for (w, b) in zip(matrices, biases) {
        let y = z.map { phi.value($0) }
        z = (0..<n).map { i in bias * b[i] + scale * (0..<n).reduce(0.0) { $0 + w[i * n + $1] * y[$1] } }
      }
      return bias * last + scale * zip(readout, z).reduce(0.0) { $0 + $1.0 * phi.value($1.1) }
    }

    /// The kernel by differences over every weight and bias.
    func kernel() -> [Double] {
      var result = Array(repeating: 0.0, count: m * m)
      func add(_ path: WritableKeyPath<Explicit, Double>) {
        let h = 1e-5
        var (up, down) = (self, self)
        up[keyPath: path] += h
        down[keyPath: path] -= h
        let g = (0..<m).map { (up.output($0) - down.output($0)) / (2 * h) }
        for a in 0..<m { for b in 0..<m { result[a * m + b] += g[a] * g[b] } }
      }
      for i in first.indices { add(\.first[i]) }
      for l in matrices.indices {
        for i in matrices[l].indices { add(\.matrices[l][i]) }
        for i in biases[l].indices where bias > 0 { add(\.biases[l][i]) }
      }
      for i in readout.indices { add(\.readout[i]) }
      if bias > 0 { add(\.last) }
      return result
    }
  }

  static func tangent(
    _ activation: JobValue, width: Int, depth: Int, count: Int, orthogonal: Bool, bias: Double, sampler: String,
    rho: Double = 0.3
  ) throws -> TangentMLP {
    let model = try ConformanceTests.model(
      "ntk-mlp",
      [
        "activation": activation, "observables": .list([.text("ntk")]), "bias": .real(bias), "c": .real(1.3),
        "ensemble": .text(orthogonal ? "orthogonal" : "gaussian"), "inputs": correlated(rho, count: count),
      ], width: width, depth: depth, count: count, sampler: sampler)
    return TangentMLP(
      model.settings, model.activation!.function, gain: 1.3, bias: bias, orthogonal: orthogonal,
      weights: sampler == "weights")
  }

  /// The matrix that takes x to W x, as rows, for given columns of a `Columns`: `W Q`.
  static func image(_ w: [Double], _ n: Int, _ columns: Columns, _ m: Int, into image: Columns) {
    for a in 0..<m {
      for i in 0..<n { image[a][i] = (0..<n).reduce(0.0) { $0 + w[i * n + $1] * columns[a][$1] } }
    }
  }

  /// Explicit weights, met by the reduced sampler as W Q on the way forward and as W^T Q_G on the way back, give the kernel of those
  /// weights: widths below and above the number of inputs, dead units, inputs that are the same, both ensembles.
  @Test(arguments: [
    ("relu", 6, 2, false, 0.0, 0.3), ("relu", 2, 3, false, 0.0, 0.3), ("tanh", 5, 3, false, 0.4, 0.3),
    ("tanh", 3, 3, false, 0.4, 1.0), ("linear", 4, 2, false, 0.0, 0.3), ("gelu", 8, 3, true, 0.2, 0.3),
    ("relu", 6, 3, true, 0.0, 0.3), ("relu", 6, 3, true, 0.0, 1.0),
  ])
  func replayOfExplicitWeights(
    activation: String, n: Int, m: Int, orthogonal: Bool, bias: Double, rho: Double
  ) throws {
    let d = 4
    let network = try Self.tangent(
      .text(activation), width: n, depth: d, count: m, orthogonal: orthogonal, bias: bias, sampler: "conditional",
      rho: rho)
    var stream = Stream(key: UInt64(77 + n * 10 + m))
    for _ in 0..<5 {
      let normals = { (count: Int) in (0..<count).map { _ in stream.normal() } }
      func matrix() -> [Double] {
        let columns = Columns(n, rows: n)
        for a in 0..<n { for (i, x) in normals(n).enumerated() { columns[a][i] = x } }
        if orthogonal {
          var factor = Array(repeating: 0.0, count: n * n)
          Triangular.orthonormalise(columns: columns.data, stride: columns.stride, m: n, into: &factor)
        }
        let size = orthogonal ? Double(n).squareRoot() : 1
        return (0..<n * n).map { size * columns[$0 / n][$0 % n] }
      }
      let start = orthogonal ? matrix() : normals(n * m)
      let explicit = Explicit(
        m: m, n: n, d: d, scale: network.scale, bias: bias, phi: network.activation,
        inputs: network.settings.initialFactor, first: (0..<n * m).map { start[$0 % m * n + $0 / m] },
        matrices: (1..<d).map { _ in matrix() }, biases: (1..<d).map { _ in normals(n) }, readout: normals(n), last: 0.2
      )
      let state = network.makeState()
      var unused = Stream(key: 1)
      network.start(state, &unused)
      for layer in 1...d {
        let image = state.images[layer - 1]
        if layer == 1 {
          for a in 0..<m { for i in 0..<n { image[a][i] = start[a * n + i] } }
        } else {
          Self.image(explicit.matrices[layer - 2], n, state.bases[layer - 2], m, into: image)
        }
        let offsets: [Double]? = layer > 1 && bias > 0 ? explicit.biases[layer - 2] : nil
        if let offsets {
          offsets.withUnsafeBufferPointer {
            network.finishLayer(state, layer, offsets: $0.baseAddress!, explicit: false)
          }
        } else {
          network.finishLayer(state, layer, offsets: nil, explicit: false)
        }
      }
      for i in 0..<n { state.readout[0][i] = explicit.readout[i] }
      network.differentiate(state) { layer in
        // Q_G: the directions that are left of the gradient; W^T maps them.
        let w = explicit.matrices[layer - 2]
        let transposed = (0..<n * n).map { w[$0 % n * n + $0 / n] }
        for a in 0..<m {
          let length = Triangular.dot(state.rest[a], state.rest[a], state.rest.stride).squareRoot()
          for i in 0..<n { state.rest[a][i] *= length > 1e-12 ? 1 / length : 0 }
        }
        Self.image(transposed, n, state.rest, m, into: state.fresh)
      }
      let expected = explicit.kernel()
      let largest = expected.map { abs($0) }.max()!
      for (i, value) in expected.enumerated() {
        #expect(
          abs(state.kernel[i] - value) <= 1e-7 * largest,
          "\(activation) n=\(n) m=\(m) \(orthogonal): \(state.kernel[i]) \(value)")
      }
    }
  }

  /// Slopes without bias: `E NTK_aa = (d + 1) E V_aa`, at any width. 6 means, |z| < 4.
  @Test func meanOfHomogeneousNetworks() throws {
    for (n, d) in [(2, 3), (5, 8), (30, 12)] {
      let model = try ConformanceTests.model(
        "ntk-mlp", ["activation": .text("relu"), "observables": .list([.text("ntk")])], width: n, depth: d, count: 2,
        sampler: "conditional")
      let tally = sample(model.experiment, validating ? 1_000_000 : 40_000, name: "ntk \(n)")
      for name in ["NTK[0,0]", "NTK[1,1]"] {
        let m = tally.moments(index(model.experiment, name))
        #expect(abs(m.mean - Double(d + 1)) < 4 * m.meanError, "\(n) x \(d): \(m.mean) +- \(m.meanError)")
      }
    }
  }

  /// Wide networks come to the limit as 1/n: twice the mean at 2n less that at n, within 4.5 errors of it and 1% for the next order.
  @Test(arguments: ["relu", "tanh", "gelu"], [false, true])
  func wideNetworksMeetTheLimit(activation: String, orthogonal: Bool) throws {
    var models: [NetworkModel] = []
    for n in [64, 128] {
      models.append(
        try ConformanceTests.model(
          "ntk-mlp",
          [
            "activation": .text(activation), "observables": .list([.text("ntk"), .text("V")]),
            "ensemble": .text(orthogonal ? "orthogonal" : "gaussian"), "bias": .real(0.2),
          ], width: n, depth: 4, count: 2, sampler: "conditional"))
    }
    let leg = try limitLegs(
      .table(["equation": .text("infinite-width-ntk")]), path: "limit", network: models[0], networkDraws: 10
    ).legs[0]
    let limit = leg.known!
    let tallies = models.map { sample($0.experiment, validating ? 1_000_000 : 40_000, name: "wide \(activation)") }
    #expect(limit.observables == models[0].experiment.observables)
    for (i, observable) in limit.observables.enumerated() {
      let (a, b) = (tallies[0].moments(i), tallies[1].moments(i))
      let error = (4 * b.meanError * b.meanError + a.meanError * a.meanError).squareRoot()
      let value = 2 * b.mean - a.mean
      #expect(
        abs(value - limit.means[i]) < 4.5 * error + 0.01 * abs(limit.means[i]),
        "\(activation) \(orthogonal) \(observable.name): \(value) +- \(error), \(limit.means[i])")
    }
  }

  @Test func whatTheKernelCannotTakeIsRefused() throws {
    let base: [String: JobValue] = ["activation": .text("relu")]
    for (extra, words) in [
      (["layers": JobValue.text("all")], "layers"), (["bound": .real(3)], "bound"),
      (["inputs": .table(["q": .real(4), "layer": .integer(2)])], "inputs"),
      (["ensemble": .text("orthogonal"), "width": .integer(3)], "width"),
      (["depth": .integer(1_000_000_000)], "depth"), (["width": .integer(1_000_000_000)], "depth"),
    ] {
      do {
        _ = try ConformanceTests.model(
          "ntk-mlp", base.merging(extra) { $1 }, width: 20, count: 2, sampler: "conditional")
        Issue.record("\(extra) was taken")
      } catch let failure as Failure {
        #expect(failure.message.contains("network.\(words)"), "\(failure.message)")
      }
    }
  }
}
