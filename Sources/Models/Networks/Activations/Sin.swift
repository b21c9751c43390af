import Kernels

/// NaN beyond |x| = 2^20, where `Elementary.sinCos` ends.
public struct Sin: SmoothActivation {
  public static let name = "sin"
  public static let summary = "sin(x)"
  public static let normalisation: NormalForm? = NormalForm(second: 0, third: -1)
  public let scaling: ActivationScaling
  public init(_ scaling: ActivationScaling) { self.scaling = scaling }
  @inlinable @inline(__always) public static func function(_ x: Double) -> Double { Elementary.sinCos(x).sin }
  @inlinable @inline(__always) public static func derivative(_ x: Double, _ y: Double) -> Double {
    Elementary.sinCos(x).cos
  }
  @inlinable @inline(__always) public static func curvature(_ x: Double) -> Double { -Elementary.sinCos(x).sin }
}

/// $\kappa = e^{-(p+q)/2} \sinh r$, and $E \cos u \cos v$ its derivative.
extension Sin: ClosedSmoothActivation {
  package static func mean(_ variance: Double) -> Double { 0 }

  package static func product(_ k: GaussianPair) -> Double {
    // |r| <= (p + q)/2: neither factor of the first form leaves the range of numbers where the other does not end it.
    k.mean < 300
      ? Elementary.exp(-k.mean) * Elementary.sinh(k.r)
      : 0.5 * (Elementary.exp(k.r - k.mean) - Elementary.exp(-k.r - k.mean))
  }

  package static func slope(_ k: GaussianPair) -> Double {
    0.5 * (Elementary.exp(k.r - k.mean) + Elementary.exp(-k.r - k.mean))
  }
}
