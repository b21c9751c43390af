/// A predicted quantile and a sample, given as a histogram.
///
/// If x is the quantile at level p, the number of n values below x is binomial:
///
/// $$ z = \frac{\hat F(x) - p}{\sqrt{p (1 - p) / n + \delta^2}} , $$
///
/// which needs no density, unlike the distance of the sample's quantile from x in units of its standard error. Inside the bucket
/// that holds x, $\hat F$ is linear; $\delta$ is what that may be wrong by: the largest difference between the bucket's
/// share and its neighbours' on either side, a few percent of the error for a smooth law. A bucket whose neighbours have less than
/// half of its share, beyond the noise of counts, holds an atom: there $\hat F$ may be anything from one border to the other, and
/// the difference is that of the nearer end. Positive z: the sample lies lower than predicted.
public struct QuantileTest: Sendable, Equatable {
  public let level, predicted: Double
  /// The sample's quantile with its standard error.
  public let value, standardError: Double
  /// Share of the sample below the predicted value, with the error that z is made with.
  public let share, shareError: Double
  /// NaN if fewer than ten values are expected on one side: the binomial law is then not near enough to the normal one.
  public let z: Double

  /// - Parameter level: p, between 0 and 1.
  public init(_ sample: BitHistogram, level: Double, predicted: Double) {
    precondition(level > 0 && level < 1)
    self.level = level
    self.predicted = predicted
    (value, standardError) = sample.quantile(level)
    let buckets = sample.buckets()
    let n = Double(buckets.reduce(0) { $0 + $1.count })
    guard n > 0, !predicted.isNaN else {
      (share, shareError, z) = (.nan, .nan, .nan)
      return
    }
    share = sample.mass(below: [predicted])[0]
    var delta = 0.0
    // Shares below the borders of an atom's bucket.
    var (least, most) = (share, share)
    var before = 0.0
    for (place, bucket) in buckets.enumerated() {
      let count = Double(bucket.count)
      defer { before += count }
      guard bucket.lower <= predicted && predicted <= bucket.upper else { continue }
      let width = bucket.upper - bucket.lower
      let below = place > 0 ? buckets[place - 1] : nil
      let above = place + 1 < buckets.count ? buckets[place + 1] : nil
      var largest = 0.0
      // Next to another binade or a gap the neighbour's density counts.
      for (neighbour, touches) in [(below, below?.upper == bucket.lower), (above, above?.lower == bucket.upper)] {
        let expected = touches ? neighbour.map { Double($0.count) * width / ($0.upper - $0.lower) } ?? 0 : 0
        largest = max(largest, (count - expected).magnitude)
      }
      if largest > max(0.5 * count, 4 * count.squareRoot()) {
        least = min(least, before / n)
        most = max(most, (before + count) / n)
      } else {
        delta = max(delta, largest / n)
      }
    }
    shareError = (level * (1 - level) / n + delta * delta).squareRoot()
    let difference = least > level ? least - level : most < level ? most - level : least == most ? share - level : 0
    z = n * min(level, 1 - level) >= 10 ? difference / shareError : .nan
  }
}
