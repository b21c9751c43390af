import Experiments
import Kernels
import Networks
import Randomness

/// Perceptrons in training: with L hidden layers of width n, $h_1 = W^1 x/\sqrt d$, $h_{l+1} = \sqrt c\, W^{l+1} \phi(h_l)$,
/// $f = \sqrt c\, W^{L+1} \phi(h_L)/\gamma$, where the $W^l$ scale with n by the parametrisation, and the learning rate is $\eta \gamma^2 n^{-c}$ of each w
/// (`Parametrisation`; arXiv:2011.14522).
///
/// One network at a time, in cache: an ensemble is sharded by draws, not by matrices. Every weight is trained; reductions are problems of their own.
package struct TrainedMLP: TrainingProblem {
  package let shape: NetworkShape
  package let activation: any Activation
  /// $\sqrt c$.
  let gain: Double
  package let gamma: Double
  package let parametrisation: Parametrisation
  package let data: TrainingData
  let loss: Loss
  package let optimiser: Optimiser
  package let start: Start
  package let isOrthogonal: Bool
  /// lambda of $\frac{\lambda}{2}$ of the mean of $|\partial f/\partial x|^2$ over the examples of a step, which is added to the loss.
  let jacobian: Double
  /// Standard deviation of noise on the inputs of the test.
  let testNoise: Double
  let measured: Measured
  /// Of layer 1 to `depth` + 1.
  package let scales: [Parametrisation.Scales]
  /// What the rate of w is multiplied by: $\gamma^2 n^{-c}$.
  package let rateScale: Double

  /// - Parameter isOrthogonal: whether all weights but the readout's are those of `HaarWeights` at the start, and not independent normals.
  package init(
    shape: NetworkShape, activation: any Activation, gain: Double, gamma: Double, parametrisation: Parametrisation,
    data: TrainingData, loss: Loss, optimiser: Optimiser, start: Start, isOrthogonal: Bool = false,
    jacobian: Double = 0, testNoise: Double = 0, measured: Measured
  ) {
    self.shape = shape
    self.activation = activation
    self.gain = gain
    self.gamma = gamma
    self.parametrisation = parametrisation
    self.data = data
    self.loss = loss
    self.optimiser = optimiser
    self.start = start
    self.isOrthogonal = isOrthogonal
    (self.jacobian, self.testNoise) = (jacobian, testNoise)
    self.measured = measured
    scales = (1...shape.depth + 1).map { parametrisation.scales(layer: $0, depth: shape.depth, width: shape.width) }
    rateScale = gamma * gamma * parametrisation.rate(width: shape.width)
  }

  package var squaredGain: Double { gain * gain }
  package var isSquared: Bool { loss == .squared }
  package var width: Int { shape.width }
  package var depth: Int { shape.depth }

  /// The output at the start.
  package enum Start: String, CaseIterable, Sendable {
    case random
    /// The readout begins at 0.
    case zero
    /// The output at the start is taken off the output.
    case centred
  }

  /// What costs more than the outputs of the examples.
  package struct Measured: Sendable {
    let change, kernel, coordinates, linearised, gradients, fluctuation, sharpness, jacobian: Bool

    package init(_ families: [String]?, linearised: Bool = false) {
      self.linearised = linearised
      func has(_ names: [String]) -> Bool { families.map { !Set($0).isDisjoint(with: names) } ?? false }
      change = has(["weight_change"])
      kernel = has(KernelMeasures.families)
      gradients = has(TrainedMLP.gradientFamilies)
      fluctuation = has(Fluctuation.families)
      sharpness = has(SharpnessProbe.families)
      jacobian = has([JacobianPenalty.family])
      coordinates = has(["coordinate_change", "log_coordinate_change", "coordinate_size"])
    }
  }

  package func makeState() -> NetworkState<Double> { NetworkState(self) }

  // MARK: Start

  package func start<T: NetworkScalar>(_ state: NetworkState<T>, _ stream: inout Stream) {
    data.draw(state.examples, &stream)
    if data.law != nil || testNoise > 0 { scaleInputs(state) }
    if testNoise > 0 { addNoise(state, &stream) }
    state.stack.draw(&stream) { layer, isBias in
      if layer > depth, start == .zero { return 0 }
      return isBias ? scales[layer - 1].biasStd : scales[layer - 1].std
    }
    if let haar = state.haar {
      for layer in 1...depth {
        let (weights, std) = (state.stack.weights[layer - 1], scales[layer - 1].std)
        haar.draw(&stream, rows: layer == 1 ? shape.features : width, columns: width, std: std) {
          weights[$0 * shape.stride + $1] = T($2)
        }
      }
    }
    for layer in 1...depth + 1 where !state.memory.isEmpty {
      state.memory[layer - 1].update(repeating: 0, count: optimiser.buffers * shape.room(layer))
    }
    state.batches?.start()
    state.made = 0
    state.fluctuation.start()
    let k = shape.outputs
    state.first.update(repeating: 0, count: max(state.examples.count * k, 1))
    state.isEvaluated = false
    if start == .centred {
      evaluate(state)
      for i in 0..<state.examples.count * k { state.first[i] = state.outputs[i] }
      state.isEvaluated = false
    }
    state.probe.start(self, state)
    state.sharpness?.start(&stream)
  }

  private func addNoise<T: NetworkScalar>(_ state: NetworkState<T>, _ stream: inout Stream) {
    let scale = testNoise / Double(shape.features).squareRoot()
    for row in data.train..<state.examples.count {
      let place = state.inputs + row * shape.inputStride
      for i in 0..<shape.features { place[i] += T(scale * stream.normal()) }
    }
  }

  // MARK: Passes

  /// The constant unit of hidden layers. Biases belong to the branch of a residual network.
  var constant: Double {
    depth > 1 ? shape.bias * scales[1].constant * (shape.branch ?? 1) : 0
  }

  /// Inputs over the root of d, in rows of the stack.
  func scaleInputs<T: NetworkScalar>(_ state: NetworkState<T>) {
    let root = 1 / Double(shape.features).squareRoot()
    for row in 0..<state.examples.count {
      let source = state.examples.inputs + row * shape.features
      let target = state.inputs + row * shape.inputStride
      for i in 0..<shape.features { target[i] = T(root * source[i]) }
      if shape.hasBias { target[shape.features] = T(shape.bias) }
    }
  }

  /// The block is of the examples from this one on.
  func load<T: NetworkScalar>(_ state: NetworkState<T>, from first: Int) {
    state.stack.examples = UnsafePointer(state.inputs + first * shape.inputStride)
  }

  /// The block is of examples one by one.
  private func gather<T: NetworkScalar>(_ state: NetworkState<T>, _ indices: UnsafePointer<Int>, _ rows: Int) {
    for row in 0..<rows {
      (state.stack.inputs + row * shape.inputStride).update(
        from: state.inputs + indices[row] * shape.inputStride, count: shape.inputStride)
    }
    state.stack.examples = UnsafePointer(state.stack.inputs)
  }

  func forward<T: NetworkScalar>(
    _ state: NetworkState<T>, rows: Int, observe: (Int, UnsafePointer<T>) -> Void = { _, _ in }
  ) {
    state.stack.forward(activation, rows: rows, gain: gain, scale: outputScale, observe: observe)
  }

  var outputScale: Double { 1 / gamma }

  /// The outputs of all examples.
  func evaluate<T: NetworkScalar>(_ state: NetworkState<T>) {
    guard !state.isEvaluated else { return }
    let k = shape.outputs
    for first in stride(from: 0, to: state.examples.count, by: NetworkShape.block) {
      let rows = min(NetworkShape.block, state.examples.count - first)
      load(state, from: first)
      forward(state, rows: rows)
      for i in 0..<rows * k { state.outputs[first * k + i] = state.stack.outputs[i] - state.first[first * k + i] }
    }
    state.isEvaluated = true
  }

  package func loss<T: NetworkScalar>(_ state: NetworkState<T>, _ stream: inout Stream, step: Int) -> Double {
    let (stack, k) = (state.stack, shape.outputs)
    let count = optimiser.batch ?? data.train
    state.batches?.next(&stream)
    stack.transpose()
    var sum = 0.0
    for first in stride(from: 0, to: count, by: NetworkShape.block) {
      let rows = min(NetworkShape.block, count - first)
      func example(_ row: Int) -> Int { state.batches?.indices[first + row] ?? first + row }
      if let batches = state.batches { gather(state, batches.indices + first, rows) } else { load(state, from: first) }
      forward(state, rows: rows)
      for row in 0..<rows {
        let f = stack.outputs + row * k
        let place = example(row) * k
        for c in 0..<k { f[c] -= state.first[place + c] }
        sum += loss.derive(f, state.examples.targets + place, k)
      }
      stack.backward(rows: rows, scale: outputScale / Double(count), fresh: first == 0)
      if jacobian > 0, let state = state as? NetworkState<Double> {
        state.penalty!.addGradient(self, state, rows: rows, weight: jacobian / Double(count))
      }
    }
    return sum / Double(count)
  }

  package func step<T: NetworkScalar>(_ state: NetworkState<T>, _ stream: inout Stream, rate: Double) {
    state.made += 1
    state.isEvaluated = false
    if measured.fluctuation { state.fluctuation.add(self, state, rate: rate * rateScale) }
    for layer in 1...depth + 1 {
      optimiser.move(
        state.stack.weights[layer - 1], state.stack.gradients[layer - 1],
        state.memory.isEmpty ? nil : state.memory[layer - 1], count: shape.room(layer),
        scale: scales[layer - 1].multiplier, rate: rate * rateScale, step: state.made, &stream)
    }
    if case .langevin = optimiser.method { state.stack.clearPadding() }
    // After the move, so that what is measured then has not been trained on.
    if data.isFresh {
      data.drawStep(state.examples, &stream)
      scaleInputs(state)
    }
  }

  // MARK: Measures

  package var observables: [Observable] {
    outputObservables + probeObservables + (measured.gradients ? Self.gradientObservables : [])
      + (measured.fluctuation ? Fluctuation.observables : []) + curvatureObservables
  }

  private var curvatureObservables: [Observable] {
    (measured.sharpness ? SharpnessProbe.observables : []) + (measured.jacobian ? [JacobianPenalty.observable] : [])
  }

  package func measure<T: NetworkScalar>(_ state: NetworkState<T>, into values: UnsafeMutablePointer<Double>) {
    evaluate(state)
    let rest = measureOutputs(state.outputs, UnsafePointer(state.examples.targets), to: values)
    var place = state.probe.measure(self, state, to: rest)
    if measured.gradients { place = measureGradients(state, to: place) }
    if measured.fluctuation { place = state.fluctuation.measure(to: place) }
    guard let state = state as? NetworkState<Double> else { return }
    if let sharpness = state.sharpness { place = sharpness.measure(self, state, to: place) }
    if measured.jacobian { place[0] = state.penalty!.mean(self, state) }
  }
}
