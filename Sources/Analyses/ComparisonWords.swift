import Experiments
import Statistics

/// The verdict of a comparison in one sentence.
struct ComparisonWords {
  let setting: Setting
  let reference: String
  let kind: Comparison.Kind
  let role: Leg.Role
  let rows: [Comparison.Row]
  let verdict: Equivalence
  let ksMargin: Double
  let expectedOffset: String

  private var leg: Leg { setting.finite.leg }
  private var subject: String {
    "\(leg.name) against \(reference)\(kind == .paired ? " on the same draws" : ""): "
  }

  var sentence: String { role == .exact && kind != .sampled ? exact : limit }

  private func place(_ row: Comparison.Row) -> String { "\(leg.axis.name) \(Axis.label(row.coordinate))" }

  private func strongest(_ rows: [Comparison.Row]) -> Comparison.Row? {
    rows.max { $0.z.magnitude < $1.z.magnitude }
  }

  // MARK: Exact

  private var exact: String {
    let tested = rows.filter { !$0.z.isNaN }
    guard let worst = strongest(tested) else {
      return subject + "undecided: too few draws, or tails too heavy, for the moments to be tested"
    }
    let areMoments = rows.allSatisfy { [.mean, .secondMoment].contains($0.statistic) }
    let what = kind == .paired ? "draw by draw" : areMoments ? "the exact moments" : "the exact statistics"
    let link = kind == .paired ? "" : verdict == .agrees ? "with " : "from "
    let argument = worst.statistic.argument.isEmpty ? "" : " (\(worst.statistic.argument))"
    var text =
      subject + (verdict == .agrees ? "agrees " : "DIFFERS ") + link + what
      + ", largest |z| = \(Words.format(worst.z.magnitude, 3)) in \(worst.statistic.name)\(argument) of \(worst.observable) at \(place(worst)) (\(tested.count) tests, |z| < \(Words.format(setting.critical, 3)))"
    if tested.count < rows.count { text += "; \(rows.count - tested.count) too heavy-tailed to test" }
    return text
  }

  // MARK: Limits

  private func size(_ row: Comparison.Row) -> Double { row.ks?.distance ?? row.shift.magnitude }
  private func tolerance(_ row: Comparison.Row) -> Double {
    row.ks != nil ? setting.tolerances.distance : setting.tolerances.mean
  }

  /// How large a difference is, in words.
  private func measure(_ row: Comparison.Row) -> String {
    let digits = Words.format(size(row), 3)
    if row.ks != nil {
      let margin = row.statistic == .law ? KolmogorovSmirnov.band(setting.finite.count, alpha: setting.alpha) : ksMargin
      return "KS distance \(digits) +- \(Words.format(margin, 2))"
    }
    let signed = Words.format(row.shift, 3)
    switch row.statistic {
    case .mean where kind == .paired: return "mean difference \(signed) standard deviations"
    case .mean where row.degreesOfFreedom != nil: return "relative difference \(signed)"
    case .mean: return "mean off by \(signed) standard deviations"
    case .quantile: return "quantile off by \(signed) standard deviations"
    default: return "relative difference \(signed)"
    }
  }

  private func name(_ row: Comparison.Row) -> String {
    [.mean, .law].contains(row.statistic) ? row.observable : row.quantity
  }

  private var limit: String {
    let judged = rows.filter { $0.verdict != nil }
    guard let worst = judged.max(by: { size($0) / tolerance($0) < size($1) / tolerance($1) }) else {
      return subject
        + (rows.isEmpty
          ? "undecided: nothing to compare"
          : "undecided: too few draws, or tails too heavy, for a difference to be judged")
    }
    let where_ = "\(measure(worst)) in \(name(worst)) at \(place(worst))"
    var text: String
    switch verdict {
    case .agrees: text = subject + "agrees within the tolerance \(tolerance(worst)): largest \(where_)"
    case .differs:
      let first = judged.filter { $0.verdict == .differs }.min { $0.coordinate < $1.coordinate }!
      text = subject + "differs by more than \(tolerance(worst)): \(where_); first in \(name(first)) at \(place(first))"
    case .undecided:
      text = subject + "undecided at tolerance \(tolerance(worst)): \(where_); more draws would tell"
    }
    if let most = detected {
      let what = most.statistic == .mean ? "a shift of the mean" : "a difference"
      text +=
        "; \(what) is detected: \(most.quantity) at \(place(most)) is off by \(Words.format(most.difference, 2)), z = \(Words.format(most.z, 3))"
      if !expectedOffset.isEmpty { text += "; \(expectedOffset)" }
    }
    return text
  }

  /// The most significant difference: of a mean if there is one. Means of heavy tails say little.
  private var detected: Comparison.Row? {
    let all = rows.filter { row in
      row.statistic != .law && row.z.magnitude > setting.critical
        && !(leg.observables.first { $0.name == row.observable }?.isHeavyTailed ?? false)
    }
    return strongest(all.filter { $0.statistic == .mean }) ?? strongest(all)
  }
}
