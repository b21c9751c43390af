import Experiments
import Statistics

/// Whether a system is usable as it starts: probabilities of its failures (observables of role `failure`), and where
/// along the axis each reaches a threshold. All are among the draws in which the failure is defined (a correlation is not where
/// an input is 0).
package struct Health: Analysis {
  /// One kind of failure.
  package struct Row: Sendable {
    package let failure: String
    /// The last point of the axis.
    package let depth: Double
    /// Draws in which the failure is defined there.
    package let defined: Int64
    /// Probability there among those draws, with its 95% interval (Wilson); NaN where there are none.
    package let probability, lower, upper: Double
    /// First point at which the probability is at the threshold or above, and the one before it; nil if there is none.
    package let reached, before: Double?
  }

  package internal(set) var index = 0
  package let caseLabel: String
  package let axis: Axis
  package let rows: [Row]
  package let threshold: Double
  package let verdict: Equivalence
  /// In one sentence.
  package let sentence: String

  /// Nil without draws. The intervals hold with probability 1 - level: 95%, and more at the looks of a run that ends when it is decided.
  package init?(caseLabel: String, leg: Leg, tally: Tally, threshold: Double, level: Double = 0.05) {
    guard tally.counter(.draws) > 0, !leg.axis.values.isEmpty else { return nil }
    self.threshold = threshold
    self.caseLabel = caseLabel
    let draws = tally.counter(.draws)
    let z = Gaussian.critical(level)
    let axis = leg.axis
    self.axis = axis
    let rows = leg.observables.indices.filter { leg.observables[$0].role == .failure }.map { place -> Row in
      let path = axis.values.indices.map { tally.moments(leg.schema.index($0, place)) }
      let last = path.last!
      let (n, p) = (Double(last.count), last.mean)
      let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
      let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
      let index = path.firstIndex { $0.mean >= threshold }
      return Row(
        failure: leg.observables[place].name, depth: axis.values.last!, defined: last.count, probability: p,
        lower: p == 0 ? 0 : max(centre - half, 0), upper: p == 1 ? 1 : min(centre + half, 1),
        reached: index.map { axis.values[$0] }, before: index.flatMap { $0 > 0 ? axis.values[$0 - 1] : nil })
    }
    self.rows = rows
    func percent(_ x: Double) -> String { Words.format(100 * x, 3) + "%" }
    let words = rows.map { row -> String in
      let reached =
        row.reached.map { point in
          ", \(percent(threshold)) reached "
            + (row.before.map { "between \(axis.name)s \(Axis.label($0)) and \(Axis.label(point))" }
              ?? "by \(axis.name) \(Axis.label(point))")
        } ?? ", \(percent(threshold)) not reached"
      if row.defined == 0 {
        return "\(row.failure) undefined in all \(draws) draws\(row.reached == nil ? "" : reached)"
      }
      let among = row.defined < draws ? " of the \(row.defined) of \(draws) draws where it is defined" : ""
      return
        "\(row.failure) \(percent(row.probability)) [\(percent(row.lower)), \(percent(row.upper))]\(among)\(reached)"
    }
    let failing = rows.filter { $0.lower > threshold }
    let isHealthy = !rows.isEmpty && rows.allSatisfy { $0.upper < threshold }
    verdict = !failing.isEmpty ? .differs : isHealthy ? .agrees : .undecided
    let judged: String
    if !failing.isEmpty {
      judged = "unhealthy: " + failing.map(\.failure).joined(separator: ", ")
    } else if isHealthy {
      judged = "healthy"
    } else if let unknown = rows.first(where: { $0.defined == 0 }) {
      judged = "undecided: \(unknown.failure) is undefined"
    } else {
      judged = "undecided: too few draws" + Self.advice(rows, threshold: threshold, draws: draws, z: z)
    }
    sentence = "\(axis.name) \(Axis.label(axis.values.last!)): \(judged) (" + words.joined(separator: "; ") + ")"
  }

  /// How many draws would decide. Wilson's interval leaves the threshold t out where (p - t)^2 > z^2 t (1 - t)/n.
  private static func advice(_ rows: [Row], threshold: Double, draws: Int64, z: Double) -> String {
    let needed = rows.filter { $0.lower <= threshold && $0.upper >= threshold }.map { row -> Double in
      let distance = row.probability - threshold
      let among = z * z * threshold * (1 - threshold) / (distance * distance)
      return among * Double(draws) / Double(row.defined)
    }
    guard let most = needed.max(), most.isFinite, most < 1e15 else { return "" }
    return ", about \(Words.format(most.rounded(.up), 2)) would decide if the probabilities stay as they are"
  }

  package var verdicts: [Verdict] {
    [Verdict(subject: "health", caseLabel: caseLabel, word: verdict, sentence: sentence)]
  }

  package var tables: [Table] {
    func numbers(_ name: String, _ summary: String, _ value: (Row) -> Double) -> Table.Column {
      .init(name, .numbers(rows.map(value)), summary)
    }
    var table = Table(
      group: "health/\(index)",
      attributes: [
        ("label", .text(caseLabel)), ("threshold", .number(threshold)), ("verdict", .text(verdict.rawValue)),
        ("sentence", .text(sentence)),
      ],
      rows: [
        .init("failure", .texts(rows.map(\.failure)), "kind of failure"),
        numbers("depth", "last point of the axis", \.depth),
        .init("defined", .integers(rows.map(\.defined)), "draws in which the failure is defined there"),
        numbers("probability", "probability there among those draws; NaN where there are none", \.probability),
        numbers("lower", "lower end of its 95% interval", \.lower),
        numbers("upper", "upper end of its 95% interval", \.upper),
        numbers("reached", "first point at the threshold; NaN where it is not reached") { $0.reached ?? .nan },
        numbers("before", "the point before it; NaN if there is none") { $0.before ?? .nan },
      ])
    table.notes = ["health: \(caseLabel): \(sentence)"]
    return [table]
  }
}
