import Kernels
import Networks

/// $\kappa(\theta) = E \phi(u) \phi(v)$ for u, v of one variance at the angle $\theta = \arccos\rho$, interpolated: what a draw needs of
/// an expectation that costs a quadrature.
///
/// By Chebyshev's nodes in the angle, ends included. There kernels are smooth up to both ends, whatever kinks and jumps phi has (of ReLU
/// $\sin\theta + (\pi - \theta)\cos\theta$), where in rho they have roots of $1 - \rho$.
struct AngleKernel: Sendable {
  private let nodes, values: [Double]

  /// Largest error between the nodes, relative to $\kappa(0)$.
  static let tolerance = 1e-11

  /// - Returns: nil where an expectation is not found, or 256 nodes are not enough.
  init?(_ kernel: ActivationKernel, variance: Double) {
    func sample(_ parts: Int) -> (nodes: [Double], values: [Double]) {
      let nodes = (0...parts).map { k in
        k == parts ? Double.pi : 0.5 * Double.pi * (1 - Elementary.sinCosTurns(Double(k) / Double(2 * parts)).cos)
      }
      return (
        nodes,
        nodes.map { kernel.product(variance, variance, variance * Elementary.sinCosTurns(0.5 * $0 / Double.pi).cos) }
      )
    }
    var (nodes, values) = sample(16)
    for parts in [32, 64, 128, 256] {
      let finer = sample(parts)
      guard finer.values.allSatisfy(\.isFinite) else { return nil }
      let coarse = AngleKernel(nodes: nodes, values: values)
      (nodes, values) = finer
      let error = zip(nodes, values).map { (coarse.value($0) - $1).magnitude }.max()!
      if error <= Self.tolerance * values[0] {
        self.init(nodes: nodes, values: values)
        return
      }
    }
    return nil
  }

  private init(nodes: [Double], values: [Double]) { (self.nodes, self.values) = (nodes, values) }

  /// The barycentric formula; exact at both ends.
  func value(_ theta: Double) -> Double {
    var (numerator, denominator) = (0.0, 0.0)
    let last = nodes.count - 1
    for k in 0...last {
      let distance = theta - nodes[k]
      if distance == 0 { return values[k] }
      let weight = (k == 0 || k == last ? 0.5 : 1) * (k & 1 == 0 ? 1 : -1) / distance
      numerator += weight * values[k]
      denominator += weight
    }
    return numerator / denominator
  }
}
