import Kernels

public struct NormalCDF: IntegralActivation {
  public static let name = "normal-cdf"
  public static let summary = "Phi(x), the normal distribution function"
  public static let normalisation: NormalForm? = NormalForm(
    outer: (2 * Double.pi).squareRoot(), offset: -0.5 * (2 * Double.pi).squareRoot(), second: 0, third: -1)
  @inlinable public static var table: GaussianIntegral { .normal }
  @inlinable public static var ofMagnitude: Bool { false }
  public let scaling: ActivationScaling
  public init(_ scaling: ActivationScaling) { self.scaling = scaling }
  @inlinable @inline(__always) public static func function(_ x: Double) -> Double { function(x, table.value(x)) }
  @inlinable @inline(__always) public static func function(_ x: Double, _ integral: Double) -> Double {
    x.isNaN ? x : integral
  }
  @inlinable @inline(__always) public static func derivative(_ x: Double, _ y: Double) -> Double {
    GaussianExpectation.density(x)
  }
  @inlinable @inline(__always) public static func slope(_ x: Double, _ integral: Double) -> Double {
    GaussianExpectation.density(x)
  }
  @inlinable @inline(__always) public static func curvature(_ x: Double) -> Double {
    -x * GaussianExpectation.density(x)
  }
}

/// $\kappa = 1/4 + \arcsin (r / \sqrt{(1 + p)(1 + q)})/2\pi$.
extension NormalCDF: ClosedSmoothActivation {
  @inline(__always) package static func mean(_ variance: Double) -> Double { 0.5 }

  @inline(__always) private static func rest(_ k: GaussianPair) -> Double { 1 + 2 * k.mean + k.determinant }

  @inline(__always) package static func product(_ k: GaussianPair) -> Double {
    0.25 + Elementary.arcSine(k.r, besides: rest(k).squareRoot()) / (2 * Double.pi)
  }

  @inline(__always) package static func slope(_ k: GaussianPair) -> Double {
    1 / (2 * Double.pi * rest(k).squareRoot())
  }
}
