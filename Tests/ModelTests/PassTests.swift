import Experiments
import Kernels
import Networks
import Randomness
import Statistics
import Testing

/// Passes by answers: against the matrices that gave them, against differences of the outputs, and in law.
@Suite struct PassTests {
  static func names(_ words: [String]) -> JobValue { .list(words.map { .text($0) }) }

  static func model(
    _ architecture: String, probes: [Probe], _ extra: [String: JobValue], width: Int, depth: Int = 3, count: Int,
    sampler: String = "conditional"
  ) throws -> NetworkModel {
    let keys: [String: JobValue] = [
      "probes": names(probes.map(\.name)), "observables": names(probes.flatMap(\.observables)),
    ]
    return try ConformanceTests.model(
      architecture, keys.merging(extra) { $1 }, width: width, depth: depth, count: count, sampler: sampler)
  }

  /// Any probe of any architecture that declares it, alone and all at once.
  static var declared: [(architecture: String, probes: [Probe])] {
    NetworkCatalog.architectures.filter { !$0.name.hasPrefix("ntk") }.flatMap { entry in
      let own = Probe.ofPasses.filter(entry.probes.contains)
      return own.isEmpty ? [] : own.map { (entry.name, [$0]) } + [(entry.name, own)]
    }
  }

  /// The reduced law of every probe is that of drawing every weight: 1,036 observables in three settings, mean and KS. |z| < 5.5 and KS p > 1e-7 fail
  /// one true family in 7,000.
  @Test(arguments: [
    (6, 1, "relu", 1), (12, 2, "tanh", 3), (5, 4, "gelu", 2),
  ])
  func probesEqualWeightsInLaw(width: Int, count: Int, activation: String, outputs: Int) throws {
    for (architecture, probes) in Self.declared {
      var extra: [String: JobValue] = ["activation": .text(activation)]
      let keys = NetworkCatalog.architectures.first { $0.name == architecture }!.parameters.map(\.name)
      if keys.contains("outputs") { extra["outputs"] = .integer(Int64(outputs)) }
      // Of a perceptron of which only the tangent kernel is asked there are draws of their own, with one output.
      if probes == [.tangentKernel], keys.contains("lambda_b") { extra["lambda_b"] = .real(0.2) }
      let draws: UInt64 = validating ? 100_000 : 3_000
      func tally(_ sampler: String) throws -> (Tally, [Observable]) {
        let model = try Self.model(
          architecture, probes: probes, extra, width: width, count: count, sampler: sampler)
        return (sample(model.experiment, draws, name: "\(architecture)/\(sampler)"), model.experiment.observables)
      }
      let ((lazy, observables), (plain, others)) = (try tally("conditional"), try tally("weights"))
      #expect(observables == others)
      for (i, observable) in observables.enumerated() {
        let (a, b) = (lazy.moments(i), plain.moments(i))
        let place = "\(architecture) \(probes.map(\.name)) n=\(width) m=\(count) \(observable.name)"
        #expect(a.mean.isNaN == b.mean.isNaN && !(abs(zScore(a, b)) >= 5.5), "\(place): E \(a.mean) \(b.mean)")
        let ks = KolmogorovSmirnov(lazy.histograms[i], plain.histograms[i])
        #expect(!(ks.pValue <= 1e-7), "\(place): KS \(ks.distance), p \(ks.pValue)")
      }
    }
  }

  /// The matrices of a lazy draw, completed, give the same values in explicit passes: forward, backward, second order, Jacobian and spectrum; widths
  /// below the number of questions, equal inputs, both laws.
  @Test(arguments: [
    ("mlp", "tanh", 9, 2, 0.3), ("mlp", "gelu", 4, 3, 0.3), ("mlp", "relu", 6, 2, 1.0),
    ("orthogonal-mlp", "tanh", 9, 2, 0.3), ("orthogonal-mlp", "gelu", 5, 3, 0.3),
    ("orthogonal-mlp", "softplus", 6, 2, 1.0), ("resnet", "tanh", 9, 2, 0.3), ("resnet", "gelu", 4, 3, 0.3),
    ("resnet", "balanced relu", 6, 2, 0.3),
  ])
  func completedMatricesReplay(architecture: String, activation: String, n: Int, m: Int, rho: Double) throws {
    var extra: [String: JobValue] = [
      "activation": .text(activation.replacing("balanced ", with: "")), "c": .real(1.4), "outputs": .integer(2),
      "inputs": correlated(rho, count: m),
    ]
    if architecture == "mlp" { extra["bias"] = .real(0.3) }
    // Branches of different strength, and the law of the first matrix that is not Gaussian.
    if architecture == "resnet" { extra["branch_scaling"] = .text("1/sqrt(depth)") }
    if architecture == "resnet" { extra["branch_growth"] = .real(1) }
    if activation == "balanced relu" { extra["balanced"] = .boolean(true) }
    if activation == "balanced relu" { extra["embedding"] = .text("exact") }
    let network = try #require(
      try Self.model(architecture, probes: Probe.ofPasses, extra, width: n, count: m).architecture
        as? any PassArchitecture)
    for draw in 0..<4 {
      let matrices = (0..<network.passes.depth).map { layer in
        LazyMatrix(
          layer == 0 ? network.passes.firstLaw : network.passes.law, rows: n,
          columns: layer == 0 ? network.passes.features : n, forward: 100, backward: 100)
      }
      let lazy = Self.values(
        network, matrices.enumerated().map { Apart($0.element, key: UInt64(100 * draw + $0.offset)) }, draw)
      let explicit = Self.values(
        network,
        matrices.map { matrix in
          var rest = Stream(key: UInt64(7000 + draw))
          rest.start(draw: 0)
          return Fixed(matrix.completed(&rest))
        }, draw)
      for (place, (x, y)) in zip(lazy, explicit).enumerated() {
        #expect(
          x == y || (x.isNaN && y.isNaN) || abs(x - y) <= 1e-11 * max(1, abs(x)),
          "\(network.ownObservables[place].name): \(x), explicit \(y)")
      }
    }
  }

  /// A draw of a network with these matrices; biases, outputs and projections are those of `draw`.
  static func values(_ network: some PassArchitecture, _ matrices: [any WeightMatrix], _ draw: Int) -> [Double] {
    var stream = Stream(key: 9)
    stream.start(draw: UInt64(draw))
    let state = network.makeState(matrices)
    network.start(state, &stream)
    for layer in 1...network.settings.depth { network.advance(state, &stream, layer: layer, measure: true) }
    return [Double](unsafeUninitializedCapacity: network.ownObservables.count) { buffer, count in
      network.writeOwn(state, to: buffer.baseAddress!)
      count = buffer.count
    }
  }

  /// A matrix that is not drawn again.
  final class Fixed: WeightMatrix {
    let matrix: ExplicitMatrix
    var rows: Int { matrix.rows }
    var columns: Int { matrix.columns }
    init(_ matrix: ExplicitMatrix) { self.matrix = matrix }
    func renew(_ stream: inout Stream) {}
    func multiply(_ v: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, _ stream: inout Stream) {
      matrix.multiply(v, into: y, &stream)
    }
    func multiplyTransposed(
      _ v: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, _ stream: inout Stream
    ) { matrix.multiplyTransposed(v, into: y, &stream) }
  }

  /// Draws its answers from a stream of its own, so that what else is random is the same with other matrices.
  final class Apart: WeightMatrix {
    let matrix: any WeightMatrix
    var own: Stream
    var rows: Int { matrix.rows }
    var columns: Int { matrix.columns }
    init(_ matrix: any WeightMatrix, key: UInt64) {
      self.matrix = matrix
      own = Stream(key: key)
      own.start(draw: 0)
    }
    func renew(_ stream: inout Stream) { matrix.renew(&own) }
    func multiply(_ v: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, _ stream: inout Stream) {
      matrix.multiply(v, into: y, &own)
    }
    func multiplyTransposed(
      _ v: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, _ stream: inout Stream
    ) { matrix.multiplyTransposed(v, into: y, &own) }
  }

  /// A perceptron as plain arrays: actual weights and biases, layer by layer, the output last.
  struct Plain {
    let phi: any Activation
    /// Inputs with |x|^2 = n0 V_0 / c.
    let inputs: [[Double]]
    var weights: [[[Double]]]
    var biases: [[Double]]

    func output(_ a: Int) -> Double {
      var y = inputs[a]
      for (layer, (w, b)) in zip(weights, biases).enumerated() {
        let z = zip(w, b).map { row, b in zip(row, y).reduce(b) { $0 + $1.0 * $1.1 } }
        y = layer == weights.count - 1 ? z : z.map { phi.value($0) }
      }
      return y[0]
    }

    /// All weights and biases with their learning rates.
    func parameters(_ weightRate: Double, _ biasRate: Double) -> [(path: WritableKeyPath<Plain, Double>, rate: Double)]
    {
      weights.indices.flatMap { l in
        weights[l].indices.flatMap { i in
          weights[l][i].indices.map { (\Plain.weights[l][i][$0], weightRate / Double(weights[l][i].count)) }
            + [(\Plain.biases[l][i], biasRate)]
        }
      }
    }

    func moved(_ steps: [(path: WritableKeyPath<Plain, Double>, by: Double)]) -> Plain {
      steps.reduce(into: self) { $0[keyPath: $1.path] += $1.by }
    }
  }

  /// The kernel and its change, the Jacobian's norm: against differences of the output over every weight and bias.
  @Test(arguments: [("mlp", "tanh"), ("mlp", "gelu"), ("orthogonal-mlp", "softplus"), ("orthogonal-mlp", "erf")])
  func derivativesAreThoseOfTheOutput(architecture: String, activation: String) throws {
    let (m, n, d) = (2, 5, 3)
    let (weightRate, biasRate) = (0.7, 0.2)
    let network = try #require(
      try Self.model(
        architecture, probes: [.tangentKernel, .kernelChange, .jacobian],
        [
          "activation": .text(activation), "c": .real(1.4), "lambda_w": .real(weightRate), "lambda_b": .real(biasRate),
          "observables": Self.names(["ntk", "dntk", "jacobian"]),
        ], width: n, depth: d, count: m
      ).architecture as? PassMLP)
    let settings = network.passes
    var stream = Stream(key: 31)
    stream.start(draw: 5)
    let explicit = (0..<d).map { ExplicitMatrix(settings.law, rows: n, columns: $0 == 0 ? settings.features : n) }
    for matrix in explicit { matrix.renew(&stream) }
    let state = network.makeState(explicit.map(Fixed.init))
    for layer in 1...d { network.advance(state, &stream, layer: layer, measure: true) }
    var values: [Double] = Array(repeating: 0, count: network.ownObservables.count)
    network.writeOwn(state, to: &values)
    let named = Dictionary(uniqueKeysWithValues: zip(network.ownObservables.map(\.name), values))

    let first = (settings.gain / Double(settings.features)).squareRoot()
    let rows = settings.network.inputs
    let plain = Plain(
      phi: settings.activation,
      inputs: (0..<m).map { a in
        (0..<settings.features).map { $0 < rows.features ? rows.rows[a * rows.features + $0] / first : 0 }
      },
      weights: explicit.enumerated().map { layer, matrix in
        (0..<n).map { i in (0..<matrix.columns).map { (layer == 0 ? first : settings.scale) * matrix.entries[i][$0] } }
      } + [[(0..<n).map { settings.scale * state.readout[0][$0] }]],
      biases: Array(repeating: Array(repeating: 0, count: n), count: d) + [[0]])
    let parameters = plain.parameters(weightRate, biasRate)
    let h = 1e-5
    let gradients = (0..<m).map { a in
      parameters.map { path, _ in
        (plain.moved([(path, h)]).output(a) - plain.moved([(path, -h)]).output(a)) / (2 * h)
      }
    }
    /// Steps along the gradient of an input, in the metric.
    func along(_ b: Int, _ size: Double) -> [(path: WritableKeyPath<Plain, Double>, by: Double)] {
      zip(parameters, gradients[b]).map { ($0.0.path, size * $0.0.rate * $0.1) }
    }
    for a in 0..<m {
      for b in 0..<m {
        let kernel = zip(parameters, zip(gradients[a], gradients[b])).reduce(0) { $0 + $1.0.rate * $1.1.0 * $1.1.1 }
        if a <= b {
          let found = try #require(named["NTK[\(a),\(b)]"])
          #expect(abs(found - kernel) < 1e-7 * max(1, abs(kernel)), "NTK \(a) \(b): \(found), differences \(kernel)")
        }
        for c in b..<m {
          let step = 2e-4
          let corners = [(1.0, 1.0), (1, -1), (-1, 1), (-1, -1)].map { x, y in
            x * y * plain.moved(along(b, step * x) + along(c, step * y)).output(a)
          }
          let change = corners.reduce(0, +) / (4 * step * step)
          let found = try #require(named["dNTK[\(a),\(b),\(c)]"])
          #expect(
            abs(found - change) < 2e-5 * max(1, abs(change)), "dNTK \(a) \(b) \(c): \(found), differences \(change)")
        }
      }
      let slopes = (0..<settings.features).map { i in
        let moved = [h, -h].map { step in
          var inputs = plain.inputs
          inputs[a][i] += step
          return Plain(phi: plain.phi, inputs: inputs, weights: plain.weights, biases: plain.biases).output(a)
        }
        return (moved[0] - moved[1]) / (2 * h)
      }
      let norm = slopes.reduce(0) { $0 + $1 * $1 }
      let found = try #require(named["jacobian[\(a)]"])
      #expect(abs(found - norm) < 1e-7 * max(1, norm), "jacobian \(a): \(found), differences \(norm)")
    }
  }

  /// With slopes the Jacobian's moments are exact at every width, biases or not: |z| < 4.5 in 12 comparisons fails one true family in 10,000.
  @Test(arguments: [("mlp", 0.0), ("mlp", 0.5), ("orthogonal-mlp", 0)])
  func exactJacobians(architecture: String, bias: Double) throws {
    var extra: [String: JobValue] = [
      "activation": .table(["name": .text("leaky-relu"), "minus": .real(-0.4)]), "outputs": .integer(3),
      "readout": .text("gaussian"), "projections": .integer(2),
      "observables": Self.names(["jacobian", "jacobian_fourth", "projected_jacobian", "spectral_moment"]),
    ]
    if bias > 0 { extra["bias"] = .real(bias) }
    let model = try Self.model(architecture, probes: [.jacobian, .spectrum], extra, width: 7, count: 1)
    let tally = sample(model.experiment, validating ? 500_000 : 40_000, name: "exact \(architecture) \(bias)")
    let known = try #require(model.known)
    for (i, observable) in model.experiment.observables.enumerated() {
      let place = try #require(known.observables.firstIndex { $0.name == observable.name })
      let (found, exact) = (tally.moments(i), known.means[place])
      #expect(
        exact.isFinite && (found.mean - exact).magnitude < 4.5 * found.meanError,
        "\(observable.name): \(found.mean), exact \(exact)")
    }
  }

  /// Weights whose law depends on every entry have no recursion of the covariance: their first layer is not Gaussian.
  @Test func signWeightsHaveNoLimit() throws {
    let model = try Self.model(
      "mlp", probes: [.output], ["activation": .text("tanh"), "ensemble": .text("signs")], width: 6, count: 1,
      sampler: "weights")
    for name in ["infinite-width", "finite-width"] {
      #expect(throws: Failure.self) {
        try limitLegs(.table(["equation": .text(name)]), path: "limit", network: model, networkDraws: 10)
      }
    }
  }
}
