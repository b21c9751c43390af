import Experiments
import Kernels
import Statistics

/// An underdamped chain on the line, whose law of position and velocity is followed on a lattice.
///
/// Where U is smooth, the stationary law of OBABO is off by order h^2 and its divergence is of order h^4. Where $U'$ is Hoelder continuous only, as of |x|^a, the error of a step near 0 is of order $h^a$ on a width h, so
/// that the divergence is of order $h^{2a + 1}$ for a < 3/2: twice the order of LMC, whose steps of $\sqrt{2h}$ see a width $\sqrt h$.
enum PhaseChain {
  /// dv, of the lattice that counts and of the one that it is compared with.
  private static let spacings = (fine: 0.1, coarse: 0.14)
  private static let mostNumbers = 6_000_000
  private static let mostWork = 3e13

  private static let columns: [Observable] = [
    .exact("floor", unit: "nat", "KL of the stationary law of the chain's position to the target, exact"),
    .exact("bias", "E x^2 in the chain's stationary law less that in the target, exact"),
    .exact("numerical_error", role: .auxiliary, "largest difference of KL, or of the floor, on two lattices"),
  ]

  static let entry = LawEntry(
    name: "phase",
    summary: "an underdamped chain on the line, its law of position and velocity on a lattice, without a draw",
    equation:
      "OBABO: half an Ornstein-Uhlenbeck step of v, half a kick, x' = x + h v, and back; x_0 ~ N(start_mean, start_std^2), v_0 ~ N(0, 1); all measured is of x",
    reference: "arXiv:2112.12662; docs/divergences.md", hasTarget: true, integrators: ["obabo"],
    parameters: [
      LawEntry.step, LawEntry.friction, Parameter("steps", .integer(1...100_000), unit: "steps", "steps of a chain"),
    ] + LineChain.keys(startMean: 1)
  ) { p, entry in
    guard let entry else { preconditionFailure("a law on the line has a target") }
    let target = try entry.make(p)
    func open<T: LineTarget>(_ target: T) throws -> DivergenceModel { try model(p, target) }
    return try open(target)
  }

  private static func model<T: LineTarget>(_ p: Parameters, _ target: T) throws -> DivergenceModel {
    let (h, friction) = (p.real("step"), p.real("friction"))
    let columns = try DivergenceColumns(p, hasVariation: true)
    let curvature = target.curvatureAtInfinity
    guard h * h * curvature < 4 else {
      throw p.invalid(
        "step",
        curvature.isFinite
          ? "must be below \(2 / curvature.squareRoot()): the chain is unstable beyond, where U'' tends to \(curvature)"
          : "leaves no stationary law at any size: U grows faster than x^2")
    }
    let request = PhaseLaw.Request(
      target: target, step: h, friction: friction, mean: p.real("start_mean"), std: p.real("start_std"),
      records: try StepRecords.read(p, steps: p.integer("steps")), orders: columns.orders,
      reach: try LineChain.reach(p, target), spacing: spacings.fine)
    try check(p, request)
    let law = PhaseLaw(request)
    let other = PhaseLaw(request.with(spacing: spacings.coarse))
    guard law.isSettled else {
      throw p.invalid("step", "leaves no stationary law that is found in \(PhaseLaw.mostSettling) steps")
    }
    guard law.lost < 1e-7 else {
      throw p.invalid(
        "reach", "must be larger: \(law.lost) of the mass leaves the lattice, whose half-width is \(request.reach)")
    }
    let error = zip(law.records, other.records).reduce(0) {
      max($0, ($1.0.divergences.kl - $1.1.divergences.kl).magnitude)
    }
    let numerical = max(error, (law.floor - other.floor).magnitude)
    let constants = law.records.flatMap { columns.values($0.divergences) + [law.floor, law.bias, numerical] }
    typealias Ratio = LineChain.Ratio<T>
    let schema = Schema(
      axis: .steps(request.records),
      observables: ChainDraw<T, Ratio>.sampled(1) + columns.observables + self.columns)
    guard let rule = ChainRule(p.text("integrator"), step: h, friction: friction) else {
      preconditionFailure("obabo is a rule")
    }
    let experiment = Experiment(
      ChainDraw(
        schema: schema, targets: [target], starts: [NormalLaw(mean: request.mean, variance: request.std * request.std)],
        parts: ChainDraw<T, Ratio>.parts(rule, records: request.records),
        law: Ratio(grid: law.grid, logs: law.records.map(\.logs), target: target), constants: constants))
    var model = DivergenceModel(
      experiment,
      known: LineChain.known(law.records.map { ($0.mean, $0.second, $0.divergences.kl, $0.logs) }, on: law.grid, schema)
    )
    model.smallStep = LineChain.last("bias", 0, schema, order: 2)
    model.smallStepDivergence = LineChain.last("floor", 0, schema, order: 2 * target.divergenceOrder)
    model.attributes["numerical_error"] = "KL differs by at most \(Float(numerical)) on two lattices"
    return model
  }

  private static func check(_ p: Parameters, _ request: PhaseLaw.Request) throws {
    // The velocities of a lattice see the noise of a step.
    let decay = Elementary.exp(-request.friction * request.step)
    let noise = ((1 - decay) * (1 + decay)).squareRoot()
    guard noise >= 1.5 * spacings.coarse else {
      let least = -0.5 * Elementary.log(1 - 2.25 * spacings.coarse * spacings.coarse) / request.friction
      throw p.invalid("step", "must be at least \(least) at this friction, or the lattice does not see its noise")
    }
    guard request.std >= 2 * request.step * spacings.coarse else {
      throw p.invalid(
        "start_std", "must be at least \(2 * request.step * spacings.coarse), or the lattice does not see the start")
    }
    let numbers = (2 * request.velocities + 1) * (2 * request.positions + 1)
    guard numbers <= mostNumbers else {
      throw p.invalid(
        "step",
        "is too small for a lattice of half-width \(request.reach): it would have \(numbers) points, at most \(mostNumbers)"
      )
    }
    guard request.work * Double(request.records.last ?? 0) <= mostWork else {
      throw p.invalid("steps", "must be at most \(Int(mostWork / request.work)) on the lattice that this step needs")
    }
  }
}
