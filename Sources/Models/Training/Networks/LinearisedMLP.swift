import Experiments
import Kernels
import Networks
import Randomness

/// The linearisation of a perceptron about its own start, trained by the same steps: with the tangent kernel Theta of that very draw
/// $f' = f - \frac{\eta}{P} \Theta_{\cdot X}\, l'(f_X)$ (arXiv:1902.06720, section 2.2). It sees the same weights and data as the network itself.
package struct LinearisedMLP: TrainingProblem {
  let network: TrainedMLP

  package final class State {
    let network: NetworkState<Double>
    /// f of all examples; l' of those of training.
    fileprivate var outputs, slopes: [Double]

    init(_ problem: LinearisedMLP) {
      network = problem.network.makeState()
      outputs = Array(repeating: 0, count: problem.network.data.train + problem.network.data.test)
      slopes = Array(repeating: 0, count: problem.network.data.train)
    }
  }

  package var observables: [Observable] { network.outputObservables }

  package func makeState() -> State { State(self) }

  package func start(_ state: State, _ stream: inout Stream) {
    network.start(state.network, &stream)
    network.evaluate(state.network)
    for a in state.outputs.indices { state.outputs[a] = state.network.outputs[a] }
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    var sum = 0.0
    for a in state.slopes.indices {
      var f = state.outputs[a]
      sum += network.loss.derive(&f, state.network.examples.targets + a, 1)
      state.slopes[a] = f
    }
    return sum / Double(network.data.train)
  }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    let kernel = state.network.probe.firstKernel
    let count = state.outputs.count
    for a in 0..<count {
      var sum = 0.0
      for b in state.slopes.indices { sum += kernel[a * count + b] * state.slopes[b] }
      state.outputs[a] -= rate / Double(network.data.train) * sum
    }
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    _ = state.outputs.withUnsafeBufferPointer {
      network.measureOutputs($0.baseAddress!, UnsafePointer(state.network.examples.targets), to: values)
    }
  }
}
