import Experiments
import Statistics

/// A finite leg against one reference: a row for each statistic that the reference predicts, and what the rows say
/// together.
///
/// A reference of role `exact` is compared by z-scores: any significant difference is a fault. One of role `limit` by
/// equivalence: the whole confidence interval of the difference must lie within the tolerance. The tolerance of means
/// and of quantiles is in standard deviations of the finite leg; that of other statistics is relative to the predicted
/// value, absolute where that is 0 (for a covariance: relative to the product of the standard deviations). Means over
/// replicas are judged relative to the known value. Whole laws, of sampled references and of predicted ones, are
/// compared by the Kolmogorov-Smirnov distance.
///
/// The probability alpha of a false statement is shared among all tests of the case, whatever reference they belong to.
package struct Comparison: Analysis {
  /// One statistic of one observable at one point of the axis.
  package struct Row: Sendable {
    package let observable: String
    /// The point of the axis.
    package let coordinate: Double
    package let statistic: Statistic
    package let finite, finiteError: Double
    package let reference, referenceError: Double
    /// Difference in combined standard errors: of replicas the z as probable as their t, of laws the z as probable as
    /// the KS distance. NaN if draws are too few or tails too heavy for the errors to mean anything.
    package let z: Double
    /// Of Student's law, for replicas.
    package let degreesOfFreedom: Int?
    /// Difference in the unit of the tolerance.
    package let shift: Double
    /// Distance of the laws and its p-value, where laws are compared.
    package let ks: KolmogorovSmirnov?
    /// Half-width of the confidence interval of the shift, or of the band of the distance.
    package let margin: Double
    /// What the shift, or the distance, is compared with.
    package let tolerance: Double
    /// Share of the draws in which the observable is a finite number.
    package let share: Double
    let judgement: Judgement

    package var verdict: Equivalence? { judgement.word }
    package var reason: Reason { judgement.reason }
    /// Smallest difference, in the unit of the tolerance, that would have been detected; NaN where nothing is tested.
    package var smallestEffect: Double { judgement.smallestEffect }
    /// Further draws that would decide; nil where it is decided, or draws alone would not do.
    package var missingDraws: Double? { judgement.missingDraws }
    package var difference: Double { finite - reference }
    /// Standard error of the difference.
    package var differenceError: Double { Estimate.combined(finiteError, referenceError) }

    /// The statistic as people write it.
    package var quantity: String {
      switch statistic {
      case .mean: "E \(observable)"
      case .variance: "Var \(observable)"
      case .standardDeviation: "Std \(observable)"
      case .skewness: "Skew \(observable)"
      case .kurtosis: "Kurt \(observable)"
      case .secondMoment: "E \(observable)^2"
      case .covariance(let other): "Cov(\(observable), \(other))"
      case .correlation(let other): "Corr(\(observable), \(other))"
      case .quantile(let level): "\(level)-quantile of \(observable)"
      case .law: "law of \(observable)"
      case .estimand(let name): name
      }
    }
  }

  /// What the finite leg is compared with.
  package enum Kind: Sendable {
    case predicted, sampled
    /// A sampled limit, extrapolated to step 0 from two steps.
    case extrapolated
    /// Something computed on the same draws: the rows are of the differences, draw by draw.
    case paired
  }

  package internal(set) var index = 0
  package let caseLabel: String
  package let finite: String
  package let reference: String
  package let kind: Kind
  package let role: Leg.Role
  package let axis: Axis
  package let rows: [Row]
  package let verdict: Equivalence
  /// The verdict in one sentence.
  package let sentence: String
  /// `|z|` above which a difference counts as detected.
  package let criticalZ: Double
  /// Largest half-width of the confidence bands of KS distances; 0 where no laws are compared.
  package let ksMargin: Double
  /// What was not judged and what would change that, in one sentence; empty if all was.
  package let unjudged: String

  /// - Parameter expectedOffset: what is known of the distance, as half a sentence.
  init(
    _ setting: Setting, reference: String, kind: Kind, role: Leg.Role, rows: [Row], expectedOffset: String
  ) {
    caseLabel = setting.caseLabel
    finite = setting.finite.leg.name
    self.reference = reference
    self.kind = kind
    self.role = role
    axis = setting.finite.leg.axis
    self.rows = rows
    ksMargin = rows.filter { $0.ks != nil && !$0.margin.isNaN }.map(\.margin).max() ?? 0
    criticalZ = setting.critical
    let verdicts = rows.compactMap(\.verdict)
    verdict =
      verdicts.contains(.differs)
      ? .differs : (verdicts.isEmpty || verdicts.contains(.undecided) ? .undecided : .agrees)
    let words = ComparisonWords(
      setting: setting, reference: reference, kind: kind, role: role, rows: rows, verdict: verdict,
      expectedOffset: expectedOffset)
    sentence = words.sentence
    unjudged = words.unjudged
  }

  package var verdicts: [Verdict] {
    [Verdict(subject: reference, caseLabel: caseLabel, word: verdict, sentence: sentence)]
  }
}

/// What all comparisons of a case share.
struct Setting {
  let caseLabel: String
  let finite: Measured
  let tolerances: Tolerances
  /// Tests of the whole case.
  let tests: Int
  /// Why nothing can be concluded of the draws, if so.
  var hindrance: Hindrance?

  var alpha: Double { tolerances.alpha / Double(max(1, tests)) }
  var critical: Double { Gaussian.critical(alpha) }
}

extension Comparison {
  /// Rows that a person reads first: those of the last point of the axis.
  private var shown: [Int] {
    let last = rows.map(\.coordinate).max() ?? 0
    return Array(rows.indices.filter { rows[$0].coordinate == last }.prefix(40))
  }

  package var tables: [Table] {
    func numbers(_ name: String, _ summary: String, _ value: (Row) -> Double) -> Table.Column {
      .init(name, .numbers(rows.map(value)), summary)
    }
    var table = Table(
      group: "comparison/\(index)",
      attributes: [
        ("case", .text(caseLabel)), ("reference", .text(reference)), ("role", .text(role.rawValue)),
        ("verdict", .text(verdict.rawValue)), ("sentence", .text(sentence)), ("critical_z", .number(criticalZ)),
        ("ks_margin", .number(ksMargin)), ("not_judged", .text(unjudged)),
      ],
      rows: [
        .init("observable", .texts(rows.map(\.observable)), "measured quantity"),
        .init("statistic", .texts(rows.map(\.statistic.name)), "what of it is compared"),
        .init(
          "argument", .texts(rows.map(\.statistic.argument)),
          "the other observable of a covariance or correlation, the level of a quantile"),
        .init("quantity", .texts(rows.map(\.quantity)), "statistic and observable as people write them"),
        .init("verdict", .optionalTexts(rows.map { $0.verdict?.rawValue }), "nothing where it is not tested"),
        .init("reason", .texts(rows.map(\.reason.rawValue)), "why, as docs/verdicts.md has it"),
        .init("layer", .numbers(rows.map(\.coordinate)), unit: axis.unit, axis.summary),
        numbers("finite", "statistic of the finite leg", \.finite),
        numbers("finite_error", "its standard error", \.finiteError),
        numbers("reference", "statistic of the reference", \.reference),
        numbers("reference_error", "its standard error; 0 where it is known", \.referenceError),
        numbers("z", "difference in standard errors; NaN where it is not tested", \.z),
        .init(
          "degrees_of_freedom", .optionalIntegers(rows.map { $0.degreesOfFreedom.map(Int64.init) }),
          "of Student's law, whose equivalent z is given, for replicas"),
        numbers("shift", "difference in the unit of the tolerance", \.shift),
        numbers("margin", "half-width of its confidence interval, or of the band of the KS distance", \.margin),
        numbers("tolerance", "what the shift, or the KS distance, is compared with", \.tolerance),
        numbers(
          "smallest_effect",
          "difference that would be detected with probability 0.9, in the unit of the tolerance; NaN where nothing is tested",
          \.smallestEffect),
        numbers("missing_draws", "further draws that would decide; NaN where draws alone would not") {
          $0.missingDraws ?? .nan
        },
        numbers("share", "share of the draws in which the observable is a finite number", \.share),
        numbers("ks_distance", "Kolmogorov-Smirnov distance") { $0.ks?.distance ?? .nan },
        numbers("ks_p_value", "its p-value") { $0.ks?.pValue ?? .nan },
      ])
    table.fields = [
      .init("observable", "quantity"), .init(axis.name, "layer"),
      .init("finite", "finite", .value(error: "finite_error")),
      .init(reference, "reference", .value(error: "reference_error")),
      .init("z", "z", .format("%+.2f", missing: "untested")),
      .init("KS", "ks_distance", .format("%.4f", missing: "-")),
      .init("p", "ks_p_value", .format("%.2g", missing: "-")), .init("verdict", "verdict"),
      .init("reason", "reason"),
    ]
    table.shown = shown.count < rows.count ? shown : nil
    table.notes = ["verdict: \(sentence)."]
    return [table]
  }
}
