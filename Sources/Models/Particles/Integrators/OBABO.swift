import Experiments
import Kernels

/// The splitting OBABO: half an Ornstein-Uhlenbeck step of the velocity, a velocity Verlet step, half an Ornstein-Uhlenbeck step.
/// Exact in the velocities of a harmonic oscillator; second order in general.
final class OBABO: Integrator {
  private let friction: Double

  init(friction: Double) { self.friction = friction }

  func step(_ ensemble: Ensemble) throws {
    let h = ensemble.stepSize
    let decay = Elementary.exp(-0.5 * friction * h)
    let spread = ((1 - decay) * (1 + decay) / ensemble.inverseTemperature).squareRoot()
    let velocities = ensemble.velocities!
    try ensemble.evaluate(at: ensemble.positions, gradient: ensemble.gradient, potential: ensemble.measuredPotential) {
      t in
      let x = ensemble.positions[t]
      let (v, g) = (velocities[t].base, ensemble.gradient[t].base)
      let normals = ensemble.noise.normals(t, x.count * x.dimension)
      forEachLane(x) { i, n in
        let kicked = (decay * v[i]).addingProduct(spread, normals[n]).addingProduct(-0.5 * h, g[i])
        x.base[i] = x.base[i].addingProduct(h, kicked)
        v[i] = kicked
      }
    }
    for t in ensemble.tiles {
      let v = velocities[t]
      let g = ensemble.gradient[t].base
      let normals = ensemble.noise.normals(t, v.count * v.dimension)
      forEachLane(v) { i, n in
        let kicked = v.base[i].addingProduct(-0.5 * h, g[i])
        v.base[i] = (decay * kicked).addingProduct(spread, normals[n])
      }
    }
  }

  static let entry = IntegratorEntry(
    name: "obabo", summary: "OBABO splitting of underdamped Langevin dynamics",
    equation: "v -> e^{-gamma h/2} v + noise, kick h/2, drift h, kick h/2, v -> e^{-gamma h/2} v + noise",
    reference: "Bussi, Parrinello, Phys. Rev. E 75 (2007) 056707", parameters: [IntegratorEntry.friction]
  ) { p in
    let friction = p.real("friction")
    return IntegratorModel(
      hasVelocities: true, order: 2,
      oscillator: { h, a in
        let decay = Elementary.exp(-0.5 * friction * h)
        let kick = [1, 0, -0.5 * h * a, 1]
        let verlet = LinearStep.product(kick, LinearStep.product([1, h, 0, 1], kick))
        let turn = [1, 0, 0, decay]
        let q = (1 - decay) * (1 + decay)
        let through = LinearStep.product(turn, verlet)
        var noise = LinearStep.noise(q, through: through)
        noise[2] += q
        return LinearStep(choices: [.init(map: LinearStep.product(through, turn), noise: noise)])
      },
      batched: BatchedScheme(evaluations: 1) { h, curvatures, _ in
        let decay = Elementary.exp(-0.5 * friction * h)
        let spread = ((1 - decay) * (1 + decay)).squareRoot()
        let (x, v) = (LinearForm.x, LinearForm.v)
        let gradient = curvatures[0] * x + LinearForm.force(0)
        // From before the second kick of the step before.
        let measured = decay * (v - 0.5 * h * gradient) + spread * LinearForm.normal(0)
        let kicked = decay * measured + spread * LinearForm.normal(1) - 0.5 * h * gradient
        return BatchedStep(x: x + h * kicked, v: kicked, measured: measured)
      },
      make: { _ in OBABO(friction: friction) })
  }
}
