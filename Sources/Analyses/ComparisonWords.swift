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
    let tested = rows.filter { $0.verdict != nil }
    guard let worst = strongest(tested) else { return subject + "undecided: \(nothing)" }
    if let reason = withheld { return subject + "undecided: \(reason)" }
    let areMoments = rows.allSatisfy { [.mean, .secondMoment].contains($0.statistic) }
    let what = kind == .paired ? "draw by draw" : areMoments ? "the exact moments" : "the exact statistics"
    let argument = worst.statistic.argument.isEmpty ? "" : " (\(worst.statistic.argument))"
    let strength =
      "largest |z| = \(Words.format(worst.z.magnitude, 3)) in \(worst.statistic.name)\(argument) of \(worst.observable) at \(place(worst)) (\(tested.count) tests, |z| < \(Words.format(setting.critical, 3)))"
    switch verdict {
    case .agrees: return subject + "agrees \(kind == .paired ? "" : "with ")\(what), \(strength)"
    case .differs: return subject + "DIFFERS \(kind == .paired ? "" : "from ")\(what), \(strength)"
    case .undecided:
      let weak = tested.filter { $0.reason == .noPower }
      let least = weak.max { $0.smallestEffect / $0.tolerance < $1.smallestEffect / $1.tolerance }!
      return subject
        + "undecided: no difference from \(what) is detected, but in \(weak.count) of \(tested.count) tests one of the tolerance \(least.tolerance) would go unseen (\(least.quantity) at \(place(least)): only from \(Words.format(least.smallestEffect, 2)) on)\(more(weak)); \(strength)"
    }
  }

  // MARK: What is missing

  /// Why there is no verdict although something was measured: a precondition of the whole comparison, or of some rows unless others
  /// differ.
  private var withheld: String? {
    if let hindrance = setting.hindrance, rows.contains(where: { $0.reason == hindrance.reason }) {
      return hindrance.sentence
    }
    if verdict == .undecided, let few = rows.first(where: { $0.reason == .fewEffectiveDraws }) {
      return few.effectiveDrawsSentence(setting.finite)
    }
    guard verdict == .undecided, let gap = rows.filter({ $0.reason == .incomplete }).min(by: { $0.share < $1.share })
    else { return nil }
    return
      "\(gap.observable) at \(place(gap)) exists in \(Words.format(100 * gap.share, 3))% of the \(leg.drawName)s only"
  }

  /// Why nothing is tested.
  private var nothing: String {
    if rows.isEmpty { return "nothing to compare" }
    let reasons = rows.map(\.reason)
    if reasons.allSatisfy({ $0 == .fewDraws }) { return "too few \(leg.drawName)s for an error that can be relied on" }
    if reasons.allSatisfy({ $0 == .heavyTails }) { return "tails too heavy for the means to be tested" }
    return "too few \(leg.drawName)s, tails too heavy, or values that are not finite"
  }

  /// How many draws would decide, where draws alone would.
  private func more(_ weak: [Comparison.Row]) -> String {
    let missing = weak.map(\.missingDraws)
    guard !weak.isEmpty, missing.allSatisfy({ $0 != nil }), let most = missing.compactMap({ $0 }).max(), most < 1e15
    else {
      return ""
    }
    return "; about \(Words.format(most, 2)) more \(leg.drawName)s would decide"
  }

  /// What was not tested and what would change that.
  var unjudged: String {
    func names(_ reason: Reason) -> String? {
      let mine = rows.filter { $0.reason == reason }.map(\.quantity)
      guard !mine.isEmpty else { return nil }
      let once = mine.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
      return once.prefix(6).joined(separator: ", ") + (once.count > 6 ? " and \(once.count - 6) more" : "")
    }
    let draws = leg.process == nil ? "draws" : "replicas"
    let parts = [
      names(.heavyTails).map {
        leg.process == nil
          ? "\($0) (tails too heavy for a mean: measure a logarithm, or compare a quantile or the law)"
          : "\($0) (rare values decide: few of the replicas have met them, so the error is too small; raise `steps`)"
      },
      names(.fewDraws).map { "\($0) (too few: raise `\(draws)`)" },
      names(.notEstimable).map { "\($0) (no finite error)" },
      names(.notMixed).map { "\($0) (the chains have not mixed: longer runs, or other steps)" },
      names(.autocorrelated).map { "\($0) (rows that depend on each other: give a chain column)" },
      names(.withheld).map { "\($0) (the hypotheses of the reference do not hold)" },
      names(.incomplete).map { "\($0) (does not exist in all \(leg.drawName)s)" },
      names(.fewEffectiveDraws).map { "\($0) (weights that leave too few draws: raise `draws`)" },
    ].compactMap { $0 }
    return parts.isEmpty ? "" : "against \(reference): " + parts.joined(separator: "; ")
  }

  // MARK: Limits

  private var limit: String {
    let judged = rows.filter { $0.verdict != nil }
    if let reason = withheld { return subject + "undecided: \(reason)" }
    // Of the rows that the verdict comes from.
    guard
      let worst = judged.filter({ $0.verdict == verdict }).max(by: {
        $0.size / $0.tolerance < $1.size / $1.tolerance
      })
    else { return subject + "undecided: \(nothing)" }
    let where_ = "\(worst.measure(kind)) in \(worst.place(leg.axis))"
    var text: String
    switch verdict {
    case .agrees: text = subject + "agrees within the tolerance \(worst.tolerance): largest \(where_)"
    case .differs:
      let first = judged.filter { $0.verdict == .differs }.min { $0.coordinate < $1.coordinate }!
      text = subject + "differs by more than \(worst.tolerance): \(where_); first in \(first.place(leg.axis))"
    case .undecided:
      text =
        subject + "undecided at tolerance \(worst.tolerance): \(where_)\(more(rows.filter { $0.reason == .noPower }))"
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
    }
    return strongest(all.filter { $0.statistic == .mean }) ?? strongest(all)
  }
}
