import Experiments
import Kernels

/// The splitting BAOAB of underdamped Langevin dynamics: half a kick, half a drift, the Ornstein-Uhlenbeck step of the
/// velocity, half a drift, half a kick. Exact in the positions of a harmonic oscillator; second order in general.
final class BAOAB: Integrator {
  private let friction: Double

  init(friction: Double) { self.friction = friction }

  func step(_ ensemble: Ensemble) throws {
    let h = ensemble.stepSize
    let decay = Elementary.exp(-friction * h)
    let spread = ((1 - decay) * (1 + decay) / ensemble.inverseTemperature).squareRoot()
    let velocities = ensemble.velocities!
    try ensemble.evaluate(at: ensemble.positions, gradient: ensemble.gradient, potential: ensemble.measuredPotential) {
      t in
      let x = ensemble.positions[t]
      let (v, g) = (velocities[t].base, ensemble.gradient[t].base)
      let normals = ensemble.noise.normals(t, x.count * x.dimension)
      forEachLane(x) { i, n in
        let kicked = v[i].addingProduct(-0.5 * h, g[i])
        let half = x.base[i].addingProduct(0.5 * h, kicked)
        let fresh = (decay * kicked).addingProduct(spread, normals[n])
        x.base[i] = half.addingProduct(0.5 * h, fresh)
        v[i] = fresh
      }
    }
    for t in ensemble.tiles {
      let v = velocities[t]
      let g = ensemble.gradient[t].base
      forEachLane(v) { i, _ in v.base[i] = v.base[i].addingProduct(-0.5 * h, g[i]) }
    }
  }

  static let entry = IntegratorEntry(
    name: "baoab", summary: "BAOAB splitting of underdamped Langevin dynamics",
    equation: "kick h/2, drift h/2, v -> e^{-gamma h} v + noise, drift h/2, kick h/2", reference: "arXiv:1203.5428",
    parameters: [IntegratorEntry.friction]
  ) { p in
    let friction = p.real("friction")
    return IntegratorModel(
      hasVelocities: true, order: 2,
      oscillator: { h, a in
        let decay = Elementary.exp(-friction * h)
        let kick = [1, 0, -0.5 * h * a, 1]
        let drift = [1, 0.5 * h, 0, 1]
        let before = LinearStep.product(LinearStep.product([1, 0, 0, decay], drift), kick)
        let after = LinearStep.product(kick, drift)
        let q = (1 - decay) * (1 + decay)
        return LinearStep(choices: [
          .init(map: LinearStep.product(after, before), noise: LinearStep.noise(q, through: after))
        ])
      },
      batched: BatchedScheme(evaluations: 1) { h, curvatures, _ in
        let decay = Elementary.exp(-friction * h)
        let (x, v) = (LinearForm.x, LinearForm.v)
        let gradient = curvatures[0] * x + LinearForm.force(0)
        // The last kick of the step before and the first of this one.
        let kicked = v - h * gradient
        let fresh = decay * kicked + ((1 - decay) * (1 + decay)).squareRoot() * LinearForm.normal(0)
        return BatchedStep(x: x + 0.5 * h * (kicked + fresh), v: fresh, measured: v - 0.5 * h * gradient)
      },
      make: { _ in BAOAB(friction: friction) })
  }
}

extension LinearStep {
  /// Product of 2 x 2 matrices, the right one acting first.
  static func product(_ a: [Double], _ b: [Double]) -> [Double] {
    [
      a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2], a[2] * b[1] + a[3] * b[3],
    ]
  }

  /// Covariance (xx, xv, vv) of noise of variance q in v, mapped by `map`.
  static func noise(_ q: Double, through map: [Double]) -> [Double] {
    [q * map[1] * map[1], q * map[1] * map[3], q * map[3] * map[3]]
  }
}
