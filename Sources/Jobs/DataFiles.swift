import Archive
import Experiments
import Foundation

/// Rows of numbers from CSV and HDF5 files.
package struct DataFiles: DataSource {
  package init() {}

  /// The requested rows; throws `Failure` with the file, line and column of what is wrong.
  package func rows(_ request: RowRequest) throws -> [[Double]] {
    guard FileSystem.exists(request.file) else {
      throw Failure(.badData, "\(request.file): no such file (files are relative to the folder fathom is run in)")
    }
    return try Self.isHDF5(request.file) ? Self.hdf5(request) : Self.csv(request)
  }

  private static func isHDF5(_ file: String) -> Bool {
    [".h5", ".hdf5"].contains { file.lowercased().hasSuffix($0) }
  }

  /// A whole table, for the systems that learn from data.
  package func table(_ request: TableRequest) throws -> DataTable {
    let file = request.file
    guard FileSystem.exists(file) else {
      throw Failure(.badData, "\(file): no such file (files are relative to the folder fathom is run in)")
    }
    if Self.isHDF5(file) {
      let (rows, features, values) = try Self.dataset(file, request.dataset, key: "dataset")
      if let bad = values.firstIndex(where: { !$0.isFinite }) {
        throw Failure(
          .badData,
          "\(file): \(request.dataset)[\(bad / features), \(bad % features)] = \(values[bad]) is not a finite number")
      }
      return DataTable(
        columns: [], rows: (0..<rows).map { Array(values[$0 * features..<($0 + 1) * features]) })
    }
    let source = try CSV(file)
    let every = Array(source.first.indices)
    return DataTable(
      columns: source.header ?? [], rows: try source.lines.indices.map { try source.numbers($0, columns: every) })
  }

  /// The lines of a CSV file; a first line with anything that is no number is a header.
  private struct CSV {
    let file: String
    let first: [String]
    let header: [String]?
    /// Lines with numbers, and where they stand in the file.
    let lines: [(offset: Int, element: Substring)]

    init(_ file: String) throws {
      guard let data = FileManager.default.contents(atPath: file) else {
        throw Failure(.inputOutput, "\(file): cannot be read")
      }
      let all = String(decoding: data, as: UTF8.self).split(omittingEmptySubsequences: false) { $0.isNewline }
        .enumerated().filter { !$0.element.allSatisfy(\.isWhitespace) }
      guard let top = all.first else { throw Failure(.badData, "\(file): is empty") }
      self.file = file
      first = Self.fields(top.element)
      header = first.contains { Double($0) == nil } ? first : nil
      lines = Array(all.dropFirst(header == nil ? 0 : 1)).map { ($0.offset, $0.element) }
    }

    private static func fields(_ line: Substring) -> [String] {
      line.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
    }

    func numbers(_ row: Int, columns: [Int]) throws -> [Double] {
      let line = lines[row].offset + 1
      let parts = Self.fields(lines[row].element)
      guard parts.count == first.count else {
        throw Failure(.badData, "\(file), line \(line): \(parts.count) columns, the first line has \(first.count)")
      }
      return try columns.map { column in
        guard let value = Double(parts[column]), value.isFinite else {
          throw Failure(
            .badData, "\(file), line \(line), column \(column + 1): \"\(parts[column])\" is not a finite number")
        }
        return value
      }
    }
  }

  private static func csv(_ request: RowRequest) throws -> [[Double]] {
    let file = request.file
    let source = try CSV(file)
    var kept = Array(source.first.indices)
    for name in request.drop {
      guard let index = source.header?.firstIndex(of: name) else {
        throw Failure(.badData, "\(file): no column \(name) to drop")
      }
      kept.removeAll { $0 == index }
    }
    return try request.rows.map { row in
      guard row < source.lines.count else {
        throw Failure(.badData, "\(file): row \(row) was asked for, but there are \(source.lines.count) rows (from 0)")
      }
      return try source.numbers(row, columns: kept)
    }
  }

  private static func hdf5(_ request: RowRequest) throws -> [[Double]] {
    guard request.drop.isEmpty else {
      throw Failure(.badData, "\(request.file): inputs.drop names columns of a CSV file; an HDF5 dataset has none")
    }
    let (count, features, values) = try dataset(request.file, request.dataset, key: "inputs.dataset")
    return try request.rows.map { row in
      guard row < count else {
        throw Failure(
          .badData, "\(request.file): row \(row) was asked for, but \(request.dataset) has \(count) rows (from 0)")
      }
      let part = Array(values[row * features..<(row + 1) * features])
      guard let bad = part.firstIndex(where: { !$0.isFinite }) else { return part }
      throw Failure(
        .badData, "\(request.file): \(request.dataset)[\(row), \(bad)] = \(part[bad]) is not a finite number")
    }
  }

  private static func dataset(
    _ file: String, _ name: String, key: String
  ) throws -> (rows: Int, features: Int, values: [Double]) {
    guard !name.isEmpty else { throw Failure(.badData, "\(file): \(key) must name a dataset of the file") }
    let shape: [Int]
    let values: [Double]
    do {
      let reader = try ArchiveReader(unsealed: file)
      (shape, values) = try reader.read(name, as: Double.self)
    } catch {
      throw Failure(.badData, "\(file): \(error)")
    }
    guard let count = shape.first, shape.count >= 2, count > 0 else {
      throw Failure(.badData, "\(file): \(name) has shape \(shape); it must have rows and columns")
    }
    return (count, values.count / count, values)
  }
}

/// Data files that rank 0 reads for all.
package struct SharedData: DataSource {
  private let source: any DataSource
  private let world: any Collectives

  package init(_ source: any DataSource, _ world: any Collectives) {
    self.source = source
    self.world = world
  }

  package func rows(_ request: RowRequest) throws -> [[Double]] {
    try shared { DataTable(columns: [], rows: try source.rows(request)) }.rows
  }

  package func table(_ request: TableRequest) throws -> DataTable { try shared { try source.table(request) } }

  private func shared(_ read: () throws -> DataTable) throws -> DataTable {
    var encoder = StateEncoder()
    try world.onRoot {
      let table = try read()
      encoder.add("columns", table.columns)
      encoder.add("lengths", table.rows.map { Int64($0.count) })
      encoder.add("values", table.rows.flatMap { $0 })
    }
    let decoder = StateDecoder(bytes: try world.broadcast(world.isRoot ? encoder.bytes : []))
    var rest = try decoder.doubles("values")[...]
    let rows = try decoder.integers("lengths").map { length -> [Double] in
      defer { rest = rest.dropFirst(Int(length)) }
      return Array(rest.prefix(Int(length)))
    }
    return DataTable(columns: try decoder.texts("columns"), rows: rows)
  }
}
