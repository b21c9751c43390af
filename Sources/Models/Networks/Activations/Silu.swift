import Kernels

public struct Silu: SmoothActivation {
  public static let name = "silu"
  public static let summary = "x / (1 + e^-x)"
  public static let normalisation: NormalForm? = NormalForm(outer: 2, second: 1, third: 0)
  public let scaling: ActivationScaling
  public init(_ scaling: ActivationScaling) { self.scaling = scaling }
  @inlinable @inline(__always) public static func function(_ x: Double) -> Double { Elementary.silu(x) }
  @inlinable @inline(__always) public static func derivative(_ x: Double, _ y: Double) -> Double {
    Elementary.sigmoid(x) + y * (1 - Elementary.sigmoid(x))
  }
  @inlinable @inline(__always) public static func curvature(_ x: Double) -> Double {
    let y = Elementary.sigmoid(x)
    return y * (1 - y) * (2 + x * (1 - 2 * y))
  }
}
