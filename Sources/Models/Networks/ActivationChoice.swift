import Experiments
import Formulas

/// The activation of a network, as its job gives it: a line of the catalog, or a formula.
public struct ActivationChoice: Sendable {
  /// That of the catalog, or the formula as it is written back.
  public let name: String
  public let function: any Activation
  /// Those of shaped ReLU, and of linear activations.
  package let shapedSlopes: ShapedSlopes?
  /// The shape of a smooth function that is shaped, `s = a sqrt(width)`, and the derivatives at 0 of its normalised form.
  package let smoothShape: (a: Double, second: Double, third: Double)?
  /// Labels for the file.
  let attributes: [String: String]

  package static let words = "a name, a table with a name and its parameters, or { formula = … } in x"

  /// Where a formula leaves the numbers, as part of a sentence; empty if it does not.
  package var eventRemark: String { attributes["domain"].map { " (\($0))" } ?? "" }

  /// Reads `"relu"`, `{ name = "shaped-relu", c_plus = 0.0, … }` or `{ formula = "tanh(a*x)", a = 1.5 }`.
  public init(_ value: JobValue, path: String, width: Int) throws {
    var table: [String: JobValue] = [:]
    switch value {
    case .text: table["name"] = value
    case .table(let given): table = given
    default:
      var hint = ""
      if case .list = value { hint = Parameters.sweepHint(path, value) }
      throw Failure.invalid(
        key: path, value: value.description, allowed: "must be a name or a table with a name\(hint)")
    }
    if let text = table["formula"] {
      let read = try ActivationFormula(text, table, path: path, width: width)
      (name, function) = (read.formula.tree.description, read.function)
      (smoothShape, attributes) = (read.shape, read.attributes)
      let slopes = function as? SlopeActivation
      shapedSlopes = slopes?.plus == 1 && slopes?.minus == 1 ? .linear : nil
      return
    }
    let names = ActivationEntry.names
    guard case .text(let name)? = table["name"], let entry = ActivationEntry.all.first(where: { $0.name == name })
    else { throw Self.unknown(table, path: path, names: names) }
    let parameters = try Parameters(
      .table(table), path: path,
      allowed: [Parameter("name", .choice(names), "activation")] + entry.parameters)
    self.name = name
    function = try entry.make(parameters, width)
    shapedSlopes = entry.shapedSlopes?(parameters)
    smoothShape = entry.derivatives.flatMap { derivatives in
      parameters["a"].map { _ in (parameters.real("a"), derivatives.second, derivatives.third) }
    }
    attributes = [:]
  }

  /// A name that no activation has, or none; what is a formula by its looks is told how to be one.
  private static func unknown(_ table: [String: JobValue], path: String, names: [String]) -> Failure {
    if case .text(let text)? = table["name"], (try? Formula(text, variables: ["x"])) != nil {
      return Failure.invalid(
        key: "\(path).name", value: "\"\(text)\"", allowed: "a formula is written { formula = \"\(text)\" }")
    }
    if table["name"] == nil,
      let key = table.keys.sorted().first(where: { !Nearest.hint($0, among: ["formula"]).isEmpty })
    {
      return Failure.invalid(
        key: "\(path).\(key)", value: table[key]!.description,
        allowed: "unknown key\(Nearest.hint(key, among: ["formula"]))")
    }
    return Failure.unknown(key: "\(path).name", value: table["name"], names: names)
  }
}
