import Experiments
import Foundation
import Jobs
import Testing

/// Ten thousand files with faults put into them: each is read as the table that its bytes say, or refused with its name and a line. What the
/// bytes say is known from how they were written (`TextModel`), not from a second reader.
@Suite struct TextFuzzTests {
  static let names = [
    "a", "b", "x1", "label", "my name", "p,q", "r;s", "say \"hi\"", "two\nlines", "größe", "Na", "t#",
  ]
  static let gaps = ["", "NA", "nan", "NULL", "-", "n/a", "inf"]
  static let damaged = ["1x", "--3", "$5", "1_000", "0x1p3", "1e999", "1e", "1.2.3", "−1"]

  @Test func mutatedFilesAreReadRightOrRefused() throws {
    var random = SplitMix(state: 20_261_128)
    var (read, refused, whole) = (0, 0, 0)
    for number in 0..<10_000 {
      var model = Self.model(&random)
      let isClear = Self.isClear(model)
      let count = random.below(4)
      for _ in 0..<count { Self.mutate(&model, &random) }
      if random.chance(0.1) { model.stated = random.chance(0.5) }
      var (bytes, truth) = (model.bytes().bytes, model.truth())
      let isDamaged = random.chance(0.25)
      if isDamaged { (bytes, truth) = Self.damage(model, &random) }
      let text = String(decoding: bytes, as: UTF8.self).debugDescription
      do {
        let table = try DelimitedText(bytes, file: "t.csv", header: model.stated).table(drop: [], rows: nil)
        read += 1
        guard let truth else {
          Issue.record("\(number): \(text) was read as \(table.columns) \(table.rows)")
          continue
        }
        let isRight =
          table.columns == truth.columns
          && table.rows.map { $0.map(\.bitPattern) } == truth.rows.map { $0.map(\.bitPattern) }
        #expect(
          isRight, "\(number): \(text) was read as \(table.columns) \(table.rows), it is \(truth.columns) \(truth.rows)"
        )
      } catch let failure as Failure {
        refused += 1
        if count == 0, model.stated == nil, !isDamaged, isClear {
          whole += 1
          Issue.record("\(number): \(text) is a good file: \(failure.message)")
        }
        let says = failure.message.hasPrefix("t.csv, line ") || failure.message == "t.csv: is empty"
        #expect(says && failure.status == .badData, "\(number): \(text): \(failure.message)")
        if let line = Int(failure.message.dropFirst("t.csv, line ".count).prefix { $0.isNumber }) {
          let lines = text.components(separatedBy: "\\n").count + text.components(separatedBy: "\\r").count
          #expect((1...lines).contains(line), "\(number): \(text): \(failure.message)")
        }
      }
    }
    // Refusing everything, or nothing, would pass above.
    #expect(read > 3_000 && refused > 3_000 && whole == 0, "\(read) read, \(refused) refused")
  }

  /// A table that is written well, in one of the ways people write them.
  private static func model(_ random: inout SplitMix) -> TextModel {
    var model = TextModel()
    model.separator = random.pick([",", ",", ";", "\t", " "])
    let (columns, rows) = (1 + random.below(5), 1 + random.below(7))
    model.isNamed = random.chance(0.6)
    if model.isNamed {
      model.records.append(names.shuffled(using: &random).prefix(columns).map { .init(text: $0, meaning: .word) })
    }
    for _ in 0..<rows { model.records.append((0..<columns).map { _ in numberCell(&random) }) }
    let end = random.pick(["\n", "\n", "\r\n", "\r"])
    model.lineEnds = model.records.map { _ in end }
    model.hasMark = random.chance(0.2)
    model.endsInLineEnd = random.chance(0.8)
    let (quotes, blanks) = (random.pick([0, 0, 0.3, 1]), random.pick([0, 0, 0.3]))
    for r in model.records.indices {
      for c in 0..<columns {
        model.records[r][c].isQuoted = random.chance(quotes)
        if random.chance(blanks) { model.records[r][c].padding = random.pick([" ", "  "]) }
      }
    }
    return model
  }

  /// A number in one of the ways they are printed; its value is that of strtod.
  private static func numberCell(_ random: inout SplitMix) -> TextModel.Cell {
    let value = Double.random(in: -1000...1000, using: &random)
    let text =
      switch random.below(9) {
      case 0: String(Int(value))
      case 1: String(format: "%.3f", value)
      case 2: String(format: "%.17g", value)
      case 3: String(format: "%.18e", value)
      case 4: "+" + String(abs(Int(value)))
      case 5: String(abs(Int(value))) + "."
      case 6: "." + String(random.below(1_000_000))
      case 7: String(random.below(100)) + random.pick(["e", "E"]) + String(random.below(60) - 30)
      default:
        random.pick(["0", "1", "-0", "9007199254740993", "1e-400", "123456789012345678901234567890", "4.9e-324"])
      }
    return .init(text: text, meaning: .number(strtod(text, nil)))
  }

  /// Whether nothing in a file that was written well could be taken for something else.
  private static func isClear(_ model: TextModel) -> Bool {
    // Na alone could be a gap.
    guard !model.isNamed else { return model.records[0].map(\.text) != ["Na"] }
    let (first, rows) = (model.records[0], model.records.count)
    let isDefault = first.indices.allSatisfy { first[$0].value == Double($0) }
    let counts =
      first.count > 1 && rows > 2 && model.records.indices.allSatisfy { model.records[$0][0].value == Double($0) }
    return !isDefault && !counts
  }

  private static func mutate(_ model: inout TextModel, _ random: inout SplitMix) {
    let r = random.below(model.records.count)
    let c = random.below(model.records[r].count)
    let isAlone = model.records[r].count == 1
    switch random.below(20) {
    case 0: model.records[r][c].isQuoted.toggle()
    case 1: model.lineEnds[r] = random.pick(["\n", "\r\n", "\r"])
    case 2: model.hasMark.toggle()
    case 3: if !isAlone { model.blankLinesAfter.insert(r) }
    case 4: model.records[r][c] = .init(text: random.pick(gaps), meaning: .gap)
    case 5: model.records[r][c] = .init(text: random.pick(["abc", "setosa", "x"]), meaning: .word)
    case 6: model.records[r][c] = .init(text: random.pick(damaged), meaning: .damaged)
    case 7: if !isAlone { model.records[r].remove(at: c) }
    case 8: model.records[r].insert(model.records[r][c], at: c)
    case 9:
      let other = random.below(model.records.count)
      guard !isAlone else { break }
      let cell = model.records[r].remove(at: c)
      model.records[other].insert(cell, at: random.below(model.records[other].count + 1))
    case 10:
      guard model.records.count > 1 else { break }
      model.records.remove(at: r)
      model.lineEnds.remove(at: r)
      model.blankLinesAfter = []
      if r == 0 { model.isNamed = false }
    case 11:
      model.records.insert(model.records[r], at: r)
      model.lineEnds.insert(model.lineEnds[r], at: r)
      model.blankLinesAfter = []
    case 12: model.records.swapAt(r, random.below(model.records.count))
    case 13:
      // The names that a data frame gives.
      guard model.isNamed else { break }
      model.records[0] = model.records[0].indices.map { .init(text: String($0), meaning: .number(Double($0))) }
    case 14: model.records[0][random.below(model.records[0].count)] = model.records[0][0]
    case 15:
      // An index without a name.
      for (row, record) in model.records.enumerated() {
        let number = Double(row - (model.isNamed ? 1 : 0))
        let name = TextModel.Cell(text: "", meaning: .gap)
        model.records[row] = [number < 0 ? name : .init(text: String(Int(number)), meaning: .number(number))] + record
      }
    case 16: decimalComma(&model, r, c)
    case 17:
      for r in model.records.indices {
        for c in model.records[r].indices.reversed() { decimalComma(&model, r, c) }
      }
    case 18: model.records[r][c].separator = random.pick([",", ";", "\t"])
    default:
      let sign: Character = random.pick([",", ";", "\t"])
      for c in model.records[r].indices { model.records[r][c].separator = sign }
    }
  }

  /// `1.5` becomes `1,5`: without quotes two cells where commas stand between cells.
  private static func decimalComma(_ model: inout TextModel, _ r: Int, _ c: Int) {
    let cell = model.records[r][c]
    let parts = cell.text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard cell.value != nil, parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, Int(parts[0]) != nil else {
      return
    }
    guard !cell.isQuoted else {
      model.records[r][c] = .init(text: parts.joined(separator: ","), meaning: .damaged, isQuoted: true)
      return
    }
    let halves = parts.map { TextModel.Cell(text: $0, meaning: .number(strtod($0, nil))) }
    model.records[r].replaceSubrange(c...c, with: halves)
    model.records[r][c].separator = ","
    model.records[r][c + 1].separator = cell.separator
  }

  /// A fault in the bytes, and what they say then.
  private static func damage(_ model: TextModel, _ random: inout SplitMix) -> ([UInt8], TextModel.Truth?) {
    var (bytes, spans) = model.bytes()
    let mark = model.hasMark ? 3 : 0
    let place = mark + random.below(bytes.count - mark)
    switch random.below(7) {
    case 0:
      // An odd number of quotes is never well formed.
      bytes.insert(UInt8(ascii: "\""), at: place)
      return (bytes, nil)
    case 1:
      guard let quote = bytes.indices.filter({ bytes[$0] == UInt8(ascii: "\"") }).randomElement(using: &random) else {
        return (bytes, model.truth())
      }
      bytes.remove(at: quote)
      return (bytes, nil)
    case 2:
      bytes.insert(0, at: place)
      return (bytes, nil)
    case 3:
      bytes.insert(0xFF, at: place)
      return (bytes, nil)
    case 4:
      let comment = "# 1" + String(repeating: String(model.separator) + "1", count: random.below(3)) + "\n"
      let record = spans.indices.randomElement(using: &random)!
      guard record > 0 else { return (bytes, model.truth()) }
      bytes.insert(contentsOf: comment.utf8, at: spans[record][0].lowerBound)
      return (bytes, nil)
    default:
      let end = random.below(bytes.count + 1)
      return (Array(bytes.prefix(end)), model.truncated(end)?.truth())
    }
  }
}
