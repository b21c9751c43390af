import Experiments
import Kernels

/// Both sides of the first relation between fluctuation and dissipation of stochastic gradient descent (arXiv:1810.00004), which are equal in the
/// stationary state: $\langle w \cdot g \rangle$ and $\frac{(1 + \mu) \eta}{2} \langle |v|^2 \rangle$, with the velocity v' = mu v + g, w' = w - eta v', eta the rate of w, g the gradient on
/// the batch with that of the weight decay; means over the steps since the record before. Of descent mu = 0 and v = g.
struct Fluctuation {
  static let families = ["fdr_left", "fdr_right"]

  static let observables = [
    Observable("fdr_left", "w.g of a step, mean over the steps since the record before"),
    Observable(
      "fdr_right", "(1 + mu) eta |v|^2/2 after a step, the same mean; equal to fdr_left in the stationary state"),
  ]

  private var left = 0.0, right = 0.0
  private var steps = 0
  /// What was measured last.
  private var kept = (left: 0.0, right: 0.0)

  static func isKnown(_ optimiser: Optimiser) -> Bool {
    switch optimiser.method {
    case .descent, .momentum: true
    default: false
    }
  }

  mutating func start() { self = Fluctuation() }

  /// Before a step moves the weights.
  /// - Parameter rate: that of w.
  mutating func add<T: NetworkScalar>(_ problem: TrainedMLP, _ state: NetworkState<T>, rate: Double) {
    steps += 1
    // Averaged velocities are 1 - mu times as long, and move by as much less.
    let (mu, share): (Double, Double) =
      if case .momentum(let mu, let averaged) = problem.optimiser.method { (mu, averaged ? 1 - mu : 1) } else { (0, 1) }
    for layer in 1...problem.depth + 1 {
      let (weights, gradient) = (state.stack.weights[layer - 1], state.stack.gradients[layer - 1])
      let (scale, decay) = (problem.scales[layer - 1].multiplier, problem.optimiser.decay)
      let memory = state.memory.isEmpty ? nil : state.memory[layer - 1]
      for i in 0..<problem.shape.room(layer) {
        let w = weights[i].double / scale
        let g = scale * gradient[i].double + decay * w
        let v = memory.map { mu / share * $0[i].double + g } ?? g
        left += w * g
        right += 0.5 * (1 + mu) * rate * share * v * v
      }
    }
  }

  mutating func measure(to values: UnsafeMutablePointer<Double>) -> UnsafeMutablePointer<Double> {
    if steps > 0 {
      kept = (left / Double(steps), right / Double(steps))
      (left, right, steps) = (0, 0, 0)
    }
    (values[0], values[1]) = kept
    return values + 2
  }
}
