/// A formula as it is written: the tree of its text, before names mean anything.
///
/// Numbers are not negative (a minus sign is a node of its own). Two expressions are equal if their trees are, wherever their parts
/// stand in the text.
public struct FormulaTree: Equatable, Sendable {
  public indirect enum Kind: Equatable, Sendable {
    case number(Double)
    /// `x`, `log_lambda[0]`, `V[0,1]`: the indices are part of the name, which has no spaces.
    case name(String)
    case negated(FormulaTree)
    case binary(Operator, FormulaTree, FormulaTree)
    case call(String, [FormulaTree])
  }

  public enum Operator: String, CaseIterable, Sendable {
    case or = "|"
    case and = "&"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case plus = "+"
    case minus = "-"
    case times = "*"
    case over = "/"
    case power = "^"

    /// What binds tighter is larger.
    var precedence: Int {
      switch self {
      case .or: 1
      case .and: 2
      case .less, .lessOrEqual, .greater, .greaterOrEqual: 3
      case .plus, .minus: 4
      case .times, .over: 5
      case .power: 7
      }
    }

    var isComparison: Bool { precedence == 3 }
    /// Whether it joins conditions.
    var isLogical: Bool { precedence <= 2 }
  }

  public let kind: Kind
  /// Where it stands in its text, in characters from 1: an operator's own place, otherwise the beginning. 0 if it has no text.
  public let column: Int
  /// Levels below this one.
  let depth: Int

  public init(_ kind: Kind, column: Int = 0) {
    self.kind = kind
    self.column = column
    depth =
      switch kind {
      case .number, .name: 0
      case .negated(let a): a.depth + 1
      case .binary(_, let a, let b): max(a.depth, b.depth) + 1
      case .call(_, let list): (list.map(\.depth).max() ?? 0) + 1
      }
  }

  public static func == (a: FormulaTree, b: FormulaTree) -> Bool { a.kind == b.kind }

  /// Whether it is true or false, not a number.
  public var isCondition: Bool {
    if case .binary(let symbol, _, _) = kind { return symbol.isComparison || symbol.isLogical }
    return false
  }

  /// Calls `body` with every name, as often as it occurs, from left to right.
  func forEachName(_ body: (String) -> Void) {
    switch kind {
    case .number: break
    case .name(let name): body(name)
    case .negated(let a): a.forEachName(body)
    case .binary(_, let a, let b):
      a.forEachName(body)
      b.forEachName(body)
    case .call(_, let list): for a in list { a.forEachName(body) }
    }
  }
}

extension FormulaTree: CustomStringConvertible {
  /// A text that parses to this tree, with no more parentheses than it needs.
  public var description: String {
    var text = ""
    write(to: &text)
    return text
  }

  /// Level of the sign: between the product and the power, as in Python.
  private static let sign = 6
  private static let atom = 8

  private var level: Int {
    switch kind {
    case .number, .name, .call: Self.atom
    case .negated: Self.sign
    case .binary(let symbol, _, _): symbol.precedence
    }
  }

  private func write(to text: inout String, atLeast least: Int) {
    let bare = level >= least
    if !bare { text += "(" }
    write(to: &text)
    if !bare { text += ")" }
  }

  private func write(to text: inout String) {
    switch kind {
    case .number(let value): text += "\(value)"
    case .name(let name): text += name
    case .negated(let a):
      text += "-"
      a.write(to: &text, atLeast: Self.sign)
    case .binary(let symbol, let a, let b):
      let level = symbol.precedence
      let (left, right) =
        switch symbol {
        case .power: (Self.atom, Self.sign)
        case .less, .lessOrEqual, .greater, .greaterOrEqual: (level + 1, level + 1)
        default: (level, level + 1)
        }
      a.write(to: &text, atLeast: left)
      text += symbol == .power ? "^" : " \(symbol.rawValue) "
      b.write(to: &text, atLeast: right)
    case .call(let name, let list):
      text += name + "("
      for (k, a) in list.enumerated() {
        if k > 0 { text += ", " }
        a.write(to: &text)
      }
      text += ")"
    }
  }
}
