import Experiments
import Foundation

/// Tables as JSON: attributes by their names, and records, an object each.
package enum JSONWriter {
  package static func text(_ document: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(document), as: UTF8.self)
  }

  /// Any key.
  struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
    init(_ name: String) { stringValue = name }
  }

  typealias Box = KeyedEncodingContainer<Name>

  /// A number; null where it is not finite.
  struct Number: Encodable {
    let value: Double
    init(_ value: Double) { self.value = value }
    func encode(to encoder: any Encoder) throws {
      var box = encoder.singleValueContainer()
      if value.isFinite { try box.encode(value) } else { try box.encodeNil() }
    }
  }

  /// One value of a column; null where there is none.
  struct Cell: Encodable {
    let values: Table.Values
    let index: Int

    func encode(to encoder: any Encoder) throws {
      var box = encoder.singleValueContainer()
      switch values {
      case .numbers(let values): try Number(values[index]).encode(to: encoder)
      case .integers(let values): try box.encode(values[index])
      case .texts(let values): try box.encode(values[index])
      case .optionalIntegers(let values): try box.encode(values[index])
      case .optionalTexts(let values): try box.encode(values[index])
      case .flags(let values): try box.encode(values[index])
      }
    }

    /// Whether it stands for nothing.
    var isEmpty: Bool {
      switch values {
      case .numbers(let values): values[index].isNaN
      case .optionalIntegers(let values): values[index] == nil
      case .optionalTexts(let values): values[index] == nil
      default: false
      }
    }
  }
}

/// The tables of one group: attributes, and of each table its records. Those of the first are `rows`, those of another are named by their
/// axis (`marginals`), whose values are then their `name`.
package struct GroupDocument: Encodable {
  let tables: [Table]
  /// Lists that are there even if no table has them.
  let lists: [String]

  package init(tables: [Table], lists: [String] = []) {
    self.tables = tables
    self.lists = lists
  }

  package func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: JSONWriter.Name.self)
    for attribute in tables.flatMap(\.attributes) {
      let name = JSONWriter.Name(attribute.name)
      switch attribute.value {
      case .text(let value): try box.encode(value, forKey: name)
      case .number(let value): try box.encode(JSONWriter.Number(value), forKey: name)
      case .integer(let value): try box.encode(value, forKey: name)
      }
    }
    var missing = Set(lists)
    for (index, table) in tables.enumerated() {
      guard let records = RecordList(table, axes: tables.flatMap(\.axes), named: index > 0) else { continue }
      let name = index == 0 ? "rows" : records.base[0] + "s"
      missing.remove(name)
      try box.encode(records, forKey: .init(name))
    }
    for name in missing { try box.encode([String](), forKey: .init(name)) }
  }
}

/// The records of a table: over its rows, or over the product of the first two axes of its columns. Columns with one axis more are arrays
/// within a record: of the numbers that are there in a table of rows, else of objects.
package struct RecordList: Encodable {
  let columns: [Table.Column]
  let axes: [String: Table.Column]
  /// Axes whose product the records are over.
  let base: [String]
  /// Whether a record gives its place on the axis as `name`.
  let named: Bool

  /// Nil for a table without columns.
  package init?(_ table: Table, axes known: [Table.Column], named: Bool = false) {
    guard let first = table.columns.first?.axes.first else { return nil }
    var axes: [String: Table.Column] = [:]
    for axis in known where axes[axis.name] == nil { axes[axis.name] = axis }
    let isFlat = first == "row" || table.columns.contains { $0.axes == [first] }
    let two = table.columns.lazy.filter { $0.axes.count > 1 }.first?.axes.prefix(2)
    base = isFlat ? [first] : two.map(Array.init) ?? [first]
    columns = table.columns
    self.axes = axes
    self.named = named
  }

  private func length(_ axis: String) -> Int { axes[axis]?.values.count ?? 0 }

  package func encode(to encoder: any Encoder) throws {
    var list = encoder.unkeyedContainer()
    for index in 0..<base.map(length).reduce(1, *) {
      let inner = base.count == 2 ? length(base[1]) : 1
      let places = base.count == 2 ? [index / inner, index % inner] : [index]
      try list.encode(Record(list: self, index: index, places: places))
    }
  }

  private struct Record: Encodable {
    let list: RecordList
    let index: Int
    let places: [Int]

    func encode(to encoder: any Encoder) throws {
      var box = encoder.container(keyedBy: JSONWriter.Name.self)
      for (axis, place) in zip(list.base, places) where axis != "row" {
        guard let values = list.axes[axis]?.values else { continue }
        try box.encode(JSONWriter.Cell(values: values, index: place), forKey: .init(list.named ? "name" : axis))
      }
      for column in list.columns where column.axes == list.base {
        try box.encode(JSONWriter.Cell(values: column.values, index: index), forKey: .init(column.name))
      }
      var nested: [String: [Table.Column]] = [:]
      for column in list.columns where column.axes.dropLast() == list.base[...] {
        nested[column.axes.last!, default: []].append(column)
      }
      for (axis, columns) in nested {
        let length = list.length(axis)
        guard let labels = list.axes[axis]?.values else { continue }
        if list.base == ["row"] {
          for column in columns {
            let cells = (0..<length).map { JSONWriter.Cell(values: column.values, index: index * length + $0) }
            try box.encode(cells.filter { !$0.isEmpty }, forKey: .init(column.name))
          }
          continue
        }
        let items = (0..<length).map {
          Item(axis: axis, labels: labels, columns: columns, place: $0, start: index * length)
        }
        try box.encode(items, forKey: .init(axis + "s"))
      }
    }
  }

  private struct Item: Encodable {
    let axis: String
    let labels: Table.Values
    let columns: [Table.Column]
    let place, start: Int

    func encode(to encoder: any Encoder) throws {
      var box = encoder.container(keyedBy: JSONWriter.Name.self)
      try box.encode(JSONWriter.Cell(values: labels, index: place), forKey: .init(axis))
      for column in columns {
        try box.encode(JSONWriter.Cell(values: column.values, index: start + place), forKey: .init(column.name))
      }
    }
  }
}
