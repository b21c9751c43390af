import Kernels

/// The outputs $f \sim N(0, V)$ at some inputs seen from true ones, $f_*$, of which targets with noise of variance $s^2$ are known.
///
/// Targets of the truth diverge from those of the hypothesis f by $|f - f_*|^2 / 2 s^2$ nats. With eigenvalues $\lambda_j$ of V and components $b_j$ of
/// $f_*$, it costs
///
/// $$ E \log \frac{p(y | f_*)}{p(y)} = \frac12 \sum_j \left( \log(1 + \lambda_j / s^2) + \frac{b_j^2 - \lambda_j}{\lambda_j + s^2} \right) $$
///
/// nats to average over hypotheses instead of knowing the truth, the regret. Those within a divergence e alone have
/// $p(y) \ge P_e\, E[p(y | f) \,|\, \text{within } e]$, so by Jensen's inequality it is at most $\min_e (e - \log P_e)$.
package final class Hypotheses {
  private let inputs: Int
  private let columns, variances, squares: UnsafeMutablePointer<Double>
  /// How many eigenvalues are not 0.
  private var count = 0
  /// $|f_*|^2$ outside of what V spans.
  private var rest = 0.0

  /// Eigenvalues, over the largest, and squares, over that of the truth, below this are rounding.
  private static let rounding = 0x1p-44

  /// - Parameter inputs: m.
  package init(inputs m: Int) {
    inputs = m
    columns = .allocate(capacity: m * m)
    variances = .allocate(capacity: m)
    squares = .allocate(capacity: m)
    columns.initialize(repeating: 0, count: m * m)
    variances.initialize(repeating: 0, count: m)
    squares.initialize(repeating: 0, count: m)
  }

  deinit { for buffer in [columns, variances, squares] { buffer.deallocate() } }

  /// - Parameters:
  ///   - lower: the factor of V over all inputs, m x m.
  ///   - train: places of those with targets.
  package func take(lower: UnsafePointer<Double>, train: [Int], truth: [Double]) {
    let m = inputs
    for i in 0..<m &* m { columns[i] = 0 }
    for (i, a) in train.enumerated() { for k in 0...a { columns[i &* m &+ k] = lower[a &* m &+ k] } }
    // Leaves orthogonal columns, eigenvectors of V times the roots of its eigenvalues.
    SingularValues.squares(columns, m: m, into: variances)
    let largest = variances[0]
    let all = truth.reduce(0) { $0 + $1 * $1 }
    (count, rest) = (0, all)
    for j in 0..<m {
      var (own, along) = (0.0, 0.0)
      for (i, x) in truth.enumerated() {
        let y = columns[i &* m &+ j]
        own += y * y
        along += x * y
      }
      guard own > Self.rounding * largest else { continue }
      variances[count] = own
      squares[count] = along * along / own
      rest -= squares[count]
      count &+= 1
    }
    if rest <= Self.rounding * all { rest = 0 }
  }

  /// The same of a covariance itself; false where it is not positive semi-definite.
  package func take(covariance: [Double], _ regression: GaussianRegression) -> Bool {
    guard let lower = Triangular.cholesky(covariance, m: inputs, tolerance: 1e-9) else { return false }
    take(lower: lower, train: regression.train, truth: regression.targets)
    return true
  }

  /// The regret, in nats.
  package func regret(noise: Double) -> Double {
    (0..<count).reduce(0.5 * rest / noise) { sum, j in
      let v = variances[j]
      return sum + 0.5 * (Elementary.log(1 + v / noise) + (squares[j] - v) / (v + noise))
    }
  }

  /// $P(|f - f_*|^2 \le x)$, however small, to 1e-11 of itself.
  ///
  /// With $M(z) = E e^{-z |f - f_*|^2} = e^{-z r} \prod_j (1 + 2 z \lambda_j)^{-1/2} e^{-z b_j^2/(1 + 2 z \lambda_j)}$ it is the integral of
  /// $e^{zx} M(z) / 2 \pi i z$ along the parabola $z = \mu (1 + i \theta)^2$, mu the saddle of the integrand on the real axis. It passes around all
  /// singularities, which are at $\mathrm{Im}\, \theta = 1$, so the trapezoidal rule converges exponentially; it checks itself as in `GaussianExpectation`.
  package func mass(within x: Double) -> Double {
    let x = x - rest
    guard x > 0, count > 0 else { return x >= 0 && count == 0 ? 1 : 0 }
    /// d log(integrand) / d mu.
    func slope(_ mu: Double) -> Double {
      (0..<count).reduce(x - 1 / mu) { sum, j in
        let w = 1 / (1 + 2 * mu * variances[j])
        return sum - w * (variances[j] + w * squares[j])
      }
    }
    var low = 1 / (0..<count).reduce(x) { $0 + variances[$1] + squares[$1] }
    var high = 2 * low
    while slope(high) < 0 { (low, high) = (high, 2 * high) }
    for _ in 0..<12 {
      let middle = 0.5 * (low + high)
      if slope(middle) < 0 { low = middle } else { high = middle }
    }
    let mu = high
    var (peak, curvature) = (mu * x, 1.0)
    for j in 0..<count {
      let w = 1 / (1 + 2 * mu * variances[j])
      let (v, b) = (mu * variances[j] * w, mu * squares[j] * w)
      peak += 0.5 * Elementary.log(w) - b
      curvature += 2 * v * (v + 2 * b * w)
    }
    // From the width of the peak, and the distance to the singularities.
    var step = min(0.25 / curvature.squareRoot(), 0.2)
    let reach = (45 / (mu * x)).squareRoot()
    for _ in 0..<6 {
      var (found, between) = (0.5, 0.0)
      for k in 1...max(1, Int((reach / step).rounded(.up))) {
        found += integrand(Double(k) * step, mu, x)
        between += integrand((Double(k) - 0.5) * step, mu, x)
      }
      if (found - between).magnitude <= 1e-12 * found.magnitude {
        return min(max(Elementary.exp(peak) * 2 * step / Double.pi * found, 0), 1)
      }
      step *= 0.5
    }
    return .nan
  }

  /// Real part of the integrand over that at theta = 0.
  private func integrand(_ theta: Double, _ mu: Double, _ x: Double) -> Double {
    // z - mu.
    let (real, imaginary) = (-mu * theta * theta, 2 * mu * theta)
    var exponent = (real * x, imaginary * x)
    var product = (1.0, theta)
    for j in 0..<count {
      let w = 1 / (1 + 2 * mu * variances[j])
      // u = (1 + 2 z lambda) w, and its root with an argument in (0, pi/2).
      let u = (1 + 2 * variances[j] * w * real, 2 * variances[j] * w * imaginary)
      let size = (u.0 * u.0 + u.1 * u.1).squareRoot()
      let larger = (0.5 * (size + u.0.magnitude)).squareRoot()
      let smaller = 0.5 * u.1 / larger
      let root = u.0 >= 0 ? (larger, smaller) : (smaller, larger)
      product = (product.0 * root.0 - product.1 * root.1, product.0 * root.1 + product.1 * root.0)
      let scale = squares[j] * w * w / (size * size)
      exponent.0 -= scale * (real * u.0 + imaginary * u.1)
      exponent.1 -= scale * (imaginary * u.0 - real * u.1)
    }
    let (sine, cosine) = Elementary.sinCos(exponent.1)
    return Elementary.exp(exponent.0) * (cosine * product.0 + sine * product.1)
      / (product.0 * product.0 + product.1 * product.1)
  }

  /// The divergence e at which $e - \log P_e$ is least, by golden section of the logarithm of what e has above its least value.
  package func bestDivergence(noise: Double) -> Double {
    let least = 0.5 * rest / noise
    func bound(_ log: Double) -> Double {
      let e = least + Elementary.exp(log)
      let mass = mass(within: 2 * noise * e)
      return mass > 0 ? e - Elementary.log(mass) : .infinity
    }
    return least + Elementary.exp(GoldenSection.minimum(in: -25...25, sections: 70, of: bound))
  }
}
