import Experiments

/// The points of a Gram matrix.
struct GramData: Sendable {
  /// A row of features each, and its number in the file.
  let rows: [[Double]]
  let numbers: [Int]
  let labels: [Double]?
  let fingerprint: String

  var count: Int { rows.count }

  /// - Throws: `Failure` naming the key.
  init(_ p: Parameters, data: any DataSource) throws {
    guard p["file"] != nil else { throw p.invalid("file", "must name a data file") }
    let all = try data.table(TableRequest(p))
    let numbers = try Self.numbers(p, of: all.rows.count)
    var rows = numbers.map { all.rows[$0] }
    labels = try p["label"].map { _ in
      guard let place = all.columns.firstIndex(of: p.text("label")) else {
        throw p.invalid("label", "is no column: \(DataTable.words(for: p.text("label"), among: all.columns))")
      }
      let values = rows.map { $0[place] }
      for i in rows.indices { rows[i].remove(at: place) }
      return values
    }
    guard rows.count > 1 else { throw p.invalid("rows", "must be at least 2 points, not \(rows.count)") }
    guard let features = rows.first?.count, features > 0 else { throw p.invalid("file", "has no column of features") }
    for (row, number) in zip(rows, numbers) {
      guard row.count == features, row.allSatisfy(\.isFinite) else {
        throw p.invalid("file", "row \(number) must have \(features) finite numbers")
      }
    }
    (self.rows, self.numbers) = (rows, numbers)
    fingerprint = DataTable(columns: [], rows: rows).fingerprint
  }

  private static func numbers(_ p: Parameters, of count: Int) throws -> [Int] {
    let wrong =
      "must be an array of different row numbers in [0, \(count - 1)], or { from = 0, to = \(count), every = 2 }"
    switch p["rows"] {
    case nil: return Array(0..<count)
    case .list(let items):
      let found = items.compactMap { $0.integer.map(Int.init) }
      guard found.count == items.count, found.allSatisfy({ (0..<count).contains($0) }), Set(found).count == found.count
      else { throw p.invalid("rows", wrong) }
      return found
    case .table?:
      let range = try Parameters(
        p["rows"], path: "\(p.path).rows",
        allowed: [
          Parameter("from", .integer(0...Int64(max(count - 1, 0))), default: .integer(0), "the first row"),
          Parameter(
            "to", .integer(1...Int64(max(count, 1))), default: .integer(Int64(count)), "the row after the last"),
          Parameter("every", .integer(1...Int64(max(count, 1))), default: .integer(1), "rows from one to the next"),
        ])
      return Array(stride(from: range.integer("from"), to: range.integer("to"), by: range.integer("every")))
    default: throw p.invalid("rows", wrong)
    }
  }

  func scaled(_ normalise: Bool) -> [[Double]] {
    guard normalise else { return rows }
    return rows.map { x in
      let length = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return x.map { $0 / length }
    }
  }

  func refuseZeros(_ p: Parameters) throws {
    for (row, number) in zip(rows, numbers) where row.allSatisfy({ $0 == 0 }) {
      throw p.invalid(
        "rows", "row \(number) is zero: leave it out")
    }
  }

  /// Equal points make a Gram matrix singular.
  func refuseEqual(_ p: Parameters, _ points: [[Double]]) throws {
    var seen: [[Double]: Int] = [:]
    for (point, number) in zip(points, numbers) {
      if let other = seen.updateValue(number, forKey: point) {
        throw Failure.invalid(
          key: "\(p.path).rows", value: "\(other), \(number)",
          allowed: "are equal points, so that the Gram matrix is singular: leave one out, or give jitter > 0")
      }
    }
  }

  static func size(_ bytes: Double) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var (value, unit) = (bytes, 0)
    while value >= 1024 && unit < units.count - 1 { (value, unit) = (value / 1024, unit + 1) }
    return "\((value * 10).rounded() / 10) \(units[unit])"
  }
}
