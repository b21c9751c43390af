import Experiments

/// Data sets and what estimators make of them: the table `[estimation]`. A draw is a data set.
package enum EstimationFamily: DrawnProblemFamily {
  package static let table = "estimation"
  package static let summary = "an estimator on data that are drawn, a draw a data set; takes the keys of its problem"
  package static let kind = "problem"
  package static let draws = "independent data sets"
  package static let page = "docs/estimation.md"

  package static let problems: [DrawnProblemEntry] = [
    Pretraining.entry,
    ConformalCoverage.entry,
    MaximumLikelihoodRisk.entry,
    AdaptiveQueries.entry,
    Magnitude.entry,
    Sensors.entry,
    KernelDensity.entry,
    DeterminantalDesign.entry,
  ]
}

extension Axis {
  /// Of problems with one record: the size of the data set of a draw.
  static func samples(_ count: Int) -> Axis {
    Axis(name: "samples", unit: "examples", summary: "size of the data set of a draw", values: [Double(count)])
  }
}
