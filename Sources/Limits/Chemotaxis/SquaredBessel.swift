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
    weights = (first...Int(m + width)).map { j in
      let a = Double(j) + offset
      return Elementary.exp(a * Elementary.log(m) - m - SpecialFunctions.logGamma(a + 1))
    }
  }

  /// The probability of having been absorbed.
  package var absorbed: Double { dimension > 0 ? 0 : max(0, 1 - weights.reduce(0, +)) }

  package var mean: Double {
    if dimension > 0 { return start + 2 * dimension * time }
    return 4 * time * weights.enumerated().reduce(0) { $0 + $1.element * (Double($1.offset) + shape) }
  }

  /// P(R <= r).
  package func distribution(_ r: Double) -> Double {
    guard r > 0 else { return r < 0 ? 0 : absorbed }
    let y = r / (4 * time)
    // Downwards, P(a, y) = P(a + 1, y) + y^a e^-y/Gamma(a + 1), where no digits are lost; far above its mean a Gamma law has no mass that a number could hold.
    var a = shape + Double(weights.count - 1)
    var below = y > a && Self.logTerm(a, y) < -700 ? 1 : SpecialFunctions.regularisedGamma(a, y)
    var sum = absorbed
    for weight in weights.reversed() {
      sum += weight * below
      a -= 1
      if a > 0 { below = min(1, below + Elementary.exp(Self.logTerm(a, y))) }
    }
    return min(sum, 1)
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
