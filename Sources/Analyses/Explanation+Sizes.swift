import Experiments
import Kernels
import Statistics

/// Where a size would bring a limit within the tolerance.
extension Explanation {
  /// Of a limit that differs: from the order of the difference if a sweep found one, else a sweep that finds it.
  mutating func converge(_ comparisons: [Comparison], _ scalings: [Scaling]) {
    let differing = comparisons.filter { $0.verdict == .differs && $0.role == .limit && $0.kind != .extrapolated }
    guard !differing.isEmpty else { return }
    for parameter in snapshot.job.smallParameters where parameter.isInverse {
      let sweeps = Sweep.all(snapshot.job, parameter)
      if sweeps.isEmpty {
        // Where the bias in this parameter is known already, a sweep says no more.
        let isRefined = scalings.contains { own in
          own.kind == .refinements && own.label == differing[0].caseLabel
            && own.refinements.contains { $0.parameter == parameter.name }
        }
        if !isRefined, differing.count == comparisons.count { suggestSweep(differing[0], parameter) }
        continue
      }
      for sweep in sweeps { extrapolate(sweep, comparisons, scalings) }
    }
  }

  /// The largest size of a sweep differs in a row whose order the sweep determines.
  private mutating func extrapolate(_ sweep: Sweep, _ comparisons: [Comparison], _ scalings: [Scaling]) {
    guard let (size, item) = sweep.cases.last,
      let last = comparisons.first(where: { $0.caseLabel == item.label }), last.verdict == .differs
    else { return }
    let fits = scalings.filter {
      [.sizes, .remainders].contains($0.kind) && $0.key == sweep.parameter.key && $0.label == sweep.label
        && $0.reference == last.reference
    }
    let beyond = last.rows.filter { $0.verdict == .differs || ($0.verdict == .undecided && $0.reason == .noPower) }
    var most: (row: Comparison.Row, order: Double, error: Double, size: Double)?
    for row in beyond {
      // The fit of a promised order has an error; that of a decided one has none.
      guard
        let fit = fits.reversed().lazy.flatMap(\.rows).first(where: {
          $0.observable == row.observable && ($0.statistic == row.statistic || row.statistic == .law)
            && $0.coordinates.last == row.coordinate && $0.fit.isDetermined && $0.fit.isSeen && $0.fit.isSinglePower
            && $0.fit.orderError < Extrapolation.uncertainOrder
        })?.fit, row.tolerance > row.margin, fit.order > 0
      else { return }
      let factor = Elementary.exp(Elementary.log(row.size / (row.tolerance - row.margin)) / fit.order)
      guard factor.isFinite, factor < 1e6 else { return }
      if factor * size > most?.size ?? 0 { most = (row, fit.order, fit.orderError, factor * size) }
    }
    guard let most else { return }
    let multiple = (most.size / size).rounded(.up)
    let wanted = multiple * size
    let isLaw = most.row.ks != nil
    let exponent = Words.format(most.order, 3) + (most.error > 0 ? " +- \(Words.format(most.error, 2))" : "")
    let what = "\(most.row.shortName) against \(last.reference)\(sweep.label.isEmpty ? "" : " (\(sweep.label))")"
    say(
      .shows, "order", last.reference,
      "The difference of \(what) falls like \(sweep.parameter.symbol)^-p with p = \(exponent)"
        + (isLaw ? "; if the distance of the laws does too, " : ": ")
        + "it would be within the tolerance \(most.row.tolerance) at \(sweep.name) \(Words.group(Int64(most.size.rounded(.up))))"
    )
    let companions = sweep.holdsRatio ? sweep.parameter.ratios : []
    let others = companions.compactMap { key -> Setting? in
      item.swept[key].flatMap(Double.init).map { Setting(key: key, value: Axis.label($0 * multiple)) }
    }
    advise(
      .values([Setting(key: sweep.parameter.key, value: Axis.label(wanted))] + others),
      "see whether \(last.reference) agrees at \(sweep.name) \(Words.group(Int64(wanted)))", item)
  }

  /// Three sizes, each twice the one before; what a sampled limit holds fixed is the ratio.
  private mutating func suggestSweep(_ comparison: Comparison, _ parameter: SmallParameter) {
    guard let item = item(comparison.caseLabel), let leg = item.finite,
      let size = leg.attributes[parameter.name].flatMap(Double.init), item.swept[parameter.key] == nil
    else { return }
    func series(_ key: String, _ value: Double) -> Series {
      Series(key: key, values: [1, 2, 4].map { Axis.label($0 * value) })
    }
    var all = [series(parameter.key, size)]
    let keepsRatio = comparison.kind == .sampled && !parameter.ratios.isEmpty
    if keepsRatio {
      // Points of the axis would have to move too.
      guard leg.axis.count == 1 else { return }
      for key in parameter.ratios {
        let name = key.split(separator: ".").last.map(String.init) ?? key
        guard item.swept[key] == nil, let value = leg.attributes[name].flatMap(Double.init) else { return }
        all.append(series(key, value))
      }
    }
    advise(
      .sweep(all), "see whether the difference from \(comparison.reference) falls as the \(parameter.name) grows", item)
  }
}
