import Kernels

public struct Sinh: SmoothActivation {
  public static let name = "sinh"
  public static let summary = "sinh(x)"
  public static let normalisation: NormalForm? = NormalForm(second: 0, third: 1)
  public let scaling: ActivationScaling
  public init(_ scaling: ActivationScaling) { self.scaling = scaling }
  @inlinable @inline(__always) public static func function(_ x: Double) -> Double { Elementary.sinh(x) }
  @inlinable @inline(__always) public static func derivative(_ x: Double, _ y: Double) -> Double {
    (1 + y * y).squareRoot()
  }
  @inlinable @inline(__always) public static func curvature(_ x: Double) -> Double { Elementary.sinh(x) }
}

/// $\kappa = e^{(p+q)/2} \sinh r$.
extension Sinh: ClosedSmoothActivation {
  package static func mean(_ variance: Double) -> Double { 0 }
  package static func product(_ k: GaussianPair) -> Double { Elementary.exp(k.mean) * Elementary.sinh(k.r) }
  package static func slope(_ k: GaussianPair) -> Double {
    0.5 * (Elementary.exp(k.mean + k.r) + Elementary.exp(k.mean - k.r))
  }
}
