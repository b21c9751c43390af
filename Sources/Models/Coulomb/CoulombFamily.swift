import Experiments

/// Coulomb gases in one, two and three dimensions: the table `[coulomb]`.
package enum CoulombFamily: Family {
  package static let table = "coulomb"
  package static let summary =
    "a Coulomb gas: cumulants of a statistic of its radii, or the rate of its large deviations; takes the keys of its sampler as well"

  package static var entries: [any Entry] {
    SamplerEntry.all as [any Entry] + [TableEntry(name: table, summary: summary, parameters: parameters)]
  }

  package static let drawsKey: String? = "draws"

  private static let companions = ["draws", "steps", "warm_up", "measure_every"]

  /// The keys that every sampler takes.
  package static let parameters: [Parameter] = [
    Parameter("dimension", .integer(1...3), "d"),
    Parameter(
      "number", .integer(2...16384), small: .init(.inverse, "N", companions: companions), "N, points of the gas"),
    Parameter(
      "inverse_temperature", .real(.init(0, 1e9)),
      "beta: the law is exp(-beta [N sum V(|x_i|) + sum_{i<j} w(x_i - x_j)]), w = -|r|, -log r, 1/r in d = 1, 2, 3; 0, a control, stands for independent points with the law exp(-N sum V)"
    ),
    Parameter(
      "confinement", .structured("a power a of \(powers.description), V = r^a/a, or { formula = … } in r"),
      default: .real(2), "V"),
    Parameter(
      "statistic", .structured("a power p of \(powers.description), f = r^p, or { formula = … } in r"),
      default: .real(2), "f: cumulants are those of L = sum of f(|x_i|)"),
    Parameter("cumulants", .integer(1...4), default: .integer(4), "q: kappa_1 to kappa_q are estimated"),
    Parameter("draws", .integer(2...Int64.max), "independent draws; of chains, replicas: error bars come from them"),
    Parameter(
      "sampler", .choice(SamplerEntry.all.map(\.name)), default: .text("hmc"), "how the law is drawn from"),
  ]

  static let powers = Parameter.Interval(0, 16, openBelow: true)

  package static func read(_ table: JobValue, _ context: JobContext) throws -> FamilyCase<CoulombModel> {
    if case .text(let name)? = table["sampler"], SamplerEntry.unadjusted.contains(name) {
      throw Failure.invalid(
        key: "\(context.path).sampler", value: "\"\(name)\"",
        allowed:
          "has no step that is rejected, and the force between two points has no bound: whatever the step size, it would not sample this law; use one of \(SamplerEntry.all.map(\.name).joined(separator: ", "))"
      )
    }
    let entry = try SamplerEntry.named(
      by: "sampler", of: table, path: context.path, among: SamplerEntry.all, otherwise: .text("hmc"))
    let p = try Parameters(table, path: context.path, allowed: parameters + entry.parameters)
    let model = try CoulombModel(p, entry)
    var legs = [
      Leg(
        name: self.table, role: .finite, content: .sampled(model.experiment, draws: UInt64(p.integer("draws"))),
        attributes: model.attributes)
    ]
    if let exact = model.exactLeg { legs.append(exact) }
    let prefix = self.table
    let lines = p.resolved.withCanonicalFormulas.lines(prefix: prefix).filter { !$0.hasPrefix("\(prefix).draws = ") }
    return FamilyCase(model: model, legs: legs, identity: lines, impliedLimits: model.impliedLimits)
  }
}

/// A sampler of Coulomb gases: a line of the catalog.
package struct SamplerEntry: Entry {
  package var kind: String { "sampler" }
  package let name, summary, equation, reference: String
  package let parameters: [Parameter]
  let make: @Sendable (_ p: Parameters, _ gas: GasSettings) throws -> Experiment

  /// Integrators of particle systems without a Metropolis step.
  static let unadjusted = [
    "lmc", "ulmc", "baoab", "obabo", "proximal", "randomized-midpoint", "underdamped-midpoint",
  ]

  static let all: [SamplerEntry] = [
    chains("hmc", "Hamiltonian Monte Carlo: trajectories of leapfrog, accepted or rejected", leapfrog: 11, jitter: 0.2),
    chains(
      "mala", "Metropolis-adjusted Langevin: one step of leapfrog, accepted or rejected", leapfrog: nil, jitter: 0),
    SamplerEntry(
      name: "ginibre-radii", summary: "the radii of the plane at beta = 2, independent draws, O(N) each",
      equation: "r_k^a ~ Gamma(2k/a, rate 2N/a), independent, V = r^a/a, k = 1, ..., N",
      reference: "Kostlan, Linear Algebra Appl. 162 (1992) 385", parameters: []
    ) { p, gas in
      guard gas.dimension == 2 else { throw p.invalid("dimension", "must be 2 for ginibre-radii") }
      guard gas.inverseTemperature == 2 else {
        throw p.invalid("inverse_temperature", "must be 2 for ginibre-radii: only there are the radii independent")
      }
      guard let a = gas.confinement.power, a <= 4 else {
        throw p.invalid("confinement", "must be a power of at most 4 for ginibre-radii")
      }
      return Experiment(GinibreRadii(gas))
    },
  ]

  private static func chains(_ name: String, _ summary: String, leapfrog: Int64?, jitter: Double) -> SamplerEntry {
    var parameters = [
      Parameter(
        "step", .real(.init(0, 10, openBelow: true)), default: .real(0.2), unit: "1/sqrt(beta N)",
        "step of leapfrog, h; the law does not depend on it"),
      Parameter(
        "jitter", .real(.init(0, 1, openAbove: true)), default: .real(jitter),
        "the step of a trajectory is h times a uniform number in [1 - jitter, 1 + jitter]"),
    ]
    if let leapfrog {
      parameters.append(
        Parameter(
          "leapfrog_steps", .integer(1...100_000), default: .integer(leapfrog),
          "the number of steps of a trajectory is uniform in [1, leapfrog_steps]"))
    }
    parameters +=
      Schedule.chain("trajectories", warmUp: 200, measureEvery: 1) + [
        Parameter(
          "start", .structured("\"ball\", or an array of N different points of d numbers each"), default: .text("ball"),
          "where a chain begins; ball: uniform in that of start_radius"),
        Parameter("start_radius", .real(.init(0, 1e3, openBelow: true)), default: .real(1), "radius of that ball"),
        Parameter(
          "tilt", .real(.finite), optional: true,
          "e: the law of V + e f, and the rate Psi = F(e) - e E L/N of large deviations by integration over tilts; a replica is 17 gases then"
        ),
      ]
    return SamplerEntry(
      name: name, summary: summary,
      equation: "v ~ N(0, 1), leapfrog with h/sqrt(beta N), accepted with probability min(1, e^{-dH})",
      reference: name == "hmc" ? "arXiv:1206.1901" : "Roberts, Tweedie, Bernoulli 2 (1996) 341", parameters: parameters
    ) { p, gas in
      let moves = GasMoves(
        step: p.real("step"), jitter: p.real("jitter"), leapfrog: leapfrog == nil ? 1 : p.integer("leapfrog_steps"))
      return Experiment(
        GasProcess(
          gas, moves, schedule: try Schedule(p),
          start: try start(p, gas)))
    }
  }

  /// - Throws: naming two points that coincide: their energy is infinite, or, on the line, their order unknown.
  private static func start(_ p: Parameters, _ gas: GasSettings) throws -> GasStart {
    let words = "must be \"ball\", or an array of \(gas.number) points of \(gas.dimension) finite numbers each"
    switch p["start"] {
    case .text("ball"): return .ball(radius: p.real("start_radius"))
    case .list(let items)? where items.count == gas.number:
      let points = try items.map { item -> [Double] in
        guard case .list(let numbers) = item, numbers.count == gas.dimension else { throw p.invalid("start", words) }
        let point = numbers.compactMap(\.number).filter { $0.magnitude < 1e6 }
        guard point.count == gas.dimension else { throw p.invalid("start", words) }
        return point
      }
      var seen: [[Double]: Int] = [:]
      for (i, point) in points.enumerated() {
        // Minus zero is zero.
        if let other = seen.updateValue(i, forKey: point.map { $0 + 0 }) {
          throw p.invalid("start", "points \(other) and \(i) coincide, where the energy of a pair has no value")
        }
      }
      return .points(points)
    case let value?: throw p.invalid("start", words + Nearest.hint(value, among: ["ball"]))
    case nil: throw p.invalid("start", words)
    }
  }
}
