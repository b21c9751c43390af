import Kernels

/// Student's law. Equivalents of the normal law are those of Wallace (Ann. Math. Statist. 30 (1959) 1121): within 0.04 from 3 degrees of
/// freedom on.
public enum Student {
  /// $P(|T| > t) = I_{\nu/(\nu + t^2)}(\nu/2, 1/2)$ of any degrees of freedom above 0, to some 1e-13 of its value; 1 for t <= 0.
  public static func twoSided(_ t: Double, degreesOfFreedom nu: Double) -> Double {
    precondition(nu > 0)
    return t > 0 ? BetaLaw.probability(below: nu / (nu + t * t), 0.5 * nu, 0.5) : 1
  }

  /// The z of the same tail probability as t.
  public static func equivalentZ(_ t: Double, degreesOfFreedom: Int) -> Double {
    let nu = Double(degreesOfFreedom)
    let z = (8 * nu + 1) / (8 * nu + 3) * (nu * Elementary.log(1 + t * t / nu)).squareRoot()
    return t < 0 ? -z : z
  }

  /// The t of the same tail probability as z.
  public static func equivalentT(_ z: Double, degreesOfFreedom: Int) -> Double {
    let nu = Double(degreesOfFreedom)
    let y = z * (8 * nu + 3) / (8 * nu + 1)
    let t = (nu * (Elementary.exp(y * y / nu) - 1)).squareRoot()
    return z < 0 ? -t : t
  }
}
