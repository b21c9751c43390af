import Experiments

/// The points of a `[sweep]` table: the cartesian product of its keys.
enum Sweep {
  static let mostCases = 10_000

  struct Point {
    let label: String
    let settings: [(key: String, value: JobValue)]
    var swept: [String: String] { Dictionary(uniqueKeysWithValues: settings.map { ($0.key, $0.value.description) }) }
  }

  /// `'network.width' = [64, 128]`; several keys that move together: `'network.width, network.depth' = [[64, 64], [128, 128]]`.
  /// - Parameter integers: keys whose values are integers: 1e3 becomes 1000 there.
  static func points(_ value: JobValue?, integers: Set<String> = []) throws -> [Point] {
    guard let value else { return [Point(label: "main", settings: [])] }
    guard case .table(let table) = value, !table.isEmpty else {
      throw Failure.invalid(
        key: "sweep", value: value.description, allowed: "must be a table of dotted keys with arrays")
    }
    let axes = try flatten(table, prefix: "").sorted { $0.0 < $1.0 }.map { try choices($0.0, $0.1, integers) }
    let keys = axes.flatMap { $0[0].map(\.key) }
    if let twice = keys.first(where: { key in keys.filter { $0 == key }.count > 1 }) {
      throw Failure.invalid(key: "sweep.\"\(twice)\"", value: "(twice)", allowed: "a key can be swept once")
    }
    let total = axes.reduce(1.0) { $0 * Double($1.count) }
    guard total <= Double(mostCases) else {
      throw Failure.invalid(key: "sweep", value: "\(Int64(total)) cases", allowed: "at most \(mostCases) cases")
    }
    let points = axes.reduce([Point(label: "", settings: [])]) { points, axis in
      points.flatMap { point in axis.map { Point(label: "", settings: point.settings + $0) } }
    }
    let labelled = points.map { point in
      Point(label: point.settings.map { "\($0.key)=\($0.value)" }.joined(separator: ","), settings: point.settings)
    }
    var seen: [String: String] = [:]
    for point in labelled {
      // 1 and 1.0 are the same value.
      let meaning = point.settings.map { "\($0.key)=\($0.value.canonical)" }.joined(separator: ",")
      if let other = seen.updateValue(point.label, forKey: meaning) {
        throw Failure.invalid(
          key: "sweep", value: value.description,
          allowed: "every case must differ from the others; \(point.label) is there twice"
            + (other == point.label ? "" : ", also as \(other)"))
      }
    }
    return labelled
  }

  /// The settings of each point of one axis.
  private static func choices(
    _ name: String, _ list: JobValue, _ integers: Set<String>
  ) throws -> [[(key: String, value: JobValue)]] {
    func setting(_ key: String, _ value: JobValue) -> (key: String, value: JobValue) {
      (key, integers.contains(key) ? value.integer.map { .integer($0) } ?? value : value)
    }
    let keys = name.split(separator: ",").map { $0.trimming(" ") }
    guard case .list(let items) = list, !items.isEmpty, !keys.isEmpty else {
      throw Failure.invalid(
        key: "sweep.\"\(name)\"", value: list.description, allowed: "must be an array with an entry a case")
    }
    return try items.map { item in
      if keys.count == 1 { return [setting(keys[0], item)] }
      guard case .list(let tuple) = item, tuple.count == keys.count else {
        throw Failure.invalid(
          key: "sweep.\"\(name)\"", value: item.description,
          allowed: "must be an array of \(keys.count) values, one for each key")
      }
      return zip(keys, tuple).map(setting)
    }
  }

  /// Dotted keys without quotes arrive as tables in tables.
  private static func flatten(_ table: [String: JobValue], prefix: String) -> [(String, JobValue)] {
    table.flatMap { key, value -> [(String, JobValue)] in
      if case .table(let inner) = value { return flatten(inner, prefix: prefix + key + ".") }
      return [(prefix + key, value)]
    }
  }
}

extension JobValue {
  /// Equal for values that mean the same: integers as reals, everywhere.
  fileprivate var canonical: JobValue {
    switch self {
    case .integer(let value): Double(exactly: value).map { .real($0) } ?? self
    case .list(let items): .list(items.map(\.canonical))
    case .table(let table): .table(table.mapValues(\.canonical))
    default: self
    }
  }
}

extension StringProtocol {
  /// Without such characters at both ends.
  func trimming(_ characters: String) -> String {
    var rest = self[...]
    while let first = rest.first, characters.contains(first) { rest = rest.dropFirst() }
    while let last = rest.last, characters.contains(last) { rest = rest.dropLast() }
    return String(rest)
  }
}
