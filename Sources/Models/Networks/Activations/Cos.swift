import Kernels

/// NaN beyond |x| = 2^20, where `Elementary.sinCos` ends. Its slope at 0 is 0: it is not shaped.
public struct Cos: SmoothActivation {
  public static let name = "cos"
  public static let summary = "cos(x)"
  public static let normalisation: NormalForm? = nil
  public let scaling: ActivationScaling
  public init(_ scaling: ActivationScaling) { self.scaling = scaling }
  @inlinable @inline(__always) public static func function(_ x: Double) -> Double { Elementary.sinCos(x).cos }
  @inlinable @inline(__always) public static func derivative(_ x: Double, _ y: Double) -> Double {
    -Elementary.sinCos(x).sin
  }
  @inlinable @inline(__always) public static func curvature(_ x: Double) -> Double { -Elementary.sinCos(x).cos }
}

/// $\kappa = e^{-(p+q)/2} \cosh r$: the kernel of the sine and its derivative change places.
extension Cos: ClosedSmoothActivation {
  package static func mean(_ variance: Double) -> Double { Elementary.exp(-0.5 * variance) }
  package static func product(_ k: GaussianPair) -> Double { Sin.slope(k) }
  package static func slope(_ k: GaussianPair) -> Double { Sin.product(k) }
}
