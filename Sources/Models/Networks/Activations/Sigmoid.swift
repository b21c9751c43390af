import Kernels

public struct Sigmoid: SmoothActivation {
  public static let name = "sigmoid"
  public static let summary = "1 / (1 + e^-x)"
  public static let normalisation: NormalForm? = NormalForm(outer: 4, offset: -2, second: 0, third: -0.5)
  public let scaling: ActivationScaling
  public init(_ scaling: ActivationScaling) { self.scaling = scaling }
  @inlinable @inline(__always) public static func function(_ x: Double) -> Double { Elementary.sigmoid(x) }
  @inlinable @inline(__always) public static func derivative(_ x: Double, _ y: Double) -> Double { y * (1 - y) }
  @inlinable @inline(__always) public static func curvature(_ x: Double) -> Double {
    let y = Elementary.sigmoid(x)
    return y * (1 - y) * (1 - 2 * y)
  }
}
