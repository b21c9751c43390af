import Experiments
import Statistics

/// The comparisons of one case. What is tested is listed first, because alpha is shared among all of it; only then come
/// the rows.
struct CaseComparisons {
  private enum Plan {
    case predicted(Leg, ReferenceValues, [Prediction])
    case sampled(Measured, [Match])
    case extrapolated(coarse: Measured, fine: Measured, Refinement, [Match])
    case paired(reference: String, Leg.Role, [Pair])

    var tests: Int {
      switch self {
      case .predicted(_, _, let predictions): predictions.count
      case .sampled(_, let matches), .extrapolated(_, _, _, let matches): matches.count
      case .paired(_, _, let pairs): pairs.count
      }
    }
  }

  /// A prediction and its place in the finite leg.
  struct Prediction {
    let entry: PredictedStatistic
    let record, place: Int
  }

  /// The same observable at the same point of the axis on both sides.
  struct Match {
    let record, place: Int
    let otherRecord, otherPlace: Int
  }

  /// A difference and the finite observable that it belongs to, at a record.
  struct Pair {
    let record, difference, place: Int
  }

  private let finite: Measured
  private let plans: [Plan]
  private let setting: Setting

  /// Nil without draws of the finite leg.
  init?(_ item: Case, _ snapshot: Snapshot) {
    func measured(_ leg: Leg?) -> Measured? {
      guard let leg, let state = snapshot.state(item.path(of: leg)), state.tally.counter(.draws) > 1 else { return nil }
      return Measured(leg: leg, state: state)
    }
    guard let finite = measured(item.finite) else { return nil }
    var plans: [Plan] = []
    for leg in item.legs where leg.role != .finite {
      if let refines = leg.refines {
        // Refinements of the finite leg itself are not compared: they are extrapolated.
        guard refines.leg != finite.leg.name, refines.order > 0, let fine = measured(leg),
          let coarse = measured(item.legs.first { $0.name == refines.leg })
        else { continue }
        plans.append(.extrapolated(coarse: coarse, fine: fine, refines, Self.matches(finite.leg, coarse.leg)))
      } else if let known = leg.known {
        plans.append(.predicted(leg, known, Self.predictions(known, of: finite.leg, role: leg.role)))
      } else if let other = measured(leg) {
        plans.append(.sampled(other, Self.matches(finite.leg, leg)))
      }
    }
    self.finite = finite
    self.plans = plans + Self.pairs(finite.leg)
    setting = Setting(
      caseLabel: item.label, finite: finite, tolerances: snapshot.job.tolerances,
      tests: self.plans.reduce(0) { $0 + $1.tests })
  }

  // MARK: What is tested

  private static func places(_ leg: Leg) -> [String: Int] {
    Dictionary(uniqueKeysWithValues: leg.observables.enumerated().map { ($1.name, $0) })
  }

  private static func matches(_ a: Leg, _ b: Leg) -> [Match] {
    let places = places(b)
    return a.axis.values.enumerated().flatMap { record, value -> [Match] in
      guard let other = b.axis.values.firstIndex(of: value) else { return [] }
      return a.observables.enumerated().compactMap { place, observable in
        places[observable.name].map {
          Match(record: record, place: place, otherRecord: other, otherPlace: $0)
        }
      }
    }
  }

  /// What a reference predicts of a leg, point by point. A second moment decides nothing about a limit: its mean does.
  private static func predictions(_ known: ReferenceValues, of finite: Leg, role: Leg.Role) -> [Prediction] {
    let places = places(finite)
    let records = known.schema.axis.values.map { finite.axis.values.firstIndex(of: $0) }
    let found = known.statistics.enumerated().compactMap { order, entry -> (Prediction, Int)? in
      guard entry.statistic == .law ? entry.law != nil : !entry.value.isNaN,
        entry.statistic != .secondMoment || role == .exact,
        let record = records[entry.record], let place = places[known.observables[entry.observable].name]
      else { return nil }
      return (Prediction(entry: entry, record: record, place: place), order)
    }
    return found.sorted { ($0.0.record, $0.0.place, $0.1) < ($1.0.record, $1.0.place, $1.1) }.map(\.0)
  }

  /// References that the finite leg computes on its own draws.
  private static func pairs(_ finite: Leg) -> [Plan] {
    var names: [String] = []
    for observable in finite.observables where observable.isDifference {
      if let name = observable.reference, !names.contains(name) { names.append(name) }
    }
    return names.map { name in
      let mine = finite.observables.indices.filter { finite.observables[$0].reference == name }
      let isExact = mine.allSatisfy { finite.observables[$0].role == .exactDifference }
      let minuends = mine.compactMap { difference in finite.schema.minuend(of: difference).map { (difference, $0) } }
      let pairs = finite.axis.values.indices.flatMap { record in
        minuends.map { Pair(record: record, difference: $0, place: $1) }
      }
      return .paired(reference: name, isExact ? .exact : .limit, pairs)
    }
  }

  // MARK: Comparisons

  var results: [Comparison] {
    plans.map { plan in
      switch plan {
      case .predicted(let leg, _, let predictions):
        return Comparison(
          setting, reference: leg.name, kind: .predicted, role: leg.role,
          rows: predictions.map { row($0, role: leg.role) }, expectedOffset: leg.expectedOffset)
      case .sampled(let other, let matches):
        let margin = KolmogorovSmirnov.band(finite.count, other.count, alpha: setting.alpha)
        return Comparison(
          setting, reference: other.leg.name, kind: .sampled, role: other.leg.role,
          rows: matches.map { row($0, other, margin) }, ksMargin: margin, expectedOffset: other.leg.expectedOffset)
      case .extrapolated(let coarse, let fine, let refines, let matches):
        let name = refines.parameter.split(separator: ".").last.map(String.init) ?? refines.parameter
        return Comparison(
          setting, reference: "\(coarse.leg.name) at \(name) 0", kind: .extrapolated, role: .limit,
          rows: matches.map { row($0, coarse, fine, order: refines.order) }, expectedOffset: coarse.leg.expectedOffset)
      case .paired(let name, let role, let pairs):
        return Comparison(
          setting, reference: name, kind: .paired, role: role, rows: pairs.map { row($0, role: role) },
          expectedOffset: "")
      }
    }
  }

  private func judge(_ z: Double, shift: Double, margin: Double, role: Leg.Role, isJudged: Bool) -> Equivalence? {
    if z.isNaN { return nil }
    if role == .exact { return z.magnitude <= setting.critical ? .agrees : .differs }
    return isJudged ? Equivalence(difference: shift, margin: margin, tolerance: setting.tolerances.mean) : nil
  }

  /// A predicted statistic.
  private func row(_ prediction: Prediction, role: Leg.Role) -> Comparison.Row {
    let (entry, record, place) = (prediction.entry, prediction.record, prediction.place)
    let observable = finite.leg.observables[place]
    func make(
      _ value: Double, _ error: Double, z: Double, freedom: Int? = nil, shift: Double, ks: KolmogorovSmirnov? = nil,
      verdict: Equivalence?
    ) -> Comparison.Row {
      Comparison.Row(
        observable: observable.name, coordinate: finite.leg.axis.values[record], statistic: entry.statistic,
        finite: value, finiteError: error, reference: entry.value, referenceError: entry.statistic == .law ? .nan : 0,
        z: z, degreesOfFreedom: freedom, shift: shift, ks: ks, verdict: verdict)
    }
    let deviation = finite.moments(record, place).standardDeviation
    switch entry.statistic {
    case .law:
      let ks = KolmogorovSmirnov(finite.histogram(record, place), entry.law!)
      let verdict: Equivalence =
        role == .exact
        ? (ks.pValue >= setting.alpha ? .agrees : .differs)
        : Equivalence(
          difference: ks.distance, margin: KolmogorovSmirnov.band(finite.count, alpha: setting.alpha),
          tolerance: setting.tolerances.distance)
      // Without a finite value there is nothing to compare.
      let isTested = !ks.pValue.isNaN
      return make(
        .nan, .nan, z: isTested ? Gaussian.critical(ks.pValue) : .nan, shift: .nan, ks: ks,
        verdict: isTested ? verdict : nil)
    case .quantile(let level):
      let test = QuantileTest(finite.histogram(record, place), level: level, predicted: entry.value)
      // Of the share below the predicted value; the sign is that of the difference of the quantiles.
      let z = -test.z
      let shift = Estimate.ratio(test.value - entry.value, deviation)
      return make(
        test.value, test.standardError, z: z, shift: shift,
        verdict: judge(
          z, shift: shift, margin: setting.critical * Estimate.ratio(test.standardError, deviation), role: role,
          isJudged: deviation > 0))
    default:
      guard let found = finite.estimate(entry.statistic, record, place) else {
        return make(.nan, .nan, z: .nan, shift: .nan, verdict: nil)
      }
      let scale = scale(entry, record, place)
      let z = found.z(against: entry.value)
      let shift = Estimate.ratio(found.value - entry.value, scale)
      // Means of heavy tails say little, and what does not vary has no unit.
      let isJudged = found.degreesOfFreedom != nil || (!observable.isHeavyTailed && deviation > 0)
      return make(
        found.value, found.error, z: z, freedom: found.degreesOfFreedom, shift: shift,
        verdict: judge(
          z, shift: shift, margin: found.margin(setting.critical, against: entry.value) / scale, role: role,
          isJudged: isJudged))
    }
  }

  /// The unit of the tolerance.
  private func scale(_ entry: PredictedStatistic, _ record: Int, _ place: Int) -> Double {
    if entry.statistic == .mean && finite.leg.process == nil { return finite.moments(record, place).standardDeviation }
    if entry.value != 0 { return entry.value.magnitude }
    guard case .covariance(let name) = entry.statistic, let other = finite.leg.schema.place(of: name) else { return 1 }
    let product = finite.moments(record, place).standardDeviation * finite.moments(record, other).standardDeviation
    return product > 0 ? product : 1
  }

  /// A sampled leg: the laws decide.
  private func row(_ match: Match, _ other: Measured, _ margin: Double) -> Comparison.Row {
    let moments = finite.moments(match.record, match.place)
    let theirs = other.moments(match.otherRecord, match.otherPlace)
    let ks = KolmogorovSmirnov(
      finite.histogram(match.record, match.place), other.histogram(match.otherRecord, match.otherPlace))
    let isTestable =
      finite.estimate(.mean, match.record, match.place)!.isTestable
      && Double(min(moments.count, theirs.count)) >= Measured.leastDraws
    let error = (moments.meanError * moments.meanError + theirs.meanError * theirs.meanError).squareRoot()
    let difference = moments.mean - theirs.mean
    return Comparison.Row(
      observable: finite.leg.observables[match.place].name, coordinate: finite.leg.axis.values[match.record],
      statistic: .mean, finite: moments.mean, finiteError: moments.meanError, reference: theirs.mean,
      referenceError: theirs.meanError, z: isTestable ? Estimate.ratio(difference, error) : .nan, degreesOfFreedom: nil,
      shift: Estimate.ratio(difference, moments.standardDeviation), ks: ks,
      verdict: Equivalence(difference: ks.distance, margin: margin, tolerance: setting.tolerances.distance))
  }

  /// A sampled leg at two steps, extrapolated to step 0.
  private func row(_ match: Match, _ coarse: Measured, _ fine: Measured, order: Int) -> Comparison.Row {
    let moments = finite.moments(match.record, match.place)
    let (h, half) = (
      coarse.moments(match.otherRecord, match.otherPlace), fine.moments(match.otherRecord, match.otherPlace)
    )
    let limit = Extrapolation.richardson(
      coarse: (h.mean, h.meanError), fine: (half.mean, half.meanError), order: Double(order))
    let both = (moments.meanError * moments.meanError + limit.limitError * limit.limitError).squareRoot()
    let observable = finite.leg.observables[match.place]
    let isTestable =
      !observable.isHeavyTailed && Double(moments.count) >= Measured.leastDraws && moments.variance > 0
    let difference = moments.mean - limit.limit
    let z = isTestable ? Estimate.ratio(difference, both) : .nan
    let shift = Estimate.ratio(difference, moments.standardDeviation)
    return Comparison.Row(
      observable: observable.name, coordinate: finite.leg.axis.values[match.record], statistic: .mean,
      finite: moments.mean, finiteError: moments.meanError, reference: limit.limit, referenceError: limit.limitError,
      z: z, degreesOfFreedom: nil, shift: shift, ks: nil,
      verdict: judge(
        z, shift: shift, margin: Estimate.ratio(setting.critical * both, moments.standardDeviation), role: .limit,
        isJudged: true))
  }

  /// The mean of a difference, draw by draw, against 0; in standard deviations of the finite observable.
  private func row(_ pair: Pair, role: Leg.Role) -> Comparison.Row {
    let found = finite.estimate(.mean, pair.record, pair.difference)!
    let observable = finite.leg.observables[pair.place]
    let moments = finite.moments(pair.record, pair.place)
    let deviation = moments.standardDeviation
    // Both sides are rounded, so a difference below that of the values themselves is none.
    let floor = Estimate.rounding * max(moments.mean.magnitude, deviation)
    let own = Estimate(
      value: found.value, error: max(found.error, floor), degreesOfFreedom: found.degreesOfFreedom,
      isTestable: found.isTestable)
    let z = own.z(against: 0)
    let shift = Estimate.ratio(found.value, deviation)
    return Comparison.Row(
      observable: finite.leg.observables[pair.difference].name, coordinate: finite.leg.axis.values[pair.record],
      statistic: .mean, finite: found.value, finiteError: found.error, reference: 0, referenceError: 0, z: z,
      degreesOfFreedom: found.degreesOfFreedom, shift: shift, ks: nil,
      verdict: judge(
        z, shift: shift, margin: own.margin(setting.critical, against: 0) / deviation, role: role,
        isJudged: !observable.isHeavyTailed && deviation > 0))
  }
}
