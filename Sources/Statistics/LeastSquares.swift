import Kernels

/// Weighted least squares in powers of a small parameter,
/// $$ y(s) = \sum_k c_k\, s^{p_k}, \qquad \chi^2 = \sum_i \frac{(y_i - y(s_i))^2}{\sigma_i^2}. $$
struct PowerSeries {
  /// The coefficients c_k and their standard errors, from the errors of the points alone.
  let coefficients, errors: [Double]
  let chiSquare: Double
  let degreesOfFreedom: Int

  /// Standard errors grow by this where a fit is worse than the errors of its points allow.
  var scale: Double { degreesOfFreedom > 0 ? max(1, (chiSquare / Double(degreesOfFreedom)).squareRoot()) : 1 }

  /// Whether chi-square is within its 1e-4 quantile.
  var isGood: Bool { ChiSquare.tail(chiSquare, degreesOfFreedom: degreesOfFreedom) >= ChiSquare.badFit }

  /// By the normal equations; nil if they are singular. Every point has s > 0 and a positive error.
  init?(_ points: [Extrapolation.Point], powers: [Double]) {
    let k = powers.count
    guard points.count >= k, let unit = points.map(\.small).max() else { return nil }
    // Parameters in units of the largest, so that the columns are of order one.
    let rows = points.map { point in powers.map { Self.power(point.small / unit, $0) } }
    var normal = Array(repeating: 0.0, count: k * k)
    var right = Array(repeating: 0.0, count: k)
    for (point, row) in zip(points, rows) {
      let weight = 1 / (point.error * point.error)
      for i in 0..<k {
        right[i] += weight * row[i] * point.value
        for j in 0..<k { normal[i * k + j] += weight * row[i] * row[j] }
      }
    }
    guard let inverse = Self.inverse(normal, k) else { return nil }
    let solution = (0..<k).map { i in (0..<k).reduce(0.0) { $0 + inverse[i * k + $1] * right[$1] } }
    chiSquare = zip(points, rows).reduce(0.0) { sum, entry in
      let fitted = zip(entry.1, solution).reduce(0.0) { $0 + $1.0 * $1.1 }
      let residual = (entry.0.value - fitted) / entry.0.error
      return sum + residual * residual
    }
    degreesOfFreedom = points.count - k
    let scales = powers.map { 1 / Self.power(unit, $0) }
    coefficients = zip(solution, scales).map { $0 * $1 }
    errors = (0..<k).map { inverse[$0 * k + $0].squareRoot() * scales[$0] }
  }

  /// `x^p` for x > 0; by products and a square root where 2p is a small integer.
  static func power(_ x: Double, _ p: Double) -> Double {
    let doubled = 2 * p
    guard doubled == doubled.rounded(), doubled >= 0, doubled <= 16 else {
      return Elementary.exp(p * Elementary.log(x))
    }
    let whole = (0..<Int(doubled) / 2).reduce(1.0) { value, _ in value * x }
    return Int(doubled) % 2 == 0 ? whole : whole * x.squareRoot()
  }

  /// Inverse of a small positive definite matrix by Gauss-Jordan elimination; nil if it is singular.
  private static func inverse(_ matrix: [Double], _ k: Int) -> [Double]? {
    var a = matrix
    var result = (0..<k * k).map { $0 / k == $0 % k ? 1.0 : 0.0 }
    for column in 0..<k {
      let pivot = a[column * k + column]
      guard pivot > 1e-13 * matrix[column * k + column] else { return nil }
      for j in 0..<k {
        a[column * k + j] /= pivot
        result[column * k + j] /= pivot
      }
      for row in 0..<k where row != column {
        let factor = a[row * k + column]
        for j in 0..<k {
          a[row * k + j] -= factor * a[column * k + j]
          result[row * k + j] -= factor * result[column * k + j]
        }
      }
    }
    return result
  }
}
