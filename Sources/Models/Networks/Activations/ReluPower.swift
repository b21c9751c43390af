import Experiments
import Kernels

/// `max(x, 0)^k`, k from 2 to 4; its derivative of order k jumps at 0.
public struct ReluPower: Activation {
  public let power: Int
  /// 1 where the power has this bit.
  @usableFromInline let hasOne, hasTwo, hasFour: Bool

  public init(_ power: Int) {
    self.power = power
    (hasOne, hasTwo, hasFour) = (power & 1 != 0, power & 2 != 0, power & 4 != 0)
  }

  @inlinable @inline(__always)
  public func value(_ x: Double) -> Double {
    let y = x < 0 ? 0 : x
    let square = y * y
    return (hasOne ? y : 1) * (hasTwo ? square : 1) * (hasFour ? square * square : 1)
  }

  public func derivative(_ x: Double) -> Double {
    let y = x < 0 ? 0 : x
    return Double(power) * (power == 2 ? y : power == 3 ? y * y : y * y * y)
  }

  public func curvature(_ x: Double) -> Double {
    let y = x < 0 ? 0 : x
    return Double(power * (power - 1)) * (power == 2 ? (x > 0 ? 1 : 0) : power == 3 ? y : y * y)
  }

  public var secondMoment: Double { product(GaussianPair(1, 1, 1)) }
  public var smoothness: Smoothness { .kink(order: power) }

  static let entry = ActivationEntry(
    name: "relu-power", summary: "max(x, 0)^power",
    parameters: [Parameter("power", .integer(1...4), default: .integer(2), "the power; 1 is relu")]
  ) { p, _ in
    if p.integer("power") == 1 { return SlopeActivation(plus: 1, minus: 0) }
    return ReluPower(p.integer("power"))
  }
}

/// $\kappa = (p q)^{k/2} J_k / 2\pi$, the arc-cosine kernels of order k (Cho and Saul 2009, eq. 4).
extension ReluPower: ClosedKernel {
  package func product(_ k: GaussianPair) -> Double { Self.arcCosine(power, k) }

  package func slope(_ k: GaussianPair) -> Double {
    Double(power * power) * Self.arcCosine(power - 1, k)
  }

  private static func arcCosine(_ order: Int, _ k: GaussianPair) -> Double {
    let scale = k.scale
    guard scale > 0 else { return 0 }
    let (c, s) = k.angle
    // pi less the angle, to all digits where that is small.
    let j = Elementary.angle(x: -c, y: s)
    let c2 = c * c
    let value =
      switch order {
      case 1: s + j * c
      case 2: 3 * s * c + j * (1 + 2 * c2)
      case 3: s * (4 + 11 * c2) + j * c * (9 + 6 * c2)
      default: 5 * s * c * (11 + 10 * c2) + j * (9 + c2 * (72 + 24 * c2))
      }
    return (0..<order).reduce(value / (2 * Double.pi)) { product, _ in product * scale }
  }
}
