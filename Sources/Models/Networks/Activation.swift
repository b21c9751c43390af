import Kernels

/// An activation function phi, applied to every pre-activation.
///
/// `value` runs inside vectorised loops: no branches, no calls but those of `Elementary`.
public protocol Activation: Sendable {
  func value(_ x: Double) -> Double
  /// `E phi(g)^2` for a standard normal g.
  var secondMoment: Double { get }
  /// Replaces `count` pre-activations by their post-activations: one dynamic call a tile, specialised inside.
  func apply(_ values: UnsafeMutablePointer<Double>, _ count: Int)
  /// phi'(x); at a kink the slope below it.
  func derivative(_ x: Double) -> Double
  /// `apply`, and phi' of the pre-activations.
  func apply(_ values: UnsafeMutablePointer<Double>, slopes: UnsafeMutablePointer<Double>, _ count: Int)
  /// The same in single precision.
  func apply(_ values: UnsafeMutablePointer<Float>, slopes: UnsafeMutablePointer<Float>, _ count: Int)
  /// phi''(x) where phi is smooth; at a kink that of the side below it.
  func curvature(_ x: Double) -> Double
  /// Replaces `count` pre-activations by phi'' of them.
  func applyCurvature(_ values: UnsafeMutablePointer<Double>, _ count: Int)
  /// How smooth it is: the lowest derivative that jumps somewhere.
  var smoothness: Smoothness { get }
  /// Points where it is not smooth, ascending: quadratures are split there.
  var kinks: [Double] { get }
  /// Why it has no phi', or no phi'', that passes could use; nil if it has one.
  var missingDerivative: String? { get }
  var missingCurvature: String? { get }
}

/// How smooth a function is.
public enum Smoothness: Sendable, Equatable {
  /// phi itself jumps: gradients say nothing of it, and $E \phi'(u) \phi'(v)$ is not the derivative of the kernel.
  case jump
  /// phi is continuous, and its derivative of this order jumps: 1 of a kink. phi' exists with probability 1.
  case kink(order: Int)
  /// Analytic around the real line: the trapezoidal rule converges exponentially.
  case analytic
  /// Of a formula: no more is known than its kinks.
  case unknown
}

extension Activation {
  @inlinable @inline(__always)
  public func apply(_ values: UnsafeMutablePointer<Double>, _ count: Int) {
    for i in 0..<count { values[i] = value(values[i]) }
  }

  @inlinable @inline(__always)
  public func apply(_ values: UnsafeMutablePointer<Double>, slopes: UnsafeMutablePointer<Double>, _ count: Int) {
    for i in 0..<count {
      let x = values[i]
      slopes[i] = derivative(x)
      values[i] = value(x)
    }
  }

  /// In double precision, rounded: block by block.
  public func apply(_ values: UnsafeMutablePointer<Float>, slopes: UnsafeMutablePointer<Float>, _ count: Int) {
    let block = 512
    withAlignedRoom(2 * block) { room in
      for first in stride(from: 0, to: count, by: block) {
        let (part, x, slope, roomOfSlopes) = (min(block, count - first), values + first, slopes + first, room + block)
        for i in 0..<part { room[i] = Double(x[i]) }
        apply(room, slopes: roomOfSlopes, part)
        for i in 0..<part { x[i] = Float(room[i]) }
        for i in 0..<part { slope[i] = Float(roomOfSlopes[i]) }
      }
    }
  }

  @inlinable @inline(__always)
  public func applyCurvature(_ values: UnsafeMutablePointer<Double>, _ count: Int) {
    for i in 0..<count { values[i] = curvature(values[i]) }
  }

  public var secondMoment: Double {
    GaussianExpectation.of {
      let y = value($0); return y * y
    }
  }

  public var kinks: [Double] { smoothness == .analytic ? [] : [0] }

  public var missingDerivative: String? {
    smoothness == .jump ? "it jumps at x = \(kinks.first ?? 0): no gradient passes through a jump" : nil
  }

  public var missingCurvature: String? { missingDerivative }
}
