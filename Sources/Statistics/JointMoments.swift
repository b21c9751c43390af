/// Covariance and correlation of two observables, each with its standard error.
///
/// With the central moments $\mu_{ab} = E (x - E x)^a (y - E y)^b$ and $m_{ab}$ those of the standardised variables,
///
/// $$ \operatorname{var} \hat\mu_{11} \approx \frac{\mu_{22} - \mu_{11}^2}{n}, \qquad
///    \operatorname{var} \hat\rho \approx \frac1n \Bigl( m_{22} - \rho (m_{31} + m_{13})
///      + \tfrac14 \rho^2 (m_{40} + 2 m_{22} + m_{04}) \Bigr), $$
///
/// the second being the variance of the influence function $xy - \rho (x^2 + y^2)/2$. They hold for any law with moments to
/// order four; for a Gaussian one they are $(1 + \rho^2)/n$ for unit variances, and $(1 - \rho^2)^2/n$.
public struct JointMoments: Sendable, Equatable {
  /// Pairs of finite values counted.
  public let count: Int64
  /// With n - 1 in the denominator, as the variance of `Moments`.
  public let covariance, covarianceError: Double
  /// NaN where one of the two does not vary.
  public let correlation, correlationError: Double

  /// Exponents (a, b) of the sums of `(x - x0)^a (y - y0)^b` that are needed, in their order.
  public static let powers: [(Int, Int)] = [
    (1, 0), (0, 1), (2, 0), (1, 1), (0, 2), (3, 0), (2, 1), (1, 2), (0, 3), (4, 0), (3, 1), (2, 2), (1, 3), (0, 4),
  ]

  /// The powers of one pair of deviations, in the order of `powers`.
  @inline(__always)
  static func forEachPower(_ x: Double, _ y: Double, _ body: (Double) -> Void) {
    let (xx, xy, yy) = (x * x, x * y, y * y)
    body(x)
    body(y)
    body(xx)
    body(xy)
    body(yy)
    body(xx * x)
    body(xx * y)
    body(x * yy)
    body(yy * y)
    body(xx * xx)
    body(xx * xy)
    body(xx * yy)
    body(xy * yy)
    body(yy * yy)
  }

  /// - Parameters:
  ///   - sums: over the pairs, of the products of `powers` about any two centres near the means; NaN for those that are not known.
  ///   - exponents: of the powers of two in units of which both are.
  public init(count: Int64, sums: [Double], exponents: (x: Int, y: Int) = (0, 0)) {
    precondition(sums.count == Self.powers.count)
    self.count = count
    let n = Double(count)
    guard count > 1 else {
      (covariance, covarianceError, correlation, correlationError) = (.nan, .nan, .nan, .nan)
      return
    }
    var raw = Array(repeating: 0.0, count: 25)
    raw[0] = 1
    for ((a, b), sum) in zip(Self.powers, sums) { raw[5 * a + b] = sum / n }
    let (x, y) = (raw[5], raw[1])
    let binomial = [[1.0], [1, 1], [1, 2, 1], [1, 3, 3, 1], [1, 4, 6, 4, 1]]
    // By the binomial theorem in each variable.
    func central(_ a: Int, _ b: Int) -> Double {
      var total = 0.0
      var outer = 1.0
      for i in 0...a {
        var inner = outer
        for j in 0...b {
          total += binomial[a][i] * binomial[b][j] * inner * raw[5 * (a - i) + b - j]
          inner *= -y
        }
        outer *= -x
      }
      return total
    }
    let (m20, m11, m02) = (max(central(2, 0), 0), central(1, 1), max(central(0, 2), 0))
    let m22 = central(2, 2)
    let unit = exponents.x + exponents.y
    covariance = Moments.inRange(m11 * n / (n - 1), unit)
    covarianceError = Moments.inRange((max(m22 - m11 * m11, 0) / n).squareRoot(), unit)
    guard m20 > 0, m02 > 0 else {
      (correlation, correlationError) = (.nan, .nan)
      return
    }
    let (sx, sy) = (m20.squareRoot(), m02.squareRoot())
    let rho = m11 / sx / sy
    correlation = min(max(rho, -1), 1)
    let odd = central(3, 1) / m20 / sx / sy + central(1, 3) / m02 / sx / sy
    let even = central(4, 0) / m20 / m20 + central(0, 4) / m02 / m02
    let both = m22 / m20 / m02
    correlationError = (max(both - rho * odd + 0.25 * rho * rho * (even + 2 * both), 0) / n).squareRoot()
  }

  /// Of two columns of the same length, about their means; rows in which one is not finite are left out.
  public init(values x: [Double], _ y: [Double]) {
    precondition(x.count == y.count)
    let rows = zip(x, y).filter { $0.0.isFinite && $0.1.isFinite }
    let n = Double(max(rows.count, 1))
    let (a, b) = (rows.reduce(0) { $0 + $1.0 / n }, rows.reduce(0) { $0 + $1.1 / n })
    let exponents = (
      x: Moments.exponent(rows.reduce(0) { max($0, ($1.0 - a).magnitude) }),
      y: Moments.exponent(rows.reduce(0) { max($0, ($1.1 - b).magnitude) })
    )
    var sums = Array(repeating: 0.0, count: Self.powers.count)
    for row in rows {
      var place = 0
      Self.forEachPower(Moments.scale(row.0 - a, -exponents.x), Moments.scale(row.1 - b, -exponents.y)) { power in
        sums[place] += power
        place += 1
      }
    }
    self.init(count: Int64(rows.count), sums: sums, exponents: exponents)
  }
}
