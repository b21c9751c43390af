import Experiments
import Kernels

/// A deep kernel machine of finite width (arXiv:2108.13097): Gram matrices $G_1, \dots, G_L$ of P points with
///
/// $$ G_l \mid G_{l-1} \sim \mathrm{Wishart}_P(k(G_{l-1}), N)/N, \qquad G_0 = K_0, \qquad \text{columns of } Y \sim N(0, k(G_L) + s^2), $$
///
/// where Y has $N \nu$ columns with $Y Y^T/(N \nu) = \hat Y$ given: as N grows there are more outputs, and the posterior keeps away from the prior.
package struct MachineSettings: Sendable {
  /// P, N and L.
  package let points, width, depth: Int
  package let kernel: PairKernel
  /// $\nu$, columns of Y a unit.
  package let outputRatio: Double
  /// $s^2$.
  package let noise: Double
  /// $K_0$, and the lower triangular factor of $k(K_0)$, P x P.
  package let start, startFactor: [Double]
  /// Vectors y with $\hat Y = \sum y y^T$.
  package let targets: [[Double]]

  package init(
    width: Int, depth: Int, kernel: PairKernel, outputRatio: Double, noise: Double, start: [Double],
    startFactor: [Double], targets: [[Double]]
  ) {
    (self.width, self.depth, self.kernel) = (width, depth, kernel)
    (self.outputRatio, self.noise, self.start) = (outputRatio, noise, start)
    (self.startFactor, self.targets) = (startFactor, targets)
    points = Int(Double(start.count).squareRoot().rounded())
  }

  /// Entries of a Gram matrix, row by row: (0, 0), (1, 0), (1, 1), ….
  package var entries: Int { points * (points + 1) / 2 }
  /// Coordinates of the posterior.
  package var coordinates: Int { depth * entries }

  package static let gram = "gram"

  /// Entries of all Gram matrices, layer by layer.
  package func gramObservables(_ family: String = gram, role: Observable.Role = .quantity, _ words: String = "")
    -> [Observable]
  {
    (1...depth).flatMap { l in
      (0..<points).flatMap { a in
        (0...a).map { b in
          Observable(family, [l, a, b], role: role, "\(words)entry (\(a), \(b)) of G_\(l)")
        }
      }
    }
  }

  package var complexityObservables: [Observable] {
    (1...depth).map {
      Observable("complexity", [$0], "(1/2) [tr S - log det S - P], S = k(G_\($0 - 1))^-1 G_\($0)")
    }
  }

  package static let fit = Observable(
    "fit", "-(nu/2) [log det C + tr C^-1 Yh], C = k(G_L) + s^2: the log likelihood over N, but for constants")

  /// $k(\dots k(K_0))$ of every layer: what the prior tends to.
  package var priorLimit: [[Double]] {
    var g = start
    return (0..<depth).map { _ in
      g = kernelMatrix(g)
      return g
    }
  }

  /// k(G), P x P.
  package func kernelMatrix(_ g: [Double]) -> [Double] {
    (0..<points * points).map { i in
      let (a, b) = (i / points, i % points)
      return a == b
        ? kernel.diagonal(g[i]) : kernel.value(g[a * points + a], g[b * points + b], g[i])
    }
  }
}
