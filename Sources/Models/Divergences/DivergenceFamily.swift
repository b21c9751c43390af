import Experiments

/// How far the law of a chain is from its target after some steps: the table `[divergence]`.
package enum DivergenceFamily: Family {
  package static let table = "divergence"
  package static let summary =
    "the law of a chain after some steps, and how far it is from the target; takes the keys of its law and target"

  package static var entries: [any Entry] {
    DivergenceCatalog.laws as [any Entry] + DivergenceCatalog.targets as [any Entry]
  }

  package static let options = [DepthLawRequest.table]
  package static let drawsKey: String? = "draws"

  package static func read(_ table: JobValue, _ context: JobContext) throws -> FamilyCase<DivergenceModel> {
    let entry = try LawEntry.named(by: "law", of: table, path: context.path, among: DivergenceCatalog.laws)
    let (model, p) = try entry.read(table, path: context.path)
    var attributes = model.attributes
    attributes["law"] = entry.name
    attributes["equation"] = entry.equation
    attributes["reference"] = entry.reference
    attributes["integrator"] = p.text("integrator")
    let legs = [
      Leg(
        name: self.table, role: .finite, content: .sampled(model.experiment, draws: UInt64(p.integer("draws"))),
        attributes: attributes, asymptotics: model.asymptotics),
      Leg(
        name: "exact", role: .exact, content: .known(model.known),
        attributes: ["equation": "the law itself, without a draw", "reference": "docs/divergences.md"]),
    ]
    let prefix = self.table
    let lines = p.resolved.withCanonicalFormulas.lines(prefix: prefix).filter { !$0.hasPrefix("\(prefix).draws = ") }
    return FamilyCase(model: model, legs: legs, identity: lines + model.identity)
  }
}
