import Kernels

public struct Erf: IntegralActivation {
  public static let name = "erf"
  public static let summary = "erf(x)"
  public static let normalisation: NormalForm? = NormalForm(
    outer: Double.pi.squareRoot() / 2, second: 0, third: -2)
  @inlinable public static var table: GaussianIntegral { .erf }
  @inlinable public static var ofMagnitude: Bool { true }
  public let scaling: ActivationScaling
  public init(_ scaling: ActivationScaling) { self.scaling = scaling }
  @inlinable @inline(__always) public static func function(_ x: Double) -> Double { Elementary.erf(x) }
  @inlinable @inline(__always) public static func function(_ x: Double, _ integral: Double) -> Double {
    Elementary.erf(x, integral)
  }
  @inlinable @inline(__always) public static func derivative(_ x: Double, _ y: Double) -> Double {
    0x1.20dd750429b6dp+0 * Elementary.exp(-x * x)
  }
  @inlinable @inline(__always) public static func slope(_ x: Double, _ integral: Double) -> Double {
    derivative(x, integral)
  }
  @inlinable @inline(__always) public static func curvature(_ x: Double) -> Double { -2 * x * derivative(x, 0) }
}

/// $\kappa = (2/\pi) \arcsin (2 r / \sqrt{(1 + 2p)(1 + 2q)})$ (Williams 1997).
extension Erf: ClosedSmoothActivation {
  @inline(__always) package static func mean(_ variance: Double) -> Double { 0 }

  /// $(1 + 2p)(1 + 2q) - 4 r^2$ without its cancellation.
  @inline(__always) private static func rest(_ k: GaussianPair) -> Double { 1 + 4 * k.mean + 4 * k.determinant }

  @inline(__always) package static func product(_ k: GaussianPair) -> Double {
    2 / Double.pi * Elementary.arcSine(2 * k.r, besides: rest(k).squareRoot())
  }

  @inline(__always) package static func slope(_ k: GaussianPair) -> Double { 4 / Double.pi / rest(k).squareRoot() }
}
