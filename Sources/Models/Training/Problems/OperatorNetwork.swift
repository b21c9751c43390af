import Experiments
import Kernels
import Networks
import Randomness

/// Operator networks in training (DeepONet, arXiv:1910.03193, eq. 2): from the values of a function u at m + 1 equidistant sensors the antiderivative $G(u)(y) = \int_0^y u$ is learned as
/// $F(u)(y) = b(u) \cdot t(y)/\sqrt p$, branch b and trunk t perceptrons of p outputs, on N functions from the Gaussian process of covariance $e^{-r^2/2l^2}$ and Q equidistant y, by the mean of $(F - G)^2/2$.
///
/// What the sensors do not tell is lost to every method: the mean square error is at least $\mathbb E\, \mathrm{Var}(G(u)(y) \mid u(x_0), ..., u(x_m))$, the Bayes error, which is exact.
package struct OperatorNetwork: TrainingProblem {
  /// N of training, and of the test.
  let train, test: Int
  /// Q.
  let points: Int
  let branch, trunk: Perceptron
  let optimiser: Optimiser
  /// Terms of the series, in rows of `stride`: of u at each sensor, of G(u) at each y.
  private let sensorTerms, targetTerms: [Double]
  private let stride: Int
  /// Mean over y of the variance of G(u)(y) given the sensors.
  package let bayesError: Double

  /// One of both networks.
  struct Perceptron: Sendable {
    let shape: NetworkShape
    let activation: any Activation
    let gain: Double
    let scales: [Parametrisation.Scales]
    let rateScale: Double

    init(shape: NetworkShape, activation: any Activation, gain: Double, parametrisation: Parametrisation) {
      (self.shape, self.activation, self.gain) = (shape, activation, gain)
      scales = (1...shape.depth + 1).map { parametrisation.scales(layer: $0, depth: shape.depth, width: shape.width) }
      rateScale = parametrisation.rate(width: shape.width)
    }

    func makeStack() -> LayerStack<Double> {
      LayerStack(shape, constant: shape.depth > 1 ? shape.bias * scales[1].constant : 0)
    }
  }

  package final class State {
    package let branch, trunk: LayerStack<Double>
    let memory: [[UnsafeMutablePointer<Double>]]
    /// Normals of a function; u at the sensors of all functions, in rows of the branch; G, a row a function; y, in rows of the trunk.
    fileprivate let normals, sensors, targets, places: UnsafeMutablePointer<Double>
    /// t of all y; its derivative; F - G of a block of functions.
    fileprivate let functions, slopes, errors: UnsafeMutablePointer<Double>
    fileprivate var made = 0

    fileprivate init(_ p: OperatorNetwork) {
      (branch, trunk) = (p.branch.makeStack(), p.trunk.makeStack())
      memory = [p.branch.shape, p.trunk.shape].map { shape in
        (1...shape.depth + 1).map { .allocateZeros(p.optimiser.buffers * shape.room($0)) }
      }
      let all = p.train + p.test
      (normals, sensors) = (.allocateZeros(p.stride), .allocateZeros(all * p.branch.shape.inputStride))
      (targets, places) = (.allocateZeros(all * p.points), .allocateZeros(p.points * p.trunk.shape.inputStride))
      (functions, slopes) = (.allocateZeros(p.points * p.outputs), .allocateZeros(p.points * p.outputs))
      errors = .allocateZeros(NetworkShape.block * p.points)
    }

    deinit {
      for place in memory.joined() { place.deallocate() }
      for place in [normals, sensors, targets, places, functions, slopes, errors] { place.deallocate() }
    }
  }

  /// p.
  private var outputs: Int { trunk.shape.outputs }
  private var scale: Double { 1 / Double(outputs).squareRoot() }

  init(
    train: Int, test: Int, points: Int, length: Double, branch: Perceptron, trunk: Perceptron, optimiser: Optimiser
  ) {
    (self.train, self.test, self.points) = (train, test, points)
    (self.branch, self.trunk, self.optimiser) = (branch, trunk, optimiser)
    let series = GaussianProcessSeries(length: length)
    let (stride, sensors) = (Triangular.padded(series.count), branch.shape.features)
    self.stride = stride
    var values = [Double](repeating: 0, count: sensors * stride)
    for k in 0..<sensors {
      series.forEachTerm(Double(k) / Double(max(sensors - 1, 1)) - 0.5) { values[k * stride + $0] = $1 }
    }
    var integrals = [Double](repeating: 0, count: points * stride)
    var sums = [Double](repeating: 0, count: stride)
    for q in 0..<points {
      let interval = Double(q) / Double(points) - 0.5...Double(q + 1) / Double(points) - 0.5
      GaussLegendre.forEachNode(in: interval, breaks: [], panel: length) { x, weight in
        series.forEachTerm(x) { sums[$0] += weight * $1 }
      }
      for j in 0..<stride { integrals[q * stride + j] = sums[j] }
    }
    (sensorTerms, targetTerms) = (values, integrals)
    bayesError = Self.rest(of: integrals, beyond: values, stride: stride) / Double(points)
  }

  /// Sum over the first rows of the squares of what the others do not span. They are orthogonalised twice; what is inside is dropped, as neighbouring sensors say nearly the same.
  private static func rest(of rows: [Double], beyond others: [Double], stride: Int) -> Double {
    var basis: [[Double]] = []
    func remove(_ v: inout [Double]) {
      for _ in 0..<2 {
        for q in basis {
          let c = zip(v, q).reduce(0) { $0 + $1.0 * $1.1 }
          for j in v.indices { v[j] -= c * q[j] }
        }
      }
    }
    func square(_ v: [Double]) -> Double { v.reduce(0) { $0 + $1 * $1 } }
    for first in Swift.stride(from: 0, to: others.count, by: stride) {
      var v = Array(others[first..<first + stride])
      let before = square(v)
      remove(&v)
      let after = square(v)
      if after > 1e-26 * before { basis.append(v.map { $0 / after.squareRoot() }) }
    }
    var sum = 0.0
    for first in Swift.stride(from: 0, to: rows.count, by: stride) {
      var v = Array(rows[first..<first + stride])
      remove(&v)
      sum += square(v)
    }
    return sum
  }

  package var observables: [Observable] {
    [
      Observable("loss", role: .objective, "half of the mean square of F - G over functions of training and points"),
      Observable("test_mse", "mean square of F - G over fresh functions and points"),
      Observable("relative_error", "root of test_mse over the mean square of G"),
      Observable("excess", "test_mse over the Bayes error, what the sensors do not tell; at least 1 in the mean"),
    ]
  }

  package func makeState() -> State { State(self) }

  package func start(_ state: State, _ stream: inout Stream) {
    state.made = 0
    let (root, row) = (1 / Double(branch.shape.features).squareRoot(), branch.shape.inputStride)
    for a in 0..<train + test {
      for j in 0..<stride { state.normals[j] = stream.normal() }
      sensorTerms.withUnsafeBufferPointer { terms in
        for k in 0..<branch.shape.features {
          state.sensors[a * row + k] = root * Triangular.dot(state.normals, terms.baseAddress! + k * stride, stride)
        }
      }
      if branch.shape.hasBias { state.sensors[a * row + branch.shape.features] = branch.shape.bias }
      targetTerms.withUnsafeBufferPointer { terms in
        for q in 0..<points {
          state.targets[a * points + q] = Triangular.dot(state.normals, terms.baseAddress! + q * stride, stride)
        }
      }
    }
    for q in 0..<points {
      let place = state.places + q * trunk.shape.inputStride
      place[0] = Double(q + 1) / Double(points)
      if trunk.shape.hasBias { place[1] = trunk.shape.bias }
    }
    for (network, stack) in [(branch, state.branch), (trunk, state.trunk)] {
      stack.draw(&stream) { layer, isBias in
        isBias ? network.scales[layer - 1].biasStd : network.scales[layer - 1].std
      }
    }
    for (network, memory) in zip([branch, trunk], state.memory) {
      for (layer, place) in memory.enumerated() {
        place.update(repeating: 0, count: optimiser.buffers * network.shape.room(layer + 1))
      }
    }
  }

  /// t of all y.
  private func evaluateTrunk(_ state: State) {
    state.trunk.examples = UnsafePointer(state.places)
    state.trunk.forward(trunk.activation, rows: points, gain: trunk.gain, scale: 1)
    state.functions.update(from: state.trunk.outputs, count: points * outputs)
  }

  /// b and F - G of a block of functions, after `evaluateTrunk`.
  /// - Returns: the sum of its squares.
  private func evaluate(_ state: State, from first: Int, rows: Int) -> Double {
    state.branch.examples = UnsafePointer(state.sensors + first * branch.shape.inputStride)
    state.branch.forward(branch.activation, rows: rows, gain: branch.gain, scale: 1)
    var sum = 0.0
    for a in 0..<rows {
      let b = state.branch.outputs + a * outputs
      for q in 0..<points {
        let t = state.functions + q * outputs
        var product = 0.0
        for c in 0..<outputs { product += b[c] * t[c] }
        let error = scale * product - state.targets[(first + a) * points + q]
        state.errors[a * points + q] = error
        sum += error * error
      }
    }
    return sum
  }

  private func forEachBlock(of functions: Range<Int>, _ body: (_ first: Int, _ rows: Int) -> Void) {
    for first in Swift.stride(from: functions.lowerBound, to: functions.upperBound, by: NetworkShape.block) {
      body(first, min(NetworkShape.block, functions.upperBound - first))
    }
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    state.branch.transpose()
    state.trunk.transpose()
    evaluateTrunk(state)
    state.slopes.update(repeating: 0, count: points * outputs)
    let weight = 1 / Double(train * points)
    var sum = 0.0
    forEachBlock(of: 0..<train) { first, rows in
      sum += evaluate(state, from: first, rows: rows)
      for a in 0..<rows {
        let b = state.branch.outputs + a * outputs
        // The derivatives by t first: those by b take its place.
        for q in 0..<points {
          let (error, slope) = (state.errors[a * points + q], state.slopes + q * outputs)
          for c in 0..<outputs { slope[c] += error * b[c] }
        }
        for c in 0..<outputs { b[c] = 0 }
        for q in 0..<points {
          let (error, t) = (state.errors[a * points + q], state.functions + q * outputs)
          for c in 0..<outputs { b[c] += error * t[c] }
        }
      }
      state.branch.backward(rows: rows, scale: scale * weight, fresh: first == 0)
    }
    state.trunk.outputs.update(from: state.slopes, count: points * outputs)
    state.trunk.backward(rows: points, scale: scale * weight, fresh: true)
    return 0.5 * weight * sum
  }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    state.made += 1
    for (place, (network, stack)) in [(branch, state.branch), (trunk, state.trunk)].enumerated() {
      for layer in 1...network.shape.depth + 1 {
        optimiser.move(
          stack.weights[layer - 1], stack.gradients[layer - 1], state.memory[place][layer - 1],
          count: network.shape.room(layer), scale: network.scales[layer - 1].multiplier,
          rate: rate * network.rateScale, step: state.made, &stream)
      }
      if case .langevin = optimiser.method { stack.clearPadding() }
    }
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    evaluateTrunk(state)
    var (trained, tested, size) = (0.0, 0.0, 0.0)
    forEachBlock(of: 0..<train) { trained += evaluate(state, from: $0, rows: $1) }
    forEachBlock(of: train..<train + test) { tested += evaluate(state, from: $0, rows: $1) }
    for i in train * points..<(train + test) * points { size += state.targets[i] * state.targets[i] }
    let mse = tested / Double(test * points)
    (values[0], values[1]) = (0.5 * trained / Double(train * points), mse)
    (values[2], values[3]) = ((tested / size).squareRoot(), mse / bayesError)
  }
}

extension OperatorNetwork {
  static let entry = ProblemEntry(
    name: "operator-network",
    summary: "branch and trunk perceptrons that learn the antiderivative of random functions from sensors",
    equation:
      "F(u)(y) = b(u(x_0), .., u(x_m)) . t(y)/sqrt(p), G(u)(y) = integral of u over [0, y], u ~ GP(0, exp(-r^2/2 l^2)); loss = mean (F - G)^2/2",
    reference: "arXiv:1910.03193, eq. 2; docs/training-problems.md",
    observables: ["loss", "test_mse", "relative_error", "excess"],
    parameters: [
      Parameter("functions", .integer(1...100_000), "N, functions of training"),
      Parameter("test", .integer(1...100_000), default: .integer(100), "fresh functions of the test"),
      Parameter("sensors", .integer(1...1000), default: .integer(10), "m, cells between the m + 1 sensors on [0, 1]"),
      Parameter("points", .integer(1...Int64(NetworkShape.block)), default: .integer(10), "Q, equidistant y up to 1"),
      Parameter("length", .real(.init(0.02, 100)), default: .real(0.2), "l, correlation length of u"),
      Parameter(
        "width", .integer(1...4096), small: .init(.inverse, "n", companions: ["draws"]),
        "n, units of a hidden layer of both networks"),
      Parameter("depth", .integer(1...100), default: .integer(1), "L, hidden layers of both networks"),
      Parameter("latent", .integer(1...1024), default: .integer(16), "p, outputs of both networks"),
      Parameter("activation", .structured(ActivationChoice.words), "activation function phi"),
      Parameter("c", .real(.above(0)), optional: true, "gain of every post-activation; 1 / E phi(g)^2 unless given"),
      Parameter(
        "bias", .real(.init(0, .infinity, openAbove: true)), default: .real(1),
        "sigma_b, standard deviation of the trained biases of every hidden layer at the start; none if 0"),
      Parameter(
        "parametrisation", .structured(Parametrisation.words), default: .text("ntk"),
        "how weights and learning rates scale with the width"),
      Parameter("optimiser", .structured(Optimiser.words), default: .text("descent"), "how the weights move"),
    ]
  ) { p, settings, _ in
    let (width, depth, latent) = (p.integer("width"), p.integer("depth"), p.integer("latent"))
    let activation = try ActivationChoice(p["activation"]!, path: "\(p.path).activation", width: width)
    if let why = activation.function.missingDerivative { throw p.invalid("activation", "has no gradient: \(why)") }
    let optimiser = try Optimiser(p["optimiser"], path: "\(p.path).optimiser", train: p.integer("functions"))
    guard optimiser.batch == nil else { throw p.invalid("optimiser", "has a batch: steps are of all functions") }
    let parametrisation = try Parametrisation(p["parametrisation"], path: "\(p.path).parametrisation", depth: depth)
    let gain = try activation.gain(p).squareRoot()
    func network(features: Int) -> Perceptron {
      Perceptron(
        shape: NetworkShape(
          features: features, width: width, depth: depth, outputs: latent, bias: p.real("bias")),
        activation: activation.function, gain: gain, parametrisation: parametrisation)
    }
    let problem = OperatorNetwork(
      train: p.integer("functions"), test: p.integer("test"), points: p.integer("points"), length: p.real("length"),
      branch: network(features: p.integer("sensors") + 1), trunk: network(features: 1), optimiser: optimiser)
    guard problem.bayesError > 1e-20 else {
      throw p.invalid("sensors", "tell all of functions of this length: the Bayes error is below 1e-20")
    }
    return TrainingModel(
      problem, settings, p, attributes: ["activation": activation.name, "bayes_error": "\(problem.bayesError)"])
  }
}
