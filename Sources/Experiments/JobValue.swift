/// A value of a job file, whatever language the file is written in.
public indirect enum JobValue: Sendable, Equatable {
  case integer(Int64)
  case real(Double)
  case boolean(Bool)
  case text(String)
  case list([JobValue])
  case table([String: JobValue])

  public var typeName: String {
    switch self {
    case .integer: "an integer"
    case .real: "a number"
    case .boolean: "a boolean"
    case .text: "a string"
    case .list: "an array"
    case .table: "a table"
    }
  }
}

extension JobValue: CustomStringConvertible {
  /// As TOML would write it, keys in order: equal values have equal descriptions.
  public var description: String {
    switch self {
    case .integer(let value): return String(value)
    case .real(let value): return value.description
    case .boolean(let value): return String(value)
    case .text(let value): return "\"" + value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    case .list(let values): return "[" + values.map(\.description).joined(separator: ", ") + "]"
    case .table(let table):
      let entries = table.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
      return entries.isEmpty ? "{}" : "{ " + entries.joined(separator: ", ") + " }"
    }
  }
}

extension JobValue {
  /// The value at a dotted path, nil if there is none.
  public subscript(path: String) -> JobValue? {
    var value = self
    for part in path.split(separator: ".") {
      guard case .table(let table) = value, let next = table[String(part)] else { return nil }
      value = next
    }
    return value
  }

  /// A copy with the value at a dotted path replaced; tables on the way are made.
  public func setting(_ path: String, to new: JobValue) throws -> JobValue {
    let parts = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    return try setting(parts[...], path: path, to: new)
  }

  private func setting(_ parts: ArraySlice<String>, path: String, to new: JobValue) throws -> JobValue {
    guard let key = parts.first else { return new }
    guard !key.isEmpty else {
      throw Failure.invalid(key: path, value: new.description, allowed: "a dotted key has a name on each side of a dot")
    }
    guard case .table(var table) = self else {
      let above = path.split(separator: ".").dropLast(parts.count).joined(separator: ".")
      throw Failure.invalid(
        key: path, value: new.description, allowed: "cannot be set: \(above) is \(typeName), not a table")
    }
    table[key] = try (table[key] ?? .table([:])).setting(parts.dropFirst(), path: path, to: new)
    return .table(table)
  }

  /// One line `path = value` for every leaf, sorted by path.
  public func lines(prefix: String = "") -> [String] {
    guard case .table(let table) = self, !table.isEmpty else { return ["\(prefix) = \(self)"] }
    return table.sorted { $0.key < $1.key }.flatMap { key, value in
      value.lines(prefix: prefix.isEmpty ? key : prefix + "." + key)
    }
  }
}

extension JobValue {
  /// An integer or a real as a number.
  public var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    default: nil
    }
  }

  /// An integer, or a real that is exactly one: 1e6 is 1000000.
  public var integer: Int64? {
    switch self {
    case .integer(let value): value
    case .real(let value): Int64(exactly: value)
    default: nil
    }
  }
}
