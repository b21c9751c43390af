import Kernels

public struct Exp: SmoothActivation {
  public static let name = "exp"
  public static let summary = "e^x"
  public static let normalisation: NormalForm? = NormalForm(offset: -1, second: 1, third: 1)
  public let scaling: ActivationScaling
  public init(_ scaling: ActivationScaling) { self.scaling = scaling }
  @inlinable @inline(__always) public static func function(_ x: Double) -> Double { Elementary.exp(x) }
  @inlinable @inline(__always) public static func derivative(_ x: Double, _ y: Double) -> Double { y }
  @inlinable @inline(__always) public static func curvature(_ x: Double) -> Double { Elementary.exp(x) }
}

/// $\kappa = e^{(p+q)/2 + r}$, its own derivative.
extension Exp: ClosedSmoothActivation {
  package static func mean(_ variance: Double) -> Double { Elementary.exp(0.5 * variance) }
  package static func product(_ k: GaussianPair) -> Double { Elementary.exp(k.mean + k.r) }
  package static func slope(_ k: GaussianPair) -> Double { Elementary.exp(k.mean + k.r) }
}
