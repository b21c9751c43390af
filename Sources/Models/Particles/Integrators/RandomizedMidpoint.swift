import Experiments
import Kernels

/// The randomized midpoint method, overdamped: the gradient is taken at a random time tau h of the step, tau uniform on (0, 1), so that
/// its mean over tau is the integral of the gradient along the step.
///
/// Particles that interact are one chain in all their coordinates, and a step of that chain has one tau. Particles that do not interact
/// are chains of their own and have a tau each: under a shared one they would be dependent, and means over N of them would have more
/// variance than those of N independent chains.
final class RandomizedMidpoint: Integrator {
  private var middle: ParticleArray?
  private var middleGradient: ParticleArray?
  /// tau of each particle.
  private var times: ParticleArray?

  func prepare(_ ensemble: Ensemble) throws {
    middle = ParticleArray(ensemble.tiling)
    middleGradient = ParticleArray(ensemble.tiling)
    times = ParticleArray(ensemble.tiling, dimension: 1)
    try ensemble.evaluate(at: ensemble.positions, gradient: ensemble.gradient, potential: ensemble.measuredPotential)
  }

  func step(_ ensemble: Ensemble) throws {
    let (middle, middleGradient, times) = (middle!, middleGradient!, times!)
    let (h, beta) = (ensemble.stepSize, ensemble.inverseTemperature)
    let shared = ensemble.system.interaction == .none ? nil : ensemble.noise.uniform()
    try ensemble.evaluate(at: middle, gradient: middleGradient) { t in
      let (x, y, time) = (ensemble.positions[t], middle[t].base, times[t].base)
      let g = ensemble.gradient[t].base
      let count = x.count * x.dimension
      let normals = ensemble.noise.normals(t, 2 * count + (shared == nil ? 2 * x.count : 0))
      for i in 0..<x.count {
        if let shared {
          time[i] = shared
        } else {
          // (a^2 + b^2)/2 of two normals is exponential: the -log of a uniform.
          let (a, b) = (normals[2 * count + i], normals[2 * count + x.count + i])
          time[i] = Elementary.exp(-0.5 * (a * a + b * b))
        }
      }
      // The positions take their noise now; their drift follows when the gradient in the middle is known.
      for k in 0..<x.dimension {
        let (row, draws) = (k &* x.lanes, normals + k &* x.count)
        for i in 0..<x.count {
          let tau = time[i]
          let first = (2 * tau * h / beta).squareRoot()
          let second = (2 * (1 - tau) * h / beta).squareRoot()
          let shaken = x.base[row &+ i].addingProduct(first, draws[i])
          y[row &+ i] = shaken.addingProduct(-tau * h, g[row &+ i])
          x.base[row &+ i] = shaken.addingProduct(second, draws[i &+ count])
        }
      }
    }
    try ensemble.evaluate(at: ensemble.positions, gradient: ensemble.gradient, potential: ensemble.measuredPotential) {
      t in
      let x = ensemble.positions[t]
      let g = middleGradient[t].base
      forEachLane(x) { i, _ in x.base[i] = x.base[i].addingProduct(-h, g[i]) }
    }
  }

  static let entry = IntegratorEntry(
    name: "randomized-midpoint", summary: "randomized midpoint method, overdamped",
    equation: "x' = x - h grad H(x + tau h drift + W_{tau h}) + W_h, tau uniform, one a chain",
    reference: "arXiv:2002.11071",
    parameters: []
  ) { _ in
    IntegratorModel(
      order: 2,
      oscillator: { h, a in
        // Means over tau of (1 - ha + tau h^2 a^2)^2 and of the noise 2 (tau h (1 - ha)^2 + (1 - tau) h).
        let b = h * a
        let square = (1 - b) * (1 - b) + (1 - b) * b * b + b * b * b * b / 3
        return LinearStep(choices: [
          .init(isMean: true, map: [square.squareRoot(), 0, 0, 0], noise: [h * ((1 - b) * (1 - b) + 1), 0, 0])
        ])
      },
      batched: BatchedScheme(evaluations: 2, hasRandomTime: true) { h, curvatures, tau in
        let shaken = LinearForm.x + (2 * tau * h).squareRoot() * LinearForm.normal(0)
        let middle = shaken - tau * h * (curvatures[0] * LinearForm.x + LinearForm.force(0))
        let gradient = curvatures[1] * middle + LinearForm.force(1)
        return BatchedStep(x: shaken + (2 * (1 - tau) * h).squareRoot() * LinearForm.normal(1) - h * gradient)
      },
      make: { _ in RandomizedMidpoint() })
  }
}
