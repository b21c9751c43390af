/// Rows of a data file as a job names them: all, an array of numbers, or a range with a step.
package enum RowChoice {
  package static let words = "an array of different row numbers, from 0, or { from = 0, to = 100, every = 2 }"

  /// The rows that a key of a checked table asks for, in its order; all where it is not given.
  /// - Parameter count: rows that there are.
  /// - Throws: `Failure` naming the key.
  package static func read(_ p: Parameters, _ key: String, of count: Int) throws -> [Int] {
    let wrong =
      "must be an array of different row numbers in [0, \(count - 1)], or { from = 0, to = \(count), every = 2 }"
    switch p[key] {
    case nil: return Array(0..<count)
    case .list(let items):
      let found = items.compactMap { $0.integer.map(Int.init) }
      guard found.count == items.count, found.allSatisfy({ (0..<count).contains($0) }), Set(found).count == found.count
      else { throw p.invalid(key, wrong) }
      return found
    case .table?:
      let range = try Parameters(
        p[key], path: "\(p.path).\(key)",
        allowed: [
          Parameter("from", .integer(0...Int64(max(count - 1, 0))), default: .integer(0), "the first row"),
          Parameter(
            "to", .integer(1...Int64(max(count, 1))), default: .integer(Int64(count)), "the row after the last"),
          Parameter("every", .integer(1...Int64(max(count, 1))), default: .integer(1), "rows from one to the next"),
        ])
      return Array(stride(from: range.integer("from"), to: range.integer("to"), by: range.integer("every")))
    default: throw p.invalid(key, wrong)
    }
  }
}
