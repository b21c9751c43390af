import Experiments

/// Samplers on products of spheres, frames and rotations: the table `[manifold]`.
package enum ManifoldFamily: Family {
  package static let table = "manifold"
  package static let summary =
    "spins, frames or rotations with exp(-beta H); takes the keys of its system and integrator"

  package static var entries: [any Entry] {
    let own = TableEntry(name: table, summary: summary, parameters: ManifoldCatalog.parameters)
    return ManifoldCatalog.systems as [any Entry] + ManifoldCatalog.moves as [any Entry] + [own]
  }

  package static let drawsKey: String? = "replicas"

  package static func read(_ table: JobValue, _ context: JobContext) throws -> FamilyCase<ManifoldModel> {
    let model = try ManifoldModel(table, path: context.path, name: self.table)
    var found = FamilyCase(model: model, legs: [model.leg(self.table)], identity: model.identity)
    // What starts without warm-up is watched on its way: nothing stationary is there to compare it with.
    if model.settings.schedule.warmUp > 0 {
      if model.move.order == nil { found.legs.append(model.exactLeg()) } else { found.impliedLimits = ["gibbs-law"] }
    }
    return found
  }
}
