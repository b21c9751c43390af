import Analyses
import Experiments

/// `[expect]`: what a job says of its own verdicts and values; `[check]`: smaller sizes at which that is tested.
///
///     [expect]
///     "covariance-sde" = "agrees"                         # a verdict, by reference
///     "rho[0,1]" = { value = 0.34, tolerance = 0.02 }     # a mean of the finite leg, in its last record
///     "network.width=64: exact" = "agrees"                # in the cases with this setting
///
///     [check]
///     network.draws = 2000
///     expect = { "covariance-sde" = "undecided" }         # what differs there; "any" where nothing is said
enum Expect {
  static let verdicts = Verdict.Word.allCases.map(\.rawValue)
  /// In the `expect` of a `[check]`: not compared at the smaller size.
  private static let anything = JobValue.text("any")

  static func read(_ value: JobValue?, path: String) throws -> [Expectation] {
    guard let value else { return [] }
    guard case .table(let table) = value else {
      throw Failure.invalid(key: path, value: value.description, allowed: "must be a table of verdicts and values")
    }
    return try table.sorted { $0.key < $1.key }.map { subject, entry in
      switch entry {
      case .text(let word) where verdicts.contains(word): return Expectation(subject: subject, verdict: word)
      case .table(let pair):
        guard let number = pair["value"]?.number, let tolerance = pair["tolerance"]?.number, tolerance > 0,
          pair.count == 2
        else { break }
        return Expectation(subject: subject, value: number, tolerance: tolerance)
      default: break
      }
      throw Failure.invalid(
        key: "\(path).\"\(subject)\"", value: entry.description,
        allowed: "must be one of \(verdicts.joined(separator: ", ")), or { value = …, tolerance = … }"
          + Nearest.hint(entry, among: verdicts))
    }
  }

  /// The job at the sizes of its `[check]`.
  static func reduced(_ job: JobValue) throws -> JobValue {
    guard let check = job["check"] else { return job }
    guard case .table(let table) = check else {
      throw Failure.invalid(key: "check", value: check.description, allowed: "must be a table of dotted keys")
    }
    var result = job
    for (key, value) in flatten(.table(table.filter { $0.key != "expect" }), prefix: "").sorted(by: { $0.0 < $1.0 }) {
      result = try LimitKeys.setting(result, key, to: value)
    }
    guard let own = table["expect"] else { return result }
    guard case .table(let changes) = own else {
      throw Failure.invalid(
        key: "check.expect", value: own.description, allowed: "must be a table of verdicts and values")
    }
    var expect: [String: JobValue] = [:]
    if case .table(let all)? = job["expect"] { expect = all }
    for (subject, entry) in changes where entry == anything && expect[subject] == nil {
      throw Failure.invalid(
        key: "check.expect.\"\(subject)\"", value: entry.description,
        allowed:
          "stands for a key of [expect]; there is none of that name\(Nearest.hint(subject, among: Array(expect.keys)))")
    }
    _ = try read(.table(changes.filter { $1 != anything }), path: "check.expect")
    return try result.setting("expect", to: .table(expect.merging(changes) { $1 }.filter { $1 != anything }))
  }

  /// Quoted dotted keys stay as they are, tables are taken apart down to values that are no tables, but whole tables may be given for keys
  /// that stand for one (`sweep`, or a quoted key).
  private static func flatten(_ value: JobValue, prefix: String) -> [(String, JobValue)] {
    guard case .table(let table) = value else { return [(prefix, value)] }
    return table.flatMap { key, entry -> [(String, JobValue)] in
      if key == "sweep" && prefix.isEmpty { return [(key, entry)] }
      if case .table = entry, !key.contains(".") { return flatten(entry, prefix: prefix + key + ".") }
      return [(prefix + key, entry)]
    }
  }
}
