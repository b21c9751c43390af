import Experiments

/// A line of the catalog of activations.
public struct ActivationEntry: Entry {
  public var kind: String { "activation" }
  public var table: String? { "\(NetworkFamily.table).activation" }
  public var equation: String { "" }
  public var reference: String { "" }
  public let name: String
  public let summary: String
  public let parameters: [Parameter]
  /// Makes the activation for a width; throws a `Failure` that names the key.
  public let make: @Sendable (_ parameters: Parameters, _ width: Int) throws -> any Activation
  /// Derivatives at 0 of the normalised function, for smooth ones that can be shaped.
  public let derivatives: (second: Double, third: Double)?
  /// For slopes that are `1 + c width^-p`.
  let shapedSlopes: (@Sendable (_ parameters: Parameters) -> ShapedSlopes)?

  init(
    name: String, summary: String, parameters: [Parameter] = [], derivatives: (second: Double, third: Double)? = nil,
    shapedSlopes: (@Sendable (_ parameters: Parameters) -> ShapedSlopes)? = nil,
    make: @escaping @Sendable (_ parameters: Parameters, _ width: Int) throws -> any Activation
  ) {
    self.name = name
    self.summary = summary
    self.parameters = parameters
    self.derivatives = derivatives
    self.shapedSlopes = shapedSlopes
    self.make = make
  }

  /// All activations, in the order of the catalog.
  public static let all: [ActivationEntry] = [
    SlopeActivation.linear,
    SlopeActivation.relu,
    SlopeActivation.leakyRelu,
    SlopeActivation.shapedRelu,
    Tanh.entry,
    Erf.entry,
    Gelu.entry,
    Silu.entry,
    Softplus.entry,
    Sinh.entry,
    SlopeActivation.abs,
    ReluPower.entry,
    Sign.entry,
    Sin.entry,
    Cos.entry,
    SinPlusCos.entry,
    Exp.entry,
    GaussianBump.entry,
    GeluTanh.entry,
    Sigmoid.entry,
    NormalCDF.entry,
    Polynomial.entry,
  ]

  static let names = all.map(\.name)
}
