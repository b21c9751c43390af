import Experiments
import Foundation

/// Tables as people read them: a heading, aligned columns, and notes.
package enum TextWriter {
  /// - Parameter all: prints every row, not only those that the table shows.
  package static func lines(_ table: Table, all: Bool) -> [String] {
    let heading = table.heading.map { [$0] } ?? []
    guard let first = table.fields.first, let count = table[column: first.column]?.values.count else {
      return heading + table.notes
    }
    let shown = all ? Array(0..<count) : (table.shown ?? Array(0..<count)).filter { (0..<count).contains($0) }
    let rows =
      [table.fields.map(\.heading)] + shown.map { row in table.fields.map { text(table, $0, row) } }
    let more =
      shown.count < count
      ? ["(\(count - shown.count) more row\(count - shown.count == 1 ? "" : "s"): fathom show --all)"] : []
    return heading + aligned(rows) + more + table.notes
  }

  private static func text(_ table: Table, _ field: Table.Field, _ row: Int) -> String {
    guard let values = table[column: field.column]?.values, row < values.count else { return "-" }
    switch field.format {
    case .plain: return plain(values, row)
    case .value(let error):
      let own = error.flatMap { table[column: $0]?.values }.flatMap { $0.number(row) } ?? .nan
      guard let value = values.number(row) else { return plain(values, row) }
      return value.isNaN ? "-" : withError(value, own)
    case .format(let format, let missing):
      guard var value = values.number(row) else {
        let text = plain(values, row)
        return text.isEmpty || text == "-" ? missing : text
      }
      if value.isNaN { return missing }
      if value == 0 { value = 0 }
      guard format.last.map({ "di".contains($0) }) ?? false else { return String(format: format, value) }
      return Int64(exactly: value.rounded()).map { String(format: format.dropLast() + "lld", $0) } ?? "\(value)"
    }
  }

  private static func plain(_ values: Table.Values, _ row: Int) -> String {
    switch values {
    case .numbers(let values): values[row].isFinite ? Axis.label(values[row]) : "\(values[row])"
    case .integers(let values): String(values[row])
    case .texts(let values): values[row]
    case .optionalIntegers(let values): values[row].map { String($0) } ?? "-"
    case .optionalTexts(let values): values[row] ?? "-"
    case .flags(let values): values[row] ? "yes" : "no"
    }
  }

  /// A number with its standard error in the last digits, e.g. `0.5226(15)`; by a power of ten where both are small or one is large,
  /// e.g. `9.77(32)e-169`.
  package static func withError(_ value: Double, _ error: Double) -> String {
    guard value.isFinite else { return "\(value)" }
    // A zero has no sign for people.
    let value = value == 0 ? 0 : value
    guard error.isFinite, error > 0 else { return String(format: "%.6g", value) }
    let exponent = Int(log10(max(value.magnitude, error)).rounded(.down))
    if exponent < -5 || exponent >= 15 {
      // In two steps: a power of ten may be out of the range of numbers where its root is not.
      let (first, second) = (pow(10, Double(-exponent / 2)), pow(10, Double(-exponent - -exponent / 2)))
      return withError(value * first * second, error * first * second) + String(format: "e%+03d", exponent)
    }
    var places = max(0, Int((1 - log10(error)).rounded(.up)))
    places = min(places, 15)
    let last = (error * pow(10, Double(places))).rounded()
    let digits = places > 0 ? String(format: "%.0f", last) : String(format: "%.0f", error)
    return String(format: "%.\(places)f", value) + "(\(digits))"
  }

  package static func aligned(_ rows: [[String]]) -> [String] {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
    return rows.map { row in
      zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: "  ")
    }
  }
}

extension Table.Values {
  /// The number of a row; nil for texts and where there is none.
  func number(_ row: Int) -> Double? {
    switch self {
    case .numbers(let values): values[row]
    case .integers(let values): Double(values[row])
    case .optionalIntegers(let values): values[row].map(Double.init)
    case .texts, .optionalTexts, .flags: nil
    }
  }
}

extension Table {
  /// The text of an attribute.
  func text(_ name: String) -> String? {
    for attribute in attributes where attribute.name == name {
      if case .text(let value) = attribute.value { return value }
    }
    return nil
  }

  /// The first part of its group: what made it.
  var kind: Substring { group.prefix { $0 != "/" } }
}
