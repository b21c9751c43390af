import Experiments

/// Particle filters and smoothers: the table `[filter]`. A draw is a run on the observations of the job.
package enum FilterFamily: DrawnProblemFamily {
  package static let table = "filter"
  package static let summary =
    "a particle filter or smoother of a state-space model, a draw a run; takes the keys of its model"
  package static let page = "docs/filters.md"
  package static let kind = "model"
  package static let draws = "independent runs on the same observations"

  package static let problems: [DrawnProblemEntry] = [
    ScalarLinearGaussian.entry,
    StochasticVolatility.entry,
    HiddenMarkov.entry,
    OwnModel.entry,
  ]

  /// - Parameters:
  ///   - functionals: names of what is smoothed.
  ///   - learned: names of parameters that are learned; empty for one that needs none.
  ///   - parameters: keys of the model.
  static func entry(
    name: String, summary: String, equation: String, functionals: [String], learned: [String] = [],
    parameters: [Parameter],
    make: @escaping @Sendable (Parameters, any DataSource) throws -> DrawnProblemModel
  ) -> DrawnProblemEntry {
    entry(
      name: name, summary: summary, equation: equation, reference: "arXiv:2301.00900; docs/filters.md",
      observables: [
        "log_evidence", "effective_share", "observations_used", "stopped", "evidence_ratio", "proposals",
        "exact_backward",
      ] + functionals.flatMap { [$0, "weighted_\($0)", "averaged_\($0)"] }
        + learned.map { $0.isEmpty ? "learned" : "learned_\($0)" },
      parameters: parameters + FilterSettings.parameters, make: make)
  }
}
