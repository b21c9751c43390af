import Randomness
import Kernels
import Simulation

/// A rule that makes one step. One conforming type a file; an instance belongs to one replica.
package protocol Integrator: AnyObject {
  /// Finds what the first step needs (the gradient at the positions, …): at the start, and after a restart.
  func prepare(_ e: Ensemble) throws
  /// One step. Leaves gradient, field and, if wanted, potential at the new positions.
  func step(_ e: Ensemble) throws
}

extension Integrator {
  package func prepare(_ e: Ensemble) throws {
    try e.evaluate(at: e.positions, gradient: e.gradient, potential: e.measuredPotential)
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
  /// What the step does to a harmonic oscillator of curvature a, unit temperature.
  package let oscillator: @Sendable (_ step: Double, _ curvature: Double) -> LinearStep
  let make: @Sendable (_ system: SystemModel) -> any Integrator

  init(
    hasVelocities: Bool = false, order: Int?, accepts: Bool = false, target: Double? = nil,
    oscillator: @escaping @Sendable (_ step: Double, _ curvature: Double) -> LinearStep = { _, _ in .exact },
    make: @escaping @Sendable (_ system: SystemModel) -> any Integrator
  ) {
    self.hasVelocities = hasVelocities
    self.order = order
    self.accepts = accepts
    self.target = target
    self.oscillator = oscillator
    self.make = make
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

  /// Stationary E x^2 and E v^2, nil if there are none.
  /// - Parameter curvature: decides the moments of an exact method.
  package func moments(curvature: Double) -> (x: Double, v: Double)? {
    if choices.isEmpty { return (1 / curvature, 1) }
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
    return (noise[0], noise[2])
  }
}

/// A line of the catalog of integrators.
public struct IntegratorEntry: Sendable {
  public let name: String
  public let summary: String
  public let equation: String
  public let reference: String
  public let parameters: [Parameter]
  package let read: @Sendable (_ p: Parameters) throws -> IntegratorModel

  static let friction = Parameter(
    "friction", .real(.init(0, 1e6, openBelow: true)), standard: .real(2), unit: "1 / time",
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

  init(_ e: Ensemble) {
    position = ParticleArray(e.tiling)
    gradient = ParticleArray(e.tiling)
    potential = ParticleArray(e.tiling, dimension: 1)
    cost = ParticleArray(e.tiling, dimension: 1)
    together = e.system.interaction != .none
    featureCount = if case .features(let count) = e.system.interaction { count } else { 0 }
    oldField = .allocate(capacity: max(featureCount, 1))
    oldField.initialize(repeating: 0, count: max(featureCount, 1))
  }

  deinit { oldField.deallocate() }

  /// Call before the proposal is evaluated.
  func keepField(_ e: Ensemble) { oldField.update(from: e.field, count: featureCount) }

  /// Decides, given proposals with gradient and potential in this object and their costs; accepted ones go to the ensemble.
  func decide(_ e: Ensemble) throws {
    if together { return try decideTogether(e) }
    for t in e.tiles {
      let (x, g, u) = (e.positions[t], e.gradient[t].base, e.potential[t].base)
      let (y, h, w) = (position[t].base, gradient[t].base, potential[t].base)
      let c = cost[t].base
      // (a^2 + b^2)/2 of two normals is exponential: the -log of a uniform.
      let normals = e.noise.normals(t, 2 * x.count)
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
      e.accepted += accepted
      e.tried += x.count
    }
  }

  private func decideTogether(_ e: Ensemble) throws {
    let number = Double(e.tiling.number)
    let difference = e.system.fieldEnergy(e.field) - e.system.fieldEnergy(oldField)
    let total = try e.sum(cost) + e.inverseTemperature * number * difference
    e.jointProbability = total <= 0 ? 1 : Elementary.exp(-total)
    e.tried += 1
    if e.noise.uniform() < e.jointProbability {
      e.accepted += 1
      e.positions.swap(with: position)
      e.gradient.swap(with: gradient)
      e.potential.swap(with: potential)
    } else {
      e.field.update(from: oldField, count: featureCount)
    }
  }
}
