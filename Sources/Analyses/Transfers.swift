import Experiments
import Kernels
import Randomness
import Statistics

/// Whether the best value of a key is the same along a sweep: of the observable of role `objective` the value of the key with the least mean, for each
/// setting of the other keys, with an interval by a parametric bootstrap of the means.
///
/// Means of different cases are independent and normal with their standard errors; the best value is found again for each of many sets of means drawn from
/// these. A value at which more than one percent of the runs have failed is no candidate.
package struct Transfers: Analysis {
  package struct Row: Sendable {
    package let label: String
    /// The value with the least mean, and the interval of probability 1 - alpha; NaN where every value fails.
    package let best, lower, upper: Double
    /// Least mean, and its standard error.
    package let value, error: Double
    /// Largest value of the key at which runs do not fail.
    package let edge: Double
  }

  /// Largest ratio of two best values that counts as the same.
  package static let factor = 2.0
  private static let resamples = 2000
  private static let failing = 0.01

  package internal(set) var index = 0
  package let key, label: String
  package let rows: [Row]
  package let verdict: Equivalence
  package let sentence: String

  /// One for every key that is swept and says that it is tuned.
  static func all(_ snapshot: Snapshot) -> [Transfers] {
    let sizes = snapshot.job.smallParameters.map(\.key)
    return (snapshot.job.tunedKeys ?? []).flatMap { key -> [Transfers] in
      // Transfer is over sizes; other swept keys make questions of their own.
      var order: [String] = []
      var groups: [String: [Case]] = [:]
      for item in snapshot.job.cases {
        let label = settings(item) { $0 != key && !sizes.contains($0) }
        if groups[label] == nil { order.append(label) }
        groups[label, default: []].append(item)
      }
      return order.compactMap { label in
        Transfers(key, groups[label]!, label, snapshot) { settings($0) { $0 != key && sizes.contains($0) } }
      }
    }
  }

  private static func settings(_ item: Case, _ isWanted: (String) -> Bool) -> String {
    item.swept.filter { isWanted($0.key) }.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(
      separator: ", ")
  }

  private struct Point {
    let value, mean, error, failed: Double
  }

  /// Nil where the key is not swept over three values, or nothing is to be made small.
  private init?(
    _ key: String, _ cases: [Case], _ caseLabel: String, _ snapshot: Snapshot, size: (Case) -> String
  ) {
    var order: [String] = []
    var groups: [String: [Point]] = [:]
    for item in cases {
      guard let value = item.swept[key].flatMap(Double.init), let leg = item.finite,
        let place = leg.schema.place(of: .objective), let state = snapshot.state(item.path(of: leg)),
        let record = leg.axis.values.indices.last
      else { return nil }
      let label = size(item)
      let moments = state.tally.moments(leg.schema.index(record, place))
      let failed = leg.schema.place(of: .failure).map { state.tally.moments(leg.schema.index(record, $0)).mean } ?? 0
      if groups[label] == nil { order.append(label) }
      groups[label, default: []].append(
        Point(value: value, mean: moments.mean, error: moments.meanError, failed: failed))
    }
    guard !order.isEmpty, order.allSatisfy({ groups[$0]!.count >= 3 }) else { return nil }
    self.key = key
    label = caseLabel
    let alpha = snapshot.tolerances.alpha * snapshot.job.levelShare / Double(order.count)
    let rows = order.enumerated().map { Self.row($1, groups[$1]!, alpha: alpha, number: $0) }
    self.rows = rows
    (verdict, sentence) = Self.judge(rows, key)
  }

  private static func row(_ label: String, _ points: [Point], alpha: Double, number: Int) -> Row {
    let sorted = points.sorted { $0.value < $1.value }
    let able = sorted.filter { $0.failed <= failing && $0.mean.isFinite && $0.error.isFinite }
    // Beyond the first value that fails nothing is a candidate: a window of stability behind an edge is chance.
    let edge = sorted.prefix { $0.failed <= failing }.last?.value ?? .nan
    guard let best = able.min(by: { $0.mean < $1.mean }) else {
      return Row(label: label, best: .nan, lower: .nan, upper: .nan, value: .nan, error: .nan, edge: edge)
    }
    var stream = Stream(key: Stream.key(seed: 0, path: "transfer"))
    stream.start(draw: UInt64(number))
    var found = (0..<resamples).map { _ in
      able.map { ($0.mean + $0.error * stream.normal(), $0.value) }.min { $0.0 < $1.0 }!.1
    }
    found.sort()
    let cut = Int(0.5 * alpha * Double(resamples))
    return Row(
      label: label, best: best.value, lower: found[cut], upper: found[resamples - 1 - cut], value: best.mean,
      error: best.error, edge: edge)
  }

  private static func judge(_ rows: [Row], _ key: String) -> (Equivalence, String) {
    func name(_ row: Row) -> String { row.label.isEmpty ? "the only setting" : row.label }
    func number(_ x: Double) -> String { Words.format(x, 3) }
    if let lost = rows.first(where: { $0.best.isNaN }) {
      return (.differs, "\(key) does not transfer: runs fail at every value with \(name(lost))")
    }
    // What is certain: intervals further apart than the factor. What is excluded: any two points of the intervals are closer.
    for (i, a) in rows.enumerated() {
      for b in rows[(i + 1)...] {
        let (low, high) = a.best <= b.best ? (a, b) : (b, a)
        if low.upper * factor * (1 + 1e-9) < high.lower {
          return (
            .differs,
            "\(key) does not transfer: best \(number(low.best)) with \(name(low)), \(number(high.best)) with \(name(high))"
          )
        }
      }
    }
    let (lower, upper) = (rows.map(\.lower).min()!, rows.map(\.upper).max()!)
    if upper <= factor * lower * (1 + 1e-9) {
      return (
        .agrees,
        "\(key) transfers within a factor of \(number(factor)): best values are in [\(number(lower)), \(number(upper))]"
      )
    }
    return (
      .undecided,
      "whether \(key) transfers within a factor of \(number(factor)) is undecided: best values are in [\(number(lower)), \(number(upper))]; more draws are needed, or a finer grid"
    )
  }

  package var verdicts: [Verdict] {
    [Verdict(subject: "transfer", caseLabel: label, word: verdict, sentence: sentence)]
  }

  package var tables: [Table] {
    func numbers(_ name: String, _ summary: String, _ value: (Row) -> Double) -> Table.Column {
      .init(name, .numbers(rows.map(value)), summary)
    }
    var table = Table(
      group: "transfer/\(index)",
      attributes: [
        ("label", .text(label)), ("key", .text(key)), ("factor", .number(Self.factor)),
        ("verdict", .text(verdict.rawValue)),
        ("sentence", .text(sentence)),
      ],
      rows: [
        .init("setting", .texts(rows.map(\.label)), "the sizes that are swept"),
        numbers("best", "value of \(key) with the least mean; NaN where runs fail at every value", \.best),
        numbers("lower", "lower end of its interval", \.lower), numbers("upper", "upper end of its interval", \.upper),
        numbers("value", "least mean", \.value), numbers("value_error", "its standard error", \.error),
        numbers("edge", "largest value below the first at which more than 1% of the runs fail", \.edge),
      ])
    table.fields = [
      .init("setting", "setting"), .init("best", "best", .format("%.4g", missing: "-")),
      .init("from", "lower", .format("%.4g", missing: "-")), .init("to", "upper", .format("%.4g", missing: "-")),
      .init("mean there", "value", .value(error: "value_error")),
      .init("stable up to", "edge", .format("%.4g", missing: "-")),
    ]
    table.heading = "best \(key)\(label.isEmpty ? "" : ", \(label)")"
    table.notes = ["verdict: \(sentence)."]
    return [table]
  }
}
