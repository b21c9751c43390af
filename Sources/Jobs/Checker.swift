import Analyses
import Engine
import Experiments
import Statistics

/// Runs a job in this process and compares what came out with its expectations.
package enum Checker {
  package struct Result: Sendable {
    package let expectation: Expectation
    /// Label of the case; empty where it is of the whole job.
    package let place: String
    package let holds: Bool
    /// What was expected and what came out.
    package let sentence: String
  }

  /// What is expected of a job, and every verdict.
  package static func run(_ file: JobFile, threads: Int) throws -> (results: [Result], verdicts: [Verdict]) {
    var options = LocalRun.Options()
    options.shards = file.shards
    options.isReached = { Decision($0).isReached }
    let snapshot = try LocalRun.run(file.job, ranks: threads, options: options).snapshot
    let verdicts = verdicts(snapshot)
    return (results(snapshot, verdicts), verdicts)
  }

  /// Every expectation in every case that it speaks of. One that speaks of nothing in the job does not hold.
  package static func results(_ snapshot: Snapshot) -> [Result] { results(snapshot, verdicts(snapshot)) }

  private static func results(_ snapshot: Snapshot, _ verdicts: [Verdict]) -> [Result] {
    snapshot.job.expectations.flatMap { expectation -> [Result] in
      let (place, subject) = split(expectation.subject)
      let found =
        expectation.verdict != nil
        ? compare(expectation, verdicts.filter { $0.subject == subject && isPlace(place, of: $0.caseLabel) })
        : values(expectation, subject, place, snapshot)
      return found.isEmpty
        ? [
          Result(
            expectation: expectation, place: "", holds: false,
            sentence: missing(expectation, subject, place, verdicts, snapshot))
        ] : found
    }
  }

  /// All that expectations may name.
  package static func verdicts(_ snapshot: Snapshot) -> [Verdict] { Analyses.all(snapshot).flatMap(\.verdicts) }

  private static func missing(
    _ expectation: Expectation, _ subject: String, _ place: String, _ verdicts: [Verdict], _ snapshot: Snapshot
  ) -> String {
    let labels = snapshot.job.cases.map(\.label) + verdicts.map(\.caseLabel)
    if !labels.contains(where: { isPlace(place, of: $0) }) {
      let settings = labels.flatMap { $0.split(separator: ",").map { $0.trimming(" ") } }
      return "\(expectation.subject): no case is \(place)\(Nearest.hint(place, among: settings))"
    }
    let names =
      expectation.verdict != nil
      ? verdicts.map(\.subject)
      : snapshot.job.cases.flatMap { item in
        item.finite.map { $0.observables.map(\.name) + ($0.schema.estimands ?? []).map(\.name) } ?? []
      }
    let what = expectation.verdict != nil ? "compared" : "measured"
    var once: [String] = []
    for name in names where !once.contains(name) { once.append(name) }
    return "\(expectation.subject): nothing of that name is \(what)"
      + (once.isEmpty ? "" : "; there is " + once.joined(separator: ", ")) + Nearest.hint(subject, among: once)
  }

  /// Whether a case is meant: by its label, or by settings that stand next to each other in it.
  private static func isPlace(_ place: String, of label: String) -> Bool {
    place.isEmpty || label == place || label.hasPrefix(place + ",") || label.hasSuffix("," + place)
      || label.hasSuffix(", " + place) || label.contains("," + place + ",") || label.contains(", " + place + ",")
  }

  /// `case: subject`, or the subject in every case.
  private static func split(_ text: String) -> (place: String, subject: String) {
    guard let border = text.ranges(of: ": ").last else { return ("", text) }
    return (String(text[..<border.lowerBound]), String(text[border.upperBound...]))
  }

  private static func compare(_ expectation: Expectation, _ verdicts: [Verdict]) -> [Result] {
    verdicts.map { verdict in
      let place = ["main", ""].contains(verdict.caseLabel) ? "" : "\(verdict.caseLabel): "
      return Result(
        expectation: expectation, place: verdict.caseLabel, holds: verdict.word.rawValue == expectation.verdict,
        sentence:
          "\(place)\(verdict.subject): expected \(expectation.verdict!), found \(verdict.word.rawValue): \(verdict.sentence)"
      )
    }
  }

  /// Means and, as `Var observable`, variances of an observable of the finite leg or, as `leg/observable`, of another one, in the last record unless
  /// ` at step 10` follows (`step` the name of the axis); orders that a sweep finds, as `order of observable`; slopes of logarithms along it, as `slope of
  /// observable`; and exponents and rates over depth, as `exponent of quantity`.
  private static func values(
    _ expectation: Expectation, _ subject: String, _ place: String, _ snapshot: Snapshot
  ) -> [Result] {
    let orders = "order of "
    if subject.hasPrefix(orders) {
      return order(expectation, String(subject.dropFirst(orders.count)), place, snapshot)
    }
    let slopes = "slope of "
    if subject.hasPrefix(slopes) {
      return slope(expectation, String(subject.dropFirst(slopes.count)), place, snapshot)
    }
    let exponents = "exponent of "
    if subject.hasPrefix(exponents) {
      return exponent(expectation, String(subject.dropFirst(exponents.count)), place, snapshot)
    }
    return snapshot.job.cases.filter { isPlace(place, of: $0.label) }.compactMap { item in
      if let leg = item.finite, let state = snapshot.state(item.path(of: leg)),
        let row = Estimands(caseLabel: item.label, leg: leg, state: state)?.rows.last(where: {
          $0.estimand.name == subject
        })
      {
        return result(expectation, subject, item.label, row.value, row.error)
      }
      let variance = "Var "
      let isVariance = subject.hasPrefix(variance)
      let quantity = isVariance ? String(subject.dropFirst(variance.count)) : subject
      guard let (leg, index) = measured(quantity, item), let tally = snapshot.state(item.path(of: leg))?.tally else {
        return nil
      }
      let moments = tally.moments(index)
      return isVariance
        ? result(expectation, subject, item.label, moments.variance, moments.varianceError)
        : result(expectation, "E \(subject)", item.label, moments.mean, moments.meanError)
    }
  }

  /// The leg that is meant, and where the quantity stands in it.
  private static func measured(_ subject: String, _ item: Case) -> (Leg, Int)? {
    func place(_ name: some StringProtocol, _ leg: Leg) -> Int? {
      if let index = leg.schema.place(of: String(name)) { return leg.schema.index(leg.axis.count - 1, index) }
      for (record, value) in leg.axis.values.enumerated() {
        let end = " at \(leg.axis.name) \(Axis.label(value))"
        if name.hasSuffix(end), let index = leg.schema.place(of: String(name.dropLast(end.count))) {
          return leg.schema.index(record, index)
        }
      }
      return nil
    }
    if let leg = item.finite, let found = place(subject, leg) { return (leg, found) }
    for leg in item.legs where subject.hasPrefix(leg.name + "/") {
      if let found = place(subject.dropFirst(leg.name.count + 1), leg) { return (leg, found) }
    }
    return nil
  }

  private static func order(
    _ expectation: Expectation, _ quantity: String, _ place: String, _ snapshot: Snapshot
  ) -> [Result] {
    Analyses.scalings(snapshot).filter { $0.kind == .orders && isPlace(place, of: $0.label) }.flatMap { scaling in
      scaling.rows.filter { $0.quantity == quantity }.map {
        result(expectation, "order of \(quantity)", scaling.label, $0.fit.order, $0.fit.orderError)
      }
    }
  }

  private static func slope(
    _ expectation: Expectation, _ observable: String, _ place: String, _ snapshot: Snapshot
  ) -> [Result] {
    Analyses.trends(snapshot).filter { isPlace(place, of: $0.label) }.compactMap { trend in
      trend.rows.last { $0.observable == observable }.map {
        result(expectation, "slope of \(observable)", trend.label, $0.slope, $0.error)
      }
    }
  }

  private static func exponent(
    _ expectation: Expectation, _ quantity: String, _ place: String, _ snapshot: Snapshot
  ) -> [Result] {
    Analyses.depthLaws(snapshot).filter { isPlace(place, of: $0.label) }.flatMap { laws in
      laws.rows.filter { $0.quantity == quantity }.map {
        result(expectation, "exponent of \(quantity)", laws.label, $0.exponent, $0.exponentError)
      }
    }
  }

  /// A value that is not a number is within no tolerance.
  private static func result(
    _ expectation: Expectation, _ name: String, _ label: String, _ value: Double, _ error: Double
  ) -> Result {
    let start = ["main", ""].contains(label) ? "" : "\(label): "
    return Result(
      expectation: expectation, place: label,
      holds: (value - expectation.value!).magnitude <= expectation.tolerance!,
      sentence:
        "\(start)\(name): expected \(expectation.value!) +- \(expectation.tolerance!), found \(value) +- \(error)")
  }
}
