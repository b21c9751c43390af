/// Words to a tree, by precedence climbing.
///
/// Text comes from strangers: its length, the nesting of its parentheses and the depth of its tree are limited, so that neither the
/// parser nor anything that walks the tree can exhaust the stack.
struct Parser {
  /// Characters of a formula.
  static let longest = 10_000
  /// Parentheses, signs and powers within each other.
  static let deepestNesting = 100
  /// Levels of a tree; a sum of n terms has n.
  static let deepestTree = 500

  private let words: [Token]
  private var next = 0
  private var nesting = 0

  /// - Throws: `FormulaError`.
  static func tree(_ text: String) throws -> FormulaTree {
    guard text.unicodeScalars.count <= longest else {
      throw FormulaError(longest + 1, "a formula has at most \(longest) characters")
    }
    var parser = Parser(words: try Lexer.words(text))
    let result = try parser.expression(atLeast: 1)
    guard parser.word.kind == .end else { throw parser.unexpectedAfterTerm() }
    return result
  }

  private init(words: [Token]) { self.words = words }

  private var word: Token { words[next] }

  private var symbol: FormulaTree.Operator? {
    switch word.kind {
    case .comparison(let symbol): symbol
    case .symbol(let character): FormulaTree.Operator(rawValue: String(character))
    default: nil
    }
  }

  private func unexpectedAfterTerm() -> FormulaError {
    switch word.kind {
    case .symbol(")"): FormulaError(word.column, "there is no ( for this )")
    case .symbol(","): FormulaError(word.column, "a comma stands between arguments of a function only")
    default: FormulaError(word.column, "expected an operator before \(word.text)")
    }
  }

  private mutating func expression(atLeast least: Int) throws -> FormulaTree {
    nesting += 1
    defer { nesting -= 1 }
    guard nesting <= Self.deepestNesting else {
      throw FormulaError(word.column, "more than \(Self.deepestNesting) levels of parentheses, signs or powers")
    }
    var left = try operand()
    while let symbol, symbol.precedence >= least {
      let column = word.column
      next += 1
      // A power binds to the right and takes a sign: 2^-x.
      let right = try expression(atLeast: symbol == .power ? 6 : symbol.precedence + 1)
      try check(symbol, column, left, right)
      left = try limited(.binary(symbol, left, right), column)
      if symbol.isComparison, let after = self.symbol, after.isComparison {
        throw FormulaError(word.column, "comparisons cannot be chained; join two of them with &")
      }
    }
    return left
  }

  /// A sign with what it belongs to, or what an operator can stand after.
  private mutating func operand() throws -> FormulaTree {
    let first = word
    next += 1
    switch first.kind {
    case .number(let value): return FormulaTree(.number(value), column: first.column)
    case .name(let name):
      if word.kind == .symbol("(") { return try call(name, first.column) }
      if let function = FormulaFunction.byName[name] {
        throw FormulaError(word.column, "\(function.name) is a function: expected (")
      }
      return FormulaTree(.name(name), column: first.column)
    case .symbol("-"), .symbol("+"):
      let inner = try expression(atLeast: 6)
      try number(inner)
      return first.kind == .symbol("+") ? inner : try limited(.negated(inner), first.column)
    case .symbol("("):
      let inner = try expression(atLeast: 1)
      guard word.kind == .symbol(")") else { throw missingEnd(of: first.column) }
      next += 1
      return inner
    case .end: throw FormulaError(first.column, "expected a number, a name or ( before the end")
    default: throw FormulaError(first.column, "expected a number, a name or ( before \(first.text)")
    }
  }

  private func missingEnd(of column: Int) -> FormulaError {
    FormulaError(word.column, "expected an operator or ) for the ( of column \(column)")
  }

  private mutating func call(_ name: String, _ column: Int) throws -> FormulaTree {
    guard let function = FormulaFunction.byName[name] else {
      throw FormulaError.unknown(column, "function", name, among: FormulaFunction.names)
    }
    let open = word.column
    next += 1
    var list: [FormulaTree] = []
    if word.kind != .symbol(")") {
      while true {
        list.append(try expression(atLeast: 1))
        guard word.kind == .symbol(",") else { break }
        next += 1
      }
    }
    guard word.kind == .symbol(")") else { throw missingEnd(of: open) }
    guard function.arity.contains(list.count) else {
      let (least, most) = (function.arity.lowerBound, function.arity.upperBound)
      let wanted = least == most ? (least == 1 ? "1 argument" : "\(least) arguments") : "\(least) to \(most) arguments"
      throw FormulaError(list.isEmpty ? word.column : column, "\(name) takes \(wanted), not \(list.count)")
    }
    next += 1
    for (k, argument) in list.enumerated() {
      if name == FormulaFunction.choice && k == 0 {
        try condition(argument, "the first argument of where")
      } else {
        try number(argument)
      }
    }
    return try limited(.call(name, list), column)
  }

  private func limited(_ kind: FormulaTree.Kind, _ column: Int) throws -> FormulaTree {
    let result = FormulaTree(kind, column: column)
    guard result.depth <= Self.deepestTree else {
      throw FormulaError(
        column, "the formula has more than \(Self.deepestTree) levels; put parts of a long sum in parentheses")
    }
    return result
  }

  private func check(
    _ symbol: FormulaTree.Operator, _ column: Int, _ left: FormulaTree, _ right: FormulaTree
  ) throws {
    for side in [left, right] {
      if symbol.isLogical { try condition(side, "what \(symbol.rawValue) joins") } else { try number(side) }
    }
  }

  private func condition(_ a: FormulaTree, _ what: String) throws {
    if !a.isCondition { throw FormulaError(a.column, "\(what) must be a comparison, such as x > 0") }
  }

  private func number(_ a: FormulaTree) throws {
    if a.isCondition { throw FormulaError(a.column, "a comparison is no number; write where(condition, 1, 0)") }
  }
}

extension FormulaTree {
  /// Reads a formula.
  /// - Throws: `FormulaError`, which says where, and what was expected there.
  public init(parsing text: String) throws { self = try Parser.tree(text) }
}
