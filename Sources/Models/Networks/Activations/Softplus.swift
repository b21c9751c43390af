import Kernels

public struct Softplus: SmoothActivation {
  public static let name = "softplus"
  public static let summary = "log(1 + e^x)"
  public static let normalisation: NormalForm? = NormalForm(
    outer: 2, offset: -2 * 0x1.62e42fefa39efp-1, second: 0.5, third: 0)
  public let scaling: ActivationScaling
  public init(_ scaling: ActivationScaling) { self.scaling = scaling }
  @inlinable @inline(__always) public static func function(_ x: Double) -> Double { Elementary.softplus(x) }
  @inlinable @inline(__always) public static func derivative(_ x: Double, _ y: Double) -> Double {
    Elementary.sigmoid(x)
  }
  @inlinable @inline(__always) public static func curvature(_ x: Double) -> Double {
    let y = Elementary.sigmoid(x)
    return y * (1 - y)
  }
}
