import Experiments
import Kernels

/// The exact Ornstein-Uhlenbeck step of dx = v dt, dv = -(g + gamma v) dt + sqrt(2 gamma/beta) dW over a time t, the gradient g
/// held fixed: what the exponential integrators are made of.
package struct FrozenGradient: Sendable {
  /// v' = decay v - push g + noise, x' = x + drift v - pull g + noise.
  package let decay, drift, push, pull: Double
  /// Standard deviation of the noise of v; the noise of x is `cross` times the same normal and `own` times another.
  package let spread, cross, own: Double

  /// No branches: it is called for each of many particles as well.
  @inline(__always)
  package init(time: Double, friction: Double, inverseTemperature: Double) {
    // p_k = sum_j (-y)^j/(j + k)!, so that e^{-y} = p_0 and p_k = 1/k! - y p_{k+1}: no difference cancels upwards from p_3 for small
    // y, and none downwards from e^{-y} for large ones. The series ends at y^17; what is left is below 2e-20 at y = 1.
    let y = friction * time
    let isSmall = y < 1
    let u = isSmall ? -y : 0
    let square = u * u
    let sixth = square * square * square
    let series = horner(
      u, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320
    ).addingProduct(
      sixth,
      horner(
        u, 1.0 / 362880, 1.0 / 3_628_800, 1.0 / 39_916_800, 1.0 / 479_001_600, 1.0 / 6_227_020_800, 1.0 / 87_178_291_200
      ).addingProduct(
        sixth,
        horner(
          u, 1.0 / 1_307_674_368_000, 1.0 / 20_922_789_888_000, 1.0 / 355_687_428_096_000, 1.0 / 6_402_373_705_728_000,
          1.0 / 121_645_100_408_832_000, 1.0 / 2_432_902_008_176_640_000)))
    let far = Elementary.exp(-y)
    let inverse = 1 / (isSmall ? 1 : y)
    let farOne = (1 - far) * inverse
    let farTwo = (1 - farOne) * inverse
    let three = isSmall ? series : (0.5 - farTwo) * inverse
    let two = isSmall ? (0.5).addingProduct(-y, series) : farTwo
    let one = isSmall ? (1.0).addingProduct(-y, two) : farOne
    decay = isSmall ? (1.0).addingProduct(-y, one) : far
    drift = time * one
    push = drift
    pull = time * time * two
    // Variances over the temperature: v 1 - e^{-2y}; x gamma t^3 (2y - 3 + 4 e^{-y} - e^{-2y})/y^3, of which the part that goes with v
    // is gamma t^3 p_1^3/(1 + e^{-y}).
    let temperature = 1 / inverseTemperature
    let scale = temperature * y * time * time
    let shared = one * one * one / (1 + decay)
    let whole = (2 * (two - three)).addingProduct(-y * two, two)
    spread = (temperature * y * one * (1 + decay)).squareRoot()
    cross = (scale * shared).squareRoot()
    own = (scale * max(whole - shared, 0)).squareRoot()
  }

  /// The same as a map of (x, v) for an oscillator of curvature a, unit temperature.
  func choice(curvature a: Double) -> LinearStep.Choice {
    LinearStep.Choice(
      map: [1 - pull * a, drift, -push * a, decay],
      noise: [cross * cross + own * own, cross * spread, spread * spread])
  }
}

/// Underdamped Langevin Monte Carlo: the exponential integrator with the gradient frozen over a step.
final class ULMC: Integrator {
  private let friction: Double

  init(friction: Double) { self.friction = friction }

  func step(_ ensemble: Ensemble) throws {
    let s = FrozenGradient(time: ensemble.stepSize, friction: friction, inverseTemperature: ensemble.inverseTemperature)
    let velocities = ensemble.velocities!
    try ensemble.evaluate(at: ensemble.positions, gradient: ensemble.gradient, potential: ensemble.measuredPotential) {
      t in
      let x = ensemble.positions[t]
      let (v, g) = (velocities[t].base, ensemble.gradient[t].base)
      let count = x.count * x.dimension
      let normals = ensemble.noise.normals(t, 2 * count)
      forEachLane(x) { i, n in
        let (a, b) = (normals[n], normals[n &+ count])
        let moved = x.base[i].addingProduct(s.drift, v[i]).addingProduct(-s.pull, g[i])
        x.base[i] = moved.addingProduct(s.cross, a).addingProduct(s.own, b)
        v[i] = (s.decay * v[i]).addingProduct(-s.push, g[i]).addingProduct(s.spread, a)
      }
    }
  }

  static let entry = IntegratorEntry(
    name: "ulmc",
    summary: "underdamped Langevin Monte Carlo, exponential integrator with the gradient frozen over a step",
    equation: "exact step of dx = v dt, dv = -(g + gamma v) dt + sqrt(2 gamma/beta) dW with g = grad H(x_n)",
    reference: "arXiv:1707.03663", parameters: [IntegratorEntry.friction]
  ) { p in
    let friction = p.real("friction")
    return IntegratorModel(
      hasVelocities: true, order: 1,
      oscillator: { h, a in
        LinearStep(choices: [
          FrozenGradient(time: h, friction: friction, inverseTemperature: 1).choice(curvature: a)
        ])
      },
      batched: BatchedScheme(evaluations: 1) { h, curvatures, _ in
        let s = FrozenGradient(time: h, friction: friction, inverseTemperature: 1)
        let (x, v, a, b) = (LinearForm.x, LinearForm.v, LinearForm.normal(0), LinearForm.normal(1))
        let gradient = curvatures[0] * x + LinearForm.force(0)
        let moved = x + s.drift * v - s.pull * gradient
        return BatchedStep(x: moved + s.cross * a + s.own * b, v: s.decay * v - s.push * gradient + s.spread * a)
      },
      make: { _ in ULMC(friction: friction) })
  }
}
