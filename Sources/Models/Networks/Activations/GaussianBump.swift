import Kernels

/// Its slope at 0 is 0: it is not shaped.
public struct GaussianBump: SmoothActivation {
  public static let name = "gaussian"
  public static let summary = "e^(-x^2)"
  public static let normalisation: NormalForm? = nil
  public let scaling: ActivationScaling
  public init(_ scaling: ActivationScaling) { self.scaling = scaling }
  @inlinable @inline(__always) public static func function(_ x: Double) -> Double { Elementary.exp(-x * x) }
  @inlinable @inline(__always) public static func derivative(_ x: Double, _ y: Double) -> Double { -2 * x * y }
  @inlinable @inline(__always) public static func curvature(_ x: Double) -> Double {
    (4 * x * x - 2) * Elementary.exp(-x * x)
  }
}

/// $\kappa = (1 + 2p + 2q + 4 (p q - r^2))^{-1/2}$.
extension GaussianBump: ClosedSmoothActivation {
  package static func mean(_ variance: Double) -> Double { 1 / (1 + 2 * variance).squareRoot() }

  private static func rest(_ k: GaussianPair) -> Double { 1 + 4 * k.mean + 4 * k.determinant }

  package static func product(_ k: GaussianPair) -> Double { 1 / rest(k).squareRoot() }
  package static func slope(_ k: GaussianPair) -> Double { 4 * k.r / (rest(k) * rest(k).squareRoot()) }
}
