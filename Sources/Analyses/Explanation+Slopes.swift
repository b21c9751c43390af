import Experiments
import Statistics

/// What slopes along sweeps say, and whether best values transfer.
extension Explanation {
  mutating func explain(_ trends: [Trends]) {
    for trend in trends {
      say(trend.verdict, "trend", trend.sentence, trend.label)
      let open = trend.rows.filter { $0.finding == .undecided && $0.margin.isFinite }
      advise(
        trend.verdict, open.map { ($0.slope.magnitude, $0.margin, Trends.tolerance) },
        "tell flat slopes from others")
    }
  }

  mutating func explain(_ transfers: [Transfers]) {
    for transfer in transfers {
      say(transfer.verdict, "transfer", transfer.sentence, transfer.label)
      guard transfer.verdict == .undecided else { continue }
      advise(.draws(factor: 4), "four times the draws make the intervals of the best values about half as wide")
    }
  }

  mutating func explain(_ laws: [DepthLaws]) {
    for law in laws {
      guard let verdict = law.verdict else {
        say(.shows, "exponents", DepthLaws.group, Words.capitalised(law.sentence) + place(law.label))
        continue
      }
      say(verdict, DepthLaws.group, law.sentence, law.label)
      let open = law.rows.filter { $0.verdict == .undecided && $0.margin.isFinite }
      advise(
        verdict, open.map { (($0.exponent - $0.known).magnitude, $0.margin, law.tolerance) },
        "decide about the exponents")
    }
  }

  private mutating func say(_ verdict: Equivalence, _ subject: String, _ sentence: String, _ label: String) {
    say(
      verdict == .undecided ? .open : .shows, verdict == .undecided ? "no_power" : subject, subject,
      Words.capitalised(sentence) + place(label))
  }

  /// As many draws as bring every interval to one side of the tolerance, if the distances stay as they are.
  private mutating func advise(
    _ verdict: Equivalence, _ open: [(distance: Double, margin: Double, tolerance: Double)], _ purpose: String
  ) {
    guard verdict == .undecided else { return }
    let factors = open.map { row in
      let ratio = row.margin / (row.distance - row.tolerance).magnitude
      return 1.2 * ratio * ratio
    }
    // Differences at the tolerance itself, and slopes that no interval is known of: how many is not known.
    let known = factors.max().flatMap { $0 < 100 ? $0 : nil }
    advise(
      .draws(factor: known ?? 4),
      known == nil ? "four times the draws make the intervals half as wide" : "about so many draws \(purpose)")
  }
}
