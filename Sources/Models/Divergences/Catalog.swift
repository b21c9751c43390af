import Experiments
import Statistics

/// A divergence job, read: what its legs and limits are made from.
package struct DivergenceModel: Sendable {
  package let experiment: Experiment
  /// What is known of the draws by the law itself.
  package let known: ReferenceValues
  /// What is known of the stationary law as the step vanishes: its moments to the first order, its divergence to a higher one; and of the rate at which the law tends to it. Nil where nothing is.
  package var smallStep, smallStepDivergence, spectralGap: ReferenceValues?
  /// Exponents that are known, over the axis.
  package var asymptotics: [DepthLaw] = []
  /// Labels for the file.
  package var attributes: [String: String] = [:]
  /// Further lines of the identity.
  package var identity: [String] = []

  init(_ experiment: Experiment, known: ReferenceValues) {
    self.experiment = experiment
    self.known = known
  }
}

/// A line of the catalog of laws.
package struct LawEntry: Entry {
  package var kind: String { "law" }
  package let name, summary, equation, reference: String
  /// Whether it takes a target and its keys.
  let hasTarget: Bool
  /// Integrators whose law is known; the first is the default.
  let integrators: [String]
  private let own: [Parameter]
  private let make: @Sendable (Parameters, TargetEntry?) throws -> DivergenceModel

  init(
    name: String, summary: String, equation: String, reference: String, hasTarget: Bool = false, integrators: [String],
    parameters: [Parameter], make: @escaping @Sendable (Parameters, TargetEntry?) throws -> DivergenceModel
  ) {
    (self.name, self.summary, self.equation, self.reference) = (name, summary, equation, reference)
    (self.hasTarget, self.integrators, own, self.make) = (hasTarget, integrators, parameters, make)
  }

  package var parameters: [Parameter] {
    [
      Parameter("law", .choice([name]), "whose law is followed"),
      Parameter(
        "integrator", .choice(integrators), default: .text(integrators[0]), "how the chain moves; as those of particles"
      ),
      Parameter("draws", .integer(2...Int64.max), "independent chains, which test the law"),
    ] + own
  }

  func read(_ table: JobValue, path: String) throws -> (model: DivergenceModel, parameters: Parameters) {
    guard hasTarget else {
      let p = try Parameters(table, path: path, allowed: parameters)
      return (try make(p, nil), p)
    }
    let target = try TargetEntry.named(by: "target", of: table, path: path, among: DivergenceCatalog.targets)
    let p = try Parameters(
      table, path: path,
      allowed: parameters + [Parameter("target", .choice([target.name]), "what is sampled")] + target.parameters)
    return (try make(p, target), p)
  }

  static let friction = Parameter(
    "friction", .real(.above(0)), default: .real(1), "gamma; of ulmc, obabo and baoab")
  static let step = Parameter(
    "step", .real(.above(0)), small: .init(.direct, "h", companions: ["steps", "records"]), "h, the step size")
}

/// All laws and targets.
package enum DivergenceCatalog {
  package static let laws: [LawEntry] = [
    LineChain.entry, PhaseChain.entry, GaussianChain.entry, StepsToEpsilon.entry, ParticleChain.entry,
    ParticlesToEpsilon.entry,
  ]

  package static let targets: [TargetEntry] = [
    SmoothedPower.entry, TwoWells.entry, CosineLine.entry, PowerLine.entry, OwnLine.entry,
  ]
}
