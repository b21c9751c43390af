import Kernels
import Experiments

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
  /// phi''(x) where phi is smooth; at a kink that of the side below it.
  func curvature(_ x: Double) -> Double
  /// Replaces `count` pre-activations by phi'' of them.
  func applyCurvature(_ values: UnsafeMutablePointer<Double>, _ count: Int)
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

  @inlinable @inline(__always)
  public func applyCurvature(_ values: UnsafeMutablePointer<Double>, _ count: Int) {
    for i in 0..<count { values[i] = curvature(values[i]) }
  }

  public var secondMoment: Double {
    GaussianExpectation.of {
      let y = value($0); return y * y
    }
  }
}

/// Positively homogeneous: `s+ max(x, 0) + s- min(x, 0)`. Linear, ReLU, leaky and shaped ReLU.
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

  @inlinable @inline(__always)
  public func curvature(_ x: Double) -> Double { 0 }

  public var secondMoment: Double { 0.5 * (plus * plus + minus * minus) }
}

extension Activation {
  /// Whether it is max(x, 0).
  package var isRelu: Bool {
    guard let slopes = self as? SlopeActivation else { return false }
    return slopes.plus == 1 && slopes.minus == 0
  }
}

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
  /// The normalised function is `outer f(x) + offset`.
  static var normalisation: (outer: Double, offset: Double) { get }
  /// Second and third derivative of the normalised function at 0.
  static var derivatives: (second: Double, third: Double) { get }
  var scaling: ActivationScaling { get }
  init(_ scaling: ActivationScaling)
}

public struct ActivationScaling: Sendable {
  public let inner, outer, offset: Double

  @inlinable
  public init(inner: Double = 1, outer: Double = 1, offset: Double = 0) {
    self.inner = inner
    self.outer = outer
    self.offset = offset
  }
}

extension SmoothActivation {
  public init() { self.init(ActivationScaling()) }

  /// Shaped, with s.
  public init(scale s: Double) {
    self.init(
      ActivationScaling(inner: 1 / s, outer: s * Self.normalisation.outer, offset: s * Self.normalisation.offset))
  }

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
}

public struct Tanh: SmoothActivation {
  public static let name = "tanh"
  public static let summary = "tanh(x)"
  public static let normalisation = (outer: 1.0, offset: 0.0)
  public static let derivatives = (second: 0.0, third: -2.0)
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

public struct Erf: IntegralActivation {
  public static let name = "erf"
  public static let summary = "erf(x)"
  public static let normalisation = (outer: Double.pi.squareRoot() / 2, offset: 0.0)
  public static let derivatives = (second: 0.0, third: -2.0)
  @inlinable public static var table: GaussianIntegral { .erf }
  @inlinable public static var ofMagnitude: Bool { true }
  public let scaling: ActivationScaling
  public init(_ scaling: ActivationScaling) { self.scaling = scaling }
  @inlinable @inline(__always) public static func function(_ x: Double) -> Double { Elementary.erf(x) }
  @inlinable @inline(__always) public static func function(_ x: Double, _ integral: Double) -> Double {
    Elementary.erf(x, integral)
  }
  @inlinable @inline(__always) public static func derivative(_ x: Double, _ y: Double) -> Double {
    0x1.20dd750429b6dp+0 * Elementary.exp(-x * x)
  }
  @inlinable @inline(__always) public static func slope(_ x: Double, _ integral: Double) -> Double {
    derivative(x, integral)
  }
  @inlinable @inline(__always) public static func curvature(_ x: Double) -> Double { -2 * x * derivative(x, 0) }
}

public struct Gelu: IntegralActivation {
  public static let name = "gelu"
  public static let summary = "x Phi(x), Phi the normal distribution function"
  public static let normalisation = (outer: 2.0, offset: 0.0)
  public static let derivatives = (second: 4 / (2 * Double.pi).squareRoot(), third: 0.0)
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

public struct Silu: SmoothActivation {
  public static let name = "silu"
  public static let summary = "x / (1 + e^-x)"
  public static let normalisation = (outer: 2.0, offset: 0.0)
  public static let derivatives = (second: 1.0, third: 0.0)
  public let scaling: ActivationScaling
  public init(_ scaling: ActivationScaling) { self.scaling = scaling }
  @inlinable @inline(__always) public static func function(_ x: Double) -> Double { Elementary.silu(x) }
  @inlinable @inline(__always) public static func derivative(_ x: Double, _ y: Double) -> Double {
    Elementary.sigmoid(x) + y * (1 - Elementary.sigmoid(x))
  }
  @inlinable @inline(__always) public static func curvature(_ x: Double) -> Double {
    let y = Elementary.sigmoid(x)
    return y * (1 - y) * (2 + x * (1 - 2 * y))
  }
}

public struct Softplus: SmoothActivation {
  public static let name = "softplus"
  public static let summary = "log(1 + e^x)"
  public static let normalisation = (outer: 2.0, offset: -2 * 0x1.62e42fefa39efp-1)
  public static let derivatives = (second: 0.5, third: 0.0)
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

public struct Sinh: SmoothActivation {
  public static let name = "sinh"
  public static let summary = "sinh(x)"
  public static let normalisation = (outer: 1.0, offset: 0.0)
  public static let derivatives = (second: 0.0, third: 1.0)
  public let scaling: ActivationScaling
  public init(_ scaling: ActivationScaling) { self.scaling = scaling }
  @inlinable @inline(__always) public static func function(_ x: Double) -> Double { Elementary.sinh(x) }
  @inlinable @inline(__always) public static func derivative(_ x: Double, _ y: Double) -> Double {
    (1 + y * y).squareRoot()
  }
  @inlinable @inline(__always) public static func curvature(_ x: Double) -> Double { Elementary.sinh(x) }
}

/// A line of the catalog of activations.
public struct ActivationEntry: Entry {
  public var kind: String { "activation" }
  public var table: String? { "\(NetworkFamily.table).activation" }
  public var equation: String { "" }
  public var reference: String { "" }
  public let name: String
  public let summary: String
  public let parameters: [Parameter]
  /// Makes the activation for a width.
  public let make: @Sendable (_ parameters: Parameters, _ width: Int) -> any Activation
  /// Derivatives at 0 of the normalised function, for smooth ones.
  public let derivatives: (second: Double, third: Double)?
  /// For slopes that are `1 + c width^-p`.
  let shapedSlopes: (@Sendable (_ parameters: Parameters) -> ShapedSlopes)?

  init(
    name: String, summary: String, parameters: [Parameter], derivatives: (second: Double, third: Double)? = nil,
    shapedSlopes: (@Sendable (_ parameters: Parameters) -> ShapedSlopes)? = nil,
    make: @escaping @Sendable (_ parameters: Parameters, _ width: Int) -> any Activation
  ) {
    self.name = name
    self.summary = summary
    self.parameters = parameters
    self.derivatives = derivatives
    self.shapedSlopes = shapedSlopes
    self.make = make
  }

  /// A smooth function, plain, or shaped where `a` is given.
  static func smooth<F: SmoothActivation>(_ function: F.Type) -> ActivationEntry {
    let shape = Parameter(
      "a", .real(.above(0)), optional: true,
      "shaped: s phi(x/s) with s = a sqrt(width), phi scaled to phi(0) = 0, phi'(0) = 1")
    return ActivationEntry(name: F.name, summary: F.summary, parameters: [shape], derivatives: F.derivatives) {
      p, width in
      p["a"] == nil ? F() : F(scale: p.real("a") * Double(width).squareRoot())
    }
  }

  /// All activations, in the order of the catalog.
  public static let all: [ActivationEntry] = [
    ActivationEntry(name: "linear", summary: "x", parameters: [], shapedSlopes: { _ in .linear }) { _, _ in
      SlopeActivation(plus: 1, minus: 1)
    },
    ActivationEntry(name: "relu", summary: "max(x, 0)", parameters: []) { _, _ in
      SlopeActivation(plus: 1, minus: 0)
    },
    ActivationEntry(
      name: "leaky-relu", summary: "plus max(x, 0) + minus min(x, 0)",
      parameters: [
        Parameter("plus", .real(.finite), default: .real(1), "slope above 0"),
        Parameter("minus", .real(.finite), default: .real(0.01), "slope below 0"),
      ]
    ) { p, _ in SlopeActivation(plus: p.real("plus"), minus: p.real("minus")) },
    ActivationEntry(
      name: "shaped-relu",
      summary: "s+ max(x, 0) + s- min(x, 0), s± = 1 + c± width^-p, p = 1/2 unless given (arXiv:2206.02768)",
      parameters: ShapedSlopes.parameters, shapedSlopes: { ShapedSlopes($0) }
    ) { p, width in ShapedSlopes(p).activation(width) },
    smooth(Tanh.self), smooth(Erf.self), smooth(Gelu.self), smooth(Silu.self), smooth(Softplus.self), smooth(Sinh.self),
  ]

  static let names = all.map(\.name)
}
