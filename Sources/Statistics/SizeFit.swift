/// Extrapolation of a quantity to infinite size n from values at several n, each with its standard error: weighted least
/// squares in powers of n.
public struct SizeFit: Sendable, Equatable {
  /// What the leading correction is.
  public enum Order: String, Sendable, Codable {
    /// 1/n: no term n^-1/2 is needed.
    case inverse = "1/n"
    /// n^-1/2: a fit with it is better by far than one with integer powers.
    case inverseRoot = "n^-1/2"
    /// The values do not tell; the error covers both.
    case undetermined = "undetermined"
  }

  /// Value at infinite n, with its standard error.
  public let limit, error: Double
  public let order: Order
  /// Coefficient of the leading correction in the fit that gave the limit, with its standard error.
  public let coefficient, coefficientError: Double
  public let chiSquare: Double
  public let degreesOfFreedom: Int

  /// One of the two models must be better by this much in chi-square (3 standard deviations) to be preferred.
  static let decisive = 9.0

  /// - Parameters:
  ///   - points: at least three different n.
  ///   - expected: the limit that theory gives, if any. Free fits can rarely tell n^-1/2 from 1/n; fits that go through the
  ///     expected limit can, and where one of them is good it decides the order. The limit itself is always fitted freely.
  public init?(_ points: [(n: Double, value: Double, error: Double)], expected: Double? = nil) {
    let usable = points.filter { $0.n > 0 && $0.value.isFinite && $0.error.isFinite }
    guard Set(usable.map(\.n)).count >= 3 else { return nil }
    // Constants are without error; a least one keeps their weight finite.
    let floor = 1e-14 * (usable.map { $0.value.magnitude }.max() ?? 0) + .leastNormalMagnitude
    let data = usable.map { (n: $0.n, value: $0.value, error: max($0.error, floor)) }
    guard let straight = Self.fit(data, powers: [0, 2]), let half = Self.fit(data, powers: [0, 1, 2]) else {
      return nil
    }
    let curved = Set(data.map(\.n)).count >= 4 ? Self.fit(data, powers: [0, 2, 4]) : nil
    let integer = curved ?? straight
    order =
      Self.orderThrough(expected, data)
      ?? Self.prefer(integer: integer.chiSquare, half: half.chiSquare, root: half.coefficients[1] / half.errors[1])
    let chosen = order == .inverseRoot ? half : integer
    limit = chosen.coefficients[0]
    var spread = order == .undetermined ? half.coefficients[0] - limit : 0
    if curved == nil && order == .inverse {
      // Three sizes cannot show a second-order term; leaving out the smallest shows what it may do.
      let rest = data.filter { $0.n > data.map(\.n).min()! }
      if let tail = Self.fit(rest, powers: [0, 2]) { spread = tail.coefficients[0] - limit }
    }
    coefficient = chosen.coefficients[1]
    chiSquare = chosen.chiSquare
    degreesOfFreedom = data.count - chosen.coefficients.count
    // A fit that is worse than its errors allow lacks a term: its errors grow by the root of chi-square over degrees of freedom.
    let scale = degreesOfFreedom > 0 ? max(1, (chiSquare / Double(degreesOfFreedom)).squareRoot()) : 1
    error = scale * (chosen.errors[0] * chosen.errors[0] + spread * spread).squareRoot()
    coefficientError = scale * chosen.errors[1]
  }

  private static func prefer(integer: Double, half: Double, root: Double) -> Order {
    if integer - half > decisive { return .inverseRoot }
    if half - integer > decisive || root.magnitude < 3 { return .inverse }
    return .undetermined
  }

  /// The order by fits through the expected limit; nil if none of them is good.
  private static func orderThrough(
    _ expected: Double?, _ data: [(n: Double, value: Double, error: Double)]
  ) -> Order? {
    guard let expected else { return nil }
    let shifted = data.map { (n: $0.n, value: $0.value - expected, error: $0.error) }
    guard let integer = fit(shifted, powers: [2, 4]), let half = fit(shifted, powers: [1, 2]) else { return nil }
    let freedom = Double(data.count - 2)
    guard min(integer.chiSquare, half.chiSquare) < freedom + 5 * (2 * freedom).squareRoot() else { return nil }
    return prefer(
      integer: integer.chiSquare, half: half.chiSquare, root: half.coefficients[0] / half.errors[0])
  }

  struct Fit {
    let coefficients, errors: [Double]
    let chiSquare: Double
  }

  /// `sum_k c_k n^{-powers_k / 2}` by the normal equations.
  static func fit(_ data: [(n: Double, value: Double, error: Double)], powers: [Int]) -> Fit? {
    let k = powers.count
    // Sizes in units of the smallest, so that the columns are of order one.
    let unit = data.map(\.n).min()!
    func basis(_ n: Double) -> [Double] {
      let x = (unit / n).squareRoot()
      return powers.map { power in (0..<power).reduce(1.0) { value, _ in value * x } }
    }
    var normal = Array(repeating: 0.0, count: k * k)
    var right = Array(repeating: 0.0, count: k)
    for point in data {
      let row = basis(point.n)
      let weight = 1 / (point.error * point.error)
      for i in 0..<k {
        right[i] += weight * row[i] * point.value
        for j in 0..<k { normal[i * k + j] += weight * row[i] * row[j] }
      }
    }
    guard let inverse = Self.inverse(normal, k) else { return nil }
    let solution = (0..<k).map { i in (0..<k).reduce(0.0) { $0 + inverse[i * k + $1] * right[$1] } }
    let chiSquare = data.reduce(0.0) { sum, point in
      let fitted = zip(basis(point.n), solution).reduce(0.0) { $0 + $1.0 * $1.1 }
      let residual = (point.value - fitted) / point.error
      return sum + residual * residual
    }
    let scales = powers.map { power in (0..<power).reduce(1.0) { value, _ in value * unit.squareRoot() } }
    return Fit(
      coefficients: zip(solution, scales).map { $0 * $1 },
      errors: (0..<k).map { inverse[$0 * k + $0].squareRoot() * scales[$0] }, chiSquare: chiSquare)
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
