import Experiments
import Statistics

/// Fits over the cases of a sweep.
extension Scaling {
  /// The same row of the comparisons of a sweep.
  private struct Series {
    let coordinates: [Double]
    let first: Comparison.Row
    /// Nil where it is not there, or not tested.
    let rows: [Comparison.Row?]
  }

  /// What makes rows of two comparisons the same.
  private struct Key: Hashable {
    let observable: String
    let statistic: Statistic
    let coordinate: Double

    init(_ row: Comparison.Row, at coordinate: Double? = nil) {
      observable = row.observable
      statistic = row.statistic
      self.coordinate = coordinate ?? row.coordinate
    }
  }

  /// The comparisons of a sweep with one reference, and their rows point by point; the points of the axis may move with
  /// the size (a depth in a fixed ratio to the width), but not in number.
  private static func series(
    of sweep: Sweep, _ reference: String, _ comparisons: [Comparison]
  ) -> (sizes: [Double], axis: Axis, series: [Series])? {
    let mine = sweep.cases.compactMap { entry in
      comparisons.first { $0.caseLabel == entry.item.label && $0.reference == reference }.map {
        (size: entry.size, comparison: $0)
      }
    }
    let points = mine.map { Set($0.comparison.rows.map(\.coordinate)).sorted() }
    guard mine.count >= 3, let count = points.first?.count, points.allSatisfy({ $0.count == count }) else { return nil }
    let tested = mine.map { entry in
      Dictionary(
        entry.comparison.rows.filter { !$0.z.isNaN }.map { (Key($0), $0) }, uniquingKeysWith: { first, _ in first })
    }
    var result: [Series] = []
    for row in mine[0].comparison.rows {
      if [.law, .secondMoment].contains(row.statistic) { continue }
      let place = points[0].firstIndex(of: row.coordinate)!
      let rows = zip(tested, points).map { rows, own in rows[Key(row, at: own[place])] }
      result.append(Series(coordinates: points.map { $0[place] }, first: row, rows: rows))
    }
    return (mine.map(\.size), mine[0].comparison.axis, result)
  }

  private static func points(_ series: Series, _ sizes: [Double], _ sweep: Sweep) -> [Extrapolation.Point] {
    zip(sizes, series.rows).compactMap { size, row in
      row.map { .init(small: sweep.parameter.small(size), value: $0.difference, error: $0.differenceError) }
    }
  }

  /// Coordinates of a row, one for each size of the sweep.
  private static func coordinates(_ series: Series, _ sizes: [Double], _ sweep: Sweep) -> [Double] {
    sweep.sizes.map { size in
      sizes.firstIndex(of: size).map { series.rows[$0] == nil ? .nan : series.coordinates[$0] } ?? .nan
    }
  }

  // MARK: Against limits

  /// Limits that leave out nothing but what vanishes in a sweep. An expansion, whose remainder is of a higher order, moves with the size
  /// itself: its order is tested, not a limit.
  private static func limits(_ sweep: Sweep, _ comparisons: [Comparison]) -> [Comparison] {
    guard let item = sweep.cases.first?.item else { return [] }
    return comparisons.filter { comparison in
      let known = item.legs.first { $0.name == comparison.reference }?.known
      return comparison.caseLabel == item.label && comparison.role == .limit && comparison.kind != .extrapolated
        && sweep.isLimit(known?.remainder ?? []) && (known?.remainder ?? []).allSatisfy { $0.order <= 1 }
    }
  }

  static func hasLimit(_ sweep: Sweep, _ comparisons: [Comparison]) -> Bool { !limits(sweep, comparisons).isEmpty }

  /// A size that tends to infinity, against every limit that leaves out nothing but this size.
  static func sizes(of sweep: Sweep, _ comparisons: [Comparison], _ snapshot: Snapshot) -> [Scaling] {
    guard sweep.parameter.isInverse else { return [] }
    let tolerances = snapshot.tolerances
    return limits(sweep, comparisons).compactMap { candidate in
      guard let found = series(of: sweep, candidate.reference, comparisons) else { return nil }
      let fits = found.series.compactMap { series -> (Series, [Extrapolation.Point], Extrapolation)? in
        let points = points(series, found.sizes, sweep)
        return Extrapolation(points, orders: .candidates(expected: 0)).map { (series, points, $0) }
      }
      guard !fits.isEmpty else { return nil }
      // Heavy tails decide nothing about a limit, unless there is nothing else.
      let heavy = Set(sweep.cases[0].item.finite?.observables.filter(\.isHeavyTailed).map(\.name) ?? [])
      let light = fits.indices.filter { !heavy.contains(fits[$0].0.first.observable) }
      let judged = light.isEmpty ? Array(fits.indices) : light
      let critical = Gaussian.critical(tolerances.alpha / Double(judged.count))
      let rows = fits.map { series, points, fit in
        let used = series.rows.compactMap { $0 }
        // What the tolerance of means is a part of: the difference in units of itself.
        let unit = used.last.map { row in row.shift == 0 ? 0 : (row.difference / row.shift).magnitude } ?? 0
        let values = points.map(\.value)
        return Row(
          observable: series.first.observable, statistic: series.first.statistic, quantity: series.first.quantity,
          coordinates: coordinates(series, found.sizes, sweep), fit: fit, reference: used.last!.reference,
          slopes: Extrapolation.localSlopes(points, limit: 0),
          toldApart: max(values.max()! - values.min()!, unit.isFinite ? tolerances.mean * unit : 0),
          detectable: (critical + Judgement.powerQuantile) * fit.limitError, promise: nil)
      }
      let tested = judged.map { rows[$0] }
      let worst = tested.max { testedZ($0) < testedZ($1) }!
      let verdict: Equivalence =
        testedZ(worst) > critical ? .differs : tested.allSatisfy(\.hasPower) ? .agrees : .undecided
      return Scaling(
        .sizes, sweep, reference: candidate.reference, axis: found.axis, rows: rows, criticalZ: critical,
        verdict: verdict,
        sentence: sizesSentence(
          sweep, candidate.reference, tested, worst, critical, verdict, missing: found.series.count - rows.count))
    }
  }

  /// 0 where no degree of freedom is left that could speak against the fit.
  private static func testedZ(_ row: Row) -> Double { row.fit.degreesOfFreedom > 0 ? row.z.magnitude : 0 }

  private static func sizesSentence(
    _ sweep: Sweep, _ reference: String, _ rows: [Row], _ worst: Row, _ critical: Double, _ verdict: Equivalence,
    missing: Int
  ) -> String {
    let symbol = sweep.parameter.symbol
    var text = "\(sweep.limit) against \(reference)\(sweep.label.isEmpty ? "" : " (\(sweep.label))"): "
    let z = Words.format(testedZ(worst), 3)
    switch verdict {
    case .agrees: text += "the limit is recovered, largest |z| = \(z)"
    case .undecided:
      let exact = rows.filter { $0.fit.degreesOfFreedom == 0 }
      let weak = rows.filter { !$0.hasPower && $0.fit.degreesOfFreedom > 0 }
      var reasons: [String] = []
      if let least = weak.max(by: { $0.detectable / $0.toldApart < $1.detectable / $1.toldApart }) {
        reasons.append(
          "the error of the extrapolation is too large in \(Words.list(weak.map(\.quantity))): offsets of \(Words.format(least.detectable, 2)) would be found, \(Words.format(least.toldApart, 2)) is to be told apart in \(least.quantity)"
        )
      }
      if !exact.isEmpty {
        reasons.append("the sizes leave no degree of freedom in \(Words.list(exact.map(\.quantity)))")
      }
      text += "undecided, \(reasons.joined(separator: "; ")); largest |z| = \(z)"
    case .differs:
      text +=
        "the limit is NOT recovered: \(worst.quantity) tends to a difference of \(Words.format(worst.fit.limit, 2)), z = \(Words.format(worst.z, 3))"
    }
    text += " in \(worst.observable) (\(rows.count) tests, |z| < \(Words.format(critical, 3)))"
    let several = rows.filter { !$0.fit.isSinglePower }
    if !several.isEmpty {
      text += "; no single power, nor one with its square, fits \(Words.list(several.map(\.quantity)))"
    }
    // An order is a fact of values that depend on the size, in a fit that something could have spoken against.
    let determined = rows.filter { $0.fit.isDetermined && $0.hasPower && $0.fit.isSinglePower }
    let (roots, wholes) = (determined.filter { $0.fit.order == 0.5 }, determined.filter { $0.fit.order == 1 })
    var orders: [String] = []
    if !wholes.isEmpty {
      orders.append("1/\(symbol)" + (roots.isEmpty ? "" : " in \(Words.list(wholes.map(\.observable)))"))
    }
    if !roots.isEmpty { orders.append("\(symbol)^-1/2 in \(Words.list(roots.map(\.observable)))") }
    if !orders.isEmpty { text += "; the leading error is of order " + orders.joined(separator: ", ") }
    let open = rows.count - determined.count
    if open > 0 { text += "; the order is not determined in \(open) of \(rows.count)" }
    if missing > 0 {
      text += "; \(missing) not extrapolated, with trustworthy errors at fewer than three sizes"
    }
    return text
  }

  // MARK: Promised orders

  /// Whether what known references leave out is of the order that they promise.
  static func remainders(of sweep: Sweep, _ comparisons: [Comparison], _ snapshot: Snapshot) -> [Scaling] {
    guard let item = sweep.cases.first?.item else { return [] }
    return item.legs.compactMap { leg in
      guard let promised = leg.known?.remainder.first(where: sweep.isPromised),
        sweep.isLimit(leg.known!.remainder), let found = series(of: sweep, leg.name, comparisons)
      else { return nil }
      let rows = found.series.compactMap { series -> Row? in
        let points = points(series, found.sizes, sweep)
        return Extrapolation.remainder(points, promised: promised.order).map {
          Row(
            observable: series.first.observable, statistic: series.first.statistic, quantity: series.first.quantity,
            coordinates: coordinates(series, found.sizes, sweep), fit: $0.fit,
            reference: series.rows.compactMap { $0?.reference }.last!,
            slopes: Extrapolation.localSlopes(points, limit: 0), toldApart: .nan, detectable: .nan, promise: $0)
        }
      }
      guard !rows.isEmpty else { return nil }
      func among(_ words: RemainderOrder.Verdict...) -> [Row] { rows.filter { words.contains($0.promise!.verdict) } }
      let (broken, kept, open) = (among(.contradicted), among(.consistent, .faster), among(.undecided))
      let order = Words.power(sweep.parameter.symbol, isInverse: sweep.parameter.isInverse, order: promised.order)
      var text = "\(sweep.name) swept against \(leg.name)\(sweep.label.isEmpty ? "" : " (\(sweep.label))"): "
      if let worst = broken.max(by: { distance($0) < distance($1) }) {
        text +=
          "the difference is NOT of the promised order \(order) in \(Words.list(broken.map(\.quantity))): order \(Words.format(worst.fit.order, 3)) +- \(Words.format(worst.fit.orderError, 2)) in \(worst.quantity)"
      } else if !kept.isEmpty {
        text += "the difference is consistent with the promised order \(order) in \(kept.count) of \(rows.count)"
      } else {
        text +=
          "undecided whether the difference is of the promised order \(order): it is not seen, or its order is uncertain"
      }
      let faster = among(.faster)
      if !faster.isEmpty { text += "; it falls faster in \(Words.list(faster.map(\.quantity)))" }
      if !open.isEmpty && (!broken.isEmpty || !kept.isEmpty) { text += "; undecided in \(open.count) of \(rows.count)" }
      return Scaling(
        .remainders, sweep, reference: leg.name, axis: found.axis, rows: rows,
        verdict: !broken.isEmpty ? .differs : kept.isEmpty ? .undecided : .agrees, sentence: text)
    }
  }

  private static func distance(_ row: Row) -> Double {
    (row.promise!.order - row.promise!.promised).magnitude / max(row.promise!.orderError, .leastNormalMagnitude)
  }

  // MARK: Free orders

  /// The order of the error in each observable, at the last point of the axis: in parameters that tend to 0, and in
  /// sizes that fluctuations between draws depend on.
  static func orders(of sweep: Sweep, _ snapshot: Snapshot) -> Scaling? {
    guard !sweep.parameter.isInverse || sweep.parameter.fluctuations, let first = sweep.cases.first?.item.finite else {
      return nil
    }
    let observables = first.observables.filter(\.isPhysical)
    let wanted = observables.map { ($0, false) } + (sweep.parameter.fluctuations ? observables.map { ($0, true) } : [])
    let rows = wanted.compactMap { observable, isFluctuation -> Row? in
      var limit: Double? = isFluctuation ? 0 : nil
      var coordinates: [Double] = []
      let points = sweep.cases.compactMap { entry -> Extrapolation.Point? in
        guard let leg = entry.item.finite, let state = snapshot.state(entry.item.path(of: leg)),
          state.tally.counter(.draws) > 3, let place = leg.schema.place(of: observable.name)
        else {
          coordinates.append(.nan)
          return nil
        }
        coordinates.append(leg.axis.values.last!)
        let measured = Measured(leg: leg, state: state)
        let moments = measured.moments(leg.axis.count - 1, place)
        let small = sweep.parameter.small(entry.size)
        if isFluctuation {
          let share = measured.independentShare(leg.axis.count - 1, place, of: .laws)
          return .init(small: small, value: moments.variance, error: moments.varianceError / share.squareRoot())
        }
        // A known limit counts where this parameter is all that keeps from it.
        let known = entry.item.legs.lazy.compactMap { $0.role == .limit ? $0.known : nil }.first
        if let known, sweep.isLimit(known.remainder) {
          limit = known.mean(of: observable.name, record: known.schema.axis.count - 1) ?? limit
        }
        let error = measured.meanError(leg.axis.count - 1, place)
        return .init(small: small, value: moments.mean, error: error)
      }
      return Extrapolation(points, orders: .free(limit: limit)).map {
        Row(
          observable: observable.name, statistic: isFluctuation ? .variance : .mean,
          quantity: isFluctuation ? "var(\(observable.name))" : observable.name, coordinates: coordinates, fit: $0,
          reference: limit ?? .nan, slopes: Extrapolation.localSlopes(points, limit: limit ?? $0.limit),
          toldApart: .nan, detectable: .nan, promise: nil)
      }
    }
    guard !rows.isEmpty else { return nil }
    return Scaling(.orders, sweep, reference: nil, axis: first.axis, rows: rows)
  }
}
