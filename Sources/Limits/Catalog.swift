import Networks
import Simulation

/// A line of the catalog of limits.
public struct LimitEntry: Sendable {
  public let name: String
  public let summary: String
  public let equation: String
  public let reference: String
  public let parameters: [Parameter]
  /// Reads a `[limit]` table for a network.
  public let make:
    @Sendable (_ p: Parameters, _ network: NetworkDescription) throws -> (content: Leg.Content, offset: String)
}

/// All limits.
public enum LimitCatalog {
  public static let limits: [LimitEntry] = [covarianceSDE, infiniteWidth]

  static let covarianceSDE = LimitEntry(
    name: "covariance-sde",
    summary: "Neural Covariance SDE of shaped ReLU networks, depth / width fixed",
    equation:
      "dV_ab = sqrt(V_aa V_bb) nu(rho_ab) dt + Sigma^{1/2} dB, nu = (c_plus - c_minus)^2/(2 pi) (sqrt(1 - rho^2) - rho arccos rho), Sigma_{ab,cd} = V_ac V_bd + V_ad V_bc",
    reference: "arXiv:2206.02768, Theorem 3.2",
    parameters: [
      Parameter("equation", .choice(["covariance-sde"]), "limit"),
      Parameter(
        "step", .real(.init(0, 1, openBelow: true)), standard: .real(0.01), unit: "layer / width",
        "largest step size of the integrator (weak order 2)"),
      Parameter(
        "draws", .integer(2...Int64.max), optional: true, "independent paths; as many as networks unless given"),
    ]
  ) { p, network in
    let (plus, minus): (Double, Double)
    switch network.activationName {
    case "shaped-relu":
      plus = network.activationParameters.real("c_plus")
      minus = network.activationParameters.real("c_minus")
    case "linear": (plus, minus) = (0, 0)
    default:
      throw p.invalid("equation", "needs activation shaped-relu or linear, not \(network.activationName)")
    }
    let shape = network.shape
    guard network.standardGain, shape.bias == 0 else {
      throw p.invalid("equation", "needs the standard gain c and bias = 0")
    }
    let step = p.real("step")
    let strength = 0.5 * (plus - minus) * (plus - minus)
    guard step * strength <= 2 else {
      throw p.invalid(
        "step", "must be at most \(2 / strength), 4/(c_plus - c_minus)^2, to keep V positive semi-definite")
    }
    let experiment = CovarianceSDE(
      inputs: shape.inputs.count, initialFactor: shape.initialFactor, strength: strength,
      width: shape.width, step: step, layers: shape.layers, measured: shape.measured)
    let draws = p["draws"].map { _ in UInt64(p.integer("draws")) } ?? 0
    let offset =
      plus + minus == 0
      ? "an offset of order 1/n is expected of a finite width"
      : "an offset of order n^-1/2 is expected of a finite width, because c_plus + c_minus = \(plus + minus) is not 0"
    return (.sampled(AnyExperiment(experiment), draws: draws), offset)
  }

  static let infiniteWidth = LimitEntry(
    name: "infinite-width",
    summary: "recursion of the covariance at infinite width and fixed depth; no randomness",
    equation: "K_{l+1} = c E[phi(u_a) phi(u_b)] + sigma_b^2, u ~ N(0, K_l)",
    reference: "arXiv:1711.00165, eq. 5",
    parameters: [Parameter("equation", .choice(["infinite-width"]), "limit")]
  ) { _, network in
    let shape = network.shape
    let recursion = InfiniteWidth(
      activation: network.activation, gain: shape.gain, bias: shape.bias, inputs: shape.inputs.count)
    return (
      .known(recursion.values(from: shape.inputs.gram, layers: shape.layers, measured: shape.measured)),
      "an offset of order depth/width is expected of a finite width"
    )
  }

  /// Builds the leg of a `[limit]` table; a missing number of draws is that of the network.
  public static func read(
    _ table: JobValue, path: String, network: NetworkDescription, networkDraws: UInt64
  ) throws -> (leg: Leg, resolved: JobValue) {
    let names = limits.map(\.name)
    guard case .text(let name)? = table["equation"], let entry = limits.first(where: { $0.name == name }) else {
      throw Failure.invalid(
        key: "\(path).equation", value: table["equation"]?.description ?? "(missing)",
        allowed: "must be one of " + names.joined(separator: ", "))
    }
    let p = try Parameters(table, path: path, allowed: entry.parameters)
    var (content, offset) = try entry.make(p, network)
    var resolved = p.resolved
    if case .sampled(let experiment, 0) = content {
      content = .sampled(experiment, draws: networkDraws)
    }
    if case .sampled(_, let draws) = content {
      resolved = try resolved.setting("draws", to: .integer(Int64(draws)))
    }
    var attributes = ["equation": entry.equation, "reference": entry.reference, "limit": name]
    for line in resolved.lines() {
      let parts = line.split(separator: " = ", maxSplits: 1)
      if parts.count == 2 && parts[0] != "equation" && parts[0] != "draws" {
        attributes[String(parts[0])] = String(parts[1])
      }
    }
    return (
      Leg(name: name, role: .limit, content: content, attributes: attributes, expectedOffset: offset), resolved
    )
  }
}
