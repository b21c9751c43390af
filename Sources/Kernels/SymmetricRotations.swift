/// Eigenvalues and eigenvectors of small symmetric matrices by Jacobi's rotations: O(n^3) a sweep, some six sweeps, small eigenvalues of graded matrices to their own accuracy.
public enum SymmetricRotations {
  /// Most sweeps; convergence is quadratic.
  private static let sweeps = 60

  /// - Parameter matrix: n x n, row by row, symmetric.
  /// - Returns: the eigenvalues, ascending, and of each its unit vector.
  public static func eigenvectors(_ matrix: [Double], count n: Int) -> (values: [Double], vectors: [[Double]]) {
    precondition(matrix.count == n * n)
    var a = matrix
    var v = (0..<n * n).map { $0 % (n + 1) == 0 ? 1.0 : 0 }
    for _ in 0..<sweeps {
      var isDiagonal = true
      for p in 0..<n {
        for q in p + 1..<max(n, p + 1) {
          let off = a[p * n + q]
          guard off.magnitude > 0x1p-53 * (a[p * n + p].magnitude * a[q * n + q].magnitude).squareRoot() else {
            continue
          }
          isDiagonal = false
          let theta = (a[q * n + q] - a[p * n + p]) / (2 * off)
          let t = (theta < 0 ? -1 : 1) / (theta.magnitude + (theta * theta + 1).squareRoot())
          let c = 1 / (t * t + 1).squareRoot()
          let s = t * c
          for k in 0..<n {
            let (x, y) = (a[k * n + p], a[k * n + q])
            (a[k * n + p], a[k * n + q]) = (c * x - s * y, s * x + c * y)
          }
          for k in 0..<n {
            let (x, y) = (a[p * n + k], a[q * n + k])
            (a[p * n + k], a[q * n + k]) = (c * x - s * y, s * x + c * y)
            let (z, w) = (v[p * n + k], v[q * n + k])
            (v[p * n + k], v[q * n + k]) = (c * z - s * w, s * z + c * w)
          }
        }
      }
      if isDiagonal { break }
    }
    let order = (0..<n).sorted { a[$0 * n + $0] < a[$1 * n + $1] }
    return (order.map { a[$0 * n + $0] }, order.map { Array(v[$0 * n..<$0 * n + n]) })
  }
}
