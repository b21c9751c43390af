import Experiments
import Kernels
import Networks

/// What is known of a posterior without draws: regression with the covariance of infinite width (arXiv:1711.00165), and what a finite width adds
/// to it (arXiv:1910.00019).
extension Posterior {
  /// By the names of the estimands; empty where the covariance has no regression.
  /// - Parameter record: place of the layer among the measured ones.
  func atInfiniteWidth(_ covariance: [Double], record: Int) -> [String: Double] {
    guard let found = regression.solve(covariance: covariance) else { return [:] }
    var values = [Self.evidenceName: found.likelihood]
    for (c, a) in regression.test.enumerated() {
      values[Self.meanName(a)] = found.means[c]
      values[Self.varianceName(a)] = found.variances[c]
    }
    if let divergences, let hypotheses = hypotheses(covariance) {
      let mass = hypotheses.mass(within: 2 * regression.noise * divergences[record])
      values[Self.boundName] = divergences[record] - Elementary.log(mass)
    }
    return values
  }

  /// Observables that are known where V does not fluctuate.
  var deterministic: [Observable] {
    regression.noise > 0 ? [Self.information] + (divergences == nil ? [] : [Self.regret]) : []
  }

  /// Their values, NaN where there is no regression.
  func values(_ covariance: [Double]) -> [Double] {
    deterministic.map { observable in
      observable == Self.information
        ? regression.solve(covariance: covariance)?.information ?? .nan
        : hypotheses(covariance)?.regret(noise: regression.noise) ?? .nan
    }
  }

  private func hypotheses(_ covariance: [Double]) -> Hypotheses? {
    let found = Hypotheses(inputs: regression.inputs)
    return found.take(covariance: covariance, regression) ? found : nil
  }

  /// Regression with a tangent kernel, of each test input; NaN where it is singular.
  func trained(_ kernel: [Double]) -> [Double] {
    regression.solve(covariance: kernel)?.means ?? regression.test.map { _ in .nan }
  }

  /// A reference that predicts estimands as well, layer by layer. Of chains, which measure nothing else, they are all that it predicts.
  func adding(_ values: [[String: Double]], to known: ReferenceValues) -> ReferenceValues {
    reference(
      values, like: chains == nil ? known : nil, axis: chains?.schedule.axis ?? known.schema.axis,
      remainder: known.remainder)
  }
}

extension NetworkModel {
  /// Throws for a posterior that is no regression at infinite width.
  func regressionPosterior(_ p: Parameters) throws -> Posterior? {
    guard posterior?.chains?.isLogistic != true else {
      throw p.invalid("equation", "knows posteriors of the likelihood gaussian only")
    }
    return posterior
  }
}
