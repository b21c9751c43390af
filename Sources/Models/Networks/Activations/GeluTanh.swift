import Kernels

/// The approximation of GELU that many libraries draw networks with. It is another function: its kernel is not that of `gelu`.
public struct GeluTanh: SmoothActivation {
  public static let name = "gelu-tanh"
  public static let summary =
    "x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))/2, the approximation of gelu (arXiv:1606.08415)"
  public static let normalisation: NormalForm? = NormalForm(outer: 2, second: 2 * rate, third: 0)
  public let scaling: ActivationScaling
  public init(_ scaling: ActivationScaling) { self.scaling = scaling }

  /// $\sqrt{2/\pi}$.
  @inlinable static var rate: Double { 0x1.9884533d43651p-1 }
  @inlinable static var cubic: Double { 0.044715 }

  /// $g = (1 + \tanh w)/2 = 1/(1 + e^{-2w})$, which keeps its digits below 0, and $2 w'$, $2 w''$. It is 0 or 1 beyond 40.
  @inlinable @inline(__always)
  static func gate(_ x: Double) -> (value: Double, rate: Double, bend: Double) {
    let x = x < -40 ? -40 : (x > 40 ? 40 : x)
    let z = cubic * x * x
    return (Elementary.sigmoid(2 * rate * x * (1 + z)), 2 * rate * (1 + 3 * z), 12 * rate * cubic * x)
  }

  @inlinable @inline(__always) public static func function(_ x: Double) -> Double {
    (x < -40 ? -40 : x) * gate(x).value
  }
  @inlinable @inline(__always) public static func derivative(_ x: Double, _ y: Double) -> Double {
    let (g, rate, _) = gate(x)
    return g + y * (1 - g) * rate
  }
  @inlinable @inline(__always) public static func curvature(_ x: Double) -> Double {
    let (g, rate, bend) = gate(x)
    let inside = g * (1 - g)
    let within = x < -40 ? -40 : (x > 40 ? 40 : x)
    return inside * (2 * rate + within * (bend + rate * rate * (1 - 2 * g)))
  }
}
