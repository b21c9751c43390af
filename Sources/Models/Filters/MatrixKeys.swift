import Experiments

extension Parameters {
  /// A number, as a matrix of one entry, or a matrix of rows of equal length.
  /// - Parameters:
  ///   - rows: how many there must be, nil for any number.
  ///   - columns: of each row, nil for any number.
  func matrix(_ key: String, rows: Int?, columns: Int?) throws -> [[Double]] {
    let size = "\(rows.map { "\($0)" } ?? "n") x \(columns.map { "\($0)" } ?? "n")"
    let wrong = invalid(key, "must be a \(size) matrix of finite numbers, an array of its rows")
    guard case .list(let items)? = self[key], (1...64).contains(items.count), rows.map({ $0 == items.count }) ?? true
    else { throw wrong }
    return try items.map { row in
      guard case .list(let entries) = row, case let numbers = entries.compactMap(\.number),
        numbers.count == entries.count, numbers.allSatisfy(\.isFinite), (1...64).contains(numbers.count),
        columns.map({ $0 == numbers.count }) ?? true
      else { throw wrong }
      return numbers
    }
  }

  /// A covariance matrix: symmetric and positive definite.
  func covariance(_ key: String, dimension: Int) throws -> [[Double]] {
    let entries = try matrix(key, rows: dimension, columns: dimension)
    for i in 0..<dimension {
      for j in 0..<i where entries[i][j] != entries[j][i] {
        throw invalid(
          key, "must be symmetric: entry (\(i), \(j)) is \(entries[i][j]), entry (\(j), \(i)) is \(entries[j][i])")
      }
    }
    guard Whitening(Matrix(entries)) != nil else { throw invalid(key, "must be positive definite") }
    return entries
  }

  /// Rows of probabilities.
  func laws(_ key: String, rows: Int, columns: Int?) throws -> [[Double]] {
    let entries = try matrix(key, rows: rows, columns: columns)
    for (i, row) in entries.enumerated() { try check(law: row, "\(key)[\(i)]") }
    return entries
  }

  /// Probabilities that sum to 1.
  func law(_ key: String) throws -> [Double] {
    guard case .list(let items)? = self[key], (1...64).contains(items.count), case let law = items.compactMap(\.number),
      law.count == items.count
    else { throw invalid(key, "must be an array of 1 to 64 probabilities") }
    try check(law: law, key)
    return law
  }

  private func check(law: [Double], _ key: String) throws {
    let total = law.reduce(0, +)
    guard law.allSatisfy({ $0 >= 0 && $0 <= 1 }), (total - 1).magnitude < 1e-9 else {
      throw Failure.invalid(
        key: "\(path).\(key)", value: "\(law)", allowed: "must be probabilities that sum to 1; their sum is \(total)")
    }
  }
}
