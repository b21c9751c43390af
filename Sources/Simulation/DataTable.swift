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

/// Rows of numbers under named columns; an HDF5 dataset has no names.
public struct DataTable: Sendable {
  public let columns: [String]
  public let rows: [[Double]]

  public init(columns: [String], rows: [[Double]]) {
    self.columns = columns
    self.rows = rows
  }
}
