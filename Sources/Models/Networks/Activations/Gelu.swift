import Kernels

public struct Gelu: IntegralActivation {
  public static let name = "gelu"
  public static let summary = "x Phi(x), Phi the normal distribution function"
  public static let normalisation: NormalForm? = NormalForm(
    outer: 2, second: 4 / (2 * Double.pi).squareRoot(), third: 0)
  @inlinable public static var table: GaussianIntegral { .normal }
  @inlinable public static var ofMagnitude: Bool { false }
  public let scaling: ActivationScaling
  public init(_ scaling: ActivationScaling) { self.scaling = scaling }
  @inlinable @inline(__always) public static func function(_ x: Double) -> Double { Elementary.gelu(x) }
  @inlinable @inline(__always) public static func function(_ x: Double, _ integral: Double) -> Double {
    Elementary.gelu(x, integral)
  }
  @inlinable @inline(__always) public static func derivative(_ x: Double, _ y: Double) -> Double {
    slope(x, table.value(x))
  }
  @inlinable @inline(__always) public static func slope(_ x: Double, _ integral: Double) -> Double {
    integral + x * GaussianExpectation.density(x)
  }
  @inlinable @inline(__always) public static func curvature(_ x: Double) -> Double {
    (2 - x * x) * GaussianExpectation.density(x)
  }
}

/// $\kappa = r/4 + (r A + N/\sqrt g)/2\pi$ with $g = (1 + p)(1 + q) - r^2$, $A = \arcsin (r / \sqrt{(1 + p)(1 + q)})$ and
/// $N = p q - r^2 (1 - 1/(1 + p) - 1/(1 + q))$: the derivative of $E \Phi(u) \Phi(v) = 1/4 + A/2\pi$ by Stein's lemma, twice.
extension Gelu: ClosedSmoothActivation {
  @inline(__always) package static func mean(_ variance: Double) -> Double {
    // E u Phi(u) = p E density(u).
    variance * 0x1.9884533d43651p-2 / (1 + variance).squareRoot()
  }

  /// g, A, N and 1/(1 + p) + 1/(1 + q), without the cancellations of g and N.
  @inline(__always) private static func terms(_ k: GaussianPair) -> (root: Double, arc: Double, n: Double, w: Double) {
    let root = (1 + 2 * k.mean + k.determinant).squareRoot()
    let w = 1 / (1 + k.p) + 1 / (1 + k.q)
    return (root, Elementary.arcSine(k.r, besides: root), k.determinant + k.r * k.r * w, w)
  }

  @inline(__always) package static func product(_ k: GaussianPair) -> Double {
    let (root, arc, n, _) = terms(k)
    return 0.25 * k.r + (k.r * arc + n / root) / (2 * Double.pi)
  }

  @inline(__always) package static func slope(_ k: GaussianPair) -> Double {
    let (root, arc, n, w) = terms(k)
    return 0.25 + (arc + k.r * (2 * w - 1) / root + n * k.r / (root * root * root)) / (2 * Double.pi)
  }
}
