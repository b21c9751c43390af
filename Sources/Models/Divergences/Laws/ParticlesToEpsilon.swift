import Experiments
import Kernels
import Particles

/// Mean-field sampling: how many gradients, one for each particle and step, until the law of one particle is within epsilon of its limit, at the best number of particles, step size and friction.
enum ParticlesToEpsilon {
  struct Best: Sendable {
    let steps: Int
    let step, friction: Double
    let law: ParticleMarginals

    var gradients: Int { steps * law.system.number }
  }

  struct Grid {
    let name: String
    let lambda, theta: Double
    let start: NormalLaw
    let frictions: [Double]
    let perOctave: Int

    private var unit: Double { name == "lmc" ? 1 / (lambda + theta) : 1 / (lambda + theta).squareRoot() }
    private static let most = 1_000_000_000

    func best(_ epsilon: Double) throws -> Best? {
      var best: Best?
      for friction in name == "lmc" ? [1] : frictions {
        let method = try Methods.model(name, friction: friction)
        // From large steps down; once smaller ones are no better over three octaves, none is.
        var worse = 0
        for j in stride(from: 3 * perOctave, through: -40 * perOctave, by: -1) {
          let h = unit * Elementary.exp(Double(j) / Double(perOctave) * 0x1.62e42fefa39efp-1)
          // At the border of stability nothing converges.
          guard method.oscillator(1.01 * h, lambda + theta).moments(curvature: lambda + theta) != nil,
            let slow = method.oscillator(h, lambda).moments(curvature: lambda)?.x,
            let fast = method.oscillator(h, lambda + theta).moments(curvature: lambda + theta)?.x,
            let least = number(law(2, mean: 0, slow, fast), epsilon)
          else { continue }
          if let found = search(method, h, friction, least, epsilon, most: (best?.gradients ?? Self.most) - 1) {
            (best, worse) = (found, 0)
          } else {
            worse += 1
            if worse >= 3 * perOctave { break }
          }
        }
      }
      return best
    }

    private func law(_ number: Int, mean: Double, _ centre: Double, _ rest: Double) -> ParticleMarginals {
      ParticleMarginals(
        system: .init(number: number, lambda: lambda, theta: theta), mean: mean, centre: centre, rest: rest)
    }

    /// The least number of particles with which KL of one is below epsilon, all else equal; nil if there is none below 10 million. The variance over the limit's is 1 + u = base + part/N, and
    /// (u - log(1 + u))/2 must be below what the mean leaves of epsilon.
    private func number(_ given: ParticleMarginals, _ epsilon: Double) -> Int? {
      let a = lambda + theta
      let left = epsilon - 0.5 * a * given.mean * given.mean
      guard left > 0 else { return nil }
      var u = 2 * left.squareRoot() + left
      for _ in 0..<4 { u -= (NormalLaw.divergence(1 + u) - left) * 2 * (1 + u) / u }
      let (base, part) = (a * given.rest, a * (given.centre - given.rest))
      guard base < 1 + u else { return nil }
      let least = max(2, (part / (1 + u - base)).rounded(.up))
      guard least < 1e7 else { return nil }
      // Rounding may leave it at the border, and a variance that is too small is no better with fewer particles.
      for number in [Int(least), Int(least) + 1] {
        if law(number, mean: given.mean, given.centre, given.rest).divergence(1) < epsilon { return number }
      }
      return nil
    }

    /// The fewest gradients at a step size, with at least a given number of particles: as many as the stationary law needs.
    private func search(
      _ method: IntegratorModel, _ h: Double, _ friction: Double, _ least: Int, _ epsilon: Double, most: Int
    ) -> Best? {
      let pair = ParticleMarginals.System(number: 2, lambda: lambda, theta: theta)
      var evolution = ParticleMarginals.Evolution(method, step: h, pair, start: start)
      var best: Best?
      var step = 0
      while (step + 1) * least <= min(most, (best?.gradients ?? most + 1) - 1) {
        evolution.step()
        step += 1
        let now = evolution.law
        guard let own = number(now, epsilon) else { continue }
        let found = Best(
          steps: step, step: h, friction: friction, law: law(max(own, least), mean: now.mean, now.centre, now.rest))
        if found.gradients <= min(most, (best?.gradients ?? most + 1) - 1), found.law.divergence(1) < epsilon {
          best = found
        }
      }
      return best
    }
  }

  static let entry = LawEntry(
    name: "particles-to-epsilon",
    summary:
      "gradients until KL of one of N particles with quadratic attraction is below epsilon, at the best N, step size and friction of a grid",
    equation: "KL_1(k steps, N particles) < epsilon; gradients N k", reference: "arXiv:2402.07355",
    integrators: ["lmc", "ulmc", "obabo", "baoab"],
    parameters: [StepsToEpsilon.epsilon, StepsToEpsilon.frictions, StepsToEpsilon.perOctave] + ParticleDraw.parameters
  ) { p, _ in
    let (name, epsilons, start) = (p.text("integrator"), try StepsToEpsilon.epsilons(p), ParticleDraw.start(p))
    let grid = Grid(
      name: name, lambda: p.real("lambda"), theta: p.real("theta"), start: start,
      frictions: try StepsToEpsilon.readFrictions(p), perOctave: p.integer("per_octave"))
    let best = try epsilons.map { epsilon in
      guard let found = try grid.best(epsilon) else {
        throw p.invalid("epsilon", "is not reached with a billion gradients")
      }
      return found
    }
    let schema = Schema(
      axis: StepsToEpsilon.axis(epsilons),
      observables: ParticleDraw.sampled([1]) + [
        .exact("KL", role: .auxiliary, unit: "nat", "KL of a particle after these steps, exact"),
        .exact("gradients", unit: "gradients", "least number of gradients of a particle"),
        .exact("number", "N"), .exact("steps", unit: "steps", "steps"),
        .exact("best_step", role: .setting, "the step size"),
        .exact("best_friction", role: .setting, "the friction; 1 of lmc, which has none"),
      ])
    let constants = best.flatMap {
      [
        $0.law.divergence(1), Double($0.gradients), Double($0.law.system.number), Double($0.steps), $0.step,
        $0.friction,
      ]
    }
    let draw = ParticleDraw(
      schema: schema,
      parts: best.map {
        .init(
          rule: ChainRule(name, step: $0.step, friction: $0.friction)!, steps: $0.steps, restarts: true, law: $0.law)
      }, start: start, marginals: [1], constants: constants)
    var model = DivergenceModel(Experiment(draw), known: draw.known())
    // KL_1 tends to (theta/(2 lambda N))^2.
    model.asymptotics = [DepthLaw(.power, .mean, of: "number", exponent: 0.5)]
    return model
  }
}
