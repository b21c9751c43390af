import Experiments
import Kernels
import Randomness

/// The buffers of a `TrainedMLP` in numbers T: one network in training with its examples and the memory of its optimiser.
package final class NetworkState<T: NetworkScalar> {
  package let stack: LayerStack<T>
  let examples: Examples
  let batches: Batches?
  /// Of the optimiser, layer by layer.
  let memory: [UnsafeMutablePointer<T>]
  /// Of all examples: f; f at the start.
  let outputs, first: UnsafeMutablePointer<Double>
  /// Of all examples: x/sqrt(d), in rows of the stack.
  let inputs: UnsafeMutablePointer<T>
  /// Steps made.
  var made = 0
  /// Whether `outputs` are those of the present weights.
  var isEvaluated = false
  let probe: NetworkProbe<T>
  var fluctuation = Fluctuation()
  let haar: HaarWeights?
  let sharpness: SharpnessProbe?
  let penalty: JacobianPenalty?

  init(_ problem: TrainedMLP) {
    let shape = problem.shape
    stack = LayerStack(shape, constant: problem.constant)
    examples = problem.data.makeExamples()
    let optimiser = problem.optimiser
    batches = optimiser.batch.map { Batches(train: problem.data.train, size: $0, replacement: optimiser.replacement) }
    memory =
      optimiser.buffers == 0 ? [] : (1...shape.depth + 1).map { .allocateZeros(optimiser.buffers * shape.room($0)) }
    inputs = .allocateZeros(examples.count * shape.inputStride)
    outputs = .allocateZeros(examples.count * shape.outputs)
    first = .allocateZeros(examples.count * shape.outputs)
    probe = NetworkProbe(problem)
    haar = problem.isOrthogonal ? HaarWeights(shape) : nil
    sharpness = problem.measured.sharpness ? SharpnessProbe(shape) : nil
    penalty = problem.jacobian > 0 || problem.measured.jacobian ? JacobianPenalty(shape) : nil
    problem.scaleInputs(self)
  }

  deinit {
    for place in memory + [inputs] { place.deallocate() }
    outputs.deallocate()
    first.deallocate()
  }
}

/// A network trained in single precision. What its limits are told of is the network itself: they know nothing of rounding.
package struct SinglePrecisionMLP: TrainingProblem {
  package let network: TrainedMLP

  package init(_ network: TrainedMLP) { self.network = network }

  package var observables: [Observable] { network.observables }
  package func makeState() -> NetworkState<Float> { NetworkState(network) }
  package func start(_ state: NetworkState<Float>, _ stream: inout Stream) { network.start(state, &stream) }
  package func loss(_ state: NetworkState<Float>, _ stream: inout Stream, step: Int) -> Double {
    network.loss(state, &stream, step: step)
  }
  package func step(_ state: NetworkState<Float>, _ stream: inout Stream, rate: Double) {
    network.step(state, &stream, rate: rate)
  }
  package func measure(_ state: NetworkState<Float>, into values: UnsafeMutablePointer<Double>) {
    network.measure(state, into: values)
  }
}
