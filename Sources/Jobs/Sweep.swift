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
  static func points(_ value: JobValue?) throws -> [Point] {
    guard let value else { return [Point(label: "main", settings: [])] }
    guard case .table(let table) = value, !table.isEmpty else {
      throw Failure.invalid(
        key: "sweep", value: value.description, allowed: "must be a table of dotted keys with arrays")
    }
    let axes = try flatten(table, prefix: "").sorted { $0.0 < $1.0 }.map { try choices($0.0, $0.1) }
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
    guard Set(labelled.map(\.label)).count == labelled.count else {
      throw Failure.invalid(key: "sweep", value: value.description, allowed: "every case must differ from the others")
    }
    return labelled
  }

  /// The settings of each point of one axis.
  private static func choices(_ name: String, _ list: JobValue) throws -> [[(key: String, value: JobValue)]] {
    let keys = name.split(separator: ",").map { $0.trimming(" ") }
    guard case .list(let items) = list, !items.isEmpty, !keys.isEmpty else {
      throw Failure.invalid(
        key: "sweep.\"\(name)\"", value: list.description, allowed: "must be an array with an entry a case")
    }
    return try items.map { item in
      if keys.count == 1 { return [(keys[0], item)] }
      guard case .list(let tuple) = item, tuple.count == keys.count else {
        throw Failure.invalid(
          key: "sweep.\"\(name)\"", value: item.description,
          allowed: "must be an array of \(keys.count) values, one for each key")
      }
      return zip(keys, tuple).map { (key: $0, value: $1) }
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

extension StringProtocol {
  /// Without such characters at both ends.
  func trimming(_ characters: String) -> String {
    var rest = self[...]
    while let first = rest.first, characters.contains(first) { rest = rest.dropFirst() }
    while let last = rest.last, characters.contains(last) { rest = rest.dropLast() }
    return String(rest)
  }
}
