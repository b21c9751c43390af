/// A table of numbers of a file, as a model asks for it.
public struct TableRequest: Sendable, Hashable {
  /// As the job writes it: relative to the job file, or absolute.
  public let file: String
  /// Dataset of an HDF5 file; empty for other files.
  public let dataset: String
  /// Whether the first line of a text file holds names; nil to find out, where only one answer is possible.
  public let header: Bool?
  /// Named columns that are left out.
  public let drop: [String]
  /// Rows from 0, in the order they are wanted in; nil for all.
  public let rows: [Int]?

  public init(file: String, dataset: String = "", header: Bool? = nil, drop: [String] = [], rows: [Int]? = nil) {
    self.file = file
    self.dataset = dataset
    self.header = header
    self.drop = drop
    self.rows = rows
  }

  /// The keys of every table of a job that names a data file.
  public static let parameters: [Parameter] = [
    Parameter(
      "file", .text, optional: true,
      "CSV, HDF5 (.h5, .hdf5) or NumPy (.npy) file, a row an example; relative to the job file"),
    Parameter("dataset", .text, default: .text(""), "path of the dataset in an HDF5 file"),
    Parameter(
      "header", .boolean, optional: true, "whether the first line of a CSV file holds names; found out if clear"),
    Parameter(
      "drop", .structured("an array of column names"), optional: true,
      "columns of a CSV file that are left out; \"\" is the one without a name"),
  ]

  /// Reads the keys of `parameters` from a checked table that has `file`.
  public init(_ p: Parameters, rows: [Int]? = nil) throws {
    let names = try p["drop"].map { value -> [String] in
      guard case .list(let items) = value else { throw p.invalid("drop", "must be an array of column names") }
      return try items.map { item in
        guard case .text(let name) = item else { throw p.invalid("drop", "must be an array of column names") }
        return name
      }
    }
    self.init(
      file: p.text("file"), dataset: p.text("dataset"), header: p["header"].map { _ in p.boolean("header") },
      drop: names ?? [], rows: rows)
  }
}

/// Rows of numbers under named columns; columns of arrays and of text without a header have no names.
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

  /// What columns there are, and the one that was probably meant by a name that is not there, as half a sentence.
  public static func words(for name: String, among columns: [String]) -> String {
    guard !columns.isEmpty else { return "its columns have no names" }
    return "it has \(list(columns, atMost: 20))\(Nearest.hint(name, among: columns))"
  }

  /// Names with commas between; of a long list the first ones and the last.
  public static func list(_ names: [String], atMost most: Int) -> String {
    let shown = names.map { $0.isEmpty ? "\"\"" : $0 }
    guard shown.count > most else { return shown.joined(separator: ", ") }
    return (shown.prefix(most - 1) + ["…", shown[shown.count - 1]]).joined(separator: ", ")
  }
}
