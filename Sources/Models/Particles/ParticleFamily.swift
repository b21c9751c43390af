import Experiments

/// Interacting particles and independent chains that sample exp(-beta H): the table `[particles]`.
package enum ParticleFamily: Family {
  package static let table = "particles"
  package static let summary = "a particle system; takes the keys of its system and integrator as well"

  package static var entries: [any Entry] {
    let own = TableEntry(name: table, summary: summary, parameters: ParticleCatalog.parameters)
    return ParticleCatalog.systems as [any Entry] + ParticleCatalog.integrators as [any Entry] + [own]
  }

  package static let drawsKey: String? = "replicas"

  package static let options = [
    TableEntry(
      name: "bias", summary: "separates the N-bias from the step-size bias",
      parameters: [
        Parameter(
          "enabled", .boolean, default: .boolean(true),
          "run (2N, h) and (N, h/2) as well, and separate the N-bias from the step-size bias")
      ])
  ]

  package static func read(_ table: JobValue, _ context: JobContext) throws -> FamilyCase<ParticleModel> {
    let (path, name) = (context.path, self.table)
    // Ranges first: the refinements of `[bias]` double numbers.
    let system = try ParticleModel.entry("system", of: table, path: path, ParticleCatalog.systems)
    let integrator = try ParticleModel.entry("integrator", of: table, path: path, ParticleCatalog.integrators)
    _ = try Parameters(table, path: path, allowed: ParticleModel.parameters(system, integrator))
    let model = try ParticleModel(table, path: path, name: name, data: context.data)
    var found = FamilyCase(model: model, legs: [model.leg(name, role: .finite)], identity: model.identity)
    if context.options["bias"]?.boolean("enabled") ?? false {
      for refined in try refinements(of: table, path: path, order: model.order ?? 0) {
        let own = try ParticleModel(refined.table, path: path, name: refined.name, data: context.data)
        found.legs.append(own.leg(refined.name, role: .refinement, refines: refined.refinement))
        found.identity += own.identity
      }
    }
    // What starts without warm-up is watched on its way: nothing stationary is there to compare it with.
    if model.settings.schedule.warmUp > 0 {
      if let exact = model.exactLeg() { found.legs.append(exact) }
      found.impliedLimits = ["stationary-limit"]
    }
    return found
  }

  /// (2N, h) and (N, h/2), over the same time.
  private static func refinements(
    of table: JobValue, path: String, order: Int
  ) throws -> [(name: String, table: JobValue, refinement: Refinement)] {
    guard let number = table["number"]?.integer, let step = table["step"]?.number else {
      throw Failure.invalid(
        key: "\(path).number", value: table["number"]?.description, allowed: "[bias] needs number and step")
    }
    var half = try table.setting("step", to: .real(0.5 * step))
    for key in ["steps", "warm_up", "measure_every", "frame_every"] {
      guard let value = (table[key] ?? (key == "measure_every" ? .integer(1) : nil))?.integer else { continue }
      half = try half.setting(key, to: .integer(2 * value))
    }
    let name = self.table
    return [
      (
        "\(name)-2N", try table.setting("number", to: .integer(2 * number)),
        Refinement(leg: name, parameter: "number", symbol: "N", order: 1)
      ), ("\(name)-half-step", half, Refinement(leg: name, parameter: "step", symbol: "h", order: order)),
    ]
  }
}
