import Experiments
import Kernels

/// What all regressions share: how many draws, which ridges, what is measured.
package struct RegressionSettings: Sendable {
  /// delta, ascending; multiples of the best one where they are relative.
  package let ridges: [Double]
  package let isRelative: Bool
  /// Names of observables that are kept.
  package let measured: [String]

  /// Most ridges of one draw; each has a tally of its own.
  static let mostRidges = 1000

  static let names = ["test", "train", "log_test"]

  static func parameters(_ entry: RegressionEntry) -> [Parameter] {
    [
      Parameter("model", .choice([entry.name]), "what learns"),
      Parameter(
        "draws", .integer(2...Int64.max), "independent draws: each has examples, noise and features of its own"),
      Parameter(
        "ridges",
        .structured(
          "an ascending array of at most \(mostRidges) finite numbers of at least 0"
            + (entry.hasBestRidge ? ", or { times_best = [0.1, 1.0, 10.0] }" : "")),
        "delta of \(entry.ridge); every draw serves all of them"
          + (entry.hasBestRidge
            ? "; times_best: in units of the ridge of the least test error of the eigenframework" : "")
      ),
      Parameter(
        "observables",
        .structured(
          "an array of " + entry.observables.joined(separator: ", ") + "; and { name = …, formula = … } of these"),
        default: .list(entry.observables.map { .text($0) }), "what is measured"),
    ]
  }

  init(_ p: Parameters, _ entry: RegressionEntry) throws {
    let wrong = p.invalid(
      "ridges",
      "must be an ascending array of at most \(Self.mostRidges) finite numbers of at least 0"
        + (entry.hasBestRidge ? ", or { times_best = [0.1, 1.0, 10.0] }" : ""))
    var list = p["ridges"]
    var isRelative = false
    if case .table? = list, entry.hasBestRidge {
      let path = "\(p.path).ridges"
      let own = try Parameters(
        list, path: path,
        allowed: [Parameter("times_best", .structured("an ascending array of finite numbers above 0"), "the ridges")])
      list = own["times_best"]
      isRelative = true
    }
    guard case .list(let items)? = list, (1...Self.mostRidges).contains(items.count) else { throw wrong }
    let found = items.compactMap(\.number)
    guard found.count == items.count, found.allSatisfy({ $0.isFinite && (isRelative ? $0 > 0 : $0 >= 0) }),
      zip(found, found.dropFirst()).allSatisfy(<)
    else { throw wrong }
    // Never -0.
    ridges = found.map { $0 + 0 }
    self.isRelative = isRelative
    measured = try Self.readNames(p, entry.observables)
  }

  package init(ridges: [Double], measured: [String] = RegressionSettings.names) {
    (self.ridges, isRelative, self.measured) = (ridges, false, measured)
  }

  package var axis: Axis {
    isRelative
      ? Axis(name: "relative_ridge", summary: "ridge over that of the least test error", values: ridges)
      : Axis(name: "ridge", summary: "ridge delta", values: ridges)
  }

  private static func readNames(_ p: Parameters, _ allowed: [String]) throws -> [String] {
    let words = allowed.joined(separator: ", ")
    let wrong = p.invalid(
      "observables", "must be an array of different names of \(words)\(Nearest.hint(p["observables"], among: allowed))")
    guard case .list(let items)? = p["observables"], !items.isEmpty else { throw wrong }
    let names = try items.map { item in
      guard case .text(let name) = item else { throw wrong }
      guard allowed.contains(name) else {
        throw p.invalid(
          "observables", "has \(name), which must be one of \(words)\(Nearest.hint(name, among: allowed))")
      }
      return name
    }
    guard Set(names).count == names.count else { throw wrong }
    return names
  }
}

extension Parameters {
  /// Finite numbers of an array.
  package func numbers(_ key: String) -> [Double]? {
    guard case .list(let items)? = self[key] else { return nil }
    let found = items.compactMap(\.number).filter(\.isFinite)
    return found.count == items.count && !found.isEmpty ? found : nil
  }
}
