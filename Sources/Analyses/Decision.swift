import Experiments
import Statistics

extension [String] {
  /// The first three, and how many more.
  package var brief: String {
    prefix(3).joined(separator: "; ") + (count > 3 ? "; and \(count - 3) more" : "")
  }
}

/// Whether a run with a ``StopRule`` has what was asked for.
package struct Decision {
  /// What is missing, as people read it; empty where the run may end.
  package let missing: [String]
  package var isReached: Bool { missing.isEmpty }

  /// - Parameter snapshot: all draws of one look.
  package init(_ snapshot: Snapshot) {
    guard let rule = snapshot.job.stop else {
      missing = []
      return
    }
    var missing: [String] = []
    if rule.decided {
      let open = Analyses.all(snapshot).flatMap(\.verdicts).filter { $0.word == .undecided }
      missing += open.map { $0.subject + (snapshot.job.cases.count > 1 ? " (\($0.caseLabel))" : "") + " is undecided" }
    }
    for wanted in rule.wanted {
      let errors = snapshot.job.cases.map { Self.error(wanted.quantity, $0, snapshot) }
      guard let largest = errors.max(by: { !($0 > $1) && !$0.isNaN }), largest <= wanted.standardError else {
        let worst = errors.contains(where: \.isNaN) ? .nan : errors.max() ?? .nan
        missing.append("\(wanted.quantity) has the standard error \(Words.format(worst, 2))")
        continue
      }
    }
    self.missing = missing
  }

  /// The standard error of `E NAME` in the last record of the finite leg; NaN where it is not known.
  private static func error(_ quantity: String, _ item: Case, _ snapshot: Snapshot) -> Double {
    guard let leg = item.finite, let state = snapshot.state(item.path(of: leg)),
      let place = leg.schema.place(of: Self.observable(quantity))
    else { return .nan }
    let found = Measured(leg: leg, state: state).estimate(.mean, leg.axis.count - 1, place)
    return found.map { $0.failing == .fewDraws ? .nan : $0.error } ?? .nan
  }

  /// The observable of `E NAME`.
  package static func observable(_ quantity: String) -> String {
    quantity.hasPrefix("E ") ? String(quantity.dropFirst(2)) : quantity
  }
}

extension Decision {
  /// Draws after which a rule will be reached, if what a pilot measured stays as it is: errors fall as the root of the number of draws.
  /// Nil where more draws alone will not do it, and without a rule.
  package static func draws(from pilot: Snapshot) -> Double? {
    guard let rule = pilot.job.stop else { return nil }
    var most = 0.0
    for item in pilot.job.cases {
      guard let leg = item.finite, let state = pilot.state(item.path(of: leg)) else { return nil }
      let made = Double(state.tally.counter(.draws))
      for wanted in rule.wanted {
        let ratio = error(wanted.quantity, item, pilot) / wanted.standardError
        guard ratio.isFinite else { return nil }
        most = max(most, made * ratio * ratio)
      }
      guard rule.decided else { continue }
      for comparison in Analyses.comparisons(pilot) where comparison.caseLabel == item.label {
        guard comparison.verdict == .undecided else { continue }
        let open = comparison.rows.filter { $0.verdict == .undecided }.map(\.missingDraws)
        guard !open.isEmpty, !open.contains(where: { $0 == nil }) else { return nil }
        most = max(most, made + open.compactMap { $0 }.max()!)
      }
    }
    return most
  }
}
