import Analyses
import Experiments
import Statistics

// The power that a run prints, as a probability. All that goes in stands in the tables of a result: half-widths of confidence intervals,
// smallest effects, tolerances, critical values.

/// The 0.9 quantile of the standard normal law: what lies between a margin and a smallest effect, in standard errors.
private let ninetieth = Gaussian.quantile(0.9)

/// P(g < x) of a standard normal g.
func normalProbability(_ x: Double) -> Double { 0.5 * (x < 0 ? Gaussian.twoSided(x) : 2 - Gaussian.twoSided(x)) }

extension Comparison.Row {
  /// Probability with which the row differs where the truth is an `effect` from the reference, in the unit of the tolerance: the margin is crossed, and
  /// by an effect of `smallestEffect` with probability 0.9. A limit is allowed its tolerance besides.
  func power(_ effect: Double, role: Leg.Role) -> Double? {
    guard smallestEffect.isFinite else { return nil }
    let error = (smallestEffect - margin) / ninetieth
    return normalProbability((effect - margin - (role == .limit ? tolerance : 0)) / error)
  }
}

/// The verdict of a comparison, and the power of one of its rows.
/// - Parameter isRow: which row the false statement is about.
func comparison(
  _ reference: String, row isRow: @escaping @Sendable (Comparison.Row) -> Bool = { _ in true }
) -> @Sendable (Snapshot, Double) -> Outcome? {
  { snapshot, effect in
    guard let found = Analyses.comparisons(snapshot).first(where: { $0.reference == reference }),
      let row = found.rows.first(where: isRow)
    else { return nil }
    return Outcome(word: found.verdict, power: row.power(effect, role: found.role))
  }
}

/// "The limit is (not) recovered", of the only row. Its error covers what the sizes leave open, so it is more than the standard deviation of what is
/// fitted, and says nothing of smaller offsets: those from `detectable` on are promised to be found with probability 0.9.
func recovery(_ reference: String) -> @Sendable (Snapshot, Double) -> Outcome? {
  { snapshot, effect in
    guard let found = Analyses.scalings(snapshot).first(where: { $0.kind == .sizes && $0.reference == reference }),
      let word = found.verdict, found.rows.count == 1, let row = found.rows.first
    else { return nil }
    return Outcome(word: word, power: effect >= row.detectable ? 0.9 : nil)
  }
}

/// "The extrapolated values (do not) agree with the limit" of `[bias]`.
func bias(_ observable: String) -> @Sendable (Snapshot, Double) -> Outcome? {
  { snapshot, effect in
    guard let found = Analyses.scalings(snapshot).first(where: { $0.kind == .refinements }), let word = found.verdict,
      let row = found.refined.first(where: { $0.observable == observable })
    else { return nil }
    let replicas = snapshot.job.sampledLegs.map { Int($0.leg.draws) }.min()!
    let critical = Student.equivalentT(found.criticalZ, degreesOfFreedom: replicas - 1)
    return Outcome(word: word, power: normalProbability(effect / row.extrapolatedError - critical))
  }
}

/// The certificate of stationarity.
func certificate(_ snapshot: Snapshot, _ effect: Double) -> Outcome? {
  guard let found = Analyses.diagnostics(snapshot).first(where: \.isFinite), let word = found.verdict,
    let row = found.rows.first(where: { $0.role == .certificate })
  else { return nil }
  let critical = Student.equivalentT(
    Gaussian.critical(snapshot.job.tolerances.alpha), degreesOfFreedom: found.replicas - 1)
  return Outcome(word: word, power: normalProbability(effect / row.error - critical))
}

/// Healthy, unhealthy or at the threshold. The interval printed is Wilson's: it leaves out the threshold where the share is z standard deviations
/// at the threshold away from it.
/// - Parameter alpha: of the printed intervals.
func health(_ failure: String, alpha: Double) -> @Sendable (Snapshot, Double) -> Outcome? {
  { snapshot, effect in
    guard let found = Analyses.health(snapshot).first, found.rows.contains(where: { $0.failure == failure }),
      let draws = snapshot.job.sampledLegs.first?.leg.draws
    else { return nil }
    func deviation(_ p: Double) -> Double { (p * (1 - p) / Double(draws)).squareRoot() }
    let limit = Gaussian.critical(alpha) * deviation(found.threshold)
    return Outcome(
      word: found.verdict, power: normalProbability((effect - limit) / deviation(found.threshold + effect)))
  }
}

/// Flat, grows or shrinks, of the only row.
func trend(_ snapshot: Snapshot, _ effect: Double) -> Outcome? {
  guard let found = Analyses.trends(snapshot).first, found.rows.count == 1, let row = found.rows.first else {
    return nil
  }
  return Outcome(word: found.verdict, power: normalProbability((effect - row.margin) / row.error))
}

/// Exponents over depth against what is known, of the only row that is judged.
func exponents(_ snapshot: Snapshot, _ effect: Double) -> Outcome? {
  guard let found = Analyses.depthLaws(snapshot).first(where: { $0.verdict != nil }), let word = found.verdict,
    let row = found.rows.first(where: { $0.verdict != nil })
  else { return nil }
  return Outcome(word: word, power: normalProbability((effect - row.margin) / row.exponentError))
}
