import Kernels

/// Expectations over Gaussian variables by the trapezoidal rule.
///
/// For a function analytic in a strip of half-width a the error is of order `e^{-2 pi a / h}`, so the plain rule
/// serves as well as Gauss-Hermite nodes here and needs no tables: with `h = 1/8` the pole of tanh at
/// `i pi/2` leaves 1e-34. Not for functions with kinks; those have closed forms.
public enum GaussianExpectation {
  @inlinable
  public static func density(_ x: Double) -> Double {
    0x1.9884533d43651p-2 * Elementary.exp(-0.5 * x * x)
  }

  /// `E f(g)`, g standard normal.
  @inlinable
  public static func of(_ f: (Double) -> Double) -> Double {
    let step = 0.125
    var total = 0.0
    for i in -104...104 {
      let x = Double(i) * step
      total += density(x) * f(x)
    }
    return total * step
  }

  /// Standard deviation beyond which `ofProduct` has no value: its cost grows with the square.
  @usableFromInline static let largestDeviation = 1000.0

  /// `E f(u) f(v)` for centred Gaussian u, v with the given variances and covariance; NaN beyond `largestDeviation`.
  @inlinable
  public static func ofProduct(
    _ f: (Double) -> Double, varianceU: Double, varianceV: Double, covariance: Double
  ) -> Double {
    if varianceU == 0 || varianceV == 0 {
      let atZero = f(0)
      let other = max(varianceU, varianceV).squareRoot()
      return atZero * of { f(other * $0) }
    }
    guard max(varianceU, varianceV) <= largestDeviation * largestDeviation else { return .nan }
    let sigmaU = varianceU.squareRoot()
    let along = covariance / sigmaU
    let across = max(varianceV - along * along, 0).squareRoot()
    // The strip of analyticity shrinks with the standard deviation.
    let step = 0.25 / max(1, varianceU.squareRoot(), varianceV.squareRoot())
    let reach = Int((9 / step).rounded(.up))
    let weights = (-reach...reach).map { density(Double($0) * step) * step }
    var total = 0.0
    for i in -reach...reach {
      let x = Double(i) * step
      let mean = along * x
      var inner = 0.0
      for j in -reach...reach {
        inner += weights[j + reach] * f(mean + across * (Double(j) * step))
      }
      total += weights[i + reach] * f(sigmaU * x) * inner
    }
    return total
  }
}
