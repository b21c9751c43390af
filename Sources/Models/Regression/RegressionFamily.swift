import Experiments

/// Kernel and random-feature ridge regression: the table `[regression]`.
package enum RegressionFamily: Family {
  package static let table = "regression"
  package static let summary = "ridge regression with kernels and random features, errors at many ridges a draw"

  package static var entries: [any Entry] {
    RegressionCatalog.entries as [any Entry] + [
      TableEntry(
        name: "\(table).spectrum", summary: "eigenvalues of the features", parameters: SpectrumChoice.parameters),
      TableEntry(
        name: "\(table).data", summary: "rows of a file and their kernel", parameters: RegressionData.parameters),
      TableEntry(
        name: "\(table).teacher", summary: "what is learned", parameters: TeacherChoice.parameters),
    ]
  }

  package static var observables: [String]? {
    RegressionCatalog.entries.flatMap(\.observables).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  package static let drawsKey: String? = "draws"

  package static func read(_ table: JobValue, _ context: JobContext) throws -> FamilyCase<RegressionModel> {
    let model = try RegressionEntry.named(by: "model", of: table, path: context.path, among: RegressionCatalog.entries)
      .read(table, path: context.path, data: context.data)
    let finite = Leg(
      name: self.table, role: .finite,
      content: .sampled(model.experiment, draws: UInt64(model.parameters.integer("draws"))),
      attributes: model.attributes)
    let prefix = self.table
    let lines = model.parameters.resolved.lines(prefix: prefix).filter { !$0.hasPrefix("\(prefix).draws = ") }
    return FamilyCase(model: model, legs: [finite], identity: lines + model.data.map { "\(prefix).\($0)" })
  }
}
