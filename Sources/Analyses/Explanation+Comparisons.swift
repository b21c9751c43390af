import Experiments
import Statistics

/// What comparisons say. Those with one reference come together, word by word, over all cases.
extension Explanation {
  mutating func explain(_ comparisons: [Comparison], _ scalings: [Scaling]) {
    let references = comparisons.map(\.reference).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    for reference in references {
      let mine = comparisons.filter { $0.reference == reference }
      for word in [Equivalence.agrees, .differs] {
        let found = mine.filter { $0.verdict == word }
        if !found.isEmpty { word == .agrees ? agreement(found, of: mine.count) : difference(found, of: mine.count) }
      }
      undecided(mine.filter { $0.verdict == .undecided }, of: mine.count)
      untested(mine)
    }
    for reference in references {
      converge(comparisons.filter { $0.reference == reference }, scalings)
    }
  }

  /// A row and the comparison that it belongs to.
  private typealias Found = (comparison: Comparison, row: Comparison.Row)

  private func worst(_ comparisons: [Comparison], _ word: Equivalence?) -> Found? {
    let rows = comparisons.flatMap { own in own.rows.map { (comparison: own, row: $0) } }
      .filter { $0.row.verdict != nil && (word == nil || $0.row.verdict == word) }
    return rows.max { strength($0) < strength($1) }
  }

  private func strength(_ found: Found) -> Double {
    found.comparison.isJudgedExactly ? found.row.z.magnitude : found.row.size / found.row.tolerance
  }

  private func subject(_ comparisons: [Comparison]) -> String {
    comparisons.count == 1
      ? item(comparisons[0].caseLabel).map(describe) ?? "the \(comparisons[0].finite)" : "the \(comparisons[0].finite)"
  }

  private func name(_ reference: Comparison) -> String {
    switch reference.kind {
    case .paired: "\(reference.reference) on the same draws"
    case .predicted where reference.role == .exact:
      "the exact values" + (reference.reference == "exact" ? "" : " (\(reference.reference))")
    default: reference.reference
    }
  }

  private func cases(_ found: [Comparison], of count: Int) -> String {
    guard count > 1 else { return "" }
    return found.count == count
      ? " in all \(count) cases" : " in \(found.count) of \(count) cases (\(Self.list(found.map(\.caseLabel))))"
  }

  // MARK: Decided

  private mutating func agreement(_ found: [Comparison], of count: Int) {
    guard let worst = worst(found, .agrees) else { return }
    let (one, row) = worst
    let judged = found.reduce(0) { sum, own in sum + own.rows.count { $0.verdict != nil } }
    let where_ = row.place(one.axis) + (found.count > 1 ? place(one.caseLabel) : "")
    let start = Words.capitalised(subject(found))
    let rows = judged == 1 ? "the one judged row" : "all \(judged) judged rows"
    if one.isJudgedExactly {
      say(
        .shows, row.reason.rawValue, one.reference,
        "\(start) and \(name(one)) agree\(cases(found, of: count)), in \(rows): the largest |z| is \(Words.format(row.z.magnitude, 3)) in \(where_), below \(Words.format(one.criticalZ, 3)), and a difference of the tolerance \(row.tolerance) would have been seen"
      )
    } else {
      say(
        .shows, row.reason.rawValue, one.reference,
        "\(start) and \(name(one)) agree within the tolerance \(row.tolerance)\(cases(found, of: count)), in \(rows): the largest is a \(row.measureWithMargin(one.kind)) in \(where_)"
      )
    }
  }

  private mutating func difference(_ found: [Comparison], of count: Int) {
    guard let worst = worst(found, .differs) else { return }
    let (one, row) = worst
    let judged = found.reduce(0) { sum, own in sum + own.rows.count { $0.verdict != nil } }
    let differing = found.reduce(0) { sum, own in sum + own.rows.count { $0.verdict == .differs } }
    let where_ = row.place(one.axis) + (found.count > 1 ? place(one.caseLabel) : "")
    let start = Words.capitalised(subject(found))
    let rows = "in \(differing) of \(judged) judged rows"
    if one.isJudgedExactly {
      say(
        .shows, row.reason.rawValue, one.reference,
        "\(start) and \(name(one)) differ\(cases(found, of: count)), \(rows): the largest |z| is \(Words.format(row.z.magnitude, 3)) in \(where_), above \(Words.format(one.criticalZ, 3)); \(row.quantity) is \(Words.format(row.finite, 6)) +- \(Words.format(row.finiteError, 2)), not \(Words.format(row.reference, 6))"
      )
      return
    }
    var text =
      "\(start) and \(name(one)) differ by more than the tolerance \(row.tolerance)\(cases(found, of: count)), \(rows): the largest is a \(row.measureWithMargin(one.kind)) in \(where_)"
    if found.count == 1, one.axis.count > 1,
      let first = one.rows.filter({ $0.verdict == .differs }).min(by: { $0.coordinate < $1.coordinate }),
      first.coordinate < row.coordinate
    {
      text += "; it is seen from \(one.axis.name) \(Axis.label(first.coordinate)) on"
    }
    say(.shows, row.reason.rawValue, one.reference, text)
  }

  // MARK: Undecided

  private mutating func undecided(_ found: [Comparison], of count: Int) {
    let open = found.filter { own in own.rows.contains { $0.reason == .noPower } }
    guard let one = open.max(by: { weakness($0) < weakness($1) }), let row = weakest(one) else { return }
    let where_ = row.place(one.axis) + (open.count > 1 ? place(one.caseLabel) : "")
    let start = "Undecided whether \(subject(open)) and \(name(one)) agree\(cases(open, of: count)): "
    let noun = item(one.caseLabel)?.finite?.drawName ?? "draw"
    let power =
      "these \(noun)s detect \(row.ks == nil ? "an effect" : "a distance") of \(Words.format(row.smallestEffect, 2)) at best, the tolerance is \(row.tolerance)"
    say(
      .open, Reason.noPower.rawValue, one.reference,
      start
        + (one.isJudgedExactly
          ? "no difference is detected, but in \(where_) \(power)"
          : "the \(row.measureWithMargin(one.kind)) in \(where_) may lie on either side of the tolerance \(row.tolerance); \(power)")
    )
    let factors = open.map(Growth.factor)
    guard factors.allSatisfy({ $0 != nil }), let factor = factors.compactMap({ $0 }).max() else {
      let near = zip(open, factors).filter { $0.1 == nil && !isBlocked($0.0) }.map(\.0)
      if !near.isEmpty { nearTolerance(near) }
      return
    }
    let most = open.compactMap { item($0.caseLabel).map { made($0) } }.max() ?? 0
    advise(
      .draws(factor: factor),
      "about \(Words.count(Int64(Growth.rounded(factor * Double(most))), noun)) decide about \(one.reference) with probability \(Growth.probability), if the differences stay as they are"
    )
  }

  /// Some difference is the tolerance to within its own error, which may be large or small.
  private mutating func nearTolerance(_ found: [Comparison]) {
    let reference = found[0].reference
    let least = found.flatMap(\.rows).filter { $0.reason == .noPower }.map { $0.margin / $0.tolerance }.min() ?? 0
    let start =
      "These draws do not say how many would decide about \(reference): some difference is as large as the tolerance to within its error"
    if least < Self.narrow {
      return say(
        .open, "near_tolerance", reference,
        start + "; the tolerance may be the question (comparison.ks, comparison.mean)")
    }
    say(.open, "near_tolerance", reference, start)
    advise(.draws(factor: 4), "four times the draws halve the errors, and may say more about \(reference)")
  }

  /// Confidence intervals of a part of the tolerance that is smaller than this are no longer the reason that nothing is decided.
  private static let narrow = 0.1

  /// Whether something else than draws is missing.
  private func isBlocked(_ comparison: Comparison) -> Bool {
    comparison.rows.contains { $0.verdict == .undecided && $0.reason != .noPower }
  }

  private func weakest(_ comparison: Comparison) -> Comparison.Row? {
    comparison.rows.filter { $0.reason == .noPower }.max { weakness($0) < weakness($1) }
  }

  private func weakness(_ comparison: Comparison) -> Double { weakest(comparison).map(weakness) ?? 0 }
  private func weakness(_ row: Comparison.Row) -> Double { row.smallestEffect / row.tolerance }

  // MARK: Not tested

  private mutating func untested(_ comparisons: [Comparison]) {
    let one = comparisons[0]
    for reason in [
      Reason.heavyTails, .fewDraws, .notEstimable, .incomplete, .notMixed, .autocorrelated, .withheld,
      .fewEffectiveDraws,
    ] {
      let found = comparisons.flatMap { own in own.rows.filter { $0.reason == reason } }
      let places = comparisons.filter { own in own.rows.contains { $0.reason == reason } }
      guard !found.isEmpty else { continue }
      let names = Self.list(found.map(\.quantity))
      let start =
        "Nothing can be said about \(names) against \(name(one))\(cases(places, of: comparisons.count)): "
      let code = reason.rawValue
      switch reason {
      case .heavyTails:
        let judged = comparisons.flatMap { own in own.rows.filter { $0.verdict != nil } }
        let other = judged.filter { row in !found.contains { $0.quantity == row.quantity } }.map(\.quantity)
        say(
          .open, code, one.reference,
          start + "the tails are too heavy for the error (\(code)); "
            + (other.isEmpty
              ? "measure a logarithm, or compare a quantile or the law" : "judged in its place: \(Self.list(other))"))
      case .fewDraws: fewDraws(found, places, start)
      case .notEstimable: say(.open, code, one.reference, start + "no finite error can be computed (\(code))")
      case .incomplete:
        let least = found.map(\.share).min() ?? 0
        say(
          .open, code, one.reference,
          start
            + "finite in \(Words.format(100 * least, 3))% of the draws only, and more than the tolerance are missing (\(code))"
        )
      case .fewEffectiveDraws: fewEffectiveDraws(found, places, start)
      case .withheld:
        say(.open, code, one.reference, start + "a hypothesis of its formulas does not hold here (\(code))")
      case .notMixed:
        say(.open, code, one.reference, start + "the chains have not mixed, so their errors mean nothing (\(code))")
      default:
        let why = places.compactMap { own -> String? in
          guard let item = item(own.caseLabel), let leg = item.finite, let state = snapshot.state(item.path(of: leg))
          else { return nil }
          return Hindrance(Measured(leg: leg, state: state))?.sentence
        }.first
        say(.open, code, one.reference, start + (why ?? "the rows depend on each other") + " (\(code))")
      }
    }
  }

  private mutating func fewDraws(_ rows: [Comparison.Row], _ places: [Comparison], _ start: String) {
    guard let item = item(places[0].caseLabel), let leg = item.finite else { return }
    let least = rows.map { leg.process == nil ? Self.leastDraws($0.statistic) : Self.leastReplicas($0.statistic) }
      .max()!
    let code = Reason.fewDraws.rawValue
    say(
      .open, code, places[0].reference,
      start
        + "\(Words.count(made(item), leg.drawName)) give no error that can be relied on, \(Words.group(Int(least))) do (\(code))"
    )
    let fewest = places.compactMap { self.item($0.caseLabel).map { made($0) } }.min() ?? 0
    guard fewest > 0 else { return }
    advise(
      .draws(factor: max(least / Double(fewest), 1)),
      "\(Words.count(Int(least), leg.drawName)) give errors to all that is compared with \(places[0].reference)")
  }

  private mutating func fewEffectiveDraws(_ rows: [Comparison.Row], _ places: [Comparison], _ start: String) {
    let code = Reason.fewEffectiveDraws.rawValue
    guard let item = item(places[0].caseLabel), let leg = item.finite, let state = snapshot.state(item.path(of: leg))
    else { return }
    let measured = Measured(leg: leg, state: state)
    say(
      .open, code, places[0].reference, start + rows[0].effectiveDrawsSentence(measured) + " (\(code))")
  }

  private static func leastDraws(_ statistic: Statistic) -> Double {
    [.skewness, .kurtosis].contains(statistic) ? 10 * Measured.leastDraws : Measured.leastDraws
  }

  private static func leastReplicas(_ statistic: Statistic) -> Double {
    let least = Measured.leastReplicas
    if case .estimand = statistic { return Double(least.mean) }
    return Double(
      statistic == .mean ? least.mean : [.skewness, .kurtosis].contains(statistic) ? least.higher : least.second)
  }
}
