import Experiments

/// What stands between the cells of a line.
enum Separator: UInt8, CaseIterable {
  case comma = 0x2C
  case semicolon = 0x3B
  case tab = 0x09
  /// Any number of spaces.
  case spaces = 0x20

  var words: String {
    switch self {
    case .comma: "commas"
    case .semicolon: "semicolons"
    case .tab: "tabs"
    case .spaces: "spaces"
    }
  }
}

/// Reads delimited text record by record, as RFC 4180 has it: cells in quotes may hold separators, line ends and doubled quotes. Lines end
/// in LF, CRLF or CR; blanks around cells are no part of them; quotes anywhere else than around a cell are an error.
struct DelimitedScanner {
  struct Cell {
    /// Offsets of the content, without quotes and blanks around it.
    var range: Range<Int>
    var isQuoted = false
  }

  static let (quote, lineFeed, carriageReturn, space, tab): (UInt8, UInt8, UInt8, UInt8, UInt8) = (
    0x22, 0x0A, 0x0D, 0x20, 0x09
  )

  let bytes: UnsafeBufferPointer<UInt8>
  let file: String
  let separator: Separator
  /// Where the next record begins; lines are counted from 1.
  var offset: Int
  var line: Int
  /// The first line without any cell before the last record that was read.
  private(set) var blankLine: Int?

  init(_ bytes: UnsafeBufferPointer<UInt8>, file: String, _ separator: Separator, offset: Int = 0, line: Int = 1) {
    self.bytes = bytes
    self.file = file
    self.separator = separator
    self.offset = offset
    self.line = line
  }

  /// The cells of the next line that is not blank, and where it is; nil at the end.
  mutating func next(_ cells: inout [Cell]) throws -> (line: Int, offset: Int)? {
    cells.removeAll(keepingCapacity: true)
    var blank: Int?
    while true {
      let start = offset
      skipBlanks()
      guard offset < bytes.count else { return nil }
      guard isLineEnd(offset) else {
        offset = start
        break
      }
      blank = blank ?? line
      endLine()
    }
    blankLine = blankLine ?? blank
    let place = (line, offset)
    repeat { cells.append(try cell(number: cells.count + 1)) } while takeSeparator()
    if offset < bytes.count { endLine() }
    return place
  }

  /// The text of a cell; doubled quotes are one.
  func text(_ cell: Cell) -> String {
    let text = String(decoding: bytes[cell.range], as: UTF8.self)
    return cell.isQuoted ? text.replacing("\"\"", with: "\"") : text
  }

  /// The content of a cell without blanks around it, also in quotes; nil if it is no number.
  func number(_ cell: Cell) -> Double? {
    var range = cell.range
    while let first = range.first, isBlank(bytes[first]) { range = range.dropFirst() }
    while let last = range.last, isBlank(bytes[last]) { range = range.dropLast() }
    return DecimalNumber.parse(UnsafeBufferPointer(rebasing: bytes[range]))
  }

  private func isBlank(_ byte: UInt8) -> Bool {
    byte == Self.space || (byte == Self.tab && separator != .tab)
  }

  private func isLineEnd(_ place: Int) -> Bool {
    bytes[place] == Self.lineFeed || bytes[place] == Self.carriageReturn
  }

  private mutating func skipBlanks() {
    while offset < bytes.count, isBlank(bytes[offset]) { offset += 1 }
  }

  /// Steps over one line end.
  private mutating func endLine() {
    let isPair = bytes[offset] == Self.carriageReturn && offset + 1 < bytes.count && bytes[offset + 1] == Self.lineFeed
    offset += isPair ? 2 : 1
    line += 1
  }

  /// Steps over what parts two cells; false at the end of the record.
  private mutating func takeSeparator() -> Bool {
    guard offset < bytes.count, !isLineEnd(offset) else { return false }
    if separator != .spaces { offset += 1 }
    return true
  }

  /// Reads a cell, up to the separator, the line end or the end of the file.
  private mutating func cell(number: Int) throws -> Cell {
    func refused(_ line: Int, _ words: String) -> Failure {
      Failure(.badData, "\(file), line \(line), column \(number): \(words)")
    }
    skipBlanks()
    guard offset < bytes.count, bytes[offset] == Self.quote else {
      let start = offset
      var end = offset
      while offset < bytes.count, bytes[offset] != separator.rawValue, !isLineEnd(offset) {
        guard bytes[offset] != Self.quote else {
          throw refused(line, "a quote within a cell; put the whole cell into quotes, and double those in it")
        }
        offset += 1
        if !isBlank(bytes[offset - 1]) { end = offset }
      }
      if separator == .spaces { skipBlanks() }
      return Cell(range: start..<end)
    }
    let opening = line
    offset += 1
    let start = offset
    while true {
      guard offset < bytes.count else { throw refused(opening, "a quote is opened here and never closed") }
      if bytes[offset] == Self.quote {
        guard offset + 1 < bytes.count, bytes[offset + 1] == Self.quote else { break }
        offset += 2
      } else if isLineEnd(offset) {
        endLine()
      } else {
        offset += 1
      }
    }
    let range = start..<offset
    offset += 1
    let close = offset
    skipBlanks()
    let isParted = separator == .spaces ? offset > close : offset < bytes.count && bytes[offset] == separator.rawValue
    guard offset == bytes.count || isLineEnd(offset) || isParted else {
      throw refused(line, "text after the closing quote; a quote within quotes must be doubled")
    }
    return Cell(range: range, isQuoted: true)
  }
}

extension DelimitedScanner {
  /// The separator of a text: the one of comma, semicolon and tab that is there outside quotes, or spaces where there is none of them. Of
  /// several, the only one that divides all lines into the same number of cells; refused where none does, or more than one.
  static func separator(of bytes: UnsafeBufferPointer<UInt8>, file: String) throws -> Separator {
    var counts: [Separator: Int] = [:]
    var isQuoted = false
    var hasSpace = false
    var line: (began: Bool, spaced: Bool) = (false, false)
    for byte in bytes {
      if byte == quote { isQuoted.toggle() }
      guard !isQuoted else {
        hasSpace = hasSpace || line.spaced
        line.began = true
        continue
      }
      switch byte {
      case space: line.spaced = line.began
      case lineFeed, carriageReturn: line = (false, false)
      default:
        if byte != space, let found = Separator(rawValue: byte) { counts[found, default: 0] += 1 }
        hasSpace = hasSpace || line.spaced
        line.began = true
      }
    }
    let found = Separator.allCases.filter { counts[$0] != nil }
    guard found.count > 1 else { return found.first ?? (hasSpace ? .spaces : .comma) }

    var regular: [Separator] = []
    var failures: [Separator: any Error] = [:]
    for separator in found {
      do {
        if try columns(bytes, file: file, separator) > 1 { regular.append(separator) }
      } catch { failures[separator] = error }
    }
    if regular.count == 1 { return regular[0] }
    if regular.isEmpty {
      let likely = failures.keys.max {
        counts[$0]! < counts[$1]! || (counts[$0]! == counts[$1]! && $0.rawValue > $1.rawValue)
      }
      throw likely.flatMap { failures[$0] }
        ?? Failure(.badData, "\(file), line 1: no separator divides it into columns")
    }
    let words = regular.map(\.words).joined(separator: " and ")
    throw Failure(
      .badData,
      "\(file), line 1: \(words) both divide every line into the same number of cells; write decimal points, not commas, and put names with such a sign into quotes"
    )
  }

  /// Cells in a line, the same in all of them; throws where one has more or fewer.
  private static func columns(
    _ bytes: UnsafeBufferPointer<UInt8>, file: String, _ separator: Separator
  ) throws -> Int {
    var scanner = DelimitedScanner(bytes, file: file, separator)
    var cells: [Cell] = []
    guard try scanner.next(&cells) != nil else { return 0 }
    let width = cells.count
    while let place = try scanner.next(&cells) {
      guard cells.count == width else { throw ragged(file, place.line, cells.count, width) }
    }
    return width
  }

  static func ragged(_ file: String, _ line: Int, _ count: Int, _ width: Int) -> Failure {
    Failure(.badData, "\(file), line \(line): \(counted(count, "column")), the first line has \(width)")
  }
}
