import Experiments
import Kernels
import Networks
import Randomness
import Statistics
import Testing

/// Passes of residual networks: against plain arithmetic on explicit weights, and against the draws that measure the covariance.
@Suite struct PassResNetTests {
  /// A residual network as plain arrays.
  struct Plain {
    let phi: any Activation
    let strength: ResidualStrength
    /// sqrt(c/n) by layer is left to the weights: these are W itself, and v.
    let scale: Double
    let signs: [[Double]]
    var inputs: [[Double]]
    var embedding: [[Double]]
    var weights: [[[Double]]]
    var readout: [Double]

    func output(_ a: Int) -> Double {
      func times(_ w: [[Double]], _ x: [Double]) -> [Double] { w.map { zip($0, x).reduce(0) { $0 + $1.0 * $1.1 } } }
      var z = times(embedding, inputs[a])
      for (l, w) in weights.enumerated() {
        let branch = times(w, zip(signs[l], z).map { phi.value($0 * $1) })
        let size = strength.lambda(l + 1) * scale
        z = zip(z, branch).map { strength.alpha * $0 + size * $1 }
      }
      return zip(readout, z).reduce(0) { $0 + $1.0 * $1.1 } / Double(z.count).squareRoot()
    }

    /// All weights, as groups of `ntk_block`.
    var parameters: [(group: Int, path: WritableKeyPath<Plain, Double>)] {
      var all: [(group: Int, path: WritableKeyPath<Plain, Double>)] = []
      for i in embedding.indices { for j in embedding[i].indices { all.append((0, \.embedding[i][j])) } }
      for l in weights.indices {
        for i in weights[l].indices { for j in weights[l][i].indices { all.append((l + 1, \.weights[l][i][j])) } }
      }
      for i in readout.indices { all.append((weights.count + 1, \.readout[i])) }
      return all
    }

    func moved(_ steps: [(path: WritableKeyPath<Plain, Double>, by: Double)]) -> Plain {
      steps.reduce(into: self) { $0[keyPath: $1.path] += $1.by }
    }
  }

  static func model(_ extra: [String: JobValue], _ observables: [String], probes: [Probe], width: Int, count: Int)
    throws -> NetworkModel
  {
    let keys: [String: JobValue] = [
      "activation": .text("tanh"), "c": .real(1.4), "branch_scaling": .text("1/sqrt(depth)"), "lambda": .real(1.3),
      "branch_growth": .real(1), "alpha": .real(0.8), "observables": PassTests.names(observables),
    ]
    return try PassTests.model(
      "resnet", probes: probes, keys.merging(extra) { $1 }, width: width, depth: 3, count: count)
  }

  /// Outputs, blocks of the kernel, its change, and the Jacobian's norm: against differences of the output over every weight. Fresh signs too, of a
  /// function that is neither odd nor even.
  @Test(arguments: ["vanilla", "balanced", "exact"]) func derivativesAreThoseOfTheOutput(kind: String) throws {
    let (m, n, d) = (2, 4, 3)
    var extra: [String: JobValue] = ["activation": .text(kind == "vanilla" ? "tanh" : "gelu")]
    if kind == "balanced" { extra["balanced"] = .boolean(true) }
    if kind == "exact" { extra["embedding"] = .text("exact") }
    let network = try #require(
      try Self.model(
        extra, ["f", "ntk_block", "dntk", "jacobian"], probes: [.output, .tangentKernel, .kernelChange, .jacobian],
        width: n, count: m
      ).architecture as? PassResNet)
    let settings = network.passes
    var stream = Stream(key: 12)
    stream.start(draw: 3)
    let explicit = (0...d).map { layer in
      ExplicitMatrix(
        layer == 0 ? settings.firstLaw : settings.law, rows: n, columns: layer == 0 ? settings.features : n)
    }
    for matrix in explicit { matrix.renew(&stream) }
    let state = network.makeState(explicit.map(PassTests.Fixed.init))
    // Signs are words of the stream, which normals do not move.
    var other = Stream(key: 12)
    other.start(draw: 3)
    network.start(state, &stream)
    for layer in 1...d { network.advance(state, &stream, layer: layer, measure: true) }
    let signs = (0..<d).map { _ -> [Double] in
      guard kind == "balanced" else { return Array(repeating: 1, count: n) }
      let word = other.word()
      return (0..<n).map { (word >> UInt64($0)) & 1 == 0 ? 1 : -1 }
    }
    var values = Array(repeating: 0.0, count: network.ownObservables.count)
    network.writeOwn(state, to: &values)
    let named = Dictionary(uniqueKeysWithValues: zip(network.ownObservables.map(\.name), values))
    let rows = settings.network.inputs
    let plain = Plain(
      phi: settings.activation, strength: network.network.strength, scale: settings.scale, signs: signs,
      inputs: (0..<m).map { a in
        (0..<settings.features).map { $0 < rows.features ? rows.rows[a * rows.features + $0] : 0 }
      },
      embedding: (0..<n).map { i in (0..<settings.features).map { explicit[0].entries[i][$0] } },
      weights: explicit.dropFirst().map { matrix in (0..<n).map { i in (0..<n).map { matrix.entries[i][$0] } } },
      readout: (0..<n).map { state.readout[0][$0] })
    let parameters = plain.parameters
    let h = 1e-5
    let gradients = (0..<m).map { a in
      parameters.map { (plain.moved([($0.path, h)]).output(a) - plain.moved([($0.path, -h)]).output(a)) / (2 * h) }
    }
    func expect(_ name: String, _ value: Double, _ tolerance: Double) throws {
      let found = try #require(named[name])
      #expect(abs(found - value) < tolerance * max(1, abs(value)), "\(kind) \(name): \(found), differences \(value)")
    }
    for a in 0..<m {
      try expect("f[\(a)]", plain.output(a), 1e-12)
      for b in 0..<m {
        for group in a <= b ? Array(0...d + 1) : [] {
          let block = parameters.indices.filter { parameters[$0].group == group }
            .reduce(0) { $0 + gradients[a][$1] * gradients[b][$1] }
          try expect("NTK_block[\(group),\(a),\(b)]", block, 1e-7)
        }
        for c in b..<m {
          let step = 2e-4
          func along(_ b: Int, _ size: Double) -> [(path: WritableKeyPath<Plain, Double>, by: Double)] {
            zip(parameters, gradients[b]).map { ($0.0.path, size * $0.1) }
          }
          let change = [(1.0, 1.0), (1, -1), (-1, 1), (-1, -1)].reduce(0) { sum, corner in
            let (x, y) = corner
            return sum + x * y * plain.moved(along(b, step * x) + along(c, step * y)).output(a)
          }
          try expect("dNTK[\(a),\(b),\(c)]", change / (4 * step * step), 2e-5)
        }
      }
      // x with |x|^2 / n0 = V_0: the network's own inputs over the root of n0.
      let root = Double(settings.features).squareRoot()
      let norm = (0..<settings.features).reduce(0.0) { sum, i in
        let slope = [h, -h].map { step in
          var other = plain
          other.inputs[a][i] += step
          return other.output(a)
        }
        let g = (slope[0] - slope[1]) / (2 * h * root)
        return sum + g * g
      }
      try expect("jacobian[\(a)]", norm, 1e-7)
    }
  }

  /// A small step of descent moves the kernel as `dntk` says: NTK' - NTK = -2 eta (f - y) dNTK to first order.
  @Test func descentFollowsTheChange() throws {
    let eta = 1e-7
    let model = try Self.model(
      ["eta": .real(eta)], ["f", "ntk", "dntk", "learned"], probes: [.output, .tangentKernel, .kernelChange, .descent],
      width: 6, count: 1)
    let names = model.experiment.observables.map(\.name)
    let runner = model.experiment.makeRunner(8)
    for draw in 0..<5 {
      let values = Dictionary(uniqueKeysWithValues: zip(names, runner.values(UInt64(draw))))
      let (f, theta, change) = (values["f[0]"]!, values["NTK[0,0]"]!, values["dNTK[0,0,0]"]!)
      let expected = -6 * eta * (f - 1) * 2 * change / theta
      #expect(abs(values["learned[0]"]! - expected) < 1e-5 * abs(expected) + 1e-14, "\(values), \(expected)")
    }
  }

  /// The covariance is that of the draws without passes: six means and laws; |z| < 4.5 and KS p > 1e-5 fail one true family in 2,000.
  @Test(arguments: ["gaussian", "exact"]) func theCovarianceIsThatOfPlainDraws(embedding: String) throws {
    for balanced in [false, true] {
      let extra: [String: JobValue] = [
        "activation": .text("relu"), "embedding": .text(embedding), "balanced": .boolean(balanced),
        "observables": PassTests.names(["log_V", "rho"]),
      ]
      let draws: UInt64 = validating ? 100_000 : 5_000
      let plain = try ConformanceTests.model("resnet", extra, width: 8, count: 2, sampler: "conditional").experiment
      let passes = try ConformanceTests.model(
        "resnet", extra.merging(["probes": PassTests.names(["ntk"])]) { $1 }, width: 8, count: 2,
        sampler: "conditional"
      ).experiment
      #expect(plain.observables == passes.observables)
      let (a, b) = (sample(plain, draws, name: "plain"), sample(passes, draws, name: "passes"))
      for (i, observable) in plain.observables.enumerated() {
        let place = "\(embedding) \(balanced) \(observable.name)"
        #expect(abs(zScore(a.moments(i), b.moments(i))) < 4.5, "\(place)")
        #expect(KolmogorovSmirnov(a.histograms[i], b.histograms[i]).pValue > 1e-5, "\(place)")
      }
    }
  }

  /// Limits of the covariance know the network whatever is measured of it.
  @Test func limitsAreKept() throws {
    let model = try ConformanceTests.model(
      "resnet",
      [
        "activation": .text("relu"), "balanced": .boolean(true), "probes": PassTests.names(["ntk"]),
        "observables": PassTests.names(["log_V", "ntk"]),
      ], width: 20, count: 1, sampler: "conditional")
    for name in ["log-gaussian", "infinite-width"] {
      #expect(
        try !limitLegs(.table(["equation": .text(name)]), path: "limit", network: model, networkDraws: 10).legs.isEmpty)
    }
  }
}
