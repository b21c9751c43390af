import Experiments
internal import TOMLKit

/// TOML text into job values.
package enum TOML {
  /// Parses a job file; a syntax error names line and column.
  package static func parse(_ text: String, name: String) throws -> JobValue {
    do {
      return try convert(TOMLTable(string: text), key: "")
    } catch let error as TOMLParseError {
      throw Failure(
        .badData, "\(name), line \(error.source.begin.line), column \(error.source.begin.column): \(error.description)")
    }
  }

  /// Parses the right side of `--set key=value`; what is no TOML value is a string.
  static func value(_ text: String) -> JobValue {
    guard let table = try? TOMLTable(string: "x = \(text)"), table.count == 1,
      case .table(let values)? = try? convert(table, key: ""), let value = values["x"]
    else { return .text(text) }
    return value
  }

  private static func convert(_ value: any TOMLValueConvertible, key: String) throws -> JobValue {
    switch value.type {
    case .string: return .text(value.string!)
    case .int: return .integer(Int64(value.int!))
    case .double: return .real(value.double!)
    case .bool: return .boolean(value.bool!)
    case .array: return .list(try value.array!.map { try convert($0, key: key) })
    case .table:
      var table: [String: JobValue] = [:]
      for (name, entry) in value.table! {
        table[name] = try convert(entry, key: key.isEmpty ? name : key + "." + name)
      }
      return .table(table)
    default:
      throw Failure.invalid(key: key, value: value.debugDescription, allowed: "dates and times have no use in a job")
    }
  }
}
