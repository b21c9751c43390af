import Experiments

/// The randomized midpoint method, overdamped: the gradient is taken at a random time tau h of the step, tau uniform on (0, 1) and
/// shared by all particles, so that its mean is the integral of the gradient.
final class RandomizedMidpoint: Integrator {
  private var middle: ParticleArray?
  private var middleGradient: ParticleArray?

  func prepare(_ ensemble: Ensemble) throws {
    middle = ParticleArray(ensemble.tiling)
    middleGradient = ParticleArray(ensemble.tiling)
    try ensemble.evaluate(at: ensemble.positions, gradient: ensemble.gradient, potential: ensemble.measuredPotential)
  }

  func step(_ ensemble: Ensemble) throws {
    let (middle, middleGradient) = (middle!, middleGradient!)
    let h = ensemble.stepSize
    let tau = ensemble.noise.uniform()
    let first = (2 * tau * h / ensemble.inverseTemperature).squareRoot()
    let second = (2 * (1 - tau) * h / ensemble.inverseTemperature).squareRoot()
    try ensemble.evaluate(at: middle, gradient: middleGradient) { t in
      let (x, y) = (ensemble.positions[t], middle[t].base)
      let g = ensemble.gradient[t].base
      let count = x.count * x.dimension
      let normals = ensemble.noise.normals(t, 2 * count)
      // The positions take their noise now; their drift follows when the gradient in the middle is known.
      forEachLane(x) { i, n in
        let shaken = x.base[i].addingProduct(first, normals[n])
        y[i] = shaken.addingProduct(-tau * h, g[i])
        x.base[i] = shaken.addingProduct(second, normals[n &+ count])
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
    equation: "x' = x - h grad H(x + tau h drift + W_{tau h}) + W_h, tau uniform", reference: "arXiv:2002.11071",
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
      make: { _ in RandomizedMidpoint() })
  }
}
