/// A table of numbers of a file, as a model asks for it.
public struct TableRequest: Sendable, Equatable {
  public let file: String
  /// Dataset of an HDF5 file; empty for CSV.
  public let dataset: String

  public init(file: String, dataset: String) {
    self.file = file
    self.dataset = dataset
  }
}

/// Some rows of a data file, as a model asks for them.
public struct RowRequest: Sendable, Equatable {
  public let file: String
  /// Dataset of an HDF5 file; empty for CSV.
  public let dataset: String
  public let rows: [Int]
  /// Columns of a CSV file that are left out.
  public let drop: [String]

  public init(file: String, dataset: String, rows: [Int], drop: [String]) {
    self.file = file
    self.dataset = dataset
    self.rows = rows
    self.drop = drop
  }
}

/// Rows of numbers under named columns; an HDF5 dataset has no names.
public struct DataTable: Sendable {
  public let columns: [String]
  public let rows: [[Double]]

  public init(columns: [String], rows: [[Double]]) {
    self.columns = columns
    self.rows = rows
  }

  /// A hash of names and numbers: a job continues with the data that it began with, or not at all.
  public var fingerprint: String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ word: UInt64) { hash = (hash ^ word) &* 0x100_0000_01b3 }
    for byte in columns.joined(separator: ",").utf8 { add(UInt64(byte)) }
    for row in rows {
      add(UInt64(row.count))
      for value in row { add(value.bitPattern) }
    }
    return String(hash, radix: 16)
  }
}
