import Experiments
import Kernels
import Particles

/// Propagation of chaos in nats: the law of k of N particles, step by step.
enum ParticleChain {
  private static let mostNumber: Int64 = 1_000_000

  static let entry = LawEntry(
    name: "particles",
    summary:
      "the law of k of N particles with quadratic attraction against the product of their limits: KL and Fisher information",
    equation:
      "H = sum lambda x_i^2/2 + (theta/4N) sum_ij (x_i - x_j)^2; in the end KL_k = (u - log(1 + u))/2, FI_k = a u^2/(1 + u), u = k theta/(lambda N), a = lambda + theta",
    reference: "arXiv:2402.07355", integrators: ["lmc", "ulmc", "obabo", "baoab"],
    parameters: [
      Parameter("number", .integer(2...mostNumber), small: .init(.inverse, "N"), "N, particles"),
      Parameter(
        "marginals", .structured("an ascending array of at most 16 integers in [1, number]"),
        default: .list([.integer(1)]),
        "k, numbers of particles whose law is followed"),
      LawEntry.step, LawEntry.friction, Parameter("steps", .integer(1...10_000_000), unit: "steps", "steps of a chain"),
      StepRecords.parameter,
    ] + ParticleDraw.parameters
  ) { p, _ in
    let (name, h) = (p.text("integrator"), p.real("step"))
    let system = ParticleMarginals.System(number: p.integer("number"), lambda: p.real("lambda"), theta: p.real("theta"))
    guard case .list(let items)? = p["marginals"], (1...16).contains(items.count),
      items.allSatisfy({ (1...Int64(system.number)).contains($0.integer ?? 0) }),
      zip(items, items.dropFirst()).allSatisfy({ $0.integer! < $1.integer! })
    else { throw p.invalid("marginals", "must be an ascending array of at most 16 integers in [1, \(system.number)]") }
    let marginals = items.map { Int($0.integer!) }
    let method = try Methods.model(name, friction: p.real("friction"))
    if let stable = method.stableStep(below: h, curvature: system.curvature) {
      throw p.invalid(
        "step", "must be below \(stable): \(name) is unstable beyond, where the curvature is \(system.curvature)")
    }
    let records = try StepRecords.read(p, steps: p.integer("steps"))
    var evolution = ParticleMarginals.Evolution(method, step: h, system, start: ParticleDraw.start(p))
    var laws: [ParticleMarginals] = []
    for step in 0...records.last! {
      if step > 0 { evolution.step() }
      if records.contains(step) { laws.append(evolution.law) }
    }
    let end = ParticleMarginals.stationary(system)
    let schema = Schema(
      axis: .steps(records),
      observables: ParticleDraw.sampled(marginals)
        + marginals.flatMap { k -> [Observable] in
          [
            .exact("KL", [k], unit: "nat", "KL of \(k) particles, exact"),
            .exact("log_KL", [k], role: .logarithm, "its logarithm"),
            .exact("FI", [k], "Fisher information of \(k) particles, exact"),
            .exact(
              "KL_end", [k], role: .setting, unit: "nat",
              "KL in the stationary law of the particles, without an error of the step"),
            .exact("FI_end", [k], role: .setting, "Fisher information in that law"),
          ]
        })
    let constants = laws.flatMap { law in
      marginals.flatMap { k -> [Double] in
        let kl = law.divergence(k)
        return [kl, Elementary.log(max(kl, 1e-300)), law.fisher(k), end.divergence(k), end.fisher(k)]
      }
    }
    let rule = ChainRule(name, step: h, friction: p.real("friction"))!
    let draw = ParticleDraw(
      schema: schema,
      parts: laws.enumerated().map { r, law in
        .init(rule: rule, steps: records[r] - (r == 0 ? 0 : records[r - 1]), restarts: r == 0, law: law)
      }, start: ParticleDraw.start(p), marginals: marginals, constants: constants)
    return DivergenceModel(Experiment(draw), known: draw.known())
  }
}
