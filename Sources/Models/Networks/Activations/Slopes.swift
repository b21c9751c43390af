import Experiments
import Kernels

/// Positively homogeneous: `s+ max(x, 0) + s- min(x, 0)`. Linear, ReLU, leaky and shaped ReLU, |x|.
public struct SlopeActivation: Activation {
  public let plus, minus: Double

  public init(plus: Double, minus: Double) {
    self.plus = plus
    self.minus = minus
  }

  @inlinable @inline(__always)
  public func value(_ x: Double) -> Double { x * (x > 0 ? plus : minus) }

  @inlinable @inline(__always)
  public func derivative(_ x: Double) -> Double { x > 0 ? plus : minus }

  public func apply(_ values: UnsafeMutablePointer<Float>, slopes: UnsafeMutablePointer<Float>, _ count: Int) {
    let (plus, minus) = (Float(plus), Float(minus))
    for i in 0..<count {
      let slope = values[i] > 0 ? plus : minus
      slopes[i] = slope
      values[i] *= slope
    }
  }

  @inlinable @inline(__always)
  public func curvature(_ x: Double) -> Double { 0 }

  public var secondMoment: Double { 0.5 * (plus * plus + minus * minus) }

  public var smoothness: Smoothness { plus == minus ? .analytic : .kink(order: 1) }
}

/// Arc-cosine kernel of order 1 (Cho and Saul 2009).
extension SlopeActivation: ClosedKernel {
  @inline(__always) package func product(_ k: GaussianPair) -> Double {
    let scale = k.scale
    guard scale > 0 else { return 0 }
    let (rho, sine) = k.angle
    let difference = plus - minus
    // rho (s+^2 + s-^2)/2 + (s+ - s-)^2 (sin t - t cos t)/(2 pi)
    return scale
      * (0.5 * (plus * plus + minus * minus) * rho
        + 0.5 * difference * difference * Elementary.arcCosineDefect(rho: rho, sine: sine))
  }

  @inline(__always) package func slope(_ k: GaussianPair) -> Double {
    let (rho, sine) = k.scale > 0 ? k.angle : (1, 0)
    // Both of a sign with probability (pi - theta)/pi.
    let apart = Elementary.angle(x: rho, y: sine) / Double.pi
    return secondMoment * (1 - apart) + plus * minus * apart
  }
}

extension SlopeActivation {
  static let linear = ActivationEntry(name: "linear", summary: "x", shapedSlopes: { _ in .linear }) { _, _ in
    SlopeActivation(plus: 1, minus: 1)
  }

  static let relu = ActivationEntry(name: "relu", summary: "max(x, 0)") { _, _ in SlopeActivation(plus: 1, minus: 0) }

  static let abs = ActivationEntry(name: "abs", summary: "|x|") { _, _ in SlopeActivation(plus: 1, minus: -1) }

  static let leakyRelu = ActivationEntry(
    name: "leaky-relu", summary: "plus max(x, 0) + minus min(x, 0)",
    parameters: [
      Parameter("plus", .real(.finite), default: .real(1), "slope above 0"),
      Parameter("minus", .real(.finite), default: .real(0.01), "slope below 0"),
    ]
  ) { p, _ in SlopeActivation(plus: p.real("plus"), minus: p.real("minus")) }

  static let shapedRelu = ActivationEntry(
    name: "shaped-relu",
    summary: "s+ max(x, 0) + s- min(x, 0), s± = 1 + c± width^-p, p = 1/2 unless given (arXiv:2206.02768)",
    parameters: ShapedSlopes.parameters, shapedSlopes: { ShapedSlopes($0) }
  ) { p, width in ShapedSlopes(p).activation(width) }
}

extension Activation {
  /// Whether it is max(x, 0).
  package var isRelu: Bool {
    guard let slopes = self as? SlopeActivation else { return false }
    return slopes.plus == 1 && slopes.minus == 0
  }
}
