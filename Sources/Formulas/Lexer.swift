/// A word of a formula.
struct Token {
  enum Kind: Equatable {
    case number(Double)
    case name(String)
    case symbol(Character)
    case comparison(FormulaTree.Operator)
    case end
  }

  let kind: Kind
  let column: Int

  /// How an error message calls it.
  var text: String {
    switch kind {
    case .number(let value): "the number \(value)"
    case .name(let name): name
    case .symbol(let symbol): "\(symbol)"
    case .comparison(let symbol): symbol.rawValue
    case .end: "the end"
    }
  }
}

/// Cuts a text into words.
struct Lexer {
  private let text: [Unicode.Scalar]
  private var next = 0

  init(_ text: String.UnicodeScalarView) { self.text = Array(text) }

  static func words(_ text: String) throws -> [Token] {
    var lexer = Lexer(text.unicodeScalars)
    var words: [Token] = []
    repeat { words.append(try lexer.word()) } while words.last!.kind != .end
    return words
  }

  private var current: Unicode.Scalar? { next < text.count ? text[next] : nil }

  private static func isDigit(_ c: Unicode.Scalar?) -> Bool { c.map { "0"..."9" ~= $0 } ?? false }

  /// Letters of any script, and `_`.
  private static func beginsName(_ c: Unicode.Scalar?) -> Bool {
    c.map { $0 == "_" || $0.properties.isAlphabetic } ?? false
  }

  private mutating func skipSpace() {
    while let c = current, c == " " || c == "\t" || c == "\n" || c == "\r" { next += 1 }
  }

  private mutating func word() throws -> Token {
    skipSpace()
    let column = next + 1
    guard let c = current else { return Token(kind: .end, column: column) }
    if Self.isDigit(c) || c == "." { return Token(kind: .number(try number()), column: column) }
    if Self.beginsName(c) { return Token(kind: .name(try name()), column: column) }
    next += 1
    switch c {
    case "<", ">":
      let equal = current == "="
      if equal { next += 1 }
      let symbol: FormulaTree.Operator =
        c == "<" ? (equal ? .lessOrEqual : .less) : (equal ? .greaterOrEqual : .greater)
      return Token(kind: .comparison(symbol), column: column)
    case "*" where current == "*":
      next += 1
      return Token(kind: .symbol("^"), column: column)
    case "&" where current == "&", "|" where current == "|":
      throw FormulaError(column, "\(c)\(c) is no operator; did you mean \(c)?")
    case "=", "!":
      throw FormulaError(column, "there is no comparison for equality; expected <, <=, > or >=")
    case "+", "-", "*", "/", "^", "(", ")", ",", "&", "|": return Token(kind: .symbol(Character(c)), column: column)
    default:
      let shown = c.properties.generalCategory == .control ? "a control character" : "the character \(c)"
      throw FormulaError(column, "\(shown) has no meaning here")
    }
  }

  private mutating func digits() { while Self.isDigit(current) { next += 1 } }

  private mutating func number() throws -> Double {
    let first = next
    digits()
    if current == "." {
      next += 1
      digits()
    }
    guard next > first + (text[first] == "." ? 1 : 0) else {
      throw FormulaError(first + 1, "expected a number or a name")
    }
    if current == "e" || current == "E" {
      // `2e` is the number 2 and a name, which the parser refuses with a better message.
      let mark = next
      next += 1
      if current == "+" || current == "-" { next += 1 }
      if Self.isDigit(current) { digits() } else { next = mark }
    }
    var written = String(String.UnicodeScalarView(text[first..<next]))
    if written.hasPrefix(".") { written = "0" + written }
    written = written.replacing(".e", with: ".0e").replacing(".E", with: ".0E")
    if written.hasSuffix(".") { written += "0" }
    guard let value = Double(written), value.isFinite else {
      throw FormulaError(first + 1, "the number is too large; expected at most \(Double.greatestFiniteMagnitude)")
    }
    return value
  }

  /// A name with its indices: parts joined by dots, then `[0,1]`.
  private mutating func name() throws -> String {
    let first = next
    while true {
      while Self.beginsName(current) || Self.isDigit(current) { next += 1 }
      guard current == ".", next + 1 < text.count, Self.beginsName(text[next + 1]) else { break }
      next += 1
    }
    let stem = String(String.UnicodeScalarView(text[first..<next]))
    guard current == "[" else { return stem }
    next += 1
    var indices: [String] = []
    while true {
      skipSpace()
      let start = next
      digits()
      guard next > start, next - start <= 9 else {
        throw FormulaError(start + 1, "expected an index of \(stem), a whole number from 0")
      }
      indices.append(String(Int(String(String.UnicodeScalarView(text[start..<next])))!))
      skipSpace()
      if current == "]" { break }
      guard current == "," else { throw FormulaError(next + 1, "expected , or ] after an index of \(stem)") }
      next += 1
    }
    next += 1
    return "\(stem)[\(indices.joined(separator: ","))]"
  }
}
