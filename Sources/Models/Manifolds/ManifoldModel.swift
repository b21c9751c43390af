import Experiments

/// A job of the family, read: what limits and legs are made from.
package struct ManifoldModel: Sendable {
  package let system: SystemModel
  package let move: MoveModel
  package let settings: ManifoldSettings
  package let experiment: ManifoldExperiment
  /// What is known of the law exp(-beta H) at this size.
  package let exact: ExactMeans
  /// Labels for the file.
  let attributes: [String: String]
  /// One line a key of everything that decides a draw.
  let identity: [String]
  let replicas: Int

  init(_ table: JobValue, path: String, name: String) throws {
    let systemEntry = try Self.entry("system", of: table, path: path, ManifoldCatalog.systems)
    let moveEntry = try Self.entry("integrator", of: table, path: path, ManifoldCatalog.moves)
    let p = try Parameters(
      table, path: path, allowed: ManifoldCatalog.parameters + systemEntry.parameters + moveEntry.parameters)
    system = try systemEntry.read(p)
    move = try moveEntry.read(p)
    let instance = system.make()
    settings = try ManifoldSettings(p, instance)
    if move.needsGeodesics && !instance.manifold.hasGeodesics {
      throw p.invalid(
        "integrator",
        "takes geodesics, which frames of more than \(Frames.mostGeodesicColumns) vectors do not have here: \(systemEntry.name) with more takes retracted or heat-bath"
      )
    }
    if move.needsTemperature && settings.inverseTemperature == 0 {
      throw p.invalid("inverse_temperature", "must be above 0 for \(moveEntry.name): 0 is for heat-bath")
    }
    experiment = ManifoldExperiment(system, move, settings)
    exact = system.exact(settings.inverseTemperature)
    replicas = p.integer("replicas")
    identity = p.resolved.lines(prefix: name).filter { !$0.hasPrefix("\(name).replicas = ") }
    var attributes = [
      "system": systemEntry.name, "integrator": moveEntry.name, "equation": systemEntry.equation,
      "reference": systemEntry.reference,
    ]
    for line in p.resolved.lines() {
      let parts = line.split(separator: " = ", maxSplits: 1)
      if parts.count == 2 { attributes[String(parts[0])] = String(parts[1]) }
    }
    attributes["particle_dimension"] = String(instance.manifold.width)
    attributes["framed_particles"] = String(settings.framed)
    self.attributes = attributes
  }

  /// The line of a catalog that a key of the table names.
  private static func entry<E: Entry>(_ key: String, of table: JobValue, path: String, _ entries: [E]) throws -> E {
    try E.named(
      by: key, of: table, path: path, among: entries,
      otherwise: ManifoldCatalog.parameters.first { $0.name == key }?.default)
  }

  func leg(_ name: String) -> Leg {
    Leg(
      name: name, role: .finite, content: .sampled(Experiment(experiment), draws: UInt64(replicas)),
      attributes: attributes)
  }

  /// The exact means and a certificate of 0, the same at every record.
  package func values(remainder: [Remainder] = []) -> ReferenceValues {
    let means = exact.means.merging(["residual": 0]) { own, _ in own }
    let predicted = experiment.observables.filter { means[$0.name] != nil }
    let axis = experiment.schedule.axis
    let row = predicted.map { means[$0.name]! }
    return ReferenceValues(
      axis: axis, observables: predicted, means: (0..<axis.count).flatMap { _ in row }, remainder: remainder)
  }

  /// What holds exactly at this size for moves without a bias.
  func exactLeg() -> Leg {
    Leg(
      name: "exact", role: .exact, content: .known(values()),
      attributes: ["equation": exact.equation, "reference": exact.reference])
  }
}
