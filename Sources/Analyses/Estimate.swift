import Experiments
import Statistics

/// A measured statistic with its standard error.
struct Estimate {
  let value: Double
  let error: Double
  /// Of Student's law, for replicas; nil where the normal law holds.
  let degreesOfFreedom: Int?
  /// Why there is no z-score: too few draws, tails too heavy, an error that cannot be computed.
  let failing: Reason?
  /// What one draw deviates by, where that is not the standard deviation of an observable.
  let deviation: Double?

  init(
    value: Double, error: Double, degreesOfFreedom: Int? = nil, failing: Reason? = nil, deviation: Double? = nil
  ) {
    self.deviation = deviation
    self.value = value
    self.error = error
    self.degreesOfFreedom = degreesOfFreedom
    self.failing = failing ?? (value.isFinite && error.isFinite ? nil : .notEstimable)
  }

  var isTestable: Bool { failing == nil || failing == .heavyTails }

  /// With an error that is not below a rounding.
  func atLeast(_ floor: Double) -> Estimate {
    Estimate(
      value: value, error: max(error, floor), degreesOfFreedom: degreesOfFreedom, failing: failing,
      deviation: deviation)
  }

  /// Values known without drawing are exact to rounding only.
  static let rounding = 1e-12

  /// The error that a difference from a known value is compared with.
  func error(against known: Double) -> Double { max(error, Self.rounding * known.magnitude) }

  /// The difference in standard errors; for replicas the z of the same probability as Student's t.
  func z(against known: Double) -> Double {
    guard isTestable else { return .nan }
    let ratio = Self.ratio(value - known, error(against: known))
    return degreesOfFreedom.map { Student.equivalentZ(ratio, degreesOfFreedom: $0) } ?? ratio
  }

  /// Half-width of the confidence interval that goes with a critical z.
  func margin(_ critical: Double, against known: Double) -> Double {
    let factor = degreesOfFreedom.map { Student.equivalentT(critical, degreesOfFreedom: $0) } ?? critical
    return isTestable ? factor * error(against: known) : .nan
  }

  /// a / b, 0 for 0/0 so that equal constants agree.
  static func ratio(_ a: Double, _ b: Double) -> Double { a == 0 ? 0 : a / b }

  /// The error of a difference of independent values, sqrt(a^2 + b^2), also where the squares leave the range of numbers.
  static func combined(_ a: Double, _ b: Double) -> Double {
    let largest = max(a, b)
    guard largest > 0, largest.isFinite else { return a + b }
    let other = min(a, b) / largest
    return largest * (1 + other * other).squareRoot()
  }
}

/// The statistics of a leg: of independent draws from its tally, of replicas from their rows.
struct Measured {
  let leg: Leg
  let state: LegState

  /// Below this many draws the standard errors themselves are too uncertain for a z-score.
  static let leastDraws = 200.0
  /// A sum of n values is near enough to Gaussian where skewness / sqrt(n) is below this; of squares, kurtosis /
  /// sqrt(n).
  static let lightness = 0.05
  /// Each replica is itself a long average, near enough to Gaussian for Student's test of a mean from four on. Second
  /// moments need more, third and fourth ones more still.
  static let leastReplicas = (mean: 4, second: 30, higher: 200)

  var count: Int64 { state.tally.counter(.draws) }
  func moments(_ record: Int, _ place: Int) -> Moments { state.tally.moments(leg.schema.index(record, place)) }
  func histogram(_ record: Int, _ place: Int) -> BitHistogram {
    state.tally.histograms[leg.schema.index(record, place)]
  }

  /// Nil for quantiles and laws, which are tested by counts, and for what was not recorded.
  func estimate(_ statistic: Statistic, _ record: Int, _ place: Int) -> Estimate? {
    var other: Int?
    if case .covariance(let name) = statistic { other = leg.schema.place(of: name) }
    if case .correlation(let name) = statistic { other = leg.schema.place(of: name) }
    return leg.process == nil
      ? ofDraws(statistic, record, place, other) : ofReplicas(statistic, record, place, other)
  }

  // MARK: Dependence

  enum Question { case means, laws }

  /// The share of the draws that counts as independent: 1 but for rows of a file that come in chains.
  func independentShare(_ record: Int, _ place: Int, of question: Question) -> Double {
    guard let dependence = leg.dependence else { return 1 }
    return dependence.share(leg.schema.index(record, place), isMean: question == .means)
  }

  /// Standard error of a mean.
  func meanError(_ record: Int, _ place: Int) -> Double {
    moments(record, place).meanError / independentShare(record, place, of: .means).squareRoot()
  }

  // MARK: Draws

  private func ofDraws(_ statistic: Statistic, _ record: Int, _ place: Int, _ other: Int?) -> Estimate? {
    let m = moments(record, place)
    let question: Question = statistic == .mean ? .means : .laws
    let share = min(
      independentShare(record, place, of: question), other.map { independentShare(record, $0, of: question) } ?? 1)
    let n = share * Double(m.count)
    let root = n.squareRoot()
    let growth = share < 1 ? 1 / share.squareRoot() : 1
    let enough = n >= Self.leastDraws
    func isLight(_ m: Moments) -> Bool { m.kurtosis.magnitude / root < Self.lightness }
    func found(_ value: Double, _ error: Double, _ isLight: Bool, isEnough: Bool = true) -> Estimate {
      Estimate(
        value: value, error: growth * error, failing: !(enough && isEnough) ? .fewDraws : isLight ? nil : .heavyTails)
    }
    switch statistic {
    case .mean:
      return found(m.mean, m.meanError, m.skewness.magnitude / root < Self.lightness || m.variance == 0)
    case .secondMoment: return found(m.secondMoment, m.secondMomentError, isLight(m))
    case .variance: return found(m.variance, m.varianceError, isLight(m))
    case .standardDeviation: return found(m.standardDeviation, m.standardDeviationError, isLight(m))
    case .skewness: return found(m.skewness, m.skewnessError, isLight(m), isEnough: n >= 10 * Self.leastDraws)
    case .kurtosis:
      // The error is itself of moments to order eight: where it is not small, they are not known.
      let isKnown = m.kurtosisError < Self.lightness * (m.kurtosis + 3)
      return found(m.kurtosis, m.kurtosisError, isLight(m) && isKnown, isEnough: n >= 10 * Self.leastDraws)
    case .covariance, .correlation:
      guard let other else { return nil }
      let isCovariance = statistic.name == "covariance"
      if other == place { return isCovariance ? found(m.variance, m.varianceError, isLight(m)) : nil }
      guard let joint = state.tally.jointMoments(group: record, i: place, j: other) else { return nil }
      return found(
        isCovariance ? joint.covariance : joint.correlation,
        isCovariance ? joint.covarianceError : joint.correlationError, isLight(m) && isLight(moments(record, other)))
    case .estimand(let name): return estimand(named: name, record)?.estimate
    case .quantile, .law: return nil
    }
  }

  // MARK: Replicas

  /// Values of one observable in a record, replica by replica.
  private func column(_ record: Int, _ place: Int) -> [Double] {
    let index = leg.schema.index(record, place)
    return state.rows.draws.map { state.rows.values[$0]![index] }
  }

  private func ofReplicas(_ statistic: Statistic, _ record: Int, _ place: Int, _ other: Int?) -> Estimate? {
    if statistic == .mean {
      let m = moments(record, place)
      return Estimate(
        value: m.mean, error: m.meanError, degreesOfFreedom: Int(m.count) - 1,
        failing: m.count >= Self.leastReplicas.mean ? nil : .fewDraws)
    }
    if case .estimand(let name) = statistic { return estimand(named: name, record)?.estimate }
    let mine = column(record, place)
    let theirs = other.map { column(record, $0) } ?? mine
    let rows = zip(mine, theirs).filter { $0.0.isFinite && $0.1.isFinite }.map { ($0.0, $0.1) }
    guard rows.count > 2 else { return nil }
    var least = Self.leastReplicas.second
    let value: ([(Double, Double)]) -> Double
    switch statistic {
    case .variance: value = { Moments(values: $0.map(\.0)).variance }
    case .standardDeviation: value = { Moments(values: $0.map(\.0)).standardDeviation }
    case .secondMoment: value = { Moments(values: $0.map(\.0)).secondMoment }
    case .skewness, .kurtosis:
      least = Self.leastReplicas.higher
      value = { rows in
        let m = Moments(values: rows.map(\.0))
        return statistic == .skewness ? m.skewness : m.kurtosis
      }
    case .covariance where other != nil:
      value = { JointMoments(values: $0.map(\.0), $0.map(\.1)).covariance }
    case .correlation where other != nil:
      value = { JointMoments(values: $0.map(\.0), $0.map(\.1)).correlation }
    default: return nil
    }
    let folds = min(64, rows.count)
    let jackknife = Jackknife(rows, folds: folds, value)
    return Estimate(
      value: jackknife.value, error: jackknife.error, degreesOfFreedom: folds - 1,
      failing: rows.count >= least ? nil : .fewDraws)
  }
}
