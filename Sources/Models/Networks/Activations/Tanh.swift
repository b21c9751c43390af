import Kernels

public struct Tanh: SmoothActivation {
  public static let name = "tanh"
  public static let summary = "tanh(x)"
  public static let normalisation: NormalForm? = NormalForm(second: 0, third: -2)
  public let scaling: ActivationScaling
  public init(_ scaling: ActivationScaling) { self.scaling = scaling }
  @inlinable @inline(__always) public static func function(_ x: Double) -> Double { Elementary.tanh(x) }
  @inlinable @inline(__always) public static func derivative(_ x: Double, _ y: Double) -> Double {
    1 - y * y
  }
  @inlinable @inline(__always) public static func curvature(_ x: Double) -> Double {
    let y = Elementary.tanh(x)
    return -2 * y * (1 - y * y)
  }
}
