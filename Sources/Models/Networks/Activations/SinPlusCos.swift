import Kernels

/// NaN beyond |x| = 2^20, where `Elementary.sinCos` ends.
public struct SinPlusCos: SmoothActivation {
  public static let name = "sin-plus-cos"
  public static let summary = "sin(x) + cos(x), whose kernel at infinite width is that of radial basis functions"
  public static let normalisation: NormalForm? = NormalForm(offset: -1, second: -1, third: -1)
  public let scaling: ActivationScaling
  public init(_ scaling: ActivationScaling) { self.scaling = scaling }
  @inlinable @inline(__always) public static func function(_ x: Double) -> Double {
    let (sin, cos) = Elementary.sinCos(x)
    return sin + cos
  }
  @inlinable @inline(__always) public static func derivative(_ x: Double, _ y: Double) -> Double {
    let (sin, cos) = Elementary.sinCos(x)
    return cos - sin
  }
  @inlinable @inline(__always) public static func curvature(_ x: Double) -> Double { -function(x) }
}

/// $\kappa = e^{r - (p+q)/2} = e^{-E (u - v)^2 / 2}$, its own derivative.
extension SinPlusCos: ClosedSmoothActivation {
  package static func mean(_ variance: Double) -> Double { Elementary.exp(-0.5 * variance) }
  package static func product(_ k: GaussianPair) -> Double { Elementary.exp(k.r - k.mean) }
  package static func slope(_ k: GaussianPair) -> Double { Elementary.exp(k.r - k.mean) }
}
