import Experiments
import Kernels
import Networks
import Randomness
import Statistics
import Testing
import Training

/// Biases of networks in training, against a network that has them as vectors of their own.
@Suite struct TrainedBiasTests {
  static let bias = 0.6

  /// A tanh perceptron of two hidden layers on one example, written out: h_1 = W_1 x/sqrt(d) + b_1, h_2 = sqrt(c) W_2 phi(h_1) + b_2, f = sqrt(c) w_3 phi(h_2)/gamma.
  private struct Plain {
    var first, second: [[Double]]
    var biases: [[Double]]
    var readout: [Double]
    let gain = 1.2, gamma = 1.3

    /// f and its gradients, of all in the order of the fields.
    func pass(_ x: [Double]) -> (f: Double, [[Double]], [[Double]], [[Double]], [Double]) {
      let (n, d) = (readout.count, x.count)
      let root = Double(d).squareRoot()
      let h1 = (0..<n).map { j in (0..<d).reduce(biases[0][j]) { $0 + first[$1][j] * x[$1] / root } }
      let y1 = h1.map { gain * Elementary.tanh($0) }
      let h2 = (0..<n).map { j in (0..<n).reduce(biases[1][j]) { $0 + second[$1][j] * y1[$1] } }
      let y2 = h2.map { gain * Elementary.tanh($0) }
      func slope(_ h: Double) -> Double { gain * (1 - Elementary.tanh(h) * Elementary.tanh(h)) }
      let f = (0..<n).reduce(0) { $0 + readout[$1] * y2[$1] } / gamma
      let d2 = (0..<n).map { readout[$0] / gamma * slope(h2[$0]) }
      let d1 = (0..<n).map { i in slope(h1[i]) * (0..<n).reduce(0) { $0 + second[i][$1] * d2[$1] } }
      return (
        f, x.map { x in d1.map { $0 * x / root } }, y1.map { y in d2.map { $0 * y } }, [d1, d2],
        y2.map { $0 / gamma }
      )
    }
  }

  /// Ten steps in every parametrisation: W = n^-a w, b = sigma_b n^-a_1 w, rate gamma^2 n^-c of every w.
  @Test(arguments: Parametrisation.named.map(\.name), ["descent", "adam"])
  func moveAsVectorsOfTheirOwn(name: String, optimiser: String) throws {
    let (n, x, y, rate) = (5, [0.7, -0.4, 1.1], 0.8, 0.05)
    let parametrisation = Parametrisation.named.first { $0.name == name }!.value
    let isAdam = optimiser == "adam"
    let problem = TrainedMLP(
      shape: .init(features: 3, width: n, depth: 2, outputs: 1, bias: Self.bias),
      activation: Tanh(ActivationScaling()), gain: 1.2, gamma: 1.3, parametrisation: parametrisation,
      data: TrainingData(inputs: [x], targets: [[y]]), loss: .squared,
      optimiser: isAdam ? Optimiser(.adam(first: 0.8, second: 0.9, epsilon: 1e-3)) : Optimiser(), start: .random,
      measured: .init(nil))
    let state = problem.makeState()
    var stream = Stream(key: 5)
    stream.start(draw: 0)
    problem.start(state, &stream)
    func power(_ exponent: Double) -> Double { Elementary.exp(exponent * Elementary.log(Double(n))) }
    let multipliers = parametrisation.a.map { power(-$0) }
    func row(_ layer: Int, _ i: Int) -> [Double] {
      (0..<n).map { state.stack.weights[layer - 1][i * problem.shape.stride + $0] }
    }
    // The row of biases of a hidden layer carries the layer's multiplier, not that of the first.
    let hidden = Self.bias * multipliers[0] / multipliers[1]
    var plain = Plain(
      first: (0..<3).map { row(1, $0) }, second: (0..<n).map { row(2, $0) },
      biases: [row(1, 3).map { Self.bias * $0 }, row(2, n).map { hidden * $0 }], readout: row(3, 0))
    var moments: [String: (Double, Double)] = [:]
    for t in 1...10 {
      let loss = problem.loss(state, &stream, step: t)
      let (f, first, second, biases, readout) = plain.pass(x)
      #expect((loss - 0.5 * (f - y) * (f - y)).magnitude < 1e-13, "\(name), step \(t)")
      problem.step(state, &stream, rate: rate)
      let eta = rate * problem.rateScale
      /// Moves W = s w by the gradient of w.
      func move(_ w: inout Double, _ s: Double, _ g: Double, _ key: String) {
        let g = s * (f - y) * g
        guard isAdam else { return w -= eta * s * g }
        var (m, v) = moments[key] ?? (0, 0)
        (m, v) = (0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g * g)
        moments[key] = (m, v)
        let (a, b) = ((1...t).reduce(1.0) { x, _ in x * 0.8 }, (1...t).reduce(1.0) { x, _ in x * 0.9 })
        w -= eta * s * (m / (1 - a)) / ((v / (1 - b)).squareRoot() + 1e-3)
      }
      for j in 0..<n {
        for i in 0..<3 { move(&plain.first[i][j], multipliers[0], first[i][j], "1 \(i) \(j)") }
        for i in 0..<n { move(&plain.second[i][j], multipliers[1], second[i][j], "2 \(i) \(j)") }
        for l in 0..<2 { move(&plain.biases[l][j], Self.bias * multipliers[0], biases[l][j], "b \(l) \(j)") }
        move(&plain.readout[j], multipliers[2], readout[j], "3 \(j)")
      }
    }
  }

  /// b ~ N(0, sigma_b^2) in every layer and parametrisation: of a linear network at x = 0, h_1 has the variance sigma_b^2 and h_2, with c = 1, twice that.
  /// 4 parametrisations, 2 layers, 4 standard errors of 1500 units each: those of h_2 are not independent given h_1, whose own error adds.
  @Test(arguments: Parametrisation.named.map(\.name))
  func startsWithItsVariance(name: String) throws {
    let n = 1500.0
    let model = try training(
      "mlp",
      [
        "width": .integer(Int64(n)), "depth": .integer(2), "activation": .text("linear"), "c": .real(1),
        "parametrisation": .text(name), "bias": .real(Self.bias), "steps": .integer(1), "records": steps([0]),
        "learning_rate": .real(0.1), "observables": .list([.text("coordinate_size")]),
        "data": .table(["inputs": rows([[0, 0]]), "targets": numbers([1])]),
      ])
    let sizes = run(model)
    for (layer, variances) in [(1, 1.0), (2, 2)] {
      let found = sizes["coordinate_size[\(layer)]"]! / Self.bias
      #expect((found * found - variances).magnitude < 4 * (2 / n).squareRoot() * 1.5 * variances, "\(name) \(layer)")
    }
  }

  /// A small step of the network and of its linearisation agree to second order: the tangent kernel knows the biases. Ratios of the differences at two rates.
  @Test(arguments: [nil, 0.5] as [Double?])
  func enterTheTangentKernel(branch: Double?) throws {
    func difference(_ rate: Double) throws -> Double {
      var keys: [String: JobValue] = [
        "width": .integer(8), "depth": .integer(2), "activation": .text("tanh"), "steps": .integer(1),
        "records": steps([1]), "learning_rate": .real(rate), "parametrisation": .text("mup"), "bias": .real(Self.bias),
        "twin": .text("linearised"),
        "data": .table([
          "inputs": rows([[1, 0.2], [-0.3, 1], [0.4, -0.8]]), "targets": numbers([1, -1, 1]), "test": .integer(1),
        ]),
      ]
      if let branch { keys["branch"] = .real(branch) }
      return run(try training(branch == nil ? "mlp" : "resnet", keys))["f[2] - linearised"]!
    }
    let (coarse, fine) = (try difference(0.02), try difference(0.01))
    #expect(coarse.magnitude > 1e-9 && coarse.magnitude < 1e-2)
    #expect((coarse / fine - 4).magnitude < 0.2, "\(coarse / fine)")
  }

  /// Limits that know no biases say so.
  @Test func limitsRefuseThem() throws {
    let data = JobValue.table(["inputs": rows([[1, 0.5]]), "targets": numbers([1])])
    let all: [(String, String, [String: JobValue])] = [
      ("infinite-width-training", "mlp", ["parametrisation": .text("mup"), "activation": .text("tanh")]),
      ("ntk-training", "mlp", ["parametrisation": .text("ntk"), "activation": .text("tanh")]),
      ("residual-training", "resnet", ["parametrisation": .text("mup"), "activation": .text("linear")]),
    ]
    for (equation, problem, own) in all {
      var keys = own.merging([
        "width": .integer(8), "steps": .integer(2), "learning_rate": .real(0.1), "data": data, "c": .real(1),
      ]) { $1 }
      _ = try prediction(equation, of: training(problem, keys))
      keys["bias"] = .real(0.1)
      #expect("\(equation)") { try prediction(equation, of: training(problem, keys)) } throws: {
        (($0 as? Failure)?.message ?? "").contains("bias = 0")
      }
    }
  }
}
