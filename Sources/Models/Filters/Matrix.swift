import Kernels

/// A small dense matrix for what is worked out once a job: Kalman filters and their like.
struct Matrix: Sendable {
  let rows, columns: Int
  /// Row by row.
  var values: [Double]

  init(_ rows: Int, _ columns: Int) {
    (self.rows, self.columns) = (rows, columns)
    values = Array(repeating: 0, count: rows * columns)
  }

  init(_ entries: [[Double]]) {
    (rows, columns) = (entries.count, entries.first?.count ?? 0)
    values = entries.flatMap { $0 }
  }

  /// A column.
  init(column: [Double]) { (rows, columns, values) = (column.count, 1, column) }

  static func identity(_ n: Int) -> Matrix {
    var result = Matrix(n, n)
    for i in 0..<n { result[i, i] = 1 }
    return result
  }

  subscript(_ i: Int, _ j: Int) -> Double {
    get { values[i * columns + j] }
    set { values[i * columns + j] = newValue }
  }

  var transposed: Matrix {
    var result = Matrix(columns, rows)
    for i in 0..<rows { for j in 0..<columns { result[j, i] = self[i, j] } }
    return result
  }

  var trace: Double { (0..<rows).reduce(0) { $0 + self[$1, $1] } }

  static func * (_ a: Matrix, _ b: Matrix) -> Matrix {
    var result = Matrix(a.rows, b.columns)
    for i in 0..<a.rows {
      for k in 0..<a.columns { for j in 0..<b.columns { result[i, j] += a[i, k] * b[k, j] } }
    }
    return result
  }

  static func + (_ a: Matrix, _ b: Matrix) -> Matrix {
    var result = a
    for i in result.values.indices { result.values[i] += b.values[i] }
    return result
  }

  static func - (_ a: Matrix, _ b: Matrix) -> Matrix {
    var result = a
    for i in result.values.indices { result.values[i] -= b.values[i] }
    return result
  }

  /// (M + M^T)/2.
  var symmetric: Matrix {
    let other = transposed
    var result = self
    for i in values.indices { result.values[i] = 0.5 * (values[i] + other.values[i]) }
    return result
  }

  /// L of M = L L^T; nil where M has a negative direction.
  var cholesky: Matrix? {
    guard let lower = Triangular.cholesky(values, m: rows) else { return nil }
    var result = Matrix(rows, rows)
    result.values = lower
    return result
  }

  /// Of a lower triangular matrix without zeros on its diagonal.
  var inverseOfLower: Matrix {
    var result = Matrix(rows, rows)
    for j in 0..<rows {
      for i in j..<rows {
        var sum = i == j ? 1.0 : 0
        for k in j..<max(i, j) { sum -= self[i, k] * result[k, j] }
        result[i, j] = sum / self[i, i]
      }
    }
    return result
  }

  /// log det of L L^T.
  var logDeterminantOfLower: Double { (0..<rows).reduce(0) { $0 + 2 * Elementary.log(self[$1, $1]) } }
}

/// A normal density as the sum of squares of a whitened residual: $\log N(y; m, S) = c - \frac12 |L^{-1}(y - m)|^2$, S = L L^T.
struct Whitening: Sendable {
  /// L^{-1}.
  let inverse: Matrix
  let logNormaliser: Double

  /// - Returns: nil where S is not positive definite.
  init?(_ covariance: Matrix) {
    guard let lower = covariance.cholesky, (0..<lower.rows).allSatisfy({ lower[$0, $0] > 0 }) else { return nil }
    inverse = lower.inverseOfLower
    logNormaliser = -0.5 * (lower.logDeterminantOfLower + Double(lower.rows) * Elementary.log(2 * Double.pi))
  }

  /// S^{-1}.
  var precision: Matrix { inverse.transposed * inverse }
}
