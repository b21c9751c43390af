import Experiments

/// The first line of a text file: names, or a row of numbers? A wrong guess shifts every row by one, so what is not clear is refused, and
/// the key `header` decides.
///
/// | the first line holds | it is |
/// |---|---|
/// | numbers only | a row; refused if they are 0, 1, …, as the names that a data frame gives |
/// | words, at least one of them above numbers | names |
/// | numbers beside gaps or words; a damaged number (`1x`, `1,5`); words above no numbers | refused |
struct FirstLine {
  static let hash = UInt8(ascii: "#")

  private enum Kind { case number, gap, damaged, word }

  private let file: String
  private let line: Int
  let texts: [String]
  let numbers: [Double?]
  /// Whether it begins with #, as what numpy.savetxt writes above a table does.
  let isComment: Bool

  init(file: String, line: Int, cells: [DelimitedScanner.Cell], _ scanner: DelimitedScanner) {
    self.file = file
    self.line = line
    var cells = cells[...]
    isComment = cells.first.map { !$0.isQuoted && scanner.text($0).hasPrefix("#") } ?? false
    // `# a b` of numpy.savetxt, with spaces between: the # is a cell of its own.
    if isComment, cells.count > 1, scanner.separator == .spaces, scanner.text(cells[0]) == "#" { cells.removeFirst() }
    var texts = cells.map(scanner.text)
    numbers = cells.map(scanner.number)
    if isComment {
      // `# a,b` names a and b; `#,a` has a column that is called #.
      let name = texts[0].drop { $0 == "#" || $0 == " " || $0 == "\t" }
      if !name.isEmpty { texts[0] = String(name) }
    }
    self.texts = texts
  }

  static func comment(_ file: String, _ line: Int) -> Failure {
    Failure(
      .badData,
      "\(file), line \(line): begins with #; comments are not read, except for # before the names of the columns")
  }

  var comment: Failure { Self.comment(file, line) }

  /// Whether the line holds names.
  /// - Parameters:
  ///   - rows: lines below this one.
  ///   - holdsNumbers: whether a column holds numbers in them, damaged ones too.
  func isHeader(stated: Bool?, rows: Int, holdsNumbers: (Int) -> Bool) throws -> Bool {
    let noRows = Failure(.badData, "\(file), line \(line): names, and no rows below")
    if let stated {
      if !stated, isComment { throw comment }
      if stated, rows == 0 { throw noRows }
      return stated
    }
    let kinds = texts.indices.map { Self.kind(texts[$0], numbers[$0]) }
    let ways = "give header = true if the line holds names, header = false if it is a row"
    func refused(_ column: Int, _ words: String) -> Failure {
      Failure(.badData, "\(file), line \(line), column \(column + 1) (\"\(Self.shown(texts[column]))\"): \(words)")
    }
    if isComment, kinds[0] != .word { throw comment }
    if kinds.allSatisfy({ $0 == .number }) {
      if numbers.indices.allSatisfy({ numbers[$0] == Double($0) }) {
        throw Failure(
          .badData,
          "\(file), line \(line): \(texts.count == 1 ? "0" : texts.count == 2 ? "0, 1" : "0, …, \(texts.count - 1)") may be the names that a data frame gives to its columns, or a row; \(ways)"
        )
      }
      return false
    }
    if let damaged = kinds.firstIndex(of: .damaged) {
      throw refused(damaged, Self.complaint(texts[damaged]) + "; \(ways)")
    }
    if let number = kinds.firstIndex(of: .number) {
      if let word = kinds.firstIndex(of: .word) {
        throw refused(word, "stands in a line with the number \(texts[number]); \(ways)")
      }
      let gap = kinds.firstIndex(of: .gap)!
      throw refused(gap, "a first line of numbers and gaps is not a whole row; \(ways) and the gap has been filled")
    }
    guard let word = kinds.firstIndex(of: .word) else {
      throw refused(0, "a first line of gaps is neither names nor a row; \(ways) and the gaps have been filled")
    }
    guard rows > 0 else { throw noRows }
    guard kinds.indices.contains(where: { kinds[$0] == .word && holdsNumbers($0) }) else {
      throw refused(word, "no word of the first line stands above numbers; \(ways)")
    }
    return true
  }

  /// The names, all different.
  func names() throws -> [String] {
    var columns: [String: Int] = [:]
    for (index, name) in texts.enumerated() {
      guard let other = columns.updateValue(index, forKey: name) else { continue }
      let words = name.isEmpty ? "have no name" : "have the same name, \(Self.shown(name))"
      throw Failure(.badData, "\(file), line \(line): columns \(other + 1) and \(index + 1) both \(words)")
    }
    return texts
  }

  /// No name, or the one that pandas gives to a column without a name that it reads.
  static func isUnnamed(_ name: String) -> Bool { name.isEmpty || name.wholeMatch(of: /Unnamed: \d+/) != nil }

  /// Whether a text looks like a number that went wrong.
  static func isDamaged(_ text: String) -> Bool { kind(text, nil) == .damaged }

  private static let gaps: Set<String> = [
    "", "na", "n/a", "#n/a", "<na>", "nan", "nat", "null", "nil", "none", "inf", "infinity", "?", ".", "-", "--", "*",
  ]

  private static func kind(_ text: String, _ number: Double?) -> Kind {
    if let number { return number.isFinite ? .number : .damaged }
    let bare = text.trimming(" \t\n\r").lowercased()
    let unsigned = bare.hasPrefix("-") || bare.hasPrefix("+") ? String(bare.dropFirst()) : bare
    if gaps.contains(bare) || gaps.contains(unsigned) { return .gap }
    // What begins as a number does is no name: `1x`, `1,5`, `$5`, `−1` with a typographic minus.
    let start = bare.drop { "+-−.,;$€£('\t \u{A0}".contains($0) }
    return start.first?.isNumber == true ? .damaged : .word
  }

  /// What is wrong with a cell that should be a number.
  static func complaint(_ text: String) -> String {
    let bare = text.trimming(" \t")
    if bare.isEmpty { return "a gap; fill it, or leave out the row or the column" }
    let words = "\"\(shown(text))\" is not a finite number"
    if bare.wholeMatch(of: /[+-]?\d+,\d+([eE][+-]?\d+)?/) != nil {
      return "\(words): it has a decimal comma; write \(bare.replacing(",", with: "."))"
    }
    return words
  }

  /// At most forty characters, in one line.
  private static func shown(_ text: String) -> String {
    let line = String(text.map { $0.isNewline ? " " : $0 })
    return line.count > 40 ? line.prefix(39) + "…" : line
  }
}
