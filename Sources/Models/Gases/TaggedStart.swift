import Kernels
import Randomness

/// Where a tagged particle starts: at x = 0, with $w \sim N(m, S_0)$.
package struct TaggedStart: Sendable {
  package let mean: SIMD3<Double>
  /// $S_0$; zeros for a fixed velocity.
  package let covariance: [[Double]]
  /// Row by row below the diagonal, $S_0 = L L^T$.
  private let factor: [[Double]]

  /// - Returns: nil where the covariance is neither positive definite nor 0.
  package init?(mean: SIMD3<Double> = .zero, covariance: [[Double]]) {
    (self.mean, self.covariance) = (mean, covariance)
    var l = Array(repeating: Array(repeating: 0.0, count: 3), count: 3)
    if !covariance.joined().allSatisfy({ $0 == 0 }) {
      for i in 0..<3 {
        for j in 0...i {
          var rest = covariance[i][j]
          for k in 0..<j { rest -= l[i][k] * l[j][k] }
          if i == j {
            guard rest > 0 else { return nil }
            l[i][i] = rest.squareRoot()
          } else {
            l[i][j] = rest / l[j][j]
          }
        }
      }
    }
    factor = l
  }

  package init(variance: Double) {
    let diagonal = (0..<3).map { i in (0..<3).map { i == $0 ? variance : 0 } }
    self.init(covariance: diagonal)!
  }

  /// Whether it is N(0, vI).
  func isIsotropic(variance: Double) -> Bool {
    mean == .zero
      && (0..<3).allSatisfy { i in
        (0..<3).allSatisfy { (covariance[i][$0] - (i == $0 ? variance : 0)).magnitude <= 1e-14 * variance }
      }
  }

  func draw(_ stream: inout Stream) -> SIMD3<Double> {
    let n = stream.normals(4)
    let (a, b, c) = (factor[0], factor[1], factor[2])
    return mean
      + SIMD3(a[0] * n[0], b[0] * n[0] + b[1] * n[1], c[0] * n[0] + c[1] * n[1] + c[2] * n[2])
  }
}
