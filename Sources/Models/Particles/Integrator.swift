import Experiments
import Kernels

/// A rule that makes one step. One conforming type a file, and a line of `ParticleCatalog.integrators`; an instance belongs to one replica.
///
/// Required: `step`, which moves the tiles and ends with the gradient at the new positions. Random numbers come from `ensemble.noise`:
/// normals by tile, uniforms of the whole system. An integrator keeps no state from step to step besides what `prepare` finds again, so
/// that a replica is continued from its positions and velocities alone.
package protocol Integrator: AnyObject {
  /// Finds what the first step needs (the gradient at the positions, …): at the start, and after a restart.
  func prepare(_ ensemble: Ensemble) throws
  /// One step. Leaves gradient, field and, if wanted, potential at the new positions.
  func step(_ ensemble: Ensemble) throws
}

extension Integrator {
  package func prepare(_ ensemble: Ensemble) throws {
    try ensemble.evaluate(at: ensemble.positions, gradient: ensemble.gradient, potential: ensemble.measuredPotential)
  }
}

/// An integrator with its parameters.
package struct IntegratorModel: Sendable {
  package let hasVelocities: Bool
  /// Weak order in the step size of means in the stationary law; nil for methods that have no such error.
  package let order: Int?
  /// Whether it accepts and rejects.
  let accepts: Bool
  /// Acceptance rate that warm-up adapts the step size to; nil to leave the step size alone.
  let target: Double?
  /// Whether it moves spins rather than positions.
  let isDiscrete: Bool
  /// Whether it needs independent particles and a lower bound of the curvature.
  let needsConvexity: Bool
  /// Whether it is the Euler-Maruyama step.
  package let isEulerMaruyama: Bool
  /// What the step does to a harmonic oscillator of curvature a, unit temperature.
  package let oscillator: @Sendable (_ step: Double, _ curvature: Double) -> LinearStep
  /// What it does to one whose gradient is that of a batch; nil of methods that take none.
  let batched: BatchedScheme?
  let make: @Sendable (_ system: SystemModel) -> any Integrator

  init(
    hasVelocities: Bool = false, order: Int?, accepts: Bool = false, target: Double? = nil,
    isDiscrete: Bool = false, needsConvexity: Bool = false, isEulerMaruyama: Bool = false,
    oscillator: @escaping @Sendable (_ step: Double, _ curvature: Double) -> LinearStep = { _, _ in .exact },
    batched: BatchedScheme? = nil,
    make: @escaping @Sendable (_ system: SystemModel) -> any Integrator
  ) {
    self.hasVelocities = hasVelocities
    self.order = order
    self.accepts = accepts
    self.target = target
    self.isDiscrete = isDiscrete
    self.needsConvexity = needsConvexity
    self.isEulerMaruyama = isEulerMaruyama
    self.oscillator = oscillator
    self.batched = batched
    self.make = make
  }
}

extension IntegratorModel {
  /// Nil if a step is stable for a harmonic oscillator; else the largest one below that is, to four digits.
  package func stableStep(below step: Double, curvature: Double) -> Double? {
    stableStep(below: step, curvature: curvature, .none)
  }

  /// The same of gradients with the noise of batches.
  func stableStep(below step: Double, curvature: Double, _ noise: GradientNoise) -> Double? {
    func isStable(_ step: Double) -> Bool { oscillator(step, curvature, noise).moments(curvature: curvature) != nil }
    guard !isStable(step) else { return nil }
    var (stable, unstable) = (0.0, step)
    for _ in 0..<50 {
      let middle = 0.5 * (stable + unstable)
      if isStable(middle) { stable = middle } else { unstable = middle }
    }
    return Self.fourDigits(stable)
  }

  private static func fourDigits(_ x: Double) -> Double {
    guard x > 0, x.isFinite else { return x }
    var scale = 1.0
    while x * scale < 1e3 { scale *= 10 }
    while x * scale >= 1e4 { scale /= 10 }
    return (x * scale).rounded() / scale
  }
}

/// A linear stochastic step (x, v) -> M (x, v) + noise of covariance Q, perhaps random: a mean over choices with weights.
package struct LinearStep: Sendable {
  struct Choice {
    var weight = 1.0
    /// Whether it stands for a mean over random steps.
    var isMean = false
    /// xx, xv, vx, vv.
    var map: [Double]
    /// xx, xv, vv.
    var noise: [Double]
  }

  let choices: [Choice]
  /// Whether the stationary law is normal; it is not where a step is random beyond its noise.
  var isGaussian: Bool { choices.allSatisfy { $0.weight == 1 && !$0.isMean } }
  /// Methods that leave the Gaussian law as it is, whatever the step.
  static let exact = LinearStep(choices: [])

  /// The map of (x, v) as xx, xv, vx, vv and the covariance of its noise as xx, xv, vv; nil where the step is random beyond its noise, or
  /// no linear map at all.
  package var gaussian: (map: [Double], noise: [Double])? {
    choices.count == 1 && isGaussian ? (choices[0].map, choices[0].noise) : nil
  }

  /// The map of the second moments (xx, xv, vv), 3 x 3, and their noise.
  private var second: (map: [Double], noise: [Double]) {
    var map = Array(repeating: 0.0, count: 9)
    var noise = Array(repeating: 0.0, count: 3)
    for choice in choices {
      let (a, b, c, d) = (choice.map[0], choice.map[1], choice.map[2], choice.map[3])
      let rows = [a * a, 2 * a * b, b * b, a * c, a * d + b * c, b * d, c * c, 2 * c * d, d * d]
      for i in 0..<9 { map[i] += choice.weight * rows[i] }
      for i in 0..<3 { noise[i] += choice.weight * choice.noise[i] }
    }
    return (map, noise)
  }

  /// Whether the stationary law has fourth moments: whether their linear map, by the powers x^4, x^3 v, ..., v^4, is a contraction in the end.
  var hasFourthMoments: Bool {
    var map = Array(repeating: 0.0, count: 25)
    for choice in choices {
      let (a, b, c, d) = (choice.map[0], choice.map[1], choice.map[2], choice.map[3])
      for row in 0..<5 {
        // Coefficients of (a x + b v)^(4 - row) (c x + d v)^row.
        var product = [1.0]
        for factor in 0..<4 {
          let (p, q) = factor < 4 - row ? (a, b) : (c, d)
          var next = product.map { p * $0 } + [0]
          for (k, value) in product.enumerated() { next[k + 1] += q * value }
          product = next
        }
        for column in 0..<5 { map[5 * row + column] += choice.weight * product[column] }
      }
    }
    for _ in 0..<60 {
      var square = Array(repeating: 0.0, count: 25)
      for i in 0..<5 { for j in 0..<5 { for k in 0..<5 { square[5 * i + j] += map[5 * i + k] * map[5 * k + j] } } }
      map = square
      if map.contains(where: { !($0.magnitude < 1e100) }) { return false }
      if map.allSatisfy({ $0.magnitude < 1e-12 }) { return true }
    }
    return false
  }

  /// Stationary E x^2, E x v and E v^2, nil if there are none.
  /// - Parameter curvature: decides the moments of an exact method.
  package func moments(curvature: Double) -> (x: Double, xv: Double, v: Double)? {
    if choices.isEmpty { return (1 / curvature, 0, 1) }
    var (map, noise) = second
    // S = sum_k A^k Q by doubling: it grows without bound if and only if the step is unstable.
    for _ in 0..<60 {
      var next = noise
      var square = Array(repeating: 0.0, count: 9)
      for i in 0..<3 {
        for j in 0..<3 {
          next[i] += map[i * 3 + j] * noise[j]
          for k in 0..<3 { square[i * 3 + j] += map[i * 3 + k] * map[k * 3 + j] }
        }
      }
      noise = next
      map = square
      if !(noise[0].isFinite && noise[2].isFinite) || map.contains(where: { $0.magnitude > 1e100 }) { return nil }
      if map.allSatisfy({ $0.magnitude < 1e-300 }) { break }
    }
    guard map.allSatisfy({ $0.magnitude < 1e-12 }) else { return nil }
    return (noise[0], noise[1], noise[2])
  }
}

/// A line of the catalog of integrators.
package struct IntegratorEntry: Entry {
  package var kind: String { "integrator" }
  package let name: String
  package let summary: String
  package let equation: String
  package let reference: String
  package let parameters: [Parameter]
  package let read: @Sendable (_ p: Parameters) throws -> IntegratorModel

  static let friction = Parameter(
    "friction", .real(.init(0, 1e6, openBelow: true)), default: .real(2), unit: "1 / time",
    "gamma, for particles of unit mass")
}

/// Accepts or rejects proposals: one by one where the particles are chains of their own, together otherwise.
final class Metropolis {
  let position: ParticleArray
  let gradient: ParticleArray
  let potential: ParticleArray
  /// -log of the ratio of each particle; filled by the sampler.
  let cost: ParticleArray
  private let together: Bool
  private let oldField: UnsafeMutablePointer<Double>
  private let featureCount: Int

  init(_ ensemble: Ensemble) {
    position = ParticleArray(ensemble.tiling)
    gradient = ParticleArray(ensemble.tiling)
    potential = ParticleArray(ensemble.tiling, dimension: 1)
    cost = ParticleArray(ensemble.tiling, dimension: 1)
    together = ensemble.system.interaction != .none
    featureCount = if case .features(let count) = ensemble.system.interaction { count } else { 0 }
    oldField = .allocate(capacity: max(featureCount, 1))
    oldField.initialize(repeating: 0, count: max(featureCount, 1))
  }

  deinit { oldField.deallocate() }

  /// Call before the proposal is evaluated.
  func keepField(_ ensemble: Ensemble) { oldField.update(from: ensemble.field, count: featureCount) }

  /// Decides, given proposals with gradient and potential in this object and their costs; accepted ones go to the ensemble.
  func decide(_ ensemble: Ensemble) throws {
    if together { return try decideTogether(ensemble) }
    for t in ensemble.tiles {
      let (x, g, u) = (ensemble.positions[t], ensemble.gradient[t].base, ensemble.potential[t].base)
      let (y, h, w) = (position[t].base, gradient[t].base, potential[t].base)
      let c = cost[t].base
      // (a^2 + b^2)/2 of two normals is exponential: the -log of a uniform.
      let normals = ensemble.noise.normals(t, 2 * x.count)
      var accepted = 0
      for i in 0..<x.count {
        let (a, b) = (normals[i], normals[x.count &+ i])
        let taken = c[i] <= 0.5 * (a * a + b * b)
        accepted &+= taken ? 1 : 0
        c[i] = taken ? 1 : 0
        u[i] = taken ? w[i] : u[i]
      }
      for k in 0..<x.dimension {
        let row = k &* x.lanes
        for i in 0..<x.count {
          let taken = c[i] != 0
          x.base[row &+ i] = taken ? y[row &+ i] : x.base[row &+ i]
          g[row &+ i] = taken ? h[row &+ i] : g[row &+ i]
        }
      }
      ensemble.accepted += accepted
      ensemble.tried += x.count
    }
  }

  private func decideTogether(_ ensemble: Ensemble) throws {
    let number = Double(ensemble.tiling.number)
    let difference = ensemble.system.fieldEnergy(ensemble.field) - ensemble.system.fieldEnergy(oldField)
    let total = try ensemble.sum(cost) + ensemble.inverseTemperature * number * difference
    ensemble.jointProbability = total <= 0 ? 1 : Elementary.exp(-total)
    ensemble.tried += 1
    if ensemble.noise.uniform() < ensemble.jointProbability {
      ensemble.accepted += 1
      ensemble.positions.swap(with: position)
      ensemble.gradient.swap(with: gradient)
      ensemble.potential.swap(with: potential)
    } else {
      ensemble.field.update(from: oldField, count: featureCount)
    }
  }
}
