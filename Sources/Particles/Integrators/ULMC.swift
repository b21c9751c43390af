import Randomness
import Kernels
import Simulation

/// The exact Ornstein-Uhlenbeck step of dx = v dt, dv = -(g + gamma v) dt + sqrt(2 gamma/beta) dW over a time t, the gradient g
/// held fixed: what the exponential integrators are made of.
struct FrozenGradient {
  /// v' = decay v - push g + noise, x' = x + drift v - pull g + noise.
  let decay, drift, push, pull: Double
  /// Standard deviation of the noise of v; the noise of x is `cross` times the same normal and `own` times another.
  let spread, cross, own: Double

  init(time: Double, friction: Double, inverseTemperature: Double) {
    let y = friction * time
    decay = Elementary.exp(-y)
    // (1 - e^{-y})/y and (y - 1 + e^{-y})/y^2 and (2y - 3 + 4 e^{-y} - e^{-2y})/y^3, by series where differences would cancel.
    let first = Self.series(y, from: 1) { sign, factorial, _ in sign / factorial }
    let second = Self.series(y, from: 2) { sign, factorial, _ in -sign / factorial }
    let third = Self.series(y, from: 3) { sign, factorial, power in sign * (power - 4) / factorial }
    let small = y < 1
    let one = small ? first : (1 - decay) / y
    let two = small ? second : (y - 1 + decay) / (y * y)
    let three = small ? third : (2 * y - 3 + 4 * decay - decay * decay) / (y * y * y)
    drift = time * one
    push = drift
    pull = time * time * two
    let temperature = 1 / inverseTemperature
    let variance = temperature * (1 - decay) * (1 + decay)
    let small2 = temperature * 2 * y * Self.series(2 * y, from: 1) { sign, factorial, _ in sign / factorial }
    let vv = y < 0.5 ? small2 : variance
    let xv = temperature * friction * drift * drift
    let xx = temperature * friction * time * time * time * three
    spread = vv.squareRoot()
    cross = vv > 0 ? xv / spread : 0
    own = max(xx - cross * cross, 0).squareRoot()
  }

  /// `sum_k c_k y^(k - from)`, k from `from` on; c_k = term((-1)^(k+1), k!, 2^k).
  private static func series(_ y: Double, from: Int, _ term: (Double, Double, Double) -> Double) -> Double {
    var total = 0.0
    var power = 1.0
    var factorial = 1.0
    for k in 1..<from { factorial *= Double(k) }
    var two = Double(1 << (from - 1))
    for k in from..<from + 26 {
      factorial *= Double(k)
      two *= 2
      total += term(k % 2 == 1 ? 1 : -1, factorial, two) * power
      power *= y
    }
    return total
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

  func step(_ e: Ensemble) throws {
    let s = FrozenGradient(time: e.stepSize, friction: friction, inverseTemperature: e.inverseTemperature)
    let velocities = e.velocities!
    try e.evaluate(at: e.positions, gradient: e.gradient, potential: e.measuredPotential) { t in
      let x = e.positions[t]
      let (v, g) = (velocities[t].base, e.gradient[t].base)
      let count = x.count * x.dimension
      let normals = e.noise.normals(t, 2 * count)
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
      make: { _ in ULMC(friction: friction) })
  }
}
