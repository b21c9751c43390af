import Kernels

/// What an equivalence test found about a difference and a stated tolerance.
public enum Equivalence: String, Sendable, Codable {
  /// The whole confidence interval lies within the tolerance.
  case agrees
  /// The whole confidence interval lies outside it.
  case differs
  /// More draws are needed to tell.
  case undecided

  /// - Parameters:
  ///   - difference: the estimate; `margin`: half-width of its confidence interval.
  public init(difference: Double, margin: Double, tolerance: Double) {
    if difference.magnitude + margin <= tolerance {
      self = .agrees
    } else if difference.magnitude - margin > tolerance {
      self = .differs
    } else {
      self = .undecided
    }
  }
}

/// The standard normal law.
public enum Gaussian {
  /// `P(|z| > |x|)` for a standard normal z.
  public static func twoSided(_ x: Double) -> Double {
    1 - Elementary.erf(x.magnitude * 0x1.6a09e667f3bcdp-1)
  }

  /// The z with `P(|g| > z) = alpha`, by bisection.
  public static func critical(_ alpha: Double) -> Double {
    var (low, high) = (0.0, 8.0)
    for _ in 0..<80 {
      let middle = 0.5 * (low + high)
      if twoSided(middle) > alpha { low = middle } else { high = middle }
    }
    return 0.5 * (low + high)
  }
}
