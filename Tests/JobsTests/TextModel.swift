import Experiments
import Foundation

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self) }
  mutating func chance(_ p: Double) -> Bool { Double.random(in: 0..<1, using: &self) < p }
  mutating func pick<T>(_ list: [T]) -> T { list[below(list.count)] }
}

/// A text file as its writer sees it: cells with their meaning, not bytes. What a reader should make of it follows from the meaning.
struct TextModel {
  enum Meaning { case number(Double), word, gap, damaged }

  struct Cell {
    var text: String
    var meaning: Meaning
    var isQuoted = false
    /// Separator behind it, if another one than that of the file.
    var separator: Character?
    /// Blanks around it, where they are allowed.
    var padding = ""

    var value: Double? { if case .number(let value) = meaning { value } else { nil } }
    var isWord: Bool { if case .word = meaning { true } else { false } }
    var isDamaged: Bool { if case .damaged = meaning { true } else { false } }
  }

  var separator: Character = ","
  var records: [[Cell]] = []
  /// Line end of each record, and of those in quotes.
  var lineEnds: [String] = []
  var blankLinesAfter: Set<Int> = []
  /// Whether the first record was written as names.
  var isNamed = false
  /// The key `header` of the job.
  var stated: Bool?
  var hasMark = false
  var endsInLineEnd = true

  /// A table as the bytes say it.
  struct Truth {
    var columns: [String] = []
    var rows: [[Double]] = []
  }

  // MARK: Bytes

  /// The bytes, and where every cell of every record is.
  func bytes() -> (bytes: [UInt8], spans: [[Range<Int>]]) {
    var bytes: [UInt8] = hasMark ? [0xEF, 0xBB, 0xBF] : []
    var spans: [[Range<Int>]] = []
    for (r, record) in records.enumerated() {
      spans.append([])
      for (c, cell) in record.enumerated() {
        let start = bytes.count
        bytes += raw(cell, isAlone: record.count == 1).utf8
        spans[r].append(start..<bytes.count)
        if c < record.count - 1 { bytes += String(cell.separator ?? separator).utf8 }
      }
      if r < records.count - 1 || endsInLineEnd { bytes += lineEnds[r].utf8 }
      if blankLinesAfter.contains(r) { bytes += lineEnds[r].utf8 }
    }
    return (bytes, spans)
  }

  private func raw(_ cell: Cell, isAlone: Bool) -> String {
    let mustQuote =
      cell.isWord && cell.text.contains { ",;\t \"\n".contains($0) }
      || (cell.text.isEmpty && (separator == " " || isAlone))
    guard cell.isQuoted || mustQuote else {
      return separator == " " ? cell.text : cell.padding + cell.text + cell.padding
    }
    let quoted = "\"" + cell.text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    return separator == " " ? quoted : cell.padding + quoted + cell.padding
  }

  // MARK: Truth

  /// nil if the file must be refused.
  func truth() -> Truth? {
    guard let records = divided(), let width = records.first?.count, records.allSatisfy({ $0.count == width }) else {
      return nil
    }
    let first = records[0]
    // A first line of words could have been written as names, one of numbers as a row.
    var isHeader = isNamed
    if first.allSatisfy({ $0.value == nil && !$0.isDamaged }), first.contains(where: \.isWord) { isHeader = true }
    if first.allSatisfy({ $0.value != nil }), !first.indices.allSatisfy({ first[$0].value == Double($0) }) {
      isHeader = false
    }
    isHeader = stated ?? isHeader
    var truth = Truth()
    if isHeader {
      truth.columns = first.map(\.text)
      guard Set(truth.columns).count == width, !truth.columns.contains("") else { return nil }
    }
    for record in records.dropFirst(isHeader ? 1 : 0) {
      let values = record.compactMap(\.value)
      guard values.count == width else { return nil }
      truth.rows.append(values)
    }
    return truth.rows.isEmpty ? nil : truth
  }

  /// The records as the one separator divides them that gives all of them the same number of cells; of a file with one separator, as they are.
  private func divided() -> [[Cell]]? {
    let used = Set(records.flatMap { $0.dropLast().map { $0.separator ?? separator } })
    let signs = used.filter { $0 != " " }
    if used.count <= 1 || signs.isEmpty { return records }
    let readings = signs.compactMap { sign -> [[Cell]]? in
      let reading = records.compactMap { joined($0, at: sign) }
      return reading.count == records.count ? reading : nil
    }
    if signs.count == 1 { return readings.first }
    let regular = readings.filter { reading in
      reading[0].count > 1 && reading.allSatisfy { $0.count == reading[0].count }
    }
    return regular.count == 1 ? regular[0] : nil
  }

  /// Cells with another separator between them are one; nil if there are quotes in the middle of it.
  private func joined(_ record: [Cell], at sign: Character) -> [Cell]? {
    var result: [Cell] = []
    var link: Character?
    for cell in record {
      if let between = link {
        let last = result.removeLast()
        guard ![last, cell].contains(where: { raw($0, isAlone: false).contains("\"") }) else { return nil }
        let text = (last.text + last.padding + String(between) + cell.padding + cell.text)
          .trimmingCharacters(in: CharacterSet(charactersIn: sign == "\t" ? " " : " \t"))
        result.append(Cell(text: text, meaning: Self.meaning(text), separator: cell.separator))
      } else {
        result.append(cell)
      }
      let behind = cell.separator ?? separator
      link = behind == sign ? nil : behind
    }
    return result
  }

  /// The model of the file that ends after a given number of bytes; nil if no reader may take it.
  func truncated(_ end: Int) -> TextModel? {
    let (bytes, spans) = bytes()
    guard end > (hasMark ? 3 : 0) else { return nil }
    var result = self
    result.records = []
    for (r, cells) in spans.enumerated() where cells[0].lowerBound < end {
      var record: [Cell] = []
      for (c, span) in cells.enumerated() where span.lowerBound < end || (c > 0 && span.lowerBound == end) {
        guard span.upperBound > end || (span.upperBound == end && span.isEmpty) else {
          record.append(records[r][c])
          continue
        }
        let raw = String(decoding: bytes[span.lowerBound..<end], as: UTF8.self)
        guard raw.utf8.count == end - span.lowerBound, !raw.contains("\u{FFFD}") else { return nil }
        let blanks = CharacterSet(charactersIn: separator == "\t" ? " " : " \t")
        let bare = raw.trimmingCharacters(in: blanks)
        guard bare.filter({ $0 == "\"" }).count % 2 == 0 else { return nil }
        if bare.isEmpty, separator == " " || cells.count == 1 || c == 0 { break }
        let text =
          bare.hasPrefix("\"") ? bare.dropFirst().dropLast().replacingOccurrences(of: "\"\"", with: "\"") : bare
        record.append(Self.cell(text, like: records[r][c]))
      }
      if !record.isEmpty { result.records.append(record) }
    }
    return result.records.isEmpty ? nil : result
  }

  /// What is left of a cell.
  private static func cell(_ text: String, like old: Cell) -> Cell {
    var cell = old
    cell.text = text
    cell.meaning = meaning(text)
    return cell
  }

  /// What a text says without knowledge of what it comes from.
  private static func meaning(_ text: String) -> Meaning {
    let bare = text.trimmingCharacters(in: .whitespaces)
    if bare.isEmpty { return .gap }
    if bare.wholeMatch(of: /[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/) != nil {
      let value = strtod(bare, nil)
      return value.isFinite ? .number(value) : .damaged
    }
    if ["na", "nan", "null", "-", "n/a", "+", "."].contains(bare.lowercased()) { return .gap }
    return bare.drop { ",;\t -+.−$".contains($0) }.first?.isNumber == true ? .damaged : .word
  }
}
