import Kernels

/// The flow of linearised training, $f_t = f_0 - B_t (f_0(X) - y)$ with
///
/// $$ B_t = \Theta_{*X} \Theta^{-1} (1 - e^{-\Theta \Xi t}) = \Theta_{*X}\, \Xi^{1/2} S^{-1} (1 - e^{-S t})\, \Xi^{1/2}, \qquad S = \Xi^{1/2} \Theta\, \Xi^{1/2} : $$
///
/// the eigenvectors of S serve all times.
package final class LinearisedFlow {
  /// n examples, m points whose outputs are wanted.
  private let examples, points: Int
  /// $\Xi^{1/2}$.
  private let roots: [Double]
  private let matrix, vectors, along: UnsafeMutablePointer<Double>
  /// $B_t$, m x n, row by row, of the last time.
  package let map: UnsafeMutablePointer<Double>

  /// - Parameter rates: $\Xi_i > 0$.
  package init(rates: [Double], points: Int) {
    (examples, self.points, roots) = (rates.count, points, rates.map { $0.squareRoot() })
    (matrix, vectors) = (.allocateZeros(examples * examples), .allocateZeros(examples * examples))
    (along, map) = (.allocateZeros(points * examples), .allocateZeros(points * examples))
  }

  deinit { for place in [matrix, vectors, along, map] { place.deallocate() } }

  /// - Parameter kernel: $\Theta$ of the examples, then of the points with them: n + m rows of n columns, `stride` apart.
  package func prepare(_ kernel: UnsafePointer<Double>, stride: Int) {
    let n = examples
    for i in 0..<n { for j in 0..<n { matrix[i * n + j] = roots[i] * kernel[i * stride + j] * roots[j] } }
    SymmetricEigenvectors.find(matrix, count: n, vectors: vectors)
    for a in 0..<points {
      for k in 0..<n {
        var sum = 0.0
        for j in 0..<n { sum += kernel[(n + a) * stride + j] * roots[j] * vectors[k * n + j] }
        along[a * n + k] = sum
      }
    }
  }

  /// Makes `map` that of time t.
  package func move(to t: Double) {
    let n = examples
    map.update(repeating: 0, count: points * n)
    for k in 0..<n {
      let share = Self.share(max(matrix[k * n + k], 0), t)
      for a in 0..<points {
        let part = along[a * n + k] * share
        for j in 0..<n { map[a * n + j] += part * vectors[k * n + j] * roots[j] }
      }
    }
  }

  /// $(1 - e^{-\lambda t})/\lambda$, t at $\lambda = 0$.
  private static func share(_ lambda: Double, _ t: Double) -> Double {
    let x = lambda * t
    return x < 1e-4 ? t * (1 - x * (0.5 - x * (1.0 / 6 - x / 24))) : (1 - Elementary.exp(-x)) / lambda
  }
}
