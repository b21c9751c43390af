import Experiments
import Statistics

/// Rows of comparisons in words.
extension Comparison.Row {
  /// In the unit of the tolerance; of what is equal to rounding the laws differ, and that is no difference.
  var size: Double { reason == .rounding ? 0 : ks?.distance ?? shift.magnitude }

  /// How large a difference is. Of a law with the half-width of its band.
  func measure(_ kind: Comparison.Kind) -> String {
    if reason == .rounding { return "difference below rounding" }
    if ks != nil { return "KS distance \(Words.format(size, 3)) +- \(Words.format(margin, 2))" }
    return measure(kind, Words.format(shift, 3))
  }

  /// The same with the half-width of the confidence interval of every kind of difference.
  func measureWithMargin(_ kind: Comparison.Kind) -> String {
    if reason == .rounding || ks != nil || margin.isNaN { return measure(kind) }
    return measure(kind, "\(Words.format(shift, 3)) +- \(Words.format(margin, 2))")
  }

  private func measure(_ kind: Comparison.Kind, _ number: String) -> String {
    switch statistic {
    case .mean where kind == .paired: "mean difference \(number) standard deviations"
    case .mean where degreesOfFreedom != nil: "relative difference \(number)"
    case .mean: "mean off by \(number) standard deviations"
    case .quantile: "quantile off by \(number) standard deviations"
    case .estimand: "value off by \(number) standard deviations of a draw"
    default: "relative difference \(number)"
    }
  }

  /// The observable where its mean or law is meant.
  var shortName: String { [.mean, .law].contains(statistic) ? observable : quantity }

  /// `log_V[1] at layer 120`.
  func place(_ axis: Axis) -> String { "\(shortName) at \(axis.name) \(Axis.label(coordinate))" }
}

extension Comparison.Row {
  /// Of weights that leave too few draws.
  func effectiveDrawsSentence(_ measured: Measured) -> String {
    let record = measured.leg.axis.values.firstIndex(of: coordinate) ?? 0
    let found = measured.estimand(named: observable, record)?.effectiveDraws ?? .nan
    return
      "the weights leave \(Words.format(found, 3)) effective draws of \(Words.group(measured.count)), fewer than \(Words.group(Int(Measured.leastEffectiveDraws)))"
  }
}
