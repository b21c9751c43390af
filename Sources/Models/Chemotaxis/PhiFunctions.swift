import Kernels

/// $e^{A}$ and the first columns of $\varphi_1(A), \varphi_2(A), \varphi_3(A)$, $\varphi_j(z) = \int_0^1 e^{(1-s) z} s^{j-1} ds/(j-1)!$, of a small matrix, at least one row.
///
/// By the exponential of A with three more columns, scaled until its norm is below 1/2 and squared again (Al-Mohy, Higham, SIAM J. Sci. Comput. 33 (2011) 488).
struct PhiFunctions {
  let size: Int
  /// Row by row.
  let exponential: [Double]
  /// [0] is that of $\varphi_1$.
  let columns: [[Double]]

  init(_ matrix: [Double], size: Int) {
    self.size = size
    let n = size + 3
    var a = Array(repeating: 0.0, count: n * n)
    for i in 0..<size { for j in 0..<size { a[i * n + j] = matrix[i * size + j] } }
    a[size] = 1
    a[size * n + size + 1] = 1
    a[(size + 1) * n + size + 2] = 1
    let norm = (0..<n).map { i in (0..<n).reduce(0) { $0 + a[i * n + $1].magnitude } }.max() ?? 0
    var (halvings, scale) = (0, 1.0)
    while norm * scale > 0.5 {
      halvings += 1
      scale *= 0.5
    }
    for i in a.indices { a[i] *= scale }
    var (sum, term) = (Self.identity(n), Self.identity(n))
    for k in 1..<18 {
      term = Self.product(term, a, n).map { $0 / Double(k) }
      for i in sum.indices { sum[i] += term[i] }
    }
    for _ in 0..<halvings { sum = Self.product(sum, sum, n) }
    exponential = (0..<size).flatMap { i in (0..<size).map { sum[i * n + $0] } }
    columns = (0..<3).map { j in (0..<size).map { sum[$0 * n + size + j] } }
  }

  static func identity(_ n: Int) -> [Double] { (0..<n * n).map { $0 % (n + 1) == 0 ? 1 : 0 } }

  static func product(_ a: [Double], _ b: [Double], _ n: Int) -> [Double] {
    var out = Array(repeating: 0.0, count: n * n)
    for i in 0..<n {
      for k in 0..<n { for j in 0..<n { out[i * n + j] = out[i * n + j].addingProduct(a[i * n + k], b[k * n + j]) } }
    }
    return out
  }
}
