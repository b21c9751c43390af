/// Eigenvalues and eigenvectors of a small dense symmetric matrix by Jacobi's rotations, row by row: the small eigenvalues of a well-scaled positive definite matrix keep their relative accuracy
/// (Demmel and Veselic, 1992), which a reduction to a tridiagonal matrix loses. O(n^3) a sweep, six to ten sweeps; for n up to some tens. `SymmetricEigenvalues` serves large matrices.
public enum SymmetricEigenvectors {
  private static let mostSweeps = 40

  /// $A = Q^T \Lambda Q$.
  /// - Parameters:
  ///   - a: count x count, row by row, symmetric; its diagonal receives the eigenvalues, in no order.
  ///   - q: count x count; row i receives the eigenvector of eigenvalue i, of length 1.
  public static func find(_ a: UnsafeMutablePointer<Double>, count n: Int, vectors q: UnsafeMutablePointer<Double>) {
    for i in 0..<n * n { q[i] = i % (n + 1) == 0 ? 1 : 0 }
    for _ in 0..<mostSweeps {
      var isDone = true
      for i in 0..<n {
        for j in i + 1..<max(n, i + 1) {
          let (x, y, r) = (a[i * n + i], a[j * n + j], a[i * n + j])
          guard r.magnitude > 0x1p-53 * (x * y).magnitude.squareRoot() else { continue }
          isDone = false
          let ratio = (y - x) / (2 * r)
          let tangent = (ratio < 0 ? -1 : 1) / (ratio.magnitude + (1 + ratio * ratio).squareRoot())
          let cosine = 1 / (1 + tangent * tangent).squareRoot()
          let sine = tangent * cosine
          for k in 0..<n { rotate(a + i * n + k, a + j * n + k, cosine, sine) }
          for k in 0..<n { rotate(a + k * n + i, a + k * n + j, cosine, sine) }
          (a[i * n + i], a[j * n + j]) = (x - tangent * r, y + tangent * r)
          (a[i * n + j], a[j * n + i]) = (0, 0)
          for k in 0..<n { rotate(q + i * n + k, q + j * n + k, cosine, sine) }
        }
      }
      if isDone { return }
    }
  }

  /// - Parameter matrix: count x count, row by row, symmetric.
  /// - Returns: the eigenvalues, ascending, and of each its unit vector.
  public static func sorted(_ matrix: [Double], count n: Int) -> (values: [Double], vectors: [[Double]]) {
    precondition(matrix.count == n * n)
    var a = matrix
    var q = Array(repeating: 0.0, count: n * n)
    find(&a, count: n, vectors: &q)
    let order = (0..<n).sorted { a[$0 * (n + 1)] < a[$1 * (n + 1)] }
    return (order.map { a[$0 * (n + 1)] }, order.map { Array(q[$0 * n..<($0 + 1) * n]) })
  }

  @inline(__always)
  private static func rotate(
    _ x: UnsafeMutablePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ c: Double, _ s: Double
  ) {
    (x.pointee, y.pointee) = (c * x.pointee - s * y.pointee, s * x.pointee + c * y.pointee)
  }
}
