import Experiments
import Kernels
import Randomness

/// The randomized midpoint method for underdamped Langevin dynamics: the gradient at a random time alpha h of the step, found
/// by a frozen-gradient step that shares its Brownian path. One alpha a chain, as in `RandomizedMidpoint`.
final class UnderdampedMidpoint: Integrator {
  private let friction: Double
  private var middle: ParticleArray?
  private var middleGradient: ParticleArray?
  /// Noise of the positions and of the velocities over the whole step.
  private var shake: ParticleArray?
  private var kick: ParticleArray?
  /// Coefficients of each particle, where each has an alpha of its own.
  private var parts: ParticleArray?

  /// What a step of a particle takes of its two parts, up to alpha h and from there on.
  private struct Parts {
    var decay, drift, pull, firstDrift, firstSpread, firstCross, firstOwn, spread, cross, own: Double

    init(alpha: Double, step h: Double, friction: Double, inverseTemperature: Double) {
      let first = FrozenGradient(time: alpha * h, friction: friction, inverseTemperature: inverseTemperature)
      let second = FrozenGradient(time: (1 - alpha) * h, friction: friction, inverseTemperature: inverseTemperature)
      (firstDrift, pull) = (first.drift, first.pull)
      (firstSpread, firstCross, firstOwn) = (first.spread, first.cross, first.own)
      (decay, drift) = (second.decay, second.drift)
      (spread, cross, own) = (second.spread, second.cross, second.own)
    }

    static let count = 10

    /// Of particle i, from rows of `lanes` numbers.
    @inline(__always)
    init(_ rows: UnsafePointer<Double>, _ lanes: Int, _ i: Int) {
      @inline(__always) func row(_ k: Int) -> Double { rows[k &* lanes &+ i] }
      (decay, drift, pull, firstDrift, firstSpread) = (row(0), row(1), row(2), row(3), row(4))
      (firstCross, firstOwn, spread, cross, own) = (row(5), row(6), row(7), row(8), row(9))
    }

    @inline(__always)
    func write(_ rows: UnsafeMutablePointer<Double>, _ lanes: Int, _ i: Int) {
      @inline(__always) func put(_ k: Int, _ x: Double) { rows[k &* lanes &+ i] = x }
      put(0, decay); put(1, drift); put(2, pull); put(3, firstDrift); put(4, firstSpread)
      put(5, firstCross); put(6, firstOwn); put(7, spread); put(8, cross); put(9, own)
    }
  }

  init(friction: Double) { self.friction = friction }

  func prepare(_ ensemble: Ensemble) throws {
    middle = ParticleArray(ensemble.tiling)
    middleGradient = ParticleArray(ensemble.tiling)
    shake = ParticleArray(ensemble.tiling)
    kick = ParticleArray(ensemble.tiling)
    if ensemble.system.interaction == .none { parts = ParticleArray(ensemble.tiling, dimension: Parts.count) }
    try ensemble.evaluate(at: ensemble.positions, gradient: ensemble.gradient, potential: ensemble.measuredPotential)
  }

  func step(_ ensemble: Ensemble) throws {
    let (h, beta) = (ensemble.stepSize, ensemble.inverseTemperature)
    if let parts {
      try step(ensemble, normalsMore: 2) { t, normals in
        let tile = parts[t]
        let rows = tile.base
        for i in 0..<tile.count {
          // (a^2 + b^2)/2 of two normals is exponential: the -log of a uniform.
          let (a, b) = (normals[i], normals[tile.count &+ i])
          Parts(
            alpha: Elementary.exp(-0.5 * (a * a + b * b)), step: h, friction: friction, inverseTemperature: beta
          ).write(rows, tile.lanes, i)
        }
      } parts: { t in
        let tile = parts[t]
        let (rows, lanes) = (UnsafePointer(tile.base), tile.lanes)
        return { i in Parts(rows, lanes, i) }
      }
    } else {
      let shared = Parts(
        alpha: ensemble.noise.uniform(), step: h, friction: friction, inverseTemperature: beta)
      try step(ensemble, normalsMore: 0) { _, _ in
      } parts: { _ in
        { _ in shared }
      }
    }
  }

  /// - Parameters:
  ///   - normalsMore: normals a particle beyond the four a coordinate; `begin` gets them, tile by tile, before the coefficients of
  ///     the tile are asked for.
  ///   - parts: the coefficients of a tile's particles.
  @inline(__always)
  private func step(
    _ ensemble: Ensemble, normalsMore: Int, begin: (_ tile: Int, _ normals: UnsafePointer<Double>) -> Void,
    parts: (_ tile: Int) -> (_ particle: Int) -> Parts
  ) throws {
    let (middle, middleGradient, shake, kick) = (middle!, middleGradient!, shake!, kick!)
    let h = ensemble.stepSize
    let whole = FrozenGradient(time: h, friction: friction, inverseTemperature: ensemble.inverseTemperature)
    let velocities = ensemble.velocities!
    try ensemble.evaluate(at: middle, gradient: middleGradient) { t in
      let (x, y) = (ensemble.positions[t], middle[t].base)
      let (v, g, dx, dv) = (velocities[t].base, ensemble.gradient[t].base, shake[t].base, kick[t].base)
      let count = x.count * x.dimension
      let normals = UnsafePointer(ensemble.noise.normals(t, 4 * count + normalsMore * x.count))
      begin(t, normals + 4 * count)
      let part = parts(t)
      for k in 0..<x.dimension {
        for particle in 0..<x.count {
          let (i, n) = (k &* x.lanes &+ particle, k &* x.count &+ particle)
          let own = part(particle)
          let a = normals[n]
          let b = normals[n &+ count]
          let c = normals[n &+ 2 &* count]
          let d = normals[n &+ 3 &* count]
          let (x1, v1) = ((own.firstCross * a).addingProduct(own.firstOwn, b), own.firstSpread * a)
          y[i] = x.base[i].addingProduct(own.firstDrift, v[i]).addingProduct(-own.pull, g[i]) + x1
          dx[i] = (x1.addingProduct(own.drift, v1)).addingProduct(own.cross, c).addingProduct(own.own, d)
          dv[i] = (own.decay * v1).addingProduct(own.spread, c)
        }
      }
    }
    try ensemble.evaluate(at: ensemble.positions, gradient: ensemble.gradient, potential: ensemble.measuredPotential) {
      t in
      let x = ensemble.positions[t]
      let (v, g, dx, dv) = (velocities[t].base, middleGradient[t].base, shake[t].base, kick[t].base)
      let part = parts(t)
      for k in 0..<x.dimension {
        for particle in 0..<x.count {
          let i = k &* x.lanes &+ particle
          let own = part(particle)
          x.base[i] = x.base[i].addingProduct(whole.drift, v[i]).addingProduct(-h * own.drift, g[i]) + dx[i]
          v[i] = (whole.decay * v[i]).addingProduct(-h * own.decay, g[i]) + dv[i]
        }
      }
    }
  }

  static let entry = IntegratorEntry(
    name: "underdamped-midpoint", summary: "randomized midpoint method for underdamped Langevin dynamics",
    equation: "exponential step with the gradient at a random time alpha h of it, one a chain",
    reference: "arXiv:1909.05503",
    parameters: [IntegratorEntry.friction]
  ) { p in
    let friction = p.real("friction")
    return IntegratorModel(
      hasVelocities: true, order: 3, oscillator: { h, a in linear(h, a, friction) },
      batched: BatchedScheme(evaluations: 2, hasRandomTime: true) { h, curvatures, alpha in
        let whole = FrozenGradient(time: h, friction: friction, inverseTemperature: 1)
        let own = Parts(alpha: alpha, step: h, friction: friction, inverseTemperature: 1)
        let (x, v, c) = (LinearForm.x, LinearForm.v, LinearForm.normal(2))
        let shake = own.firstCross * LinearForm.normal(0) + own.firstOwn * LinearForm.normal(1)
        let kick = own.firstSpread * LinearForm.normal(0)
        let first = curvatures[0] * x + LinearForm.force(0)
        let middle = x + own.firstDrift * v - own.pull * first + shake
        let gradient = curvatures[1] * middle + LinearForm.force(1)
        let moved = shake + own.drift * kick + own.cross * c + own.own * LinearForm.normal(3)
        let pushed = own.decay * kick + own.spread * c
        return BatchedStep(
          x: x + whole.drift * v - h * own.drift * gradient + moved,
          v: whole.decay * v - h * own.decay * gradient + pushed)
      },
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
