import Experiments

/// Langevin Monte Carlo: the Euler-Maruyama step x' = x - h grad H(x) + sqrt(2h/beta) xi. Stationary means are off by O(h):
/// curvature a acts as a (1 - h a/2).
final class LMC: Integrator {
  func step(_ ensemble: Ensemble) throws {
    let h = ensemble.stepSize
    let amplitude = (2 * h / ensemble.inverseTemperature).squareRoot()
    try ensemble.evaluate(at: ensemble.positions, gradient: ensemble.gradient, potential: ensemble.measuredPotential) {
      t in
      let x = ensemble.positions[t]
      let g = ensemble.gradient[t].base
      let normals = ensemble.noise.normals(t, x.count * x.dimension)
      forEachLane(x) { i, n in
        x.base[i] = x.base[i].addingProduct(-h, g[i]).addingProduct(amplitude, normals[n])
      }
    }
  }

  static let entry = IntegratorEntry(
    name: "lmc", summary: "Langevin Monte Carlo (Euler-Maruyama), overdamped",
    equation: "x' = x - h grad H + sqrt(2h/beta) xi", reference: "arXiv:1605.01559", parameters: []
  ) { _ in
    IntegratorModel(
      order: 1, isEulerMaruyama: true,
      oscillator: { h, a in
        LinearStep(choices: [.init(map: [1 - h * a, 0, 0, 0], noise: [2 * h, 0, 0])])
      },
      batched: BatchedScheme(evaluations: 1) { h, curvatures, _ in
        let gradient = curvatures[0] * LinearForm.x + LinearForm.force(0)
        return BatchedStep(x: LinearForm.x - h * gradient + (2 * h).squareRoot() * LinearForm.normal(0))
      },
      make: { _ in LMC() })
  }
}
