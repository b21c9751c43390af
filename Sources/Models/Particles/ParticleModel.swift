import Experiments

/// A particle job, read: what limits and legs are made from.
package struct ParticleModel: Sendable {
  package let system: SystemModel
  package let method: IntegratorModel
  package let settings: ParticleSettings
  package let experiment: ParticleExperiment
  /// What is known of the stationary law.
  package let stationary: StationaryMoments
  /// Labels for the file.
  let attributes: [String: String]
  /// One line a key of everything that decides a draw.
  let identity: [String]
  let replicas: Int

  package var interacts: Bool { system.make().interaction != .none }
  package var axis: Axis { experiment.schedule.axis }
  /// Weak order in the step size of means in the stationary law: the noise of batches adds an error of order 1 to that of the method.
  package var order: Int? { system.subsample == nil ? method.order : 1 }

  /// Reads and checks a table.
  /// - Parameter name: of the leg, for the identity.
  init(_ table: JobValue, path: String, name: String, data: any DataSource) throws {
    let systemEntry = try Self.entry("system", of: table, path: path, ParticleCatalog.systems)
    let integratorEntry = try Self.entry("integrator", of: table, path: path, ParticleCatalog.integrators)
    let p = try Parameters(table, path: path, allowed: Self.parameters(systemEntry, integratorEntry))
    var lines: [String] = []
    system = try systemEntry.read(p) { request in
      let table = try data.table(request)
      lines.append("\(name).data = \(table.fingerprint)")
      return table
    }
    method = try integratorEntry.read(p)
    let instance = system.make()
    settings = try ParticleSettings(p, dimension: instance.dimension)
    try Self.check(p, system, method, settings, instance, integrator: integratorEntry)
    experiment = ParticleExperiment(system, method, settings)
    stationary = system.stationary(settings.number)
    replicas = p.integer("replicas")
    let resolved = p.resolved.withCanonicalFormulas
    identity = lines + resolved.lines(prefix: name).filter { !$0.hasPrefix("\(name).replicas = ") }

    var attributes = [
      "system": systemEntry.name, "integrator": integratorEntry.name, "equation": systemEntry.equation,
      "reference": systemEntry.reference,
    ]
    for line in p.resolved.lines() {
      let parts = line.split(separator: " = ", maxSplits: 1)
      if parts.count == 2 { attributes[String(parts[0])] = String(parts[1]) }
    }
    if let target = method.target {
      attributes["adaptation"] =
        "step size adapted in the \(settings.schedule.warmUp) steps of warm-up, and only there, to an acceptance rate of \(target)"
    }
    attributes["particle_dimension"] = String(instance.dimension)
    attributes["framed_particles"] = String(settings.framed)
    attributes["interaction"] =
      switch instance.interaction {
      case .none: "none"
      case .features: "mean field"
      case .pairs: "pairs"
      }
    self.attributes = attributes
  }

  static func parameters(_ system: SystemEntry, _ integrator: IntegratorEntry) -> [Parameter] {
    ParticleCatalog.parameters + system.parameters + integrator.parameters
  }

  /// The line of a catalog that a key of the table names.
  static func entry<E: Entry>(_ key: String, of table: JobValue, path: String, _ entries: [E]) throws -> E {
    try E.named(
      by: key, of: table, path: path, among: entries,
      otherwise: ParticleCatalog.parameters.first { $0.name == key }?.default)
  }

  /// Refuses what is known not to work, before it runs.
  private static func check(
    _ p: Parameters, _ system: SystemModel, _ method: IntegratorModel, _ settings: ParticleSettings,
    _ instance: any ParticleSystem, integrator: IntegratorEntry
  ) throws {
    if system.isDiscrete != method.isDiscrete {
      throw p.invalid("integrator", "spins take heat-bath, and heat-bath takes spins (curie-weiss)")
    }
    if method.needsConvexity {
      guard instance.interaction == .none, let least = system.leastCurvature else {
        throw p.invalid(
          "integrator",
          "\(integrator.name) needs particles without interaction and a known lower bound of the curvature")
      }
      if least < 0 && settings.step >= -1 / least {
        throw p.invalid("step", "must be below \(-1 / least): the curvature of this energy reaches \(least)")
      }
    }
    if method.target != nil && settings.schedule.warmUp < 10 {
      throw p.invalid("warm_up", "must be at least 10 steps to adapt the step size in")
    }
    try system.subsample?.check(
      p, method, settings.schedule, Tiling(number: settings.number, dimension: instance.dimension),
      name: integrator.name)
    guard let largest = system.largestCurvature else { return }
    // The noise of a batch in the curvature makes second moments grow at smaller steps.
    let noise = system.quadratic.flatMap { method.batched == nil ? nil : $0.noise } ?? .none
    guard let stable = method.stableStep(below: settings.step, curvature: largest, noise) else {
      if noise.curvature.isRandom && !method.oscillator(settings.step, largest, noise).hasFourthMoments {
        Notes.add(
          "\(p.path).step = \(settings.step): the noise of batches of \(system.subsample!.batch) leaves the squares of the stationary law no variance, and their means no error bars; the exact second moments are not compared with"
        )
      }
      return
    }
    throw p.invalid(
      "step",
      "must be below \(stable): \(integrator.name) is unstable beyond, where the curvature is \(largest)"
        + (noise.curvature.isRandom ? ", with a variance of \(Float(noise.curvature.second)) over batches" : ""))
  }

  /// The finite leg, or one that refines it.
  func leg(_ name: String, role: Leg.Role, refines: Refinement? = nil) -> Leg {
    Leg(
      name: name, role: role, content: .sampled(Experiment(experiment), draws: UInt64(replicas)),
      attributes: attributes, refines: refines, marginalLaw: stationary.marginal)
  }

  /// What holds exactly at this number of particles and this step, if anything is known.
  func exactLeg() -> Leg? {
    var means = stationary.exact
    var equation = stationary.exactEquation
    if let modes = system.modes?.means(settings, method) ?? system.quadratic?.means(settings, method) {
      means.merge(modes) { $1 }
      equation = "every mode is a harmonic oscillator under the integrator"
    }
    return values(means).map {
      Leg(
        name: "exact", role: .exact, content: .known($0),
        attributes: ["equation": equation, "reference": stationary.reference])
    }
  }

  /// The same means at every record; nil if none of them is of an observable.
  package func values(_ means: [String: Double], remainder: [Remainder] = []) -> ReferenceValues? {
    let predicted = experiment.observables.filter { means[$0.name] != nil }
    guard !predicted.isEmpty else { return nil }
    let row = predicted.map { means[$0.name]! }
    return ReferenceValues(
      axis: axis, observables: predicted, means: (0..<axis.count).flatMap { _ in row }, remainder: remainder)
  }
}
