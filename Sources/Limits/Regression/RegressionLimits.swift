import Experiments
import Regression

/// All limits of regressions.
package enum RegressionLimits {
  package static let all: [LimitEntry<RegressionModel>] = [
    eigenframework, fittingRatio, resolutionLimited, bandlimitedKernel,
  ]

  /// What a limit predicts of the observables that the draws have.
  static func values(
    _ model: RegressionModel, remainder: [Remainder],
    _ predict: (_ ridge: Double) -> [(statistic: Statistic, of: String, value: Double)]
  ) -> ReferenceValues {
    let schema = model.experiment.schema
    var found: [PredictedStatistic] = []
    for (record, ridge) in model.problem.ridges.enumerated() {
      for (statistic, name, value) in predict(ridge) where value.isFinite {
        if case .estimand(let name) = statistic, schema.estimand(name) == nil { continue }
        guard let place = schema.place(of: name) else { continue }
        found.append(PredictedStatistic(statistic, record: record, observable: place, value: value))
      }
    }
    return ReferenceValues(schema: schema, statistics: found, remainder: remainder)
  }

  static func eigenbasis(_ model: RegressionModel, _ p: Parameters) throws -> EigenbasisRegression {
    guard let problem = model.problem as? EigenbasisRegression else {
      throw p.invalid("equation", "needs model = \"eigenbasis\"")
    }
    return problem
  }
}
