import Analyses
import Experiments

/// `[stop]`: when a run ends before all its draws are made.
///
///     [stop]
///     decided = true                                # every verdict is agrees or differs
///     standard_error = { "E rho[0,1]" = 1e-3 }      # in the last record of the finite leg
///     at_most = 1000000                             # draws; those of the job unless given
///     looks = 7
enum Stop {
  static let parameters: [Parameter] = [
    Parameter("decided", .boolean, default: .boolean(false), "end where every verdict is agrees or differs"),
    Parameter(
      "standard_error", .structured("a table of standard errors, as in { \"E rho[0,1]\" = 1e-3 }"), optional: true,
      "end where the means of the finite leg have these standard errors in its last record"),
    Parameter(
      "at_most", .integer(2...Int64(1) << 60), optional: true,
      "largest number of draws of every leg that draws, in place of their own: network.draws or particles.replicas may be missing"
    ),
    Parameter(
      "looks", .integer(2...30), default: .integer(7),
      "number of looks at the result; each has twice the draws of the one before, the last has all"),
  ]

  static func read(_ value: JobValue?) throws -> (rule: StopRule, atMost: UInt64?)? {
    guard let value else { return nil }
    let p = try Parameters(value, path: "stop", allowed: parameters, isSwept: false)
    var wanted: [StopRule.Wanted] = []
    if let errors = p["standard_error"] {
      let allowed = "must be a table of quantities with positive standard errors, as in { \"E rho[0,1]\" = 1e-3 }"
      guard case .table(let table) = errors, !table.isEmpty else { throw p.invalid("standard_error", allowed) }
      for (quantity, entry) in table.sorted(by: { $0.key < $1.key }) {
        guard let number = entry.number, number > 0, number.isFinite else {
          throw Failure.invalid(key: "stop.standard_error.\"\(quantity)\"", value: entry.description, allowed: allowed)
        }
        wanted.append(StopRule.Wanted(quantity: quantity, standardError: number))
      }
    }
    guard p.boolean("decided") || !wanted.isEmpty else {
      throw Failure.invalid(
        key: "stop", value: value.description, allowed: "must have decided = true, standard_error, or both")
    }
    return (
      StopRule(decided: p.boolean("decided"), wanted: wanted, looks: p.integer("looks")),
      p["at_most"] == nil ? nil : UInt64(p.integer("at_most"))
    )
  }

  /// The number of draws of a family without one of its own is `at_most`.
  static func setting(atMost most: UInt64, _ family: RegisteredFamily, _ job: JobValue) throws -> JobValue {
    guard let draws = family.draws, case .table(let table)? = job[family.table], table[draws.name] == nil else {
      return job
    }
    return try job.setting("\(family.table).\(draws.name)", to: .integer(Int64(most)))
  }

  /// `at_most` must be a number of draws that the family could make; where it is not given, the draws must be.
  static func check(atMost most: UInt64?, _ family: RegisteredFamily, _ job: JobValue) throws {
    guard let draws = family.draws, case .integer(let range) = draws.kind else { return }
    let key = "\(family.table).\(draws.name)"
    if let most {
      guard !range.contains(Int64(most)) else { return }
      throw Failure.invalid(
        key: "stop.at_most", value: "\(most)",
        allowed: "stands for \(key), and must be \(draws.allowed); the nearest is \(range.upperBound)")
    }
    guard case .table(let table)? = job[family.table], table[draws.name] == nil, draws.default == nil else { return }
    let isSwept = try Sweep.points(job["sweep"])[0].settings.contains { $0.key == key }
    guard !isSwept else { return }
    throw Failure.invalid(key: key, value: nil, allowed: "must be \(draws.allowed), or stop.at_most in its place")
  }

  /// Names of observables must be those of the finite leg; an error nobody can reach would run to the end.
  static func check(_ rule: StopRule, _ cases: [Case]) throws {
    for item in cases {
      for wanted in rule.wanted {
        let name = Decision.observable(wanted.quantity)
        guard let leg = item.finite, leg.schema.place(of: name) == nil else { continue }
        throw Failure.invalid(
          key: "stop.standard_error.\"\(wanted.quantity)\"", value: "\(wanted.standardError)",
          allowed: "must be the mean of an observable of the job, as in \"E \(leg.observables[0].name)\""
            + Nearest.hint(.text(name), among: leg.observables.map(\.name)))
      }
    }
  }
}
