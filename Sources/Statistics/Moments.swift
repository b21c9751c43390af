/// Moments to order four of one observable, each with its standard error.
///
/// The standard errors are those of the delta method, from the empirical moments to order eight: they
/// hold for any law with that many moments, not only near a Gaussian one.
public struct Moments: Sendable, Equatable {
  /// Finite values counted.
  public let count: Int64
  public let mean, variance, skewness: Double
  /// Excess kurtosis: 0 for a Gaussian.
  public let kurtosis: Double
  public let meanError, varianceError, skewnessError, kurtosisError: Double
  /// `E x^2` about zero, for laws whose exact second moment is known.
  public let secondMoment, secondMomentError: Double

  public var standardDeviation: Double { variance.squareRoot() }
  /// By the delta method, `varianceError / (2 standardDeviation)`; 0 where nothing varies.
  public var standardDeviationError: Double {
    varianceError == 0 ? 0 : 0.5 * varianceError / standardDeviation
  }

  /// Of plain values, about their mean; those that are not finite are left out.
  public init(values: [Double]) {
    let finite = values.filter(\.isFinite)
    let centre = finite.isEmpty ? 0 : finite.reduce(0) { $0 + $1 / Double(finite.count) }
    var powers = Array(repeating: 0.0, count: 8)
    for x in finite {
      let d = x - centre
      var power = d
      for k in 0..<8 {
        powers[k] += power
        power *= d
      }
    }
    self.init(count: Int64(finite.count), centre: centre, powers: powers)
  }

  /// - Parameters:
  ///   - powers: sums of `(x - centre)^k` for k = 1...8.
  public init(count: Int64, centre: Double, powers: [Double]) {
    precondition(powers.count == 8)
    self.count = count
    let n = Double(count)
    guard count > 1 else {
      mean = count == 1 ? centre + powers[0] : .nan
      variance = .nan
      skewness = .nan
      kurtosis = .nan
      meanError = .nan
      varianceError = .nan
      skewnessError = .nan
      kurtosisError = .nan
      secondMoment = .nan
      secondMomentError = .nan
      return
    }
    let raw = [1] + powers.map { $0 / n }
    let shift = raw[1]
    // Central moments by the binomial theorem; `shift` is small because the centre is near the median.
    func central(_ order: Int) -> Double {
      var total = 0.0
      var binomial = 1.0
      var power = 1.0
      for j in 0...order {
        total += binomial * raw[order - j] * power
        power *= -shift
        binomial = binomial * Double(order - j) / Double(j + 1)
      }
      return total
    }
    let m2 = max(central(2), 0)
    mean = centre + shift
    variance = m2 * n / (n - 1)
    meanError = (variance / n).squareRoot()
    let m4 = central(4)
    varianceError = (max(m4 - m2 * m2, 0) / n).squareRoot()
    let m3 = central(3)
    secondMoment = m2 + mean * mean
    let fourth = m4 + mean * (4 * m3 + mean * (6 * m2 + mean * mean))
    secondMomentError = (max(fourth - secondMoment * secondMoment, 0) / n).squareRoot()
    guard m2 > 0 else {
      skewness = .nan
      kurtosis = .nan
      skewnessError = .nan
      kurtosisError = .nan
      return
    }
    let sd = m2.squareRoot()
    let a3 = m3 / (m2 * sd)
    let a4 = m4 / (m2 * m2)
    let a5 = central(5) / (m2 * m2 * sd)
    let a6 = central(6) / (m2 * m2 * m2)
    let a8 = central(8) / (m2 * m2 * m2 * m2)
    skewness = a3
    kurtosis = a4 - 3
    // Variances of the influence functions z^3 - 3z - a3 - (3/2) a3 (z^2 - 1) and
    // z^4 - a4 - 4 a3 z - 2 a4 (z^2 - 1); 6 and 24 for a Gaussian.
    let skewnessVariance = a6 - 6 * a4 + 9 - 3 * a3 * a5 + a3 * a3 * (2.25 * a4 + 8.75)
    let kurtosisVariance =
      a8 - 4 * a4 * a6 + 4 * a4 * a4 * a4 - a4 * a4 - 8 * a3 * a5 + 16 * a3 * a3 * (1 + a4)
    skewnessError = (max(skewnessVariance, 0) / n).squareRoot()
    kurtosisError = (max(kurtosisVariance, 0) / n).squareRoot()
  }
}
