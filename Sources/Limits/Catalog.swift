import Networks
import Simulation

/// What a limit is, once read.
public struct LimitModel: Sendable {
  enum Content: Sendable {
    /// Values without sampling.
    case known(KnownValues)
    /// Draws of the limit law itself.
    case exact(AnyExperiment)
    /// Paths of an integrator of the given weak order, for a step size.
    case integrated(order: Int, @Sendable (_ step: Double) -> AnyExperiment)
  }

  let content: Content
  /// What is known of the distance of a finite system, as half a sentence.
  let offset: String

  /// The paths of a covariance diffusion.
  static func diffusion<D: CovarianceDrift>(
    _ drift: D, _ p: Parameters, _ network: NetworkModel, noise: Double = 1, offset: String
  ) throws -> LimitModel {
    let integrator = CovarianceDiffusion<D>.Integrator(rawValue: p.text("integrator"))!
    let m = network.settings.count
    guard integrator == .splitting || p.real("step") * noise * Double(m + 1) <= 1 else {
      throw p.invalid("step", "must be at most \(1 / (noise * Double(m + 1))) for wishart steps with \(m) inputs")
    }
    let settings = network.settings
    return LimitModel(
      content: .integrated(order: integrator == .splitting ? drift.order : 1) { step in
        AnyExperiment(CovarianceDiffusion(drift, settings: settings, noise: noise, step: step, integrator: integrator))
      }, offset: offset)
  }
}

/// A line of the catalog of limits.
public struct LimitEntry: Sendable {
  public let name: String
  public let summary: String
  public let equation: String
  public let reference: String
  public let parameters: [Parameter]
  /// Reads a checked `[limit]` table for a network.
  let make: @Sendable (_ p: Parameters, _ network: NetworkModel) throws -> LimitModel

  init(
    name: String, summary: String, equation: String, reference: String, parameters: [Parameter],
    make: @escaping @Sendable (_ p: Parameters, _ network: NetworkModel) throws -> LimitModel
  ) {
    self.name = name
    self.summary = summary
    self.equation = equation
    self.reference = reference
    self.parameters = [Parameter("equation", .choice([name]), "limit")] + parameters
    self.make = make
  }

  static let draws = Parameter(
    "draws", .integer(2...Int64.max), optional: true, "independent draws; as many as networks unless given")
  static let step = Parameter(
    "step", .real(.init(0, 1, openBelow: true)), standard: .real(0.01), unit: "layer / width",
    "largest step size of the integrator")
  static let extrapolate = Parameter(
    "extrapolate", .boolean, standard: .boolean(false),
    "run half the step as well, and compare with the means extrapolated to step 0")
  static let paths = [step, extrapolate, draws]
  static let integrated =
    paths + [
      Parameter(
        "integrator", .choice(["splitting", "wishart"]), standard: .text("splitting"),
        "splitting: from drift and diffusion only; wishart: Wishart steps, weak order 1")
    ]
}

/// All limits.
public enum LimitCatalog {
  public static let limits: [LimitEntry] = [
    .shapedReluSDE, .smoothSDE, .explosionLaw, .unshapedQ, .transformerSDE, .eigenvalueSDE, .freeSpectrum,
    .logGaussian, .hypoactivation, .residualFlow, .residualFluctuation, .infiniteWidth, .tangentKernel,
  ]

  /// Builds the legs of a `[limit]` table, one, or two where it asks for extrapolation; a missing number of draws is
  /// that of the network.
  public static func read(
    _ table: JobValue, path: String, network: NetworkModel, networkDraws: UInt64
  ) throws -> (legs: [Leg], resolved: JobValue) {
    let names = limits.map(\.name)
    guard case .text(let name)? = table["equation"], let entry = limits.first(where: { $0.name == name }) else {
      throw Failure.invalid(
        key: "\(path).equation", value: table["equation"]?.description ?? "(missing)",
        allowed: "must be one of " + names.joined(separator: ", "))
    }
    let p = try Parameters(table, path: path, allowed: entry.parameters)
    let model = try entry.make(p, network)
    let draws = p["draws"].map { _ in UInt64(p.integer("draws")) } ?? networkDraws
    var resolved = p.resolved
    if entry.parameters.contains(where: { $0.name == "draws" }) {
      resolved = try resolved.setting("draws", to: .integer(Int64(draws)))
    }
    var attributes = ["equation": entry.equation, "reference": entry.reference, "limit": name]
    for line in resolved.lines() {
      let parts = line.split(separator: " = ", maxSplits: 1)
      if parts.count == 2 && parts[0] != "equation" && parts[0] != "draws" {
        attributes[String(parts[0])] = String(parts[1])
      }
    }
    func leg(_ name: String, _ content: Leg.Content, refines: Refinement? = nil) -> Leg {
      Leg(
        name: name, role: .limit, content: content, attributes: attributes, expectedOffset: model.offset,
        refines: refines)
    }
    switch model.content {
    case .known(let values): return ([leg(name, .known(values))], resolved)
    case .exact(let experiment): return ([leg(name, .sampled(experiment, draws: draws))], resolved)
    case .integrated(let order, let make):
      let step = p.real("step")
      var legs = [leg(name, .sampled(make(step), draws: draws))]
      if p.boolean("extrapolate") {
        legs.append(
          leg(
            name + "-half-step", .sampled(make(0.5 * step), draws: draws),
            refines: Refinement(leg: name, order: order)))
      }
      return (legs, resolved)
    }
  }
}
