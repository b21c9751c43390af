import Experiments
import Statistics

/// Estimands of one leg: functions of means with their errors, before and after control variates, and how many draws their weights leave.
///
/// What they are compared with is in the comparisons, where each is a row like any other statistic.
package struct Estimands: Analysis {
  package struct Row: Sendable {
    package let estimand: Estimand
    /// The point of the axis.
    package let coordinate: Double
    package let value, error: Double
    package let plainValue, plainError: Double
    /// $(\sum w)^2 / \sum w^2$ of the weights; NaN where nothing is weighted.
    package let effectiveDraws: Double
    package let draws: Int64
    package let reason: String
  }

  package internal(set) var index = 0
  package let caseLabel: String
  package let leg: Leg
  package let rows: [Row]

  /// Nil for a leg without estimands, or with fewer than two draws.
  package init?(caseLabel: String, leg: Leg, state: LegState) {
    guard let estimands = leg.schema.estimands, state.tally.counter(.draws) > 1 else { return nil }
    let measured = Measured(leg: leg, state: state)
    (self.caseLabel, self.leg) = (caseLabel, leg)
    rows = leg.axis.values.indices.flatMap { record in
      estimands.compactMap { estimand -> Row? in
        guard let found = measured.estimand(estimand, record) else { return nil }
        return Row(
          estimand: estimand, coordinate: leg.axis.values[record], value: found.estimate.value,
          error: found.estimate.error, plainValue: found.plainValue, plainError: found.plainError,
          effectiveDraws: found.effectiveDraws ?? .nan, draws: state.tally.counter(.draws),
          reason: found.estimate.failing?.rawValue ?? "")
      }
    }
  }

  package var verdicts: [Verdict] { [] }

  package var tables: [Table] {
    func numbers(_ name: String, _ summary: String, _ value: (Row) -> Double) -> Table.Column {
      .init(name, .numbers(rows.map(value)), summary)
    }
    var table = Table(
      group: "estimands/\(index)",
      attributes: [("case", .text(caseLabel)), ("leg", .text(leg.name))],
      rows: [
        .init("quantity", .texts(rows.map(\.estimand.name)), "what is estimated"),
        .init("formula", .texts(rows.map(\.estimand.formula)), "in the means of the observables"),
        .init("unit", .texts(rows.map(\.estimand.unit)), "its unit"),
        .init("layer", .numbers(rows.map(\.coordinate)), unit: leg.axis.unit, leg.axis.summary),
        numbers("value", "estimate, with control variates if there are some", \.value),
        numbers("error", "its standard error", \.error),
        numbers("plain_value", "estimate without control variates", \.plainValue),
        numbers("plain_error", "its standard error", \.plainError),
        numbers(
          "effective_draws", "(sum w)^2 / sum w^2 of the weights; NaN where nothing is weighted", \.effectiveDraws),
        numbers("effective_share", "the same as a share of the draws") { $0.effectiveDraws / Double($0.draws) },
        .init("reason", .texts(rows.map(\.reason)), "why nothing is concluded of it, as docs/verdicts.md has it"),
      ])
    table.fields = [
      .init("estimand", "quantity"), .init(leg.axis.name, "layer"), .init(leg.name, "value", .value(error: "error")),
      .init("without controls", "plain_value", .value(error: "plain_error")),
      .init("effective draws", "effective_draws", .format("%.0f", missing: "-")),
      .init("share", "effective_share", .format("%.3f", missing: "-")), .init("reason", "reason"),
    ]
    return [table]
  }
}

/// An estimand of the draws of a leg at one record.
struct EstimandEstimate {
  let estimate: Estimate
  let plainValue, plainError: Double
  let effectiveDraws: Double?
}

extension Measured {
  /// Fewer effective draws than this say nothing: as few plain ones would not.
  static let leastEffectiveDraws = leastDraws

  /// Nil for a leg that does not have its terms. Of replicas the means over time are the draws: whatever autocorrelation there is within one is in their spread.
  func estimand(_ estimand: Estimand, _ record: Int) -> EstimandEstimate? {
    if let functional = estimand.functional { return self.functional(functional, record) }
    guard let formula = try? EstimandFormula(estimand, of: leg.observables) else { return nil }
    let isOfReplicas = leg.process != nil
    let places = estimand.controls.compactMap { leg.schema.place(of: $0) }
    let own = formula.places.map { moments(record, $0) }
    let (value, slopes) = formula(own.map(\.mean))
    var gradient = Array(repeating: 0.0, count: leg.observables.count)
    for (place, slope) in zip(formula.places, slopes) { gradient[place] = slope }
    let whole = own.map(\.count).min() ?? 0
    let found = ControlledEstimate(
      count: whole, value: value + estimand.offset(record: record), gradient: gradient,
      covariance: state.tally.covariance(group: record), controls: places,
      controlMeans: places.map { moments(record, $0).mean })
    let root = Double(whole).squareRoot()
    let effective = estimand.weight.flatMap { leg.schema.place(of: $0) }.map { place -> Double in
      let weight = moments(record, place)
      return Double(weight.count) * weight.mean / weight.secondMoment * weight.mean
    }
    // Joint sums leave out draws in which any observable of the record is not finite.
    let missing = Double(state.tally.incompleteCount(group: record)) / Double(max(count, 1))
    var failing: Reason?
    if Double(whole) < (isOfReplicas ? Double(Self.leastReplicas.mean) : Self.leastDraws) {
      failing = .fewDraws
    } else if let effective, !(effective >= Self.leastEffectiveDraws) {
      failing = .fewEffectiveDraws
    } else if missing > Self.lightness {
      failing = .incomplete
    } else if isOfReplicas
      ? !formula.places.allSatisfy({ effectiveReplicas($0) >= Self.leastEffectiveShare * Double(whole) })
      : !own.allSatisfy({ $0.skewness.magnitude / root < Self.lightness || $0.variance == 0 })
    {
      failing = .heavyTails
    }
    return EstimandEstimate(
      estimate: Estimate(
        value: found.value, error: found.error,
        degreesOfFreedom: isOfReplicas ? Int(whole) - 1 - found.controls : nil, failing: failing,
        deviation: estimand.isRelative == true ? nil : found.deviation),
      plainValue: found.plainValue, plainError: found.plainError, effectiveDraws: effective)
  }

  /// The share of the replicas that is effective, below which a few of them hold what decides the error.
  static let leastEffectiveShare = 0.8

  /// $(\sum_r v_r)^2 / \sum_r v_r^2$ of the variances v over time of an observable within the replicas; all of them where it does not vary.
  ///
  /// Replicas that have seen enough of a law have nearly equal variances. Where rare values decide, most replicas have not met one: their means are then too low together with the spread between
  /// them, and an error of a few replicas, which cannot show that they are skewed, is too small. With $c^2$ the squared coefficient of variation of v the number is $n/(1 + c^2)$, and by Pearson's
  /// inequality the skewness of a mean over all replicas is at most about $c/\sqrt n$.
  private func effectiveReplicas(_ place: Int) -> Double {
    guard let kind = Rows.diagnostics.firstIndex(of: "variance_within") else { return .infinity }
    let own = state.rows.draws.map { state.rows.values[$0]![leg.schema.width + place * Rows.diagnostics.count + kind] }
      .filter(\.isFinite)
    let (sum, squares) = own.reduce((0.0, 0.0)) { ($0.0 + $1, $0.1 + $1 * $1) }
    return squares > 0 ? sum / squares * sum : .infinity
  }

  /// By its influence: a draw moves the functional by that, and the error is its spread over the root of the number of draws.
  private func functional(_ functional: LawFunctional, _ record: Int) -> EstimandEstimate? {
    guard leg.process == nil, let place = leg.schema.place(of: functional.observable) else { return nil }
    let own = moments(record, place)
    guard let information = information(functional.units, record, place) else { return nil }
    let found =
      switch functional.kind {
      case .fluctuation: information.fluctuation
      case .information: information.exact
      case .informationSeries: information.series
      }
    let root = Double(own.count).squareRoot()
    var failing: Reason?
    if Double(own.count) < Self.leastDraws {
      failing = .fewDraws
    } else if Double(count - own.count) / Double(max(count, 1)) > Self.lightness {
      failing = .incomplete
    } else if !(found.skewness.magnitude / root < Self.lightness) {
      failing = .heavyTails
    }
    let error = found.deviation / root
    return EstimandEstimate(
      estimate: Estimate(value: found.value, error: error, failing: failing, deviation: found.deviation),
      plainValue: found.value, plainError: error, effectiveDraws: nil)
  }

  private func information(_ units: [Int], _ record: Int, _ place: Int) -> UnitInformation? {
    UnitInformation(histogram(record, place), moments(record, place), units: (units[0], units[1]))
  }

  func estimand(named name: String, _ record: Int) -> EstimandEstimate? {
    leg.schema.estimand(name).flatMap { estimand($0, record) }
  }
}
