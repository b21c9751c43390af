import Experiments

/// Networks and other models in training: the table `[training]`.
package enum TrainingFamily: Family {
  package static let table = "training"
  package static let summary = "a model in training, a draw a whole run; takes the keys of its problem"

  package static var entries: [any Entry] {
    TrainingCatalog.problems as [any Entry] + [
      TableEntry(
        name: "\(table).data", summary: "what a model is trained on", parameters: TrainingData.parameters),
      TableEntry(
        name: "\(table).schedule", summary: "the learning rate in time", parameters: RateSchedule.parameters),
    ]
  }

  package static var observables: [String]? {
    TrainingCatalog.problems.flatMap(\.observables) + ["log_learning_rate", "diverged", "converged", "steps"]
  }

  /// Runs that diverge are a result: every job says what share they are.
  package static let healthThreshold: Double? = 0.1

  package static let drawsKey: String? = "draws"

  package static func read(_ table: JobValue, _ context: JobContext) throws -> FamilyCase<TrainingModel> {
    let model = try TrainingCatalog.read(table, path: context.path, data: context.data)
    model.problem.stabilityEdge?.warn(model.settings.learningRate, path: context.path)
    return found(model, page: "docs/training.md")
  }
}
