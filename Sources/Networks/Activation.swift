import Kernels
import Simulation

/// An activation function phi, applied to every pre-activation.
///
/// `value` runs inside vectorised loops: no branches, no calls but those of `Elementary`.
public protocol Activation: Sendable {
  func value(_ x: Double) -> Double
  /// `E phi(g)^2` for a standard normal g.
  var secondMoment: Double { get }
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

  public var secondMoment: Double { 0.5 * (plus * plus + minus * minus) }
}

public struct TanhActivation: Activation {
  public init() {}
  @inlinable @inline(__always)
  public func value(_ x: Double) -> Double { Elementary.tanh(x) }
  public var secondMoment: Double {
    GaussianExpectation.of {
      let y = value($0); return y * y
    }
  }
}

public struct ErfActivation: Activation {
  public init() {}
  @inlinable @inline(__always)
  public func value(_ x: Double) -> Double { Elementary.erf(x) }
  public var secondMoment: Double {
    GaussianExpectation.of {
      let y = value($0); return y * y
    }
  }
}

public struct GeluActivation: Activation {
  public init() {}
  @inlinable @inline(__always)
  public func value(_ x: Double) -> Double { Elementary.gelu(x) }
  public var secondMoment: Double {
    GaussianExpectation.of {
      let y = value($0); return y * y
    }
  }
}

/// An activation with its concrete type at hand, so that code over it is specialised where it is used.
public enum ActivationChoice: Sendable {
  case slopes(SlopeActivation)
  case tanh(TanhActivation)
  case erf(ErfActivation)
  case gelu(GeluActivation)

  /// Calls the visitor with the concrete activation.
  @inlinable
  public func accept<Visitor: ActivationVisitor>(_ visitor: Visitor) -> Visitor.Result {
    switch self {
    case .slopes(let activation): visitor.visit(activation)
    case .tanh(let activation): visitor.visit(activation)
    case .erf(let activation): visitor.visit(activation)
    case .gelu(let activation): visitor.visit(activation)
    }
  }

  public var secondMoment: Double {
    switch self {
    case .slopes(let activation): activation.secondMoment
    case .tanh(let activation): activation.secondMoment
    case .erf(let activation): activation.secondMoment
    case .gelu(let activation): activation.secondMoment
    }
  }
}

public protocol ActivationVisitor {
  associatedtype Result
  func visit<A: Activation>(_ activation: A) -> Result
}

/// A line of the catalog of activations.
public struct ActivationEntry: Sendable {
  public let name: String
  public let summary: String
  public let parameters: [Parameter]
  /// Makes the activation for a width.
  public let make: @Sendable (_ parameters: Parameters, _ width: Int) -> ActivationChoice

  /// All activations, in the order of the catalog.
  public static let all: [ActivationEntry] = [
    ActivationEntry(name: "linear", summary: "x", parameters: []) { _, _ in
      .slopes(SlopeActivation(plus: 1, minus: 1))
    },
    ActivationEntry(name: "relu", summary: "max(x, 0)", parameters: []) { _, _ in
      .slopes(SlopeActivation(plus: 1, minus: 0))
    },
    ActivationEntry(
      name: "leaky-relu", summary: "plus max(x, 0) + minus min(x, 0)",
      parameters: [
        Parameter("plus", .real(.finite), standard: .real(1), "slope above 0"),
        Parameter("minus", .real(.finite), standard: .real(0.01), "slope below 0"),
      ]
    ) { p, _ in .slopes(SlopeActivation(plus: p.real("plus"), minus: p.real("minus"))) },
    ActivationEntry(
      name: "shaped-relu",
      summary: "s+ max(x, 0) + s- min(x, 0), s± = 1 + c±/sqrt(width) (arXiv:2206.02768)",
      parameters: [
        Parameter("c_plus", .real(.finite), standard: .real(0), "shift of the slope above 0, times sqrt(width)"),
        Parameter("c_minus", .real(.finite), standard: .real(-1), "shift of the slope below 0, times sqrt(width)"),
      ]
    ) { p, width in
      let root = Double(width).squareRoot()
      return .slopes(
        SlopeActivation(plus: 1 + p.real("c_plus") / root, minus: 1 + p.real("c_minus") / root))
    },
    ActivationEntry(name: "tanh", summary: "tanh(x)", parameters: []) { _, _ in .tanh(TanhActivation()) },
    ActivationEntry(name: "erf", summary: "erf(x)", parameters: []) { _, _ in .erf(ErfActivation()) },
    ActivationEntry(name: "gelu", summary: "x Phi(x), Phi the normal distribution function", parameters: []) { _, _ in
      .gelu(GeluActivation())
    },
  ]

  /// Reads `"relu"` or `{ name = "shaped-relu", c_plus = 0.0, … }`.
  public static func read(_ value: JobValue, path: String, width: Int) throws -> (
    name: String, parameters: Parameters, choice: ActivationChoice
  ) {
    var table: [String: JobValue] = [:]
    switch value {
    case .text: table["name"] = value
    case .table(let given): table = given
    default:
      throw Failure.invalid(key: path, value: value.description, allowed: "must be a name or a table with a name")
    }
    let names = all.map(\.name)
    guard case .text(let name)? = table["name"], let entry = all.first(where: { $0.name == name }) else {
      throw Failure.invalid(
        key: "\(path).name", value: table["name"]?.description ?? "(missing)",
        allowed: "must be one of " + names.joined(separator: ", "))
    }
    let parameters = try Parameters(
      .table(table), path: path,
      allowed: [Parameter("name", .choice(names), "activation")] + entry.parameters)
    return (name, parameters, entry.make(parameters, width))
  }
}
