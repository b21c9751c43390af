import Randomness
import Kernels
import Simulation

/// The randomized midpoint method for underdamped Langevin dynamics: the gradient at a random time alpha h of the step, found
/// by a frozen-gradient step that shares its Brownian path.
final class UnderdampedMidpoint: Integrator {
  private let friction: Double
  private var middle: ParticleArray?
  private var middleGradient: ParticleArray?
  /// Noise of the positions and of the velocities over the whole step.
  private var shake: ParticleArray?
  private var kick: ParticleArray?

  init(friction: Double) { self.friction = friction }

  func prepare(_ e: Ensemble) throws {
    middle = ParticleArray(e.tiling)
    middleGradient = ParticleArray(e.tiling)
    shake = ParticleArray(e.tiling)
    kick = ParticleArray(e.tiling)
    try e.evaluate(at: e.positions, gradient: e.gradient, potential: e.measuredPotential)
  }

  func step(_ e: Ensemble) throws {
    let (middle, middleGradient, shake, kick) = (middle!, middleGradient!, shake!, kick!)
    let h = e.stepSize
    let beta = e.inverseTemperature
    let alpha = e.noise.uniform()
    let whole = FrozenGradient(time: h, friction: friction, inverseTemperature: beta)
    let first = FrozenGradient(time: alpha * h, friction: friction, inverseTemperature: beta)
    let second = FrozenGradient(time: (1 - alpha) * h, friction: friction, inverseTemperature: beta)
    let velocities = e.velocities!
    try e.evaluate(at: middle, gradient: middleGradient) { t in
      let (x, y) = (e.positions[t], middle[t].base)
      let (v, g, dx, dv) = (velocities[t].base, e.gradient[t].base, shake[t].base, kick[t].base)
      let count = x.count * x.dimension
      let normals = e.noise.normals(t, 4 * count)
      forEachLane(x) { i, n in
        let a = normals[n]
        let b = normals[n &+ count]
        let c = normals[n &+ 2 &* count]
        let d = normals[n &+ 3 &* count]
        let (x1, v1) = ((first.cross * a).addingProduct(first.own, b), first.spread * a)
        y[i] = x.base[i].addingProduct(first.drift, v[i]).addingProduct(-first.pull, g[i]) + x1
        dx[i] = (x1.addingProduct(second.drift, v1)).addingProduct(second.cross, c).addingProduct(second.own, d)
        dv[i] = (second.decay * v1).addingProduct(second.spread, c)
      }
    }
    try e.evaluate(at: e.positions, gradient: e.gradient, potential: e.measuredPotential) { t in
      let x = e.positions[t]
      let (v, g, dx, dv) = (velocities[t].base, middleGradient[t].base, shake[t].base, kick[t].base)
      forEachLane(x) { i, _ in
        x.base[i] = x.base[i].addingProduct(whole.drift, v[i]).addingProduct(-h * second.drift, g[i]) + dx[i]
        v[i] = (whole.decay * v[i]).addingProduct(-h * second.decay, g[i]) + dv[i]
      }
    }
  }

  static let entry = IntegratorEntry(
    name: "underdamped-midpoint", summary: "randomized midpoint method for underdamped Langevin dynamics",
    equation: "exponential step with the gradient at a random time alpha h of it", reference: "arXiv:1909.05503",
    parameters: [IntegratorEntry.friction]
  ) { p in
    let friction = p.real("friction")
    return IntegratorModel(
      hasVelocities: true, order: 3, oscillator: { h, a in linear(h, a, friction) },
      make: { _ in UnderdampedMidpoint(friction: friction) })
  }

  /// The mean over alpha by Gauss-Legendre with eight nodes: the maps are entire functions of alpha.
  private static func linear(_ h: Double, _ a: Double, _ friction: Double) -> LinearStep {
    let nodes: [(Double, Double)] = [
      (0.1834346424956498, 0.3626837833783620), (0.5255324099163290, 0.3137066458778873),
      (0.7966664774136267, 0.2223810344533745), (0.9602898564975363, 0.1012285362903763),
    ]
    let whole = FrozenGradient(time: h, friction: friction, inverseTemperature: 1)
    return LinearStep(
      choices: nodes.flatMap { node, weight in [(-node, weight), (node, weight)] }.map { node, weight in
        let alpha = 0.5 * (1 + node)
        let first = FrozenGradient(time: alpha * h, friction: friction, inverseTemperature: 1)
        let second = FrozenGradient(time: (1 - alpha) * h, friction: friction, inverseTemperature: 1)
        let (push, pull) = (h * second.decay, h * second.drift)
        // Gradient in the middle: a (x + drift v - pull a x + noise).
        let (mx, mv) = (a * (1 - first.pull * a), a * first.drift)
        let map = [1 - pull * mx, whole.drift - pull * mv, -push * mx, whole.decay - push * mv]
        // Noise by the four normals, as (x, v).
        let columns = [
          (
            first.cross + second.drift * first.spread - pull * a * first.cross,
            second.decay * first.spread - push * a * first.cross
          ),
          (first.own - pull * a * first.own, -push * a * first.own), (second.cross, second.spread), (second.own, 0),
        ]
        return LinearStep.Choice(
          weight: 0.5 * weight, map: map,
          noise: [
            columns.reduce(0) { $0 + $1.0 * $1.0 }, columns.reduce(0) { $0 + $1.0 * $1.1 },
            columns.reduce(0) { $0 + $1.1 * $1.1 },
          ])
      })
  }
}
