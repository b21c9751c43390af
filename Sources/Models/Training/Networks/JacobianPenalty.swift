import Experiments
import Kernels

/// The mean of $|\partial f/\partial x|^2$ (Frobenius) over examples, and its gradient, exactly: an output at a time, J by a pass back, and the gradient of $u \cdot \partial
/// f/\partial x$ at u = J by a `SecondOrderPass` (what arXiv:1908.02729 estimates by random projections).
final class JacobianPenalty {
  private let pass: SecondOrderPass
  private let shape: NetworkShape
  /// J of one output by the inputs as the stack sees them, in rows of those.
  private let rows: UnsafeMutablePointer<Double>

  static let family = "jacobian_norm"
  static let observable = Observable(family, "mean of |df/dx|^2 over the examples of training")

  init(_ shape: NetworkShape) {
    self.shape = shape
    pass = SecondOrderPass(shape)
    rows = .allocateZeros(NetworkShape.block * shape.inputStride)
  }

  deinit { rows.deallocate() }

  /// Leaves the derivative of output c by the inputs of the block in `rows`, times `scale`, and returns the sum of its squares.
  private func derive(
    _ problem: TrainedMLP, _ stack: LayerStack<Double>, output c: Int, rows count: Int, scale: Double
  ) -> Double {
    for i in 0..<count * shape.outputs { pass.seeds[i] = i % shape.outputs == c ? problem.outputScale : 0 }
    var sum = 0.0
    pass.backward(stack, rows: count, direction: nil, second: false) { layer in
      guard layer == 1 else { return }
      for row in 0..<count {
        for i in 0..<shape.features {
          let slope = Triangular.dot(pass.delta + row * shape.stride, stack.weights[0] + i * shape.stride, shape.stride)
          sum += slope * slope
          rows[row * shape.inputStride + i] = scale * slope
        }
      }
    }
    return sum
  }

  /// Adds the gradient of `weight`/2 times the sum over the block of $|\partial f/\partial x|^2$, after passes of the stack over the block.
  func addGradient(_ problem: TrainedMLP, _ state: NetworkState<Double>, rows count: Int, weight: Double) {
    let stack = state.stack
    for c in 0..<shape.outputs {
      _ = derive(problem, stack, output: c, rows: count, scale: weight / Double(shape.features))
      pass.forward(stack, problem, rows: count, inputs: UnsafePointer(rows), direction: nil)
      for i in 0..<count * shape.outputs { pass.outputs[i] = 0 }
      pass.backward(
        stack, rows: count, inputs: UnsafePointer(rows), direction: nil, to: stack.gradients, fresh: false)
    }
  }

  /// The mean over the examples of training.
  func mean(_ problem: TrainedMLP, _ state: NetworkState<Double>) -> Double {
    var sum = 0.0
    state.stack.transpose()
    for first in stride(from: 0, to: problem.data.train, by: NetworkShape.block) {
      let count = min(NetworkShape.block, problem.data.train - first)
      problem.load(state, from: first)
      problem.forward(state, rows: count)
      for c in 0..<shape.outputs { sum += derive(problem, state.stack, output: c, rows: count, scale: 1) }
    }
    return sum / Double(problem.data.train * shape.features)
  }
}
