import Archive
import Experiments

/// Tables as groups of an HDF5 file.
///
/// Several tables may go into one group. An axis becomes a one-dimensional dataset of its name, with a dimension scale attached to that axis
/// of every column; names of axes are looked up among the axes of all tables of the group. Texts are strings, "" where a row has none;
/// flags are the integers 0 and 1; integers that a row may lack are doubles, NaN where it has none, as xarray reads them anyway.
package enum TableWriter {
  package static func write(_ tables: [Table], to writer: inout ArchiveWriter) throws {
    var order: [String] = []
    var groups: [String: [Table]] = [:]
    for table in tables {
      if groups[table.group] == nil { order.append(table.group) }
      groups[table.group, default: []].append(table)
    }
    for group in order { try write(groups[group]!, group: "/" + group, to: &writer) }
  }

  private static func write(_ tables: [Table], group: String, to writer: inout ArchiveWriter) throws {
    try writer.makeGroup(group)
    var named: Set<String> = []
    for attribute in tables.flatMap(\.attributes) where named.insert(attribute.name).inserted {
      switch attribute.value {
      case .text(let value): try writer.setAttribute(group, attribute.name, value)
      case .number(let value): try writer.setAttribute(group, attribute.name, value)
      case .integer(let value): try writer.setAttribute(group, attribute.name, value)
      }
    }
    var lengths: [String: Int] = [:]
    for axis in tables.flatMap(\.axes) {
      if let length = lengths[axis.name] {
        guard length == axis.values.count else { throw unfit(group, axis.name) }
        continue
      }
      lengths[axis.name] = axis.values.count
      try write(axis, shape: [axis.values.count], "\(group)/\(axis.name)", to: &writer)
      try writer.makeScale("\(group)/\(axis.name)", name: axis.name)
    }
    for column in tables.flatMap(\.columns) {
      let shape = column.axes.compactMap { lengths[$0] }
      guard shape.count == column.axes.count, shape.reduce(1, *) == column.values.count else {
        throw unfit(group, column.name)
      }
      try write(column, shape: shape, "\(group)/\(column.name)", to: &writer)
      try writer.attachScales(column.axes.map { "\(group)/\($0)" }, to: "\(group)/\(column.name)")
    }
  }

  private static func write(
    _ column: Table.Column, shape: [Int], _ place: String, to writer: inout ArchiveWriter
  ) throws {
    switch column.values.stored {
    case .doubles(let values): try writer.write(place, shape: shape, values)
    case .integers(let values): try writer.write(place, shape: shape, values)
    case .words(let values): try writer.write(place, shape: shape, values)
    case .texts(let values): try writer.write(place, shape: shape, strings: values)
    }
    if !column.summary.isEmpty { try writer.setAttribute(place, "long_name", column.summary) }
    if case .texts = column.values.stored { return }
    try writer.setAttribute(place, "units", column.unit)
  }

  private static func unfit(_ group: String, _ name: String) -> Failure {
    Failure(.bug, "the column \(name) of \(group) does not fit the axes of its tables")
  }
}

extension Table.Values {
  /// As a file holds them.
  var stored: ArchiveValues {
    switch self {
    case .numbers(let values): .doubles(values)
    case .integers(let values): .integers(values)
    case .texts(let values): .texts(values)
    case .optionalIntegers(let values): .doubles(values.map { $0.map(Double.init) ?? .nan })
    case .optionalTexts(let values): .texts(values.map { $0 ?? "" })
    case .flags(let values): .integers(values.map { $0 ? 1 : 0 })
    }
  }
}
