import Experiments
import Kernels

/// A smooth function f: `outer f(inner x) + offset`, f itself, or shaped, `s phi(x/s)` with `s = a sqrt(n)` and phi the
/// normalised f, phi(0) = 0 and phi'(0) = 1 (arXiv:2206.02768, section 3.2).
///
/// One struct a function, not one generic struct of all: calls through `any Activation` would reach its unspecialised code.
public protocol SmoothActivation: Activation {
  static var name: String { get }
  static var summary: String { get }
  static func function(_ x: Double) -> Double
  /// f'(x), from x and y = f(x).
  static func derivative(_ x: Double, _ y: Double) -> Double
  /// f''(x).
  static func curvature(_ x: Double) -> Double
  /// How it is normalised; nil of what has no slope at 0, which is not shaped.
  static var normalisation: NormalForm? { get }
  var scaling: ActivationScaling { get }
  init(_ scaling: ActivationScaling)
}

/// The normalised function is `outer f(x) + offset`, with these second and third derivatives at 0.
public struct NormalForm: Sendable {
  public let outer, offset, second, third: Double

  public init(outer: Double = 1, offset: Double = 0, second: Double, third: Double) {
    (self.outer, self.offset, self.second, self.third) = (outer, offset, second, third)
  }
}

public struct ActivationScaling: Sendable {
  public let inner, outer, offset: Double

  @inlinable
  public init(inner: Double = 1, outer: Double = 1, offset: Double = 0) {
    self.inner = inner
    self.outer = outer
    self.offset = offset
  }

  /// Shaped, with s.
  public init(_ normalisation: NormalForm, scale s: Double) {
    self.init(inner: 1 / s, outer: s * normalisation.outer, offset: s * normalisation.offset)
  }
}

extension SmoothActivation {
  public init() { self.init(ActivationScaling()) }

  public var smoothness: Smoothness { .analytic }

  @inlinable @inline(__always)
  public func value(_ x: Double) -> Double { scaling.outer * Self.function(scaling.inner * x) + scaling.offset }

  @inlinable @inline(__always)
  public func derivative(_ x: Double) -> Double {
    let inner = scaling.inner * x
    return scaling.outer * scaling.inner * Self.derivative(inner, Self.function(inner))
  }

  @inlinable @inline(__always)
  public func curvature(_ x: Double) -> Double {
    scaling.outer * scaling.inner * scaling.inner * Self.curvature(scaling.inner * x)
  }

  /// Its line of the catalog: plain, or shaped where `a` is given.
  static var entry: ActivationEntry {
    let normalisation = Self.normalisation
    let shape = Parameter(
      "a", .real(.above(0)), optional: true,
      "shaped: s phi(x/s) with s = a sqrt(width), phi scaled to phi(0) = 0, phi'(0) = 1")
    return ActivationEntry(
      name: name, summary: summary, parameters: normalisation == nil ? [] : [shape],
      derivatives: normalisation.map { (second: $0.second, third: $0.third) }
    ) { p, width in
      guard let normalisation, p["a"] != nil else { return Self() }
      return Self(ActivationScaling(normalisation, scale: p.real("a") * Double(width).squareRoot()))
    }
  }
}

/// A smooth function made of the integral of a Gaussian, which comes from a table a block at a time.
public protocol IntegralActivation: SmoothActivation {
  static var table: GaussianIntegral { get }
  /// Whether the integral is wanted at |x|.
  static var ofMagnitude: Bool { get }
  /// f(x) and f'(x) from the integral.
  static func function(_ x: Double, _ integral: Double) -> Double
  static func slope(_ x: Double, _ integral: Double) -> Double
}

extension IntegralActivation {
  @inlinable @inline(__always)
  public func apply(_ values: UnsafeMutablePointer<Double>, _ count: Int) {
    Self.table.apply(values, count, scale: scaling.inner, magnitudes: Self.ofMagnitude) { _, x, integral in
      scaling.outer * Self.function(x, integral) + scaling.offset
    }
  }

  @inlinable @inline(__always)
  public func apply(_ values: UnsafeMutablePointer<Double>, slopes: UnsafeMutablePointer<Double>, _ count: Int) {
    Self.table.apply(values, count, scale: scaling.inner, magnitudes: Self.ofMagnitude) { k, x, integral in
      slopes[k] = scaling.outer * scaling.inner * Self.slope(x, integral)
      return scaling.outer * Self.function(x, integral) + scaling.offset
    }
  }
}
