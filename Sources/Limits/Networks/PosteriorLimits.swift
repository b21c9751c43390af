import Experiments
import Networks

/// What is known of a posterior without draws: regression with the covariance of infinite width (arXiv:1711.00165), and what a finite width adds
/// to it (arXiv:1910.00019).
extension Posterior {
  /// By the names of the estimands; empty where the covariance has no regression.
  func atInfiniteWidth(_ covariance: [Double]) -> [String: Double] {
    guard let found = regression.solve(covariance: covariance) else { return [:] }
    var values = [Self.evidenceName: found.likelihood]
    for (c, a) in regression.test.enumerated() {
      values[Self.meanName(a)] = found.means[c]
      values[Self.varianceName(a)] = found.variances[c]
    }
    return values
  }

  /// Observables that are known where V does not fluctuate.
  var deterministic: [Observable] { regression.noise > 0 ? [Self.information] : [] }

  /// Their values, NaN where there is no regression.
  func values(_ covariance: [Double]) -> [Double] {
    deterministic.map { _ in regression.solve(covariance: covariance)?.information ?? .nan }
  }

  /// Regression with a tangent kernel, of each test input; NaN where it is singular.
  func trained(_ kernel: [Double]) -> [Double] {
    regression.solve(covariance: kernel)?.means ?? regression.test.map { _ in .nan }
  }

  /// A reference that predicts estimands as well, layer by layer.
  func adding(_ values: [[String: Double]], to known: ReferenceValues) -> ReferenceValues {
    let place = known.observables.count
    let found = values.enumerated().flatMap { record, own in
      estimands.compactMap { estimand in
        own[estimand.name].flatMap { $0.isFinite ? (estimand.name, $0) : nil }
      }.map { PredictedStatistic(.estimand($0.0), record: record, observable: place, value: $0.1 + 0) }
    }
    return ReferenceValues(
      schema: Schema(axis: known.schema.axis, observables: known.observables + [Self.weight]),
      statistics: known.statistics + found, remainder: known.remainder)
  }
}
