import Experiments
import Kernels

/// -1, 0 or 1. It jumps, so no gradient passes through it.
public struct Sign: Activation {
  @inlinable @inline(__always)
  public func value(_ x: Double) -> Double { x > 0 ? 1 : (x < 0 ? -1 : x) }

  @inlinable @inline(__always) public func derivative(_ x: Double) -> Double { 0 }
  @inlinable @inline(__always) public func curvature(_ x: Double) -> Double { 0 }

  public var secondMoment: Double { 1 }
  public var smoothness: Smoothness { .jump }

  static let entry = ActivationEntry(name: "sign", summary: "the sign of x") { _, _ in Sign() }
}

/// $\kappa = (2/\pi) \arcsin (r / \sqrt{p q})$. Its derivative is infinite for equal inputs, and is no $E \phi'(u) \phi'(v)$.
extension Sign: ClosedKernel {
  @inline(__always) package func product(_ k: GaussianPair) -> Double {
    guard k.scale > 0 else { return 0 }
    let (rho, sine) = k.angle
    return 2 / Double.pi * Elementary.arcSine(rho, besides: sine)
  }

  @inline(__always) package func slope(_ k: GaussianPair) -> Double { 2 / (Double.pi * k.determinant.squareRoot()) }
}
