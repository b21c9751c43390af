import Formulas

/// Formulas in the tables of a job: `{ formula = "tanh(a*x)", a = 1.5 }`.
public enum FormulaKeys {
  /// The parameters of a formula: all keys of its table but those that mean something else.
  /// - Throws: `Failure` naming the key of what is no finite number.
  public static func parameters(
    _ table: [String: JobValue], except own: [String], path: String
  ) throws -> [String: Double] {
    var result: [String: Double] = [:]
    for (key, value) in table.sorted(by: { $0.key < $1.key }) where !own.contains(key) {
      guard let number = value.number, number.isFinite else {
        var hint = ""
        if case .list(let items) = value, items.contains(where: { $0.number != nil }) {
          hint = Parameters.sweepHint("\(path).\(key)", value)
        }
        throw Failure.invalid(
          key: "\(path).\(key)", value: value.description,
          allowed: "must be a finite number, a parameter of the formula\(hint)\(Nearest.hint(key, among: own))")
      }
      result[key] = number
    }
    return result
  }

  /// Reads a formula.
  /// - Parameters:
  ///   - key: dotted, for messages; its table is `table`.
  ///   - parameters: those that its table gives; each must occur in the formula.
  ///   - implied: parameters that every formula of this place may use; the table's own win.
  /// - Throws: `Failure` with the column of a syntax error, or naming a parameter that the formula lacks.
  public static func read(
    _ text: JobValue, key: String, variables: [String], parameters: [String: Double] = [:],
    implied: [String: Double] = [:], table: String
  ) throws -> Formula {
    guard case .text(let words) = text else {
      throw Failure.invalid(key: key, value: text.description, allowed: "must be a formula in quotes")
    }
    let formula: Formula
    do {
      formula = try Formula(words, variables: variables, parameters: implied.merging(parameters) { $1 })
    } catch let error as FormulaError {
      let place = error.column > 0 ? "\(error)" : error.message
      throw Failure.invalid(
        key: key, value: text.description,
        allowed: "is no formula in \(list(variables)): \(place)\(parameterHint(words, variables))")
    }
    for name in formula.unusedParameters where parameters[name] != nil {
      throw Failure.invalid(
        key: "\(table).\(name)", value: "\(parameters[name]!)",
        allowed: "unknown key\(Nearest.remark(name, among: formula.tree.names)); the formula has no such parameter")
    }
    return formula
  }

  /// For a name that is neither a variable nor given: it may be meant as a parameter.
  private static func parameterHint(_ text: String, _ variables: [String]) -> String {
    guard let names = try? FormulaTree(parsing: text).names else { return "" }
    let other = names.first { !variables.contains($0) && !$0.contains("[") && $0 != "pi" }
    return other.map { " (or give \($0) = … beside the formula)" } ?? ""
  }

  private static func list(_ names: [String]) -> String {
    names.count > 8 ? "the observables" : names.joined(separator: ", ")
  }
}

extension JobValue {
  /// The same with every formula written in one way, for the identity of a job: spaces and needless parentheses do not count.
  public var withCanonicalFormulas: JobValue {
    switch self {
    case .table(let table):
      .table(
        Dictionary(
          uniqueKeysWithValues: table.map { key, value in
            if key == "formula", case .text(let text) = value, let tree = try? FormulaTree(parsing: text) {
              return (key, .text(tree.description))
            }
            return (key, value.withCanonicalFormulas)
          }))
    case .list(let items): .list(items.map(\.withCanonicalFormulas))
    default: self
    }
  }
}
