/// Moments to order four of one observable, each with its standard error.
///
/// The standard errors are those of the delta method, from the empirical moments to order eight: they
/// hold for any law with that many moments, not only near a Gaussian one.
///
/// What is out of the range of numbers, as the variance of values near 1e-168 is, is NaN; means, standard deviations and their errors
/// have values there.
public struct Moments: Sendable, Equatable {
  /// Finite values counted.
  public let count: Int64
  public let mean, variance, skewness: Double
  /// Excess kurtosis: 0 for a Gaussian.
  public let kurtosis: Double
  public let meanError, varianceError, skewnessError, kurtosisError: Double
  /// `E x^2` about zero, for laws whose exact second moment is known.
  public let secondMoment, secondMomentError: Double

  public let standardDeviation: Double
  /// By the delta method, `varianceError / (2 standardDeviation)`; 0 where nothing varies.
  public let standardDeviationError: Double

  /// Of plain values, about their mean; those that are not finite are left out.
  public init(values: [Double]) {
    let finite = values.filter(\.isFinite)
    // In units of a power of two, which rounds nothing and keeps the powers in the range of numbers.
    let exponent = Self.exponent(finite.reduce(0) { max($0, $1.magnitude) })
    let scaled = finite.map { Self.scale($0, -exponent) }
    let centre = scaled.isEmpty ? 0 : scaled.reduce(0) { $0 + $1 / Double(scaled.count) }
    let spread = Self.exponent(scaled.reduce(0) { max($0, ($1 - centre).magnitude) })
    var powers = Array(repeating: 0.0, count: 8)
    for x in scaled {
      let d = Self.scale(x - centre, -spread)
      var power = d
      for k in 0..<8 {
        powers[k] += power
        power *= d
      }
    }
    self.init(
      count: Int64(finite.count), centre: Self.scale(centre, exponent), powers: powers, exponent: exponent + spread)
  }

  /// The exponent of a power of two near x, 0 for 0.
  static func exponent(_ x: Double) -> Int { x == 0 || !x.isFinite ? 0 : Int(x.exponent) }

  /// `2^exponent x`.
  static func scale(_ x: Double, _ exponent: Int) -> Double {
    exponent == 0 ? x : Double(sign: .plus, exponent: exponent, significand: x)
  }

  /// The same; NaN where that is out of the range of numbers.
  static func inRange(_ x: Double, _ exponent: Int) -> Double {
    let result = scale(x, exponent)
    return x == 0 || result.isNormal ? result : .nan
  }

  /// - Parameters:
  ///   - powers: sums of `((x - centre) / 2^exponent)^k` for k = 1...8; NaN for those that are not known.
  public init(count: Int64, centre: Double, powers: [Double], exponent: Int = 0) {
    precondition(powers.count == 8)
    self.count = count
    let n = Double(count)
    guard count > 1 else {
      mean = count == 1 ? centre + Self.scale(powers[0], exponent) : .nan
      variance = .nan
      standardDeviation = .nan
      standardDeviationError = .nan
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
    let (m3, m4) = (central(3), central(4))
    mean = centre + Self.scale(shift, exponent)
    let ownVariance = m2 * n / (n - 1)
    let ownError = (max(m4 - m2 * m2, 0) / n).squareRoot()
    variance = Self.inRange(ownVariance, 2 * exponent)
    varianceError = Self.inRange(ownError, 2 * exponent)
    meanError = Self.inRange((ownVariance / n).squareRoot(), exponent)
    standardDeviation = Self.inRange(ownVariance.squareRoot(), exponent)
    standardDeviationError = ownError == 0 ? 0 : Self.inRange(0.5 * ownError / ownVariance.squareRoot(), exponent)
    // About zero, in units in which neither the mean nor the spread is large.
    let unit = max(exponent, mean == 0 ? exponent : Self.exponent(mean))
    let (r, own) = (exponent - unit, Self.scale(mean, -unit))
    let (c2, c3, c4) = (Self.scale(m2, 2 * r), Self.scale(m3, 3 * r), Self.scale(m4, 4 * r))
    let second = c2 + own * own
    let fourth = c4 + own * (4 * c3 + own * (6 * c2 + own * own))
    secondMoment = Self.inRange(second, 2 * unit)
    secondMomentError = Self.inRange((max(fourth - second * second, 0) / n).squareRoot(), 2 * unit)
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
