import Experiments

/// Data sets and what estimators make of them: the table `[estimation]`.
package enum EstimationFamily: Family {
  package static let table = "estimation"
  package static let summary = "an estimator on data that are drawn, a draw a data set; takes the keys of its problem"

  package static var entries: [any Entry] { EstimationCatalog.problems }
  package static var observables: [String]? { EstimationCatalog.problems.flatMap(\.observables) }
  package static let drawsKey: String? = "draws"

  package static func read(_ table: JobValue, _ context: JobContext) throws -> FamilyCase<EstimationModel> {
    let model = try EstimationEntry.named(
      by: "problem", of: table, path: context.path, among: EstimationCatalog.problems
    ).read(table, path: context.path)
    var legs = [
      Leg(
        name: self.table, role: .finite,
        content: .sampled(model.experiment, draws: UInt64(model.parameters.integer("draws"))),
        attributes: model.attributes)
    ]
    if let known = model.known {
      legs.append(
        Leg(
          name: "exact", role: .exact, content: .known(known),
          attributes: ["equation": "what is known at this very size", "reference": "docs/estimation.md"]))
    }
    let prefix = self.table
    let lines = model.parameters.resolved.lines(prefix: prefix).filter { !$0.hasPrefix("\(prefix).draws = ") }
    return FamilyCase(model: model, legs: legs, identity: lines)
  }
}

/// All problems.
package enum EstimationCatalog {
  package static let problems: [EstimationEntry] = [
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
