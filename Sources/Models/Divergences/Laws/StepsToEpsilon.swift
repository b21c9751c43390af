import Experiments
import Kernels
import Particles

/// How many steps until the law of a chain is within epsilon of a Gaussian target of condition number kappa, at the best step size and friction of a grid.
enum StepsToEpsilon {
  /// The best setting for one epsilon.
  struct Best: Sendable {
    let steps: Int
    let step, friction: Double
    let law: [NormalLaw]
  }

  /// What is searched.
  struct Grid {
    let name: String
    let kappa: Double
    let frictions: [Double]
    /// Step sizes to a factor of 2.
    let perOctave: Int

    var curvatures: [Double] { [1, kappa] }
    /// Chains of gradients alone are stable up to 1/kappa, those with velocities up to 1/sqrt(kappa).
    private var unit: Double { name == "lmc" ? 1 / kappa : 1 / kappa.squareRoot() }
    private static let most = 4_000_000

    /// Nil if nothing is found within `most` steps.
    func best(_ epsilon: Double) throws -> Best? {
      var best: Best?
      for friction in name == "lmc" ? [1] : frictions {
        let method = try Methods.model(name, friction: friction)
        // From large steps down; once a smaller one is worse three times by a half octave, all are.
        var worse = 0
        for j in stride(from: 3 * perOctave, through: -60 * perOctave, by: -1) {
          let h = unit * Elementary.exp(Double(j) / Double(perOctave) * 0x1.62e42fefa39efp-1)
          // At the border of stability nothing converges.
          guard floor(method, 1.01 * h) != nil, let floor = floor(method, h), floor < epsilon else { continue }
          let most = best.map { $0.steps - 1 } ?? Self.most
          if let found = steps(method, h, epsilon, most: most) {
            best = Best(steps: found.steps, step: h, friction: friction, law: found.law)
            worse = 0
          } else {
            worse += 1
            if worse >= 3 * perOctave { break }
          }
        }
      }
      return best
    }

    /// KL of the stationary law; nil if there is none.
    private func floor(_ method: IntegratorModel, _ h: Double) -> Double? {
      let parts = curvatures.map { a in
        method.oscillator(h, a).moments(curvature: a).map { NormalLaw.divergence(a * $0.x) }
      }
      return parts.contains { $0 == nil } ? nil : parts.reduce(0) { $0 + $1! }
    }

    private func steps(
      _ method: IntegratorModel, _ h: Double, _ epsilon: Double, most: Int
    ) -> (steps: Int, law: [NormalLaw])? {
      let start = NormalLaw(mean: 0, variance: 1 / kappa)
      var laws = curvatures.map { LinearLaw(method, step: h, curvature: $0, start: start)! }
      guard most >= 1 else { return nil }
      for step in 1...most {
        var kl = 0.0
        for k in laws.indices {
          laws[k].step()
          kl += laws[k].position.divergence(curvature: curvatures[k])
        }
        if kl < epsilon { return (step, laws.map(\.position)) }
      }
      return nil
    }
  }

  static let epsilon = Parameter(
    "epsilon", .structured("an array of at most 12 different numbers in [1e-8, 0.1]"), unit: "nat",
    "bounds of KL, each a record")

  /// Descending, as the records are.
  static func epsilons(_ p: Parameters) throws -> [Double] {
    guard case .list(let items)? = p["epsilon"], (1...12).contains(items.count),
      items.allSatisfy({ (1e-8...0.1).contains($0.number ?? 0) })
    else { throw p.invalid("epsilon", "must be \(epsilon.allowed)") }
    let found = Set(items.map { $0.number! })
    guard found.count == items.count else { throw p.invalid("epsilon", "must be different from each other") }
    return found.sorted(by: >)
  }

  static func axis(_ epsilons: [Double]) -> Axis {
    Axis(name: "inverse_epsilon", unit: "1 / nat", summary: "1/epsilon, the bound of KL", values: epsilons.map(inverse))
  }

  /// 1/1e-5 is 100000.
  private static func inverse(_ epsilon: Double) -> Double {
    let (exact, whole) = (1 / epsilon, (1 / epsilon).rounded())
    return (exact - whole).magnitude < 1e-9 * exact ? whole : exact
  }

  static let frictions = Parameter(
    "frictions", .structured("an array of at most 20 different positive numbers"),
    default: .list([.real(1), .real(2), .real(3)]),
    "gamma that are tried")
  static let perOctave = Parameter(
    "per_octave", .integer(1...50), default: .integer(2), "step sizes that are tried to a factor of 2")

  static func readFrictions(_ p: Parameters) throws -> [Double] {
    guard case .list(let items)? = p["frictions"], (1...20).contains(items.count),
      items.allSatisfy({ ($0.number ?? 0) > 0 && $0.number!.isFinite }),
      Set(items.map { $0.number! }).count == items.count
    else { throw p.invalid("frictions", "must be \(frictions.allowed)") }
    return items.map { $0.number! }
  }

  static let entry = LawEntry(
    name: "steps-to-epsilon",
    summary:
      "steps until KL is below epsilon and stays there, two coordinates of curvatures 1 and kappa, at the best step size and friction of a grid",
    equation: "KL(x_k | pi) < epsilon, U = x_1^2/2 + kappa x_2^2/2, x ~ N(0, 1/kappa), v ~ N(0, 1) at the start",
    reference: "arXiv:2112.12662", integrators: ["lmc", "ulmc", "obabo", "baoab"],
    parameters: [
      Parameter(
        "kappa", .real(.init(1, 1e6)), small: .init(.inverse, "kappa"), "condition number of the target"),
      epsilon, frictions, perOctave,
    ]
  ) { p, _ in
    let (name, epsilons) = (p.text("integrator"), try epsilons(p))
    let grid = Grid(
      name: name, kappa: p.real("kappa"), frictions: try readFrictions(p), perOctave: p.integer("per_octave"))
    let best = try epsilons.map { epsilon in
      guard let found = try grid.best(epsilon) else {
        throw p.invalid("epsilon", "is not reached in millions of steps at kappa = \(grid.kappa)")
      }
      return found
    }
    typealias Chain = ChainDraw<Harmonic, GaussianChain.Ratio>
    let schema = Schema(
      axis: axis(epsilons),
      observables: Chain.sampled(2, role: .auxiliary) + [
        .exact("KL", role: .auxiliary, unit: "nat", "KL(x_k | pi) after these steps, exact"),
        .exact("steps", unit: "steps", "least number of steps"),
        .exact("log_steps", role: .logarithm, "its logarithm"),
        .exact("best_step", role: .setting, "the step size"),
        .exact("best_friction", role: .setting, "the friction; 1 of lmc, which has none"),
      ])
    let constants = best.flatMap { found -> [Double] in
      let kl = zip(found.law, grid.curvatures).reduce(0) { $0 + $1.0.divergence(curvature: $1.1) }
      let steps = Double(found.steps)
      return [kl, steps, Elementary.log(steps), found.step, found.friction]
    }
    let start = NormalLaw(mean: 0, variance: 1 / grid.kappa)
    let experiment = Experiment(
      Chain(
        schema: schema, targets: grid.curvatures.map(Harmonic.init), starts: [start, start],
        parts: best.map {
          Chain.Part(rule: ChainRule(name, step: $0.step, friction: $0.friction)!, steps: $0.steps, restarts: true)
        }, law: GaussianChain.Ratio(laws: best.map(\.law), curvatures: grid.curvatures), constants: constants))
    return DivergenceModel(
      experiment,
      known: GaussianChain.known(
        best.map(\.law),
        best.map {
          Divergences.product(zip($0.law, grid.curvatures).map { $0.divergences(curvature: $1, orders: []) }, orders: 0)
        },
        schema))
  }
}
