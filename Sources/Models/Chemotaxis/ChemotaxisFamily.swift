import Experiments

/// Particles that follow the signals that they make: the table `[chemotaxis]`.
package enum ChemotaxisFamily: Family {
  package static let table = "chemotaxis"
  package static let summary =
    "particles that follow a signal that they make, in a box with two signals or in the plane; takes the keys of its domain"

  package static var entries: [any Entry] { DomainEntry.all }
  package static let drawsKey: String? = "draws"

  package static let options = [
    TableEntry(
      name: "bias", summary: "separates the N-bias from the step-size bias",
      parameters: [
        Parameter(
          "enabled", .boolean, default: .boolean(true),
          "run (2N, h) and (N, h/2) as well, and separate the N-bias from the step-size bias")
      ])
  ]

  package static func read(_ table: JobValue, _ context: JobContext) throws -> FamilyCase<ChemotaxisModel> {
    let (path, name) = (context.path, self.table)
    let model = try ChemotaxisModel(table, path: path)
    var found = FamilyCase(
      model: model, legs: [model.leg(name, role: .finite)], identity: model.identity(name),
      impliedLimits: model.impliedLimits)
    if context.options["bias"]?.boolean("enabled") ?? false {
      guard model.process != nil else {
        throw Failure.invalid(
          key: "bias.enabled", value: "true", allowed: "needs \(path).domain = \"box\" with method = \"particles\"")
      }
      for (own, refinement) in try refinements(of: table) {
        let refined = try ChemotaxisModel(own, path: path)
        let leg = "\(name)-\(refinement.parameter == "number" ? "2N" : "half-step")"
        found.legs.append(refined.leg(leg, role: .refinement, refines: refinement))
        found.identity += refined.identity(leg)
      }
    }
    if let exact = model.exactLeg { found.legs.append(exact) }
    return found
  }

  /// (2N, h) and (N, h/2), over the same time. Euler's step has an error of order 1.
  private static func refinements(of table: JobValue) throws -> [(JobValue, Refinement)] {
    guard let number = table["number"]?.integer, let step = table["step"]?.number else { return [] }
    var half = try table.setting("step", to: .real(0.5 * step))
    for key in ["steps", "warm_up", "measure_every", "frame_every"] {
      guard let value = (table[key] ?? (key == "measure_every" ? .integer(1) : nil))?.integer else { continue }
      half = try half.setting(key, to: .integer(2 * value))
    }
    return [
      (
        try table.setting("number", to: .integer(2 * number)),
        Refinement(leg: self.table, parameter: "number", symbol: "N", order: 1)
      ), (half, Refinement(leg: self.table, parameter: "step", symbol: "h", order: 1)),
    ]
  }
}

/// Where the particles are: a line of the catalog.
package struct DomainEntry: Entry {
  package var kind: String { "domain" }
  package let name, summary, equation, reference: String
  package let parameters: [Parameter]

  private init(_ name: String, _ summary: String, equation: String, reference: String, _ own: [Parameter]) {
    (self.name, self.summary, self.equation, self.reference) = (name, summary, equation, reference)
    parameters =
      [
        Parameter("domain", .choice([name]), "where the particles are"),
        Parameter("draws", .integer(2...Int64.max), "independent draws; in a box, replicas"),
      ] + own
  }

  package static let all = [
    DomainEntry(
      "box", "a box with two signals, the particles make the second one, which makes the first one, which they follow",
      equation:
        "dX = grad c dt + sqrt2 dB, eps c_t = Lap c - c + w, eps w_t = tau Lap w - w + n, no flux, M the mean of n",
      reference: "Keller, Segel, J. Theor. Biol. 30 (1971) 225; docs/chemotaxis.md", BoxSettings.parameters),
    DomainEntry(
      "plane", "the plane, where each particle draws every other one to it",
      equation: "dX_i = -(M/2 pi N) sum_j (X_i - X_j)/|X_i - X_j|^2 dt + sqrt2 dB_i",
      reference: "Fournier, Jourdain, Ann. Appl. Probab. 27 (2017) 2807; docs/chemotaxis.md", PlaneSettings.parameters
    ),
  ]
}

/// A job of the family, read: what limits and legs are made from.
package struct ChemotaxisModel: Sendable {
  package enum Domain: Sendable {
    case box(BoxSettings)
    case plane(PlaneSettings)
  }

  package let domain: Domain
  /// Of particles in a box.
  package let process: BoxProcess?
  package let experiment: Experiment
  package let parameters: Parameters
  private let entry: DomainEntry

  init(_ table: JobValue, path: String) throws {
    entry = try DomainEntry.named(by: "domain", of: table, path: path, among: DomainEntry.all)
    let p = try Parameters(table, path: path, allowed: entry.parameters)
    parameters = p
    if entry.name == "plane" {
      let plane = try PlaneSettings(p)
      (domain, process, experiment) = (.plane(plane), nil, Experiment(PlaneDraw(plane)))
      return
    }
    let box = try BoxSettings(p)
    domain = .box(box)
    guard p.text("method") == "particles" else {
      for key in ["number", "frame_every"] where p[key] != nil {
        throw p.invalid(key, "is for method = \"particles\": the density is that of infinitely many")
      }
      (process, experiment) = (nil, Experiment(DensityDraw(box)))
      return
    }
    guard p["number"] != nil else {
      throw p.invalid("number", "must be an integer in [1, \(1 << 22 - 1)] where method = \"particles\"")
    }
    let own = BoxProcess(box, number: p.integer("number"), framed: p.integer("framed_particles"))
    if let every = box.schedule.frameEvery {
      let frames = box.schedule.steps / every
      guard frames <= (1 << 27) / (own.framed * (box.modes.dimension + 1)) else {
        throw p.invalid("frame_every", "would keep \(frames) frames of \(own.framed) particles, more than 1 GiB")
      }
    }
    process = own
    experiment = Experiment(own)
  }

  package var axis: Axis { experiment.schema.axis }
  package var box: BoxSettings? { if case .box(let box) = domain { box } else { nil } }
  package var plane: PlaneSettings? { if case .plane(let plane) = domain { plane } else { nil } }

  /// What is compared with unless the job says: in a box, the density, where a wave is watched from its start, and after warm-up the structure factors.
  var impliedLimits: [String] {
    guard let box else { return ["collapsing-spread"] }
    guard process != nil else { return [] }
    if box.schedule.warmUp == 0 { return box.amplitude == 0 ? [] : ["chemotaxis-density"] }
    return box.mass < box.threshold ? ["structure-factor-at-step"] : []
  }

  func leg(_ name: String, role: Leg.Role, refines: Refinement? = nil) -> Leg {
    var attributes = ["equation": entry.equation, "reference": entry.reference]
    for line in parameters.resolved.lines() {
      let parts = line.split(separator: " = ", maxSplits: 1)
      if parts.count == 2 { attributes[String(parts[0])] = String(parts[1]) }
    }
    return Leg(
      name: name, role: role, content: .sampled(experiment, draws: UInt64(parameters.integer("draws"))),
      attributes: attributes, refines: refines)
  }

  /// The means of the signals over a box, at every N and h: no particle moves them.
  var exactLeg: Leg? {
    guard let box else { return nil }
    let schedule = box.schedule
    let (every, perRecord) = (schedule.measureEvery, schedule.measurements / schedule.records)
    var means: [Double] = []
    let start = box.startSignals(box.startDensity)
    for record in 0..<schedule.records {
      var (c, w) = (0.0, 0.0)
      for i in 0..<perRecord {
        let time = Double(schedule.warmUp + (record * perRecord + i + 1) * every) * box.step
        let exact = SignalStep(q: 0, epsilon: box.epsilon, tau: box.tau, step: time)
        c += exact.cc * start.c[0] + exact.cw * start.w[0] + exact.ca * box.mass
        w += exact.ww * start.w[0] + exact.wa * box.mass
      }
      means += [c / Double(perRecord), w / Double(perRecord)]
    }
    let schema = Schema(
      axis: axis, observables: experiment.schema.observables.filter { $0.name.hasPrefix("mean_") })
    return Leg(
      name: "exact", role: .exact,
      content: .known(
        ReferenceValues(
          schema: schema,
          statistics: means.indices.map {
            PredictedStatistic(.mean, record: $0 / 2, observable: $0 % 2, value: means[$0])
          }, holdsFromTheStart: true)),
      attributes: ["equation": "eps c' = -c + w, eps w' = -w + M of the means", "reference": "docs/chemotaxis.md"])
  }

  func identity(_ name: String) -> [String] {
    parameters.resolved.lines(prefix: name).filter { !$0.hasPrefix("\(name).draws = ") }
  }
}
