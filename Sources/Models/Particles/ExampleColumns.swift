import Experiments

/// Numbers of examples, from arrays of the job or columns of a file.
enum ExampleColumns {
  /// The keys of a file, and of the first column.
  static func parameters(_ key: String, _ what: String) -> [Parameter] { TableRequest.parameters + own(key, what) }

  static func own(_ key: String, _ what: String) -> [Parameter] {
    [Parameter(key, .structured("an array of numbers; with file, the name of a column"), "\(what), one an example")]
  }

  /// The values of each key, as many of one as of another.
  static func read(
    _ p: Parameters, _ keys: [String], _ load: (TableRequest) throws -> DataTable
  ) throws -> [[Double]] {
    let table = p["file"] == nil ? nil : try load(TableRequest(p))
    let columns = try keys.map { try column($0, p, table) }
    for (key, column) in zip(keys, columns).dropFirst() where column.count != columns[0].count {
      throw p.invalid(key, "must be as many numbers as \(keys[0]), \(columns[0].count)")
    }
    return columns
  }

  private static func column(_ key: String, _ p: Parameters, _ table: DataTable?) throws -> [Double] {
    guard let table else {
      guard case .list(let items)? = p[key], !items.isEmpty, items.allSatisfy({ $0.number?.isFinite ?? false }) else {
        throw p.invalid(key, "must be an array of finite numbers, or the name of a column of file")
      }
      return items.map { $0.number! }
    }
    guard case .text(let name)? = p[key] else {
      throw p.invalid(key, "must be the name of a column of \(p.text("file"))")
    }
    guard let place = table.columns.firstIndex(of: name) else {
      throw p.invalid(key, "\(p.text("file")) has no such column; \(DataTable.words(for: name, among: table.columns))")
    }
    guard !table.rows.isEmpty else { throw Failure(.badData, "\(p.text("file")): has no rows") }
    return table.rows.map { $0[place] }
  }
}
