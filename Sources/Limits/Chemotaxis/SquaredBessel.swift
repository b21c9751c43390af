import Kernels

/// The law of $R = \sum_i |X_i - \bar X|^2$ of particles that attract each other directly in the plane: a squared Bessel process of dimension $\delta$, $dR = 2 \delta dt + \sqrt{8 R} \, dB$, so
///
/// $$ R_t = 2t \, \chi'^2_\delta(R_0/2t) $$
///
/// in law for $\delta > 0$. For $-2 < \delta \le 0$ it is absorbed at 0, at the time $R_0/(4 \Gamma_{1-\delta/2})$ (Göing-Jaeschke, Yor, Bernoulli 9 (2003) 313).
///
/// Both are mixtures of Gamma laws: $R/4t$ has the shape $j + \delta/2$ with the weight $e^{-m} m^j/j!$, $m = R_0/4t$; absorbed, the shape $j + 1$ with $e^{-m} m^{j + |\nu|}/\Gamma(j + |\nu| + 1)$,
/// $\nu = \delta/2 - 1$, and what is missing stands at 0.
package struct SquaredBessel: Sendable {
  package let dimension, start, time: Double
  /// Of the Gamma laws whose weights are not negligible: the first shape, and the weights.
  private let shape: Double
  private let weights: [Double]

  package init(dimension: Double, start: Double, time: Double) {
    (self.dimension, self.start, self.time) = (dimension, start, time)
    let m = start / (4 * time)
    let isAbsorbed = dimension <= 0
    let offset = isAbsorbed ? 1 - 0.5 * dimension : 0
    // They lie within some deviations of m.
    let width = 12 * m.squareRoot() + 60
    let first = Int(max(0, m - width))
    shape = Double(first) + (isAbsorbed ? 1 : 0.5 * dimension)
    // From the largest one by their ratios m/(j + offset + 1), then scaled to their sum, so that early times lose no digits.
    var found = Array(repeating: 1.0, count: Int(m + width) - first + 1)
    let mode = max(0, Int(m) - first)
    for i in mode..<found.count - 1 { found[i + 1] = found[i] * m / (Double(first + i + 1) + offset) }
    for i in stride(from: mode, to: 0, by: -1) { found[i - 1] = found[i] * (Double(first + i) + offset) / m }
    let mass = isAbsorbed ? Self.gamma(offset, m) : 1
    let scale = mass / found.reduce(0, +)
    weights = found.map { $0 * scale }
    absorbed = 1 - mass
  }

  /// The probability of having been absorbed.
  package let absorbed: Double

  package var mean: Double {
    if dimension > 0 { return start + 2 * dimension * time }
    return 4 * time * weights.enumerated().reduce(0) { $0 + $1.element * (Double($1.offset) + shape) }
  }

  /// P(R <= r).
  package func distribution(_ r: Double) -> Double {
    guard r > 0 else { return r < 0 ? 0 : absorbed }
    let y = r / (4 * time)
    // Downwards, P(a, y) = P(a + 1, y) + y^a e^-y/Gamma(a + 1), where no digits are lost.
    var a = shape + Double(weights.count - 1)
    var below = Self.gamma(a, y)
    var sum = absorbed
    for weight in weights.reversed() {
      sum += weight * below
      a -= 1
      if a > 0 { below = min(1, below + Elementary.exp(Self.logTerm(a, y))) }
    }
    return min(sum, 1)
  }

  /// P(a, y); far above the mean of a Gamma law what is missing to 1 is below $e^{-60}$.
  private static func gamma(_ a: Double, _ y: Double) -> Double {
    y > a && logTerm(a, y) < -60 ? 1 : SpecialFunctions.regularisedGamma(a, y)
  }

  /// The logarithm of y^a e^-y/Gamma(a + 1).
  private static func logTerm(_ a: Double, _ y: Double) -> Double {
    a * Elementary.log(y) - y - SpecialFunctions.logGamma(a + 1)
  }

  /// By bisection; 0 where so much is absorbed.
  package func quantile(_ level: Double) -> Double {
    if level <= absorbed { return 0 }
    var (low, high) = (0.0, max(start, time))
    while distribution(high) < level { high *= 2 }
    for _ in 0..<100 {
      let middle = 0.5 * (low + high)
      if distribution(middle) < level { low = middle } else { high = middle }
    }
    return 0.5 * (low + high)
  }

  /// The density of what is not absorbed, for R > 0.
  package func density(_ r: Double) -> Double {
    guard r > 0 else { return 0 }
    let y = r / (4 * time)
    var (sum, a) = (0.0, shape)
    for weight in weights {
      sum += weight * Elementary.exp(Self.logTerm(a - 1, y))
      a += 1
    }
    return sum / (4 * time)
  }
}
