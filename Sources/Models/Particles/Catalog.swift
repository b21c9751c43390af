import Experiments

/// A line of the catalog of systems.
public struct SystemEntry: Sendable {
  public let name: String
  public let summary: String
  public let equation: String
  public let reference: String
  public let parameters: [Parameter]
  /// Reads the checked `[particles]` table; `load` gives a table of a data file.
  package let read: @Sendable (_ p: Parameters, _ load: (TableRequest) throws -> DataTable) throws -> SystemModel

  static func dimension(_ default: Int64) -> Parameter {
    Parameter("dimension", .integer(1...100_000), default: .integer(standard), "coordinates of a particle")
  }
}

/// All systems and integrators, and the reading of a `[particles]` table.
public enum ParticleCatalog {
  public static let systems: [SystemEntry] = [
    GaussianAttraction.entry,
    DoubleWell.entry,
    CurieWeiss.entry,
    Kuramoto.entry,
    GaussianKernel.entry,
    LogGas.entry,
    TwoLayer.entry,
    GaussianTarget.entry,
    CosineWell.entry,
    PowerLaw.entry,
    TwoWell.entry,
    LogisticRegression.entry,
  ]

  public static let integrators: [IntegratorEntry] = [
    LMC.entry,
    MALA.entry,
    ULMC.entry,
    BAOAB.entry,
    OBABO.entry,
    HMC.entry,
    RandomizedMidpoint.entry,
    UnderdampedMidpoint.entry,
    Proximal.entry,
    HeatBath.entry,
  ]

  /// Keys of every particle job.
  public static var parameters: [Parameter] {
    [
      Parameter("system", .choice(systems.map(\.name)), "what moves"),
      Parameter("integrator", .choice(integrators.map(\.name)), default: .text("lmc"), "how it moves"),
    ] + ParticleFrame.parameters
  }

  /// Builds the legs of a `[particles]` table: the system itself, with what `[bias]` adds, its mean-field limit and its exact
  /// moments, as far as they are known.
  /// - Returns: the legs, and the resolved keys for the identity of the job.
  public static func read(
    _ table: JobValue, path: String, bias: Bool, load: (TableRequest) throws -> DataTable
  ) throws -> (legs: [Leg], lines: [String]) {
    func entry<E>(_ key: String, _ entries: [E], _ name: (E) -> String, default: String? = nil) throws -> E {
      let given = table[key] ?? standard.map { .text($0) }
      guard case .text(let text)? = given, let found = entries.first(where: { name($0) == text }) else {
        throw Failure.invalid(
          key: "\(path).\(key)", value: given?.description ?? "(missing)",
          allowed: "must be one of " + entries.map(name).joined(separator: ", "))
      }
      return found
    }
    let system = try entry("system", systems, \.name)
    let integrator = try entry("integrator", integrators, \.name, default: "lmc")
    let allowed = parameters + system.parameters + integrator.parameters
    // Ranges first: the variants of `[bias]` double numbers.
    _ = try Parameters(table, path: path, allowed: allowed)
    var variants: [(name: String, table: JobValue, variant: BiasVariant?)] = [("particles", table, nil)]
    if bias { variants += try BiasVariant.variants(of: table, path: path) }
    var legs: [Leg] = []
    var lines: [String] = []
    for variant in variants {
      let p = try Parameters(variant.table, path: path, allowed: allowed)
      var data: [String] = []
      let model = try system.read(p) { request in
        let table = try load(request)
        data.append("\(variant.name).data = \(table.fingerprint)")
        return table
      }
      let method = try integrator.read(p)
      let frame = try ParticleFrame(p, dimension: model.make().dimension)
      try check(p, model, method, frame, integrator.name)
      let experiment = ParticleExperiment(model, method, frame)
      let facts = model.facts(frame.number)
      var attributes = [
        "system": system.name, "integrator": integrator.name, "equation": system.equation,
        "reference": system.reference,
      ]
      for line in p.resolved.lines() {
        let parts = line.split(separator: " = ", maxSplits: 1)
        if parts.count == 2 { attributes[String(parts[0])] = String(parts[1]) }
      }
      if let target = method.target {
        attributes["adaptation"] =
          "step size adapted in the \(frame.warmUp) steps of warm-up, and only there, to an acceptance rate of \(target)"
      }
      let instance = model.make()
      attributes["particle_dimension"] = String(instance.dimension)
      attributes["framed_particles"] = String(frame.framed)
      attributes["interaction"] =
        switch instance.interaction {
        case .none: "none"
        case .features: "mean field"
        case .pairs: "pairs"
        }
      let main = variant.variant == nil
      let refines: Refinement? = variant.variant.map { variant in
        switch variant {
        case .doubledNumber: Refinement(leg: "particles", order: 1, kind: .number)
        case .halvedStep: Refinement(leg: "particles", order: method.order ?? 0, kind: .step)
        }
      }
      legs.append(
        Leg(
          name: variant.name, role: main ? .finite : .limit,
          content: .replicas(
            experiment, count: UInt64(p.integer("replicas")), marginal: facts.marginal),
          attributes: attributes, refines: refines, axis: "step"))
      lines += data
      lines += p.resolved.lines(prefix: variant.name).filter { !$0.hasPrefix("\(variant.name).replicas = ") }
      if main { legs += known(experiment, model, method, facts) }
    }
    return (legs, lines)
  }

  /// Refuses what is known not to work, before it runs.
  private static func check(
    _ p: Parameters, _ model: SystemModel, _ method: IntegratorModel, _ frame: ParticleFrame, _ integrator: String
  ) throws {
    let interaction = model.make().interaction
    if model.isDiscrete != (integrator == "heat-bath") {
      throw p.invalid("integrator", "spins take heat-bath, and heat-bath takes spins (curie-weiss)")
    }
    if integrator == "proximal" {
      guard interaction == .none, let least = model.leastCurvature else {
        throw p.invalid(
          "integrator", "proximal needs particles without interaction and a known lower bound of the curvature")
      }
      if least < 0 && frame.step >= -1 / least {
        throw p.invalid("step", "must be below \(-1 / least): the curvature of this energy reaches \(least)")
      }
    }
    if method.target != nil && frame.warmUp < 10 {
      throw p.invalid("warm_up", "must be at least 10 steps to adapt the step size in")
    }
    if let largest = model.largestCurvature, method.oscillator(frame.step, largest).moments(curvature: largest) == nil {
      var (stable, unstable) = (0.0, frame.step)
      for _ in 0..<50 {
        let middle = 0.5 * (stable + unstable)
        if method.oscillator(middle, largest).moments(curvature: largest) != nil {
          stable = middle
        } else {
          unstable = middle
        }
      }
      throw p.invalid(
        "step",
        "must be below \(Comparison.format(stable, 4)): \(integrator) is unstable beyond, where the curvature is \(largest)"
      )
    }
  }

  /// The legs of what is known without simulating.
  private static func known(
    _ experiment: ParticleExperiment, _ model: SystemModel, _ method: IntegratorModel, _ facts: StationaryFacts
  ) -> [Leg] {
    // What starts without warm-up is watched on its way: nothing stationary is there to compare it with.
    guard experiment.frame.warmUp > 0 else { return [] }
    let interacting = model.make().interaction != .none
    // What a value is off by: decides whether a sweep tends to the limit.
    let offsetIn = (interacting ? ["number"] : []) + (method.order != nil ? ["step"] : [])
    func leg(_ name: String, _ role: Leg.Role, _ means: [String: Double], _ equation: String, offset: String) -> Leg? {
      let known = experiment.observables.filter { means[$0.name] != nil }
      guard !known.isEmpty else { return nil }
      let row = known.map { means[$0.name]! }
      let count = experiment.records.count
      let values = ReferenceValues(
        observables: known, layers: experiment.records, means: (0..<count).flatMap { _ in row },
        secondMoments: Array(repeating: .nan, count: count * row.count))
      return Leg(
        name: name, role: role, content: .known(values),
        attributes: [
          "equation": equation, "reference": facts.reference, "offset_in": offsetIn.joined(separator: ", "),
        ], expectedOffset: offset, axis: "step")
    }
    var exact = facts.exact
    var equation = facts.exactEquation
    if let modes = model.modes, let means = modes.means(experiment.frame, method) {
      exact.merge(means) { $1 }
      equation = "every mode is a harmonic oscillator under the integrator"
    }
    var offsets: [String] = []
    if interacting { offsets.append("1/N") }
    if let order = method.order { offsets.append(order == 1 ? "h" : "h^\(order)") }
    let offset = offsets.isEmpty ? "" : "an offset of order " + offsets.joined(separator: " + ") + " is expected"
    var limit = facts.means
    if let modes = model.modes { limit.merge(modes.limit(experiment.frame)) { $1 } }
    limit["residual"] = 0
    if method.hasVelocities { limit["v^2"] = 1 / experiment.frame.inverseTemperature }
    return [
      leg("exact", .exact, exact, equation, offset: ""),
      leg("stationary-limit", .limit, limit, facts.equation, offset: offset),
    ].compactMap { $0 }
  }
}

/// A leg that `[bias]` adds.
enum BiasVariant {
  case doubledNumber, halvedStep

  /// (2N, h) and (N, h/2), over the same time.
  static func variants(
    of table: JobValue, path: String
  ) throws -> [(name: String, table: JobValue, variant: BiasVariant?)] {
    guard case .integer(let number)? = table["number"], let step = table["step"]?.number else {
      throw Failure.invalid(
        key: "\(path).number", value: table["number"]?.description ?? "(missing)",
        allowed: "bias needs number and step")
    }
    var half = try table.setting("step", to: .real(0.5 * step))
    for key in ["steps", "warm_up", "measure_every", "frame_every"] {
      guard case .integer(let value)? = table[key] ?? (key == "measure_every" ? .integer(1) : nil) else { continue }
      half = try half.setting(key, to: .integer(2 * value))
    }
    return [
      ("particles-2N", try table.setting("number", to: .integer(2 * number)), .doubledNumber),
      ("particles-half-step", half, .halvedStep),
    ]
  }
}

extension JobValue {
  /// An integer or a real as a number.
  var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    default: nil
    }
  }
}
