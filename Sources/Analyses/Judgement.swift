import Statistics

/// Why a comparison carries its word, or none. Files, JSON and sentences use these codes; docs/verdicts.md explains each.
package enum Reason: String, Sendable, CaseIterable {
  // agrees
  /// The whole confidence interval of the difference lies within the tolerance.
  case withinTolerance = "within_tolerance"
  /// No difference from an exact value is detected, and one as large as the tolerance would have been.
  case notDetected = "not_detected"
  /// Both sides are equal to the rounding of the numbers themselves.
  case rounding

  // differs
  /// The whole confidence interval lies outside the tolerance.
  case beyondTolerance = "beyond_tolerance"
  /// A difference from an exact value is significant.
  case detected

  // undecided
  /// The confidence interval holds the tolerance, or a difference as large as the tolerance would have gone unseen.
  case noPower = "no_power"
  /// The chains have not mixed, so their errors mean nothing.
  case notMixed = "not_mixed"
  /// Rows of a file that depend on each other, and no chain index says how.
  case autocorrelated
  /// The observable does not exist in a share of the draws that exceeds the tolerance.
  case incomplete
  /// The reference is made of formulas whose hypotheses do not hold here.
  case withheld
  /// Weights that leave too few effective draws.
  case fewEffectiveDraws = "few_effective_draws"

  // not tested
  /// Too few draws, or replicas, for an error that can be relied on.
  case fewDraws = "few_draws"
  /// Tails too heavy for the error of this statistic.
  case heavyTails = "heavy_tails"
  /// The error cannot be computed: squares that underflow or overflow, or values that are not finite.
  case notEstimable = "not_estimable"

  /// Nil where nothing is tested.
  package var word: Equivalence? {
    switch self {
    case .withinTolerance, .notDetected, .rounding: .agrees
    case .beyondTolerance, .detected: .differs
    case .noPower, .notMixed, .autocorrelated, .incomplete, .withheld, .fewEffectiveDraws: .undecided
    case .fewDraws, .heavyTails, .notEstimable: nil
    }
  }
}

/// The verdict on one difference. Every comparison comes here, so that a word means the same everywhere.
///
/// A difference is judged only where its preconditions hold: enough draws, tails light enough, chains that have mixed, an
/// observable that exists in nearly every draw. A limit agrees if the whole confidence interval of the difference lies within
/// the tolerance. An exact value differs if the difference is significant, and agrees if it is not although a difference as
/// large as the tolerance would have been significant with probability ``power``.
struct Judgement: Sendable, Equatable {
  /// Probability with which a difference of the smallest effect is detected.
  static let power = 0.9
  /// The 0.9 quantile of the standard normal law.
  static let powerQuantile = 1.2815515655446004

  let reason: Reason
  /// Smallest difference, in the unit of the tolerance, that these draws detect with probability ``power``.
  let smallestEffect: Double
  /// Further draws after which the difference would be decided if it stays as it is; nil where it is decided, or more draws alone
  /// would not do.
  let missingDraws: Double?

  var word: Equivalence? { reason.word }

  /// What is known of a difference.
  struct Evidence {
    let isExact: Bool
    /// Difference in the unit of the tolerance, and half-width of its confidence interval.
    let difference, margin: Double
    /// Smallest effect; margin and power of the test unless it is known better.
    let smallestEffect: Double
    let tolerance: Double
    /// Whether an exact value is rejected.
    let isSignificant: Bool
    let draws: Int64
    /// The first precondition that does not hold.
    let failing: Reason?

    /// Of a difference by its standard errors.
    init(
      isExact: Bool, z: Double, critical: Double, difference: Double, margin: Double, tolerance: Double, draws: Int64,
      failing: Reason?
    ) {
      self.init(
        isExact: isExact, difference: difference, margin: margin,
        smallestEffect: margin * (1 + Judgement.powerQuantile / critical), tolerance: tolerance,
        isSignificant: z.magnitude > critical, draws: draws,
        failing: failing ?? (z.isNaN || margin.isNaN ? .notEstimable : nil))
    }

    /// Of a distance of laws: an error of a share is at most half the inverse root of the number of independent draws, of two samples of the
    /// effective one.
    init(
      isExact: Bool, distance: KolmogorovSmirnov, band: Double, alpha: Double, tolerance: Double, draws: Int64,
      independentShare: Double = 1, failing: Reason?
    ) {
      self.init(
        isExact: isExact, difference: distance.distance, margin: band,
        smallestEffect: band
          + 0.5 * Judgement.powerQuantile / max(independentShare * distance.effectiveCount, 1).squareRoot(),
        tolerance: tolerance, isSignificant: distance.pValue < alpha, draws: draws,
        failing: failing ?? (distance.pValue.isNaN ? .notEstimable : nil))
    }

    private init(
      isExact: Bool, difference: Double, margin: Double, smallestEffect: Double, tolerance: Double,
      isSignificant: Bool, draws: Int64, failing: Reason?
    ) {
      self.isExact = isExact
      self.difference = difference
      self.margin = margin
      self.smallestEffect = smallestEffect
      self.tolerance = tolerance
      self.isSignificant = isSignificant
      self.draws = draws
      self.failing = failing
    }
  }

  init(_ evidence: Evidence) {
    smallestEffect = evidence.failing == nil ? evidence.smallestEffect : .nan
    /// Errors shrink with the root of the number of draws.
    func missing(_ has: Double, _ wants: Double) -> Double? {
      let ratio = has / wants
      let more = Double(evidence.draws) * (ratio * ratio - 1)
      return wants > 0 && more.isFinite && more > 0 ? more : nil
    }
    if let failing = evidence.failing {
      (reason, missingDraws) = (failing, nil)
    } else if evidence.isExact {
      let hasPower = evidence.smallestEffect <= evidence.tolerance
      reason = evidence.isSignificant ? .detected : hasPower ? .notDetected : .noPower
      missingDraws = reason == .noPower ? missing(evidence.smallestEffect, evidence.tolerance) : nil
    } else {
      let word = Equivalence(
        difference: evidence.difference, margin: evidence.margin, tolerance: evidence.tolerance)
      reason = word == .agrees ? .withinTolerance : word == .differs ? .beyondTolerance : .noPower
      let gap = (evidence.difference.magnitude - evidence.tolerance).magnitude
      missingDraws = reason == .noPower ? missing(evidence.margin, gap) : nil
    }
  }

  /// What is equal to rounding.
  static let rounding = Judgement(reason: .rounding)

  private init(reason: Reason) {
    self.reason = reason
    smallestEffect = 0
    missingDraws = nil
  }
}
