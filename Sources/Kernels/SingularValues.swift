/// Singular values of small square matrices.
public enum SingularValues {
  /// Squares of the singular values of an m x m matrix, descending: the eigenvalues of `A A^T`.
  ///
  /// One-sided Jacobi (Hestenes): columns are rotated against each other until they are orthogonal, which keeps the
  /// relative accuracy of the small ones, where forming `A A^T` would lose it.
  /// - Parameters:
  ///   - matrix: m x m, row by row; overwritten.
  ///   - squares: receives m numbers.
  @inlinable
  public static func squares(
    _ matrix: UnsafeMutablePointer<Double>, m: Int, into squares: UnsafeMutablePointer<Double>
  ) {
    // Sweeps converge quadratically; 30 is far beyond what 64 columns need.
    for _ in 0..<30 {
      var rotated = false
      for p in 0..<m {
        for q in p &+ 1..<max(m, p &+ 1) {
          var (pp, qq, pq) = (0.0, 0.0, 0.0)
          for i in 0..<m {
            let x = matrix[i &* m &+ p]
            let y = matrix[i &* m &+ q]
            pp += x * x
            qq += y * y
            pq += x * y
          }
          if pq * pq <= 0x1p-104 * pp * qq || !(pp * qq).isFinite { continue }
          rotated = true
          let zeta = (qq - pp) / (2 * pq)
          let t = (zeta < 0 ? -1.0 : 1.0) / (zeta.magnitude + (1 + zeta * zeta).squareRoot())
          let c = 1 / (1 + t * t).squareRoot()
          let s = c * t
          for i in 0..<m {
            let x = matrix[i &* m &+ p]
            let y = matrix[i &* m &+ q]
            matrix[i &* m &+ p] = c * x - s * y
            matrix[i &* m &+ q] = s * x + c * y
          }
        }
      }
      if !rotated { break }
    }
    for j in 0..<m {
      var sum = 0.0
      for i in 0..<m { sum += matrix[i &* m &+ j] * matrix[i &* m &+ j] }
      // Insertion keeps the order descending.
      var k = j
      while k > 0 && squares[k &- 1] < sum {
        squares[k] = squares[k &- 1]
        k &-= 1
      }
      squares[k] = sum
    }
  }
}
