import Kernels

/// Expectations over Gaussian variables by the trapezoidal rule.
///
/// For a function analytic in a strip of half-width a the error is of order `e^{-2 pi a / h}`, so the plain rule
/// serves as well as Gauss-Hermite nodes here and needs no tables: with `h = 1/8` the pole of tanh at
/// `i pi/2` leaves 1e-34. Not for functions with kinks; those have closed forms, or `SplitExpectation`.
///
/// Each value checks itself by as many nodes in the middles: a shift by half a step changes the sign of the leading error, so the
/// difference of the two sums is twice the error of either. Where they differ the step is halved.
public enum GaussianExpectation {
  @inlinable
  public static func density(_ x: Double) -> Double {
    0x1.9884533d43651p-2 * Elementary.exp(-0.5 * x * x)
  }

  /// Largest difference of the two sums, relative to the expectation of the absolute value.
  @usableFromInline static let tolerance = 1e-12
  /// How often a step is halved before the value is given up.
  @usableFromInline static let halvings = 6

  /// `E f(g)`, g standard normal; NaN if it does not settle.
  @inlinable
  public static func of(_ f: (Double) -> Double) -> Double {
    for halving in 0...halvings {
      let parts = 8 << halving
      let step = 1 / Double(parts)
      /// The sum and that of the absolute values.
      func sum(_ nodes: ClosedRange<Int>, shift: Double) -> (value: Double, size: Double) {
        var (total, size) = (0.0, 0.0)
        for i in nodes {
          let x = (Double(i) + shift) * step
          let term = density(x) * f(x)
          total += term
          size += term.magnitude
        }
        return (total, size)
      }
      let (found, between) = (sum(-13 * parts...13 * parts, shift: 0), sum(-13 * parts...13 * parts - 1, shift: 0.5))
      guard found.value.isFinite else { return found.value }
      if (found.value - between.value).magnitude <= tolerance * found.size { return found.value * step }
    }
    return .nan
  }

  /// Standard deviation beyond which `ofProduct` has no value: its cost grows with the square.
  @usableFromInline static let largestDeviation = 1000.0
  /// Nodes on either side beyond which a step is not halved.
  @usableFromInline static let mostNodes = 20_000

  /// `E f(u) f(v)` for centred Gaussian u, v with the given variances and covariance; NaN beyond `largestDeviation`, if it does not
  /// settle, or if much of it is beyond 8.5 standard deviations.
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
    var step = 0.25 / max(1, varianceU.squareRoot(), varianceV.squareRoot())
    for halving in 0...halvings {
      let reach = Int((9 / step).rounded(.up))
      guard halving == 0 || reach <= mostNodes else { break }
      /// The sum, that of the absolute values, and what is near the end of it.
      func sum(shift: Double) -> (value: Double, size: Double, tail: Double) {
        let weights = (-reach...reach).map { density((Double($0) + shift) * step) * step }
        var (total, size, tail) = (0.0, 0.0, 0.0)
        for i in -reach...reach {
          let x = (Double(i) + shift) * step
          let mean = along * x
          var (inner, innerSize) = (0.0, 0.0)
          for j in -reach...reach {
            let term = weights[j + reach] * f(mean + across * ((Double(j) + shift) * step))
            inner += term
            innerSize += term.magnitude
          }
          let left = weights[i + reach] * f(sigmaU * x)
          total += left * inner
          size += left.magnitude * innerSize
          if x.magnitude > 8.5 { tail += left.magnitude * innerSize }
        }
        return (total, size, tail)
      }
      let (found, between) = (sum(shift: 0), sum(shift: 0.5))
      guard found.value.isFinite else { return found.value }
      guard found.tail <= tolerance * found.size else { return .nan }
      if (found.value - between.value).magnitude <= tolerance * found.size { return found.value }
      step *= 0.5
    }
    return .nan
  }
}
