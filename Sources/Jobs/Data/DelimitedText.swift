import Experiments

/// A table of numbers in a text file: CSV, and the same with semicolons, tabs or spaces.
///
/// Two things must never go wrong: the number of a row, and the column that a name speaks of. So the whole file is divided into cells
/// before anything is read, every line must have as many of them as the first, and what a line of names could be confused with is refused
/// (`DelimitedText+Header.swift`). That a cell is a number is asked of the rows and columns that are used: a column of text may be dropped.
package struct DelimitedText {
  let file: String
  /// Without a byte-order mark.
  private let bytes: [UInt8]
  private let separator: Separator
  private let firstLine, columns: Int
  /// The names of the columns, if the first line holds them.
  private let header: [String]?
  /// Where the rows are, from 0, without the header.
  private var rows: [(line: Int, offset: Int)] = []
  /// rows x columns; NaN for what is no finite number.
  private var values: [Double] = []
  private let isHeaderStated: Bool

  /// - Parameter stated: whether the first line holds names, if the job says so.
  package init(_ content: [UInt8], file: String, header stated: Bool?) throws {
    self.file = file
    isHeaderStated = stated != nil
    bytes = try Self.decoded(content, file: file)
    (separator, firstLine, columns, header, rows, values) = try bytes.withUnsafeBufferPointer { bytes in
      let separator = try DelimitedScanner.separator(of: bytes, file: file)
      var scanner = DelimitedScanner(bytes, file: file, separator)
      var cells: [DelimitedScanner.Cell] = []
      guard let first = try scanner.next(&cells) else { throw Failure(.badData, "\(file): is empty") }
      let top = FirstLine(file: file, line: first.line, cells: cells, scanner)
      let width = top.texts.count
      var rows: [(line: Int, offset: Int)] = [first]
      var values = top.numbers.map { $0 ?? .nan }
      while let place = try scanner.next(&cells) {
        guard cells.count == width else {
          throw top.isComment ? top.comment : DelimitedScanner.ragged(file, place.line, cells.count, width)
        }
        if let cell = cells.first, !cell.isQuoted, !cell.range.isEmpty, bytes[cell.range.lowerBound] == FirstLine.hash {
          throw FirstLine.comment(file, place.line)
        }
        rows.append(place)
        for cell in cells {
          let number = scanner.number(cell)
          values.append(number.map { $0.isFinite ? $0 : .nan } ?? .nan)
        }
      }
      if width == 1, let blank = scanner.blankLine {
        throw Failure(
          .badData,
          "\(file), line \(blank): an empty line in a file of one column may be a gap; fill it or remove the line")
      }
      func holdsNumbers(_ column: Int) -> Bool {
        if (1..<rows.count).contains(where: { !values[$0 * width + column].isNaN }) { return true }
        var below = DelimitedScanner(bytes, file: file, separator, offset: rows[1].offset, line: rows[1].line)
        return (try? below.next(&cells)) != nil && FirstLine.isDamaged(below.text(cells[column]))
      }
      guard try top.isHeader(stated: stated, rows: rows.count - 1, holdsNumbers: holdsNumbers) else {
        return (separator, first.line, width, nil, rows, values)
      }
      return (
        separator, first.line, width, try top.names(), Array(rows.dropFirst()), Array(values.dropFirst(width))
      )
    }
  }

  /// As the log says it: `5 columns, 120 rows, header: a, b, c, d, e`.
  package var summary: String {
    var words = [counted(columns, "column"), counted(rows.count, "row")]
    if separator != .comma { words.append("separated by \(separator.words)") }
    words.append(header.map { "header: " + DataTable.list($0, atMost: 10) } ?? "no header")
    if header == nil, countsRows { words.append("column 1 counts the rows from 0") }
    return words.joined(separator: ", ")
  }

  /// The rows with these numbers, from 0, or all; without the columns with these names.
  package func table(drop: [String], rows wanted: [Int]?) throws -> DataTable {
    let kept = try keptColumns(drop)
    if header == nil, !isHeaderStated, countsRows {
      throw Failure(
        .badData,
        "\(file), line \(rows[0].line): column 1 counts the rows from 0, as the index of a data frame does; save the table without it (index=False), or give header = false if it is data"
      )
    }
    return DataTable(
      columns: header.map { header in kept.map { header[$0] } } ?? [],
      rows: try (wanted ?? Array(rows.indices)).map { row in
        guard row < rows.count else {
          throw Failure(.badData, "\(file): row \(row) was asked for, but there are \(rows.count) rows (from 0)")
        }
        return try kept.map { column in
          let value = values[row * columns + column]
          guard value.isFinite else { throw notANumber(row, column) }
          return value
        }
      })
  }

  private func keptColumns(_ drop: [String]) throws -> [Int] {
    var kept = Array(0..<columns)
    for name in drop {
      guard let index = header?.firstIndex(of: name) else {
        throw Failure(
          .badData,
          "\(file): no column \(name.isEmpty ? "\"\"" : name) to drop; \(DataTable.words(for: name, among: header ?? []))"
        )
      }
      kept.removeAll { $0 == index }
    }
    guard !kept.isEmpty else { throw Failure(.badData, "\(file): every column is dropped") }
    if let header, let column = kept.first(where: { FirstLine.isUnnamed(header[$0]) }) {
      let name = header[column]
      throw Failure(
        .badData,
        "\(file), line \(firstLine): column \(column + 1) has no name\(name.isEmpty ? "" : " of its own (\(name))"), as the index of a data frame: leave it out with drop = [\"\(name)\"], or name it in the file"
      )
    }
    return kept
  }

  /// Whether the first of several columns is 0, 1, 2, ….
  private var countsRows: Bool {
    columns > 1 && rows.count > 2 && rows.indices.allSatisfy { values[$0 * columns] == Double($0) }
  }

  private func notANumber(_ row: Int, _ column: Int) -> Failure {
    let (line, offset) = rows[row]
    let text = bytes.withUnsafeBufferPointer { bytes in
      var scanner = DelimitedScanner(bytes, file: file, separator, offset: offset, line: line)
      var cells: [DelimitedScanner.Cell] = []
      _ = try? scanner.next(&cells)
      return column < cells.count ? scanner.text(cells[column]) : ""
    }
    let name = header.map { " (\($0[column]))" } ?? ""
    return Failure(.badData, "\(file), line \(line), column \(column + 1)\(name): \(FirstLine.complaint(text))")
  }

  /// UTF-8 without its byte-order mark; everything else is refused by name.
  private static func decoded(_ content: [UInt8], file: String) throws -> [UInt8] {
    func refused(_ words: String) -> Failure { Failure(.badData, "\(file): \(words)") }
    let advice = "; save it as a CSV file"
    for (name, magic) in [
      ("is in UTF-16; save it as UTF-8", [0xFF, 0xFE]), ("is in UTF-16; save it as UTF-8", [0xFE, 0xFF]),
      ("is compressed by gzip; unpack it first", [0x1F, 0x8B]),
      ("is a zip archive, such as .xlsx and .npz are" + advice, Array("PK\u{3}\u{4}".utf8)),
      ("is a Parquet file" + advice, Array("PAR1".utf8)), ("is an Arrow file" + advice, Array("ARROW1".utf8)),
    ] as [(String, [UInt8])] where content.starts(with: magic) { throw refused(name) }
    let text = content.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(content.dropFirst(3)) : content
    func line(at offset: Int) -> Int {
      1
        + text[..<offset].reduce(into: (count: 0, last: UInt8(0))) { state, byte in
          let isPair = byte == DelimitedScanner.lineFeed && state.last == DelimitedScanner.carriageReturn
          if [DelimitedScanner.lineFeed, DelimitedScanner.carriageReturn].contains(byte), !isPair { state.count += 1 }
          state.last = byte
        }.count
    }
    if let zero = text.firstIndex(of: 0) {
      throw Failure(
        .badData, "\(file), line \(line(at: zero)): holds a zero byte: it is no text, or in UTF-16; save it as UTF-8")
    }
    if text.contains(where: { $0 >= 0x80 }) {
      let lines = text.split { $0 == DelimitedScanner.lineFeed || $0 == DelimitedScanner.carriageReturn }
      if let bad = lines.first(where: { String(validating: $0, as: UTF8.self) == nil }) {
        throw Failure(.badData, "\(file), line \(line(at: bad.startIndex)): is not in UTF-8; save the file as UTF-8")
      }
    }
    return text
  }
}
