import Experiments
import Statistics

/// One observable of the finite leg at one point of the axis, and what must hold before anything is said of it.
private struct Subject {
  let observable: Observable
  /// Its places in the finite leg.
  let record, place: Int
  let coordinate: Double
  let moments: Moments
  /// Share of the draws in which it is a finite number.
  let share: Double
  /// Size below which a difference is rounding: that of the compared numbers times a few roundings.
  let floor: Double

  /// Whether it varies by more than rounding.
  var varies: Bool { moments.standardDeviation > floor }

  /// Least error of a mean: of what happened in none or in all of n draws, the probability is known to 1/n.
  var leastError: Double {
    [.event, .failure].contains(observable.role) && moments.count > 0 ? max(floor, 1 / Double(moments.count)) : floor
  }

  /// The unit of the tolerance of a mean of draws: the standard deviation, or the size of what does not vary.
  func unit(against known: Double) -> Double {
    if varies { return moments.standardDeviation }
    let size = max(known.magnitude, moments.mean.magnitude, observable.isHeavyTailed ? 0 : 1)
    return size > 0 ? size : 1
  }
}

extension CaseComparisons {
  /// - Parameter known: the value that it is compared with.
  private func subject(_ record: Int, _ place: Int, against known: Double) -> Subject {
    let moments = finite.moments(record, place)
    let observable = finite.leg.observables[place]
    var scale = max(known.isFinite ? known.magnitude : 0, moments.mean.isFinite ? moments.mean.magnitude : 0)
    // What is 0 but for rounding was left by numbers of the size of its family, or of 1 where sizes are of order 1 by themselves:
    // logarithms, correlations, shares.
    if finite.leg.process == nil {
      scale = max(scale, observable.isHeavyTailed ? familySizes[record][observable.family] ?? 0 : 1)
    }
    let all = Double(finite.count)
    return Subject(
      observable: observable, record: record, place: place, coordinate: finite.leg.axis.values[record],
      moments: moments,
      share: all > 0 ? Double(moments.count) / all : 0, floor: Estimate.rounding * scale)
  }

  /// The first precondition of any judgement that does not hold.
  private func failing(_ subject: Subject, tolerance: Double) -> Reason? {
    if let hindrance = setting.hindrance { return hindrance.reason }
    if subject.moments.count == 0 { return .notEstimable }
    return 1 - subject.share > tolerance ? .incomplete : nil
  }

  private func make(
    _ subject: Subject, _ statistic: Statistic, _ value: (Double, Double), _ reference: (Double, Double), z: Double,
    freedom: Int? = nil, shift: Double, ks: KolmogorovSmirnov? = nil, _ evidence: Judgement.Evidence,
    isRounding: Bool = false, name: String? = nil
  ) -> Comparison.Row {
    let judgement = isRounding && evidence.failing == nil ? .rounding : Judgement(evidence)
    // What is not tested has no z: a number there would be read as one.
    return Comparison.Row(
      observable: name ?? subject.observable.name, coordinate: subject.coordinate, statistic: statistic,
      finite: value.0, finiteError: value.1, reference: reference.0, referenceError: reference.1,
      z: judgement.word == nil ? .nan : z, degreesOfFreedom: freedom, shift: shift, ks: ks, margin: evidence.margin,
      tolerance: evidence.tolerance, share: subject.share, judgement: judgement)
  }

  // MARK: Predictions

  func row(_ prediction: Prediction, role: Leg.Role) -> Comparison.Row {
    let (entry, record, place) = (prediction.entry, prediction.record, prediction.place)
    let subject = subject(record, place, against: entry.value)
    switch entry.statistic {
    case .law: return row(law: entry.law!, subject, finite.histogram(record, place), role)
    case .quantile(let level): return row(quantile: level, of: entry, subject, finite.histogram(record, place), role)
    default:
      guard let found = finite.estimate(entry.statistic, record, place) else {
        let nothing = evidence(
          role, z: .nan, shift: .nan, margin: .nan, count: subject.moments.count, failing: .notEstimable)
        return make(
          subject, entry.statistic, (.nan, .nan), (entry.value, 0), z: .nan, shift: .nan, nothing,
          name: entry.statistic.ownName)
      }
      return row(found, entry, subject, unit: found.deviation ?? unit(entry, record, place, subject), role)
    }
  }

  private func evidence(
    _ role: Leg.Role, z: Double, shift: Double, margin: Double, count: Int64, failing: Reason?
  ) -> Judgement.Evidence {
    Judgement.Evidence(
      isExact: role == .exact, z: z, critical: setting.critical, difference: shift, margin: margin,
      tolerance: setting.tolerances.mean, draws: count, failing: failing)
  }

  private func row(
    _ found: Estimate, _ entry: PredictedStatistic, _ subject: Subject, unit: Double, _ role: Leg.Role
  ) -> Comparison.Row {
    let isMean = entry.statistic == .mean && finite.leg.process == nil
    let floor = isMean ? subject.floor : 0
    let own = found.atLeast(isMean ? subject.leastError : 0)
    let z = own.z(against: entry.value)
    let difference = found.value - entry.value
    let shift = Estimate.ratio(difference, unit)
    // An estimand may vary where the observable that stands for it does not: with weights of 1 it is that of the others.
    let isConstant = !subject.varies && finite.leg.process == nil && found.deviation == nil
    // Higher statistics of what varies by rounding are those of the rounding.
    let unmeasurable: Reason? = isConstant && entry.statistic != .mean ? .notEstimable : nil
    return make(
      subject, entry.statistic, (found.value, found.error), (entry.value, 0), z: z, freedom: found.degreesOfFreedom,
      shift: shift,
      evidence(
        role, z: z, shift: shift, margin: own.margin(setting.critical, against: entry.value) / unit,
        count: subject.moments.count,
        failing: failing(subject, tolerance: setting.tolerances.mean) ?? unmeasurable
          ?? (isConstant && found.failing != .fewDraws ? nil : found.failing)),
      isRounding: isConstant && difference.magnitude <= floor, name: entry.statistic.ownName)
  }

  /// The unit of the tolerance: the standard deviation for means of draws, else the predicted value.
  private func unit(_ entry: PredictedStatistic, _ record: Int, _ place: Int, _ subject: Subject) -> Double {
    if entry.statistic == .mean && finite.leg.process == nil { return subject.unit(against: entry.value) }
    // Certificates are 0 up to a bias, and of order 1 where the law is another one.
    if subject.observable.role == .certificate { return max(1, entry.value.magnitude) }
    if entry.value.magnitude > Estimate.rounding { return entry.value.magnitude }
    guard case .covariance(let name) = entry.statistic, let other = finite.leg.schema.place(of: name) else { return 1 }
    let product = subject.moments.standardDeviation * finite.moments(record, other).standardDeviation
    return product > 0 ? product : 1
  }

  private func row(
    law: TabulatedLaw, _ subject: Subject, _ histogram: BitHistogram, _ role: Leg.Role
  ) -> Comparison.Row {
    let whole = KolmogorovSmirnov(histogram, law)
    let share = finite.independentShare(subject.record, subject.place, of: .laws)
    let ks = share < 1 ? whole.of(effectiveCount: share * whole.effectiveCount) : whole
    let count = subject.moments.count
    return make(
      subject, .law, (.nan, .nan), (.nan, .nan), z: ks.pValue.isNaN ? .nan : Gaussian.critical(ks.pValue), shift: .nan,
      ks: ks,
      Judgement.Evidence(
        isExact: role == .exact, distance: ks,
        band: KolmogorovSmirnov.band(Int64(share * Double(count)), alpha: setting.alpha), alpha: setting.alpha,
        tolerance: setting.tolerances.distance, draws: count, independentShare: share,
        failing: failing(subject, tolerance: setting.tolerances.distance)))
  }

  private func row(
    quantile level: Double, of entry: PredictedStatistic, _ subject: Subject, _ histogram: BitHistogram,
    _ role: Leg.Role
  ) -> Comparison.Row {
    let test = QuantileTest(histogram, level: level, predicted: entry.value)
    // Of the share below the predicted value; the sign is that of the difference of the quantiles.
    let share = finite.independentShare(subject.record, subject.place, of: .laws)
    let z = -test.z * share.squareRoot()
    let error = test.standardError / share.squareRoot()
    let unit = subject.varies ? subject.moments.standardDeviation : .nan
    let shift = Estimate.ratio(test.value - entry.value, unit)
    return make(
      subject, entry.statistic, (test.value, error), (entry.value, 0), z: z, shift: shift,
      evidence(
        role, z: z, shift: shift, margin: setting.critical * Estimate.ratio(error, unit),
        count: subject.moments.count,
        failing: failing(subject, tolerance: setting.tolerances.mean) ?? (test.z.isNaN ? .fewDraws : nil)))
  }

  // MARK: Sampled references

  /// The laws decide, or the means of a reference that speaks of means.
  func row(_ match: Match, _ other: Measured) -> Comparison.Row {
    let theirs = other.moments(match.otherRecord, match.otherPlace)
    if other.leg.speaksOfMeans == true {
      return row(
        match, mean: theirs.mean, error: other.meanError(match.otherRecord, match.otherPlace),
        failing: Double(theirs.count) < Measured.leastDraws ? .fewDraws : nil)
    }
    let subject = subject(match.record, match.place, against: theirs.mean)
    let moments = subject.moments
    let whole = KolmogorovSmirnov(
      finite.histogram(match.record, match.place), other.histogram(match.otherRecord, match.otherPlace))
    let myShare = finite.independentShare(match.record, match.place, of: .laws)
    let theirCount = Double(theirs.count) * other.independentShare(match.otherRecord, match.otherPlace, of: .laws)
    let myCount = Double(moments.count) * myShare
    let isDependent = finite.leg.dependence != nil || other.leg.dependence != nil
    let ks = isDependent ? whole.of(effectiveCount: myCount * theirCount / (myCount + theirCount)) : whole
    let margin = KolmogorovSmirnov.band(Int64(myCount), Int64(theirCount), alpha: setting.alpha)
    let mine = finite.estimate(.mean, match.record, match.place)!
    let isTestable = mine.failing == nil && theirCount >= Measured.leastDraws
    let theirError = other.meanError(match.otherRecord, match.otherPlace)
    let error = Estimate.combined(mine.error, theirError)
    let difference = moments.mean - theirs.mean
    let theirShare = other.count > 0 ? Double(theirs.count) / Double(other.count) : 0
    let tolerance = setting.tolerances.distance
    let missing: Reason? = 1 - theirShare > tolerance ? .incomplete : nil
    let z = isTestable ? Estimate.ratio(difference, max(error, subject.leastError)) : .nan
    return make(
      subject, .mean, (moments.mean, mine.error), (theirs.mean, theirError), z: z,
      shift: Estimate.ratio(difference, subject.unit(against: theirs.mean)), ks: ks,
      Judgement.Evidence(
        isExact: false, distance: ks, band: margin, alpha: setting.alpha, tolerance: tolerance,
        draws: min(moments.count, theirs.count), independentShare: myShare,
        failing: failing(subject, tolerance: tolerance) ?? missing),
      isRounding: !subject.varies && theirs.standardDeviation <= subject.floor && difference.magnitude <= subject.floor)
  }

  /// At two steps, extrapolated to step 0.
  func row(_ match: Match, _ coarse: Measured, _ fine: Measured, order: Int) -> Comparison.Row {
    let (h, half) = (
      coarse.moments(match.otherRecord, match.otherPlace), fine.moments(match.otherRecord, match.otherPlace)
    )
    let limit = Extrapolation.richardson(
      coarse: (h.mean, h.meanError), fine: (half.mean, half.meanError), order: Double(order))
    return row(match, mean: limit.limit, error: limit.limitError)
  }

  /// Against a mean that has an error of its own.
  private func row(_ match: Match, mean: Double, error: Double, failing reason: Reason? = nil) -> Comparison.Row {
    let subject = subject(match.record, match.place, against: mean)
    let moments = subject.moments
    let found = finite.estimate(.mean, match.record, match.place)!
    let both = max(Estimate.combined(found.error, error), subject.leastError)
    let difference = moments.mean - mean
    let unit = subject.unit(against: mean)
    let z = Estimate.ratio(difference, both)
    let shift = Estimate.ratio(difference, unit)
    return make(
      subject, .mean, (moments.mean, found.error), (mean, error), z: z, shift: shift,
      evidence(
        .limit, z: z, shift: shift, margin: setting.critical * both / unit, count: moments.count,
        failing: failing(subject, tolerance: setting.tolerances.mean) ?? found.failing ?? reason),
      isRounding: !subject.varies && difference.magnitude <= subject.floor)
  }

  // MARK: Pairs

  /// The mean of a difference, draw by draw, against 0; in standard deviations of the finite observable.
  func row(_ pair: Pair, role: Leg.Role) -> Comparison.Row {
    let subject = subject(pair.record, pair.place, against: .nan)
    let found = finite.estimate(.mean, pair.record, pair.difference)!
    // Both sides are rounded, so a difference below that of the values themselves is none.
    let deviation = subject.moments.standardDeviation
    let own = found.atLeast(Estimate.rounding * max(subject.moments.mean.magnitude, deviation))
    let z = own.z(against: 0)
    let unit = subject.unit(against: 0)
    let shift = Estimate.ratio(found.value, unit)
    return make(
      subject, .mean, (found.value, found.error), (0, 0), z: z, freedom: found.degreesOfFreedom, shift: shift,
      evidence(
        role, z: z, shift: shift, margin: own.margin(setting.critical, against: 0) / unit,
        count: subject.moments.count,
        failing: failing(subject, tolerance: setting.tolerances.mean) ?? found.failing),
      name: finite.leg.observables[pair.difference].name)
  }
}

extension Statistic {
  /// What rows call it where it is of no single observable.
  fileprivate var ownName: String? { if case .estimand(let name) = self { name } else { nil } }
}
