import Experiments
import Statistics

/// What happens as a small parameter s tends to 0: 1/n for a width, 1/N for a number of particles, h for a step.
///
/// `sizes`: the difference from a limit, extrapolated over a sweep of a size. `orders`: the order of the error of each
/// observable in a sweep. `remainders`: whether the difference from a reference is of the order that the reference
/// promises. `refinements`: the biases of one case, from legs with one parameter refined. `none`: a parameter that is swept and not
/// extrapolated, with the reason.
package struct Scaling: Analysis {
  package enum Kind: String, Sendable { case sizes, orders, remainders, refinements, none }

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
    /// Orders between neighbouring sizes; NaN where a difference is not seen.
    package let slopes: [LocalSlope]
    /// What the extrapolation is to tell from the limit: the spread of the values over the sweep, or the tolerance of the job if
    /// that is larger; NaN where no limit is extrapolated.
    package let toldApart: Double
    /// An offset of the limit that is found with a probability of 0.9: the critical value of the test and 1.28 more errors.
    package let detectable: Double
    /// The order that was promised, and what the sweep says of it.
    package let promise: RemainderOrder?

    /// Whether `toldApart` would be found; without a degree of freedom the fit goes through every value, right or wrong.
    package var hasPower: Bool { fit.degreesOfFreedom > 0 && (toldApart == 0 || detectable <= toldApart) }
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

  init(notExtrapolated parameter: SmallParameter, sizes: [Double], axis: Axis, reason: String) {
    kind = .none
    label = ""
    key = parameter.key
    self.parameter = parameter
    self.sizes = sizes
    reference = nil
    self.axis = axis
    rows = []
    refinements = []
    refined = []
    criticalZ = .nan
    verdict = nil
    sentence = "\(parameter.name) is swept and not extrapolated: \(reason)"
  }

  /// What verdicts call it: `covariance-sde scaling`, `covariance-sde remainder`, `bias`.
  var subject: String {
    switch kind {
    case .sizes: "\(reference ?? "") scaling"
    case .remainders: "\(reference ?? "") remainder"
    case .refinements: "bias"
    case .orders, .none: "order"
    }
  }

  package var verdicts: [Verdict] {
    verdict.map { [Verdict(subject: subject, caseLabel: label, word: $0, sentence: sentence)] } ?? []
  }

  static func all(_ snapshot: Snapshot, _ comparisons: [Comparison]) -> [Scaling] {
    let sweeps = Sweep.all(snapshot.job)
    let found =
      snapshot.job.cases.compactMap { refinements(of: $0, snapshot) }
      + sweeps.compactMap { orders(of: $0, snapshot) }
      + sweeps.flatMap { sizes(of: $0, comparisons, snapshot) }
      + sweeps.flatMap { remainders(of: $0, comparisons, snapshot) }
    return found
      + snapshot.job.smallParameters.compactMap { parameter in
        found.contains { $0.key == parameter.key } ? nil : none(parameter, comparisons, snapshot)
      }
  }

  /// Why a swept parameter is not extrapolated; nil where it is not swept, or where draws are missing.
  private static func none(_ parameter: SmallParameter, _ comparisons: [Comparison], _ snapshot: Snapshot) -> Scaling? {
    let job = snapshot.job
    let swept = job.cases.filter { Sweep.size(of: $0, parameter) != nil }
    let sizes = Set(swept.compactMap { Sweep.size(of: $0, parameter) }).sorted()
    guard sizes.count > 1, snapshot.isFinished, let axis = swept[0].finite?.axis else { return nil }
    let sweeps = Sweep.all(job, parameter)
    let reason: String
    if sizes.count < 3 {
      reason = "\(sizes.count) values are too few, three or more are needed"
    } else if sweeps.isEmpty {
      let ignored = [parameter.key] + parameter.companions + parameter.ratios
      let others = Set(swept.flatMap(\.swept.keys)).subtracting(ignored).sorted()
      reason =
        "no three of its values are in cases that differ in nothing else"
        + (others.isEmpty ? "" : "; \(Words.list(others)) moves with it")
    } else if parameter.isInverse, !parameter.fluctuations,
      !sweeps.contains(where: { hasLimit($0, comparisons) })
    {
      reason = "the job has no limit that leaves out nothing but the \(parameter.name)"
    } else {
      reason =
        "no quantity has values with trustworthy errors at three of them (four where the limit is fitted): too few draws, or tails too heavy"
    }
    return Scaling(notExtrapolated: parameter, sizes: sizes, axis: axis, reason: reason)
  }
}
