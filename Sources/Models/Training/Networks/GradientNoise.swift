import Experiments
import Kernels

/// The gradient of the training loss by w, and how those of single examples scatter about it, without a gradient of any example: that of a layer
/// is $y_{l-1} \delta_l^T$, of squared length $|y_{l-1}|^2 |\delta_l|^2$ (arXiv:1510.01799).
extension TrainedMLP {
  static let gradientFamilies = ["gradient_norm", "gradient_noise"]

  static let gradientObservables = [
    Observable("gradient_norm", role: .heavyTailed, "|g|^2 of the gradient g of the training loss by w"),
    Observable(
      "gradient_noise", role: .heavyTailed,
      "trace of the covariance of the gradients of single examples; over B that of batches drawn with replacement"),
  ]

  /// Writes `gradientObservables`, and returns the place behind them.
  func measureGradients<T: NetworkScalar>(
    _ state: NetworkState<T>, to values: UnsafeMutablePointer<Double>
  ) -> UnsafeMutablePointer<Double> {
    let (stack, k, train) = (state.stack, shape.outputs, data.train)
    let stride = shape.stride
    var single = 0.0
    stack.transpose()
    for first in Swift.stride(from: 0, to: train, by: NetworkShape.block) {
      let rows = min(NetworkShape.block, train - first)
      load(state, from: first)
      forward(state, rows: rows)
      let last = stack.activations[depth - 1]
      let readout = scales[depth].multiplier * outputScale
      for row in 0..<rows {
        let f = stack.outputs + row * k
        for c in 0..<k { f[c] -= state.first[(first + row) * k + c] }
        _ = loss.derive(f, state.examples.targets + (first + row) * k, k)
        let square = (0..<k).reduce(0) { $0 + f[$1] * f[$1] }
        single += readout * readout * square * T.dot(last + row * stride, last + row * stride, stride)
      }
      stack.backward(rows: rows, scale: outputScale, fresh: first == 0) { layer, delta in
        let below = layer == 1 ? stack.examples : UnsafePointer(stack.activations[layer - 2])
        let belowStride = layer == 1 ? shape.inputStride : stride
        let scale = scales[layer - 1].multiplier
        for row in 0..<rows {
          let (y, d) = (below + row * belowStride, delta + row * stride)
          single += scale * scale * T.dot(y, y, belowStride) * T.dot(d, d, stride)
        }
      }
    }
    var whole = 0.0
    for layer in 1...depth + 1 {
      let (gradient, scale) = (stack.gradients[layer - 1], scales[layer - 1].multiplier / Double(train))
      for row in 0..<shape.rows(layer) {
        whole += scale * scale * T.dot(gradient + row * stride, gradient + row * stride, stride)
      }
    }
    values[0] = whole
    values[1] = single / Double(train) - whole
    return values + 2
  }
}
