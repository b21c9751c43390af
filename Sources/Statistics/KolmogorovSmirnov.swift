import Kernels

/// Kolmogorov-Smirnov test: of two samples, or of a sample and a known law.
///
/// Samples are bit histograms, so their distribution functions are known at the borders of buckets only. `distance` is taken there:
/// never above the distance of the samples themselves, which makes the p-value conservative, and below it by at most
/// `resolution`. Where `resolution` is not small against `distance` or against `1 / sqrt(effectiveCount)` (a law that is narrow
/// against its distance from 0), the test has little power.
public struct KolmogorovSmirnov: Sendable, Equatable {
  /// Largest difference of the two distribution functions, at the borders of the buckets.
  public let distance: Double
  /// Probability of at least this distance between samples of one law, or between the law and samples of it.
  public let pValue: Double
  /// `n1 n2 / (n1 + n2)`, or the n of the sample.
  public let effectiveCount: Double
  /// The largest difference inside of buckets is at most `distance + resolution`.
  public let resolution: Double

  private init(distance: Double, effectiveCount: Double, bound: Double) {
    guard effectiveCount > 0 else {
      (self.distance, pValue, self.effectiveCount, resolution) = (.nan, .nan, 0, .nan)
      return
    }
    self.distance = distance
    self.effectiveCount = effectiveCount
    resolution = max(bound - distance, 0)
    // Stephens, J. R. Statist. Soc. B 32 (1970) 115.
    let root = effectiveCount.squareRoot()
    pValue = Self.tail((root + 0.12 + 0.11 / root) * distance)
  }

  /// Of two samples.
  public init(_ first: BitHistogram, _ second: BitHistogram) {
    let a = first.buckets()
    let b = second.buckets()
    let na = Double(a.reduce(0) { $0 + $1.count })
    let nb = Double(b.reduce(0) { $0 + $1.count })
    guard na > 0, nb > 0 else {
      self.init(distance: .nan, effectiveCount: 0, bound: .nan)
      return
    }
    var (i, j) = (0, 0)
    var (fa, fb) = (0.0, 0.0)
    var (largest, bound) = (0.0, 0.0)
    while i < a.count || j < b.count {
      let edge = min(
        i < a.count ? a[i].lower : .infinity, j < b.count ? b[j].lower : .infinity)
      let (oldA, oldB) = (fa, fb)
      if i < a.count, a[i].lower == edge {
        fa += Double(a[i].count)
        i += 1
      }
      if j < b.count, b[j].lower == edge {
        fb += Double(b[j].count)
        j += 1
      }
      largest = max(largest, (fa / na - fb / nb).magnitude)
      // All of one sample's share of the bucket may lie below all of the other's.
      bound = max(bound, (fa / na - oldB / nb).magnitude, (oldA / na - fb / nb).magnitude)
    }
    self.init(distance: largest, effectiveCount: na * nb / (na + nb), bound: max(bound, largest))
  }

  /// The same distance with the p-value of a given number of independent values: where those of a sample depend on each other, they count for
  /// fewer.
  public func of(effectiveCount: Double) -> KolmogorovSmirnov {
    KolmogorovSmirnov(distance: distance, effectiveCount: effectiveCount, bound: distance + resolution)
  }

  /// Of a sample and a tabulated law. Beyond the outermost quantiles of the table (1/2048 on either side) only what the table
  /// excludes counts as a difference. Interpolation in the table adds less than 1e-4 for laws with a smooth density.
  public init(_ sample: BitHistogram, _ law: TabulatedLaw) {
    self.init(sample) { law.probability(below: $0) }
  }

  /// Of a sample and a law by its distribution function F.
  ///
  /// - Parameter probability: what is known of F at a point: from F(x-) to F(x), or a wider interval. A difference counts from its
  ///   nearer end.
  public init(_ sample: BitHistogram, probability: (Double) -> ClosedRange<Double>) {
    let buckets = sample.buckets()
    let n = Double(buckets.reduce(0) { $0 + $1.count })
    func distance(_ share: Double, _ known: ClosedRange<Double>) -> Double {
      max(share - known.upperBound, known.lowerBound - share, 0)
    }
    var before = 0.0
    var (largest, bound) = (0.0, 0.0)
    // Between buckets the share is constant, so the largest difference is at their borders or inside of them.
    for bucket in buckets {
      let after = before + Double(bucket.count)
      let (lower, upper) = (probability(bucket.lower), probability(bucket.upper))
      largest = max(largest, distance(before / n, lower), distance(after / n, upper))
      bound = max(bound, after / n - lower.lowerBound, upper.upperBound - before / n)
      before = after
    }
    self.init(distance: largest, effectiveCount: n, bound: max(bound, largest))
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

  /// The same for the distance of a sample's law from a known one.
  public static func band(_ count: Int64, alpha: Double) -> Double {
    (-0.5 * Elementary.log(alpha / 2) / Double(count)).squareRoot()
  }
}
