import Kernels

/// Two-sample Kolmogorov-Smirnov test.
public struct KolmogorovSmirnov: Sendable, Equatable {
  /// Largest difference of the two distribution functions.
  public let distance: Double
  /// Probability of at least this distance between samples of one law.
  public let pValue: Double
  /// `n1 n2 / (n1 + n2)`.
  public let effectiveCount: Double

  /// From two bit histograms, at the borders of the buckets: never above the distance of the
  /// samples, so the p-value is conservative; below it by at most the largest bucket's share.
  public init(_ first: BitHistogram, _ second: BitHistogram) {
    let a = first.buckets()
    let b = second.buckets()
    let na = Double(a.reduce(0) { $0 + $1.count })
    let nb = Double(b.reduce(0) { $0 + $1.count })
    guard na > 0, nb > 0 else {
      distance = .nan
      pValue = .nan
      effectiveCount = 0
      return
    }
    var (i, j) = (0, 0)
    var (fa, fb) = (0.0, 0.0)
    var largest = 0.0
    while i < a.count || j < b.count {
      let edge = min(
        i < a.count ? a[i].lower : .infinity, j < b.count ? b[j].lower : .infinity)
      if i < a.count, a[i].lower == edge {
        fa += Double(a[i].count)
        i += 1
      }
      if j < b.count, b[j].lower == edge {
        fb += Double(b[j].count)
        j += 1
      }
      largest = max(largest, (fa / na - fb / nb).magnitude)
    }
    distance = largest
    effectiveCount = na * nb / (na + nb)
    let root = effectiveCount.squareRoot()
    pValue = Self.tail((root + 0.12 + 0.11 / root) * largest)
  }

  /// `Q(x) = 2 sum_k (-1)^(k-1) e^{-2 k^2 x^2}`: Kolmogorov's limit law.
  public static func tail(_ x: Double) -> Double {
    if x < 0.2 { return 1 }
    var total = 0.0
    var sign = 1.0
    for k in 1...100 {
      let term = Elementary.exp(-2 * Double(k * k) * x * x)
      total += sign * term
      if term < 1e-18 { break }
      sign = -sign
    }
    return min(max(2 * total, 0), 1)
  }

  /// Half-width of a band that holds the true distance with probability at least `1 - alpha`
  /// (Dvoretzky-Kiefer-Wolfowitz-Massart for each sample, half of alpha each).
  public static func band(_ count1: Int64, _ count2: Int64, alpha: Double) -> Double {
    let c = (-0.5 * Elementary.log(alpha / 4)).squareRoot()
    return c * (1 / Double(count1).squareRoot() + 1 / Double(count2).squareRoot())
  }
}

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
