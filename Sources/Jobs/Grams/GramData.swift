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
    let numbers = try RowChoice.read(p, "rows", of: all.rows.count)
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

  /// Pairs of rows whose points are equal, by their numbers: each with the first of its kind.
  func equalPairs(_ points: [[Double]]) -> [(first: Int, other: Int)] {
    var seen: [[Double]: Int] = [:]
    return zip(points, numbers).compactMap { point, number in
      guard let first = seen[point] else {
        seen[point] = number
        return nil
      }
      return (first, number)
    }
  }

  /// Equal points make a Gram matrix singular: refused unless there is jitter, and said where there is.
  /// - Returns: the pairs, as people write them.
  func equalRows(_ p: Parameters, _ points: [[Double]]) throws -> [String] {
    let pairs = equalPairs(points)
    if let pair = pairs.first, p.real("jitter") == 0 {
      throw Failure.invalid(
        key: "\(p.path).rows", value: "\(pair.first), \(pair.other)",
        allowed: "are equal points, so that the Gram matrix is singular: leave one out, or give jitter > 0")
    }
    return pairs.map { "\($0.first) = \($0.other)" }
  }

  static func size(_ bytes: Double) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var (value, unit) = (bytes, 0)
    while value >= 1024 && unit < units.count - 1 { (value, unit) = (value / 1024, unit + 1) }
    return "\((value * 10).rounded() / 10) \(units[unit])"
  }
}
