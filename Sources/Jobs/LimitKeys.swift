import Experiments

/// Keys below `limit`: `limit.step` of the only limit, `limit.covariance-sde.step` of one among several. A job may write
/// `[limit]` or `[[limit]]`.
enum LimitKeys {
  /// A copy of a job with the value of a dotted key replaced, wherever its table is.
  static func setting(_ job: JobValue, _ key: String, to new: JobValue) throws -> JobValue {
    guard key.hasPrefix("limit."), let limits = tables(job["limit"]) else { return try job.setting(key, to: new) }
    var changed = limits
    let (place, rest) = try find(key, in: limits, to: new)
    changed[place] = try limits[place].setting(rest, to: new)
    return try job.setting("limit", to: .list(changed))
  }

  /// The key with the name of its limit: two keys that mean the same are equal. Other keys are as they were.
  static func canonical(_ key: String, in job: JobValue) -> String {
    guard key.hasPrefix("limit."), let limits = tables(job["limit"]),
      let (place, rest) = try? find(key, in: limits, to: .table([:]))
    else { return key }
    return "limit.\(equation(limits[place]) ?? String(place)).\(rest)"
  }

  /// Name of the table of a limit in messages, as `--set` takes it.
  static func path(_ place: Int, of limits: [JobValue]) -> String {
    guard limits.count > 1 else { return "limit" }
    return "limit." + (equation(limits[place]) ?? String(place))
  }

  private static func find(_ key: String, in limits: [JobValue], to new: JobValue) throws -> (place: Int, rest: String)
  {
    let names = limits.map { equation($0) ?? "" }
    let rest = String(key.dropFirst("limit.".count))
    let parts = rest.split(separator: ".", maxSplits: 1).map(String.init)
    if parts.count == 2, let place = names.firstIndex(of: parts[0]) { return (place, parts[1]) }
    // Also a key within a table of the only limit, such as `limit.drift.a`.
    if limits.count == 1, parts.count == 1 || hasTable(limits[0], parts[0]) { return (0, rest) }
    let own = parts.last ?? ""
    let nearest = parts.count == 2 ? Nearest.name(to: parts[0], among: names) : nil
    throw Failure.invalid(
      key: key, value: new.description,
      allowed: parts.count == 2
        ? "the job has no limit \(parts[0]), but " + names.joined(separator: ", ")
          + (nearest.map { "; did you mean limit.\($0).\(own)?" } ?? "")
        : "the job has \(limits.count) limits; say of which one: "
          + names.map { "limit.\($0).\(own)" }.joined(separator: " or "))
  }

  private static func hasTable(_ limit: JobValue, _ key: String) -> Bool {
    if case .table? = limit[key] { true } else { false }
  }

  private static func equation(_ table: JobValue) -> String? {
    if case .text(let name)? = table["equation"] { return name }
    return nil
  }

  /// Nil unless there are tables of limits.
  private static func tables(_ value: JobValue?) -> [JobValue]? {
    let list: [JobValue]
    switch value {
    case .table(let table)?: list = [.table(table)]
    case .list(let items)?: list = items
    default: return nil
    }
    for item in list {
      guard case .table = item else { return nil }
    }
    return list.isEmpty ? nil : list
  }
}
