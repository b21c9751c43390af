import Experiments
import Statistics

/// What happens as a small parameter s tends to 0: 1/n for a width, 1/N for a number of particles, h for a step.
///
/// `sizes`: the difference from a limit, extrapolated over a sweep of a size. `orders`: the order of the error of each
/// observable in a sweep. `remainders`: whether the difference from a reference is of the order that the reference
/// promises. `refinements`: the biases of one case, from legs with one parameter refined.
package struct Scaling: Analysis {
  package enum Kind: String, Sendable { case sizes, orders, remainders, refinements }

  /// One fit over a sweep.
  package struct Row: Sendable {
    package let observable: String
    package let statistic: Statistic
    /// As people write it; `var(…)` for fluctuations between draws.
    package let quantity: String
    /// Points of the axis, one for each size; NaN for a size that is not used.
    package let coordinates: [Double]
    package let fit: Extrapolation
    /// Value of the reference at the size nearest to the limit; NaN without a reference.
    package let reference: Double
    /// Whether the extrapolated difference would be seen if it were as large as those of the sweep, or as one standard
    /// deviation.
    package let hasPower: Bool
    /// The order that was promised, and what the sweep says of it.
    package let promise: RemainderOrder?

    package var z: Double { Estimate.ratio(fit.limit, fit.limitError) }
    /// The limit as the finite systems give it.
    package var recovered: Double { reference + fit.limit }
  }

  /// The biases of one observable at one point of the axis.
  package struct Refined: Sendable {
    package let observable: String
    package let coordinate: Double
    package let value, valueError: Double
    /// Value less its limit in one parameter, in the order of `refinements`.
    package let biases: [(bias: Double, biasError: Double)]
    package let extrapolated, extrapolatedError: Double
    /// Known limit, NaN if there is none, and the distance of the extrapolated value from it.
    package let reference, z: Double
  }

  package internal(set) var index = 0
  package let kind: Kind
  /// Label of the case, or what the cases of a sweep have in common.
  package let label: String
  /// The swept key; empty for refinements.
  package let key: String
  package let parameter: SmallParameter?
  package let sizes: [Double]
  package let reference: String?
  package let axis: Axis
  package let rows: [Row]
  package let refinements: [Refinement]
  package let refined: [Refined]
  package let criticalZ: Double
  package let verdict: Equivalence?
  /// Empty for orders: their table says all.
  package let sentence: String

  init(
    _ kind: Kind, _ sweep: Sweep, reference: String?, axis: Axis, rows: [Row], criticalZ: Double = .nan,
    verdict: Equivalence? = nil, sentence: String = ""
  ) {
    self.kind = kind
    label = sweep.label
    key = sweep.parameter.key
    parameter = sweep.parameter
    sizes = sweep.sizes
    self.reference = reference
    self.axis = axis
    self.rows = rows
    refinements = []
    refined = []
    self.criticalZ = criticalZ
    self.verdict = verdict
    self.sentence = sentence
  }

  init(
    caseLabel: String, axis: Axis, refinements: [Refinement], refined: [Refined], criticalZ: Double,
    verdict: Equivalence?,
    sentence: String
  ) {
    kind = .refinements
    label = caseLabel
    key = ""
    parameter = nil
    sizes = []
    reference = nil
    self.axis = axis
    rows = []
    self.refinements = refinements
    self.refined = refined
    self.criticalZ = criticalZ
    self.verdict = verdict
    self.sentence = sentence
  }

  /// What verdicts call it: `covariance-sde scaling`, `covariance-sde remainder`, `bias`.
  var subject: String {
    switch kind {
    case .sizes: "\(reference ?? "") scaling"
    case .remainders: "\(reference ?? "") remainder"
    case .refinements: "bias"
    case .orders: "order"
    }
  }

  package var verdicts: [Verdict] {
    verdict.map { [Verdict(subject: subject, caseLabel: label, word: $0, sentence: sentence)] } ?? []
  }

  static func all(_ snapshot: Snapshot, _ comparisons: [Comparison]) -> [Scaling] {
    let sweeps = Sweep.all(snapshot.job)
    return snapshot.job.cases.compactMap { refinements(of: $0, snapshot) }
      + sweeps.compactMap { orders(of: $0, snapshot) }
      + sweeps.flatMap { sizes(of: $0, comparisons, snapshot) }
      + sweeps.flatMap { remainders(of: $0, comparisons, snapshot) }
  }
}
