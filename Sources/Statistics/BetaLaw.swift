import Kernels

/// The beta law with parameters a, b > 0.
public enum BetaLaw {
  /// The x with `P(X < x) = p`, by bisection.
  public static func quantile(_ p: Double, _ a: Double, _ b: Double) -> Double {
    var (low, high) = (0.0, 1.0)
    for _ in 0..<60 {
      let middle = 0.5 * (low + high)
      if probability(below: middle, a, b) < p { low = middle } else { high = middle }
    }
    return 0.5 * (low + high)
  }

  /// The regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22) where that converges fast, below the mean,
  /// and by the symmetry of the law above it.
  public static func probability(below x: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0, x < 1 else { return x <= 0 ? 0 : 1 }
    return x < (a + 1) / (a + b + 2) ? lower(x, a, b) : 1 - lower(1 - x, b, a)
  }

  private static func lower(_ x: Double, _ a: Double, _ b: Double) -> Double {
    let front = Elementary.exp(
      logGamma(a + b) - logGamma(a) - logGamma(b) + a * Elementary.log(x) + b * Elementary.log(1 - x))
    return front / (a * fraction(x, a, b))
  }

  /// 1 + d_1/(1 + d_2/(1 + ...)), by the modified Lentz algorithm.
  private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    var (value, above, below) = (1.0, 1.0, 0.0)
    // About the root of the larger parameter is enough.
    for k in 1...100_000 {
      let m = Double(k / 2)
      let d =
        k % 2 == 0
        ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      below = 1 + d * below
      above = 1 + d / above
      if below.magnitude < 1e-300 { below = 1e-300 }
      if above.magnitude < 1e-300 { above = 1e-300 }
      below = 1 / below
      value *= above * below
      if (above * below - 1).magnitude < 1e-14 { break }
    }
    return value
  }

  /// Stirling's series from 10 on, the recurrence below.
  static func logGamma(_ x: Double) -> Double {
    var (y, product) = (x, 1.0)
    while y < 10 {
      product *= y
      y += 1
    }
    let z = 1 / (y * y)
    let series = (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z * (1.0 / 1680 - z / 1188)))) / y
    return (y - 0.5) * Elementary.log(y) - y + 0.918938533204672741780 + series - Elementary.log(product)
  }
}
