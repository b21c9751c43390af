import Kernels

/// Gaussian expectations of an activation, which the recursions at infinite width are made of.
///
/// `E phi(u) phi(v)` in closed form for activations with slopes (arc-cosine kernel, Cho and Saul 2009) and erf
/// (Williams 1997), the others by `GaussianExpectation`; formulas are split at their kinks.
public struct ActivationKernel: Sendable {
  public let activation: any Activation

  public init(_ activation: any Activation) { self.activation = activation }

  /// `E phi(u) phi(v)` for the variances and covariance of (u, v).
  public func product(_ vu: Double, _ vv: Double, _ cov: Double) -> Double {
    if let slopes = activation as? SlopeActivation {
      let scale = Self.geometricMean(vu, vv)
      guard scale > 0 else { return 0 }
      let rho = min(max(cov / scale, -1), 1)
      let sine = max((1 - rho) * (1 + rho), 0).squareRoot()
      let difference = slopes.plus - slopes.minus
      // rho (s+^2 + s-^2)/2 + (s+ - s-)^2 (sin t - t cos t)/(2 pi)
      return scale
        * (0.5 * (slopes.plus * slopes.plus + slopes.minus * slopes.minus) * rho
          + 0.5 * difference * difference * Elementary.arcCosineDefect(rho: rho, sine: sine))
    }
    if let erf = (activation as? Erf)?.scaling {
      // (2/pi) asin(2 cov / sqrt((1 + 2 vu)(1 + 2 vv))), the arc sine as pi/2 less the angle.
      let inner = erf.inner * erf.inner
      let sine = 2 * cov * inner / Self.geometricMean(1 + 2 * vu * inner, 1 + 2 * vv * inner)
      let cosine = max((1 - sine) * (1 + sine), 0).squareRoot()
      let angle = Elementary.angle(x: cosine, y: sine.magnitude)
      return erf.outer * erf.outer * (sine < 0 ? -angle : angle) * 2 / Double.pi
    }
    if let formula = activation as? FormulaActivation { return formula.product(vu, vv, cov) }
    return GaussianExpectation.ofProduct({ activation.value($0) }, varianceU: vu, varianceV: vv, covariance: cov)
  }

  /// `E phi'(u) phi'(v)`.
  public func derivativeProduct(_ vu: Double, _ vv: Double, _ cov: Double) -> Double {
    if let formula = activation as? FormulaActivation { return formula.derivativeProduct(vu, vv, cov) }
    guard let slopes = activation as? SlopeActivation else {
      return GaussianExpectation.ofProduct(
        { activation.derivative($0) }, varianceU: vu, varianceV: vv, covariance: cov)
    }
    let scale = Self.geometricMean(vu, vv)
    let rho = scale > 0 ? min(max(cov / scale, -1), 1) : 1
    // Both of a sign with probability (pi - theta)/pi.
    let apart = Elementary.angle(x: rho, y: max((1 - rho) * (1 + rho), 0).squareRoot()) / Double.pi
    return slopes.secondMoment * (1 - apart) + slopes.plus * slopes.minus * apart
  }

  /// `sqrt(a b)` of two numbers that are not negative, also where their product is out of the range of numbers.
  static func geometricMean(_ a: Double, _ b: Double) -> Double {
    let product = a * b
    if product.isNormal { return product.squareRoot() }
    return a == b ? a : a.squareRoot() * b.squareRoot()
  }

  /// All pairs of an m x m covariance.
  public func apply(_ k: [Double], _ m: Int) -> [Double] { Self.pairs(k, m, product) }

  /// A symmetric matrix from variances and covariance, pair by pair.
  package static func pairs(_ k: [Double], _ m: Int, _ entry: (Double, Double, Double) -> Double) -> [Double] {
    var result = k
    for a in 0..<m {
      for b in 0...a {
        let value = entry(k[a * m + a], k[b * m + b], k[a * m + b])
        result[a * m + b] = value
        result[b * m + a] = value
      }
    }
    return result
  }
}
