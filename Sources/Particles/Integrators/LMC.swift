import Randomness
import Simulation

/// Langevin Monte Carlo: the Euler-Maruyama step x' = x - h grad H(x) + sqrt(2h/beta) xi. Stationary means are off by O(h):
/// curvature a acts as a (1 - h a/2).
final class LMC: Integrator {
  func step(_ e: Ensemble) throws {
    let h = e.stepSize
    let amplitude = (2 * h / e.inverseTemperature).squareRoot()
    try e.evaluate(at: e.positions, gradient: e.gradient, potential: e.measuredPotential) { t in
      let x = e.positions[t]
      let g = e.gradient[t].base
      let normals = e.noise.normals(t, x.count * x.dimension)
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
      order: 1,
      oscillator: { h, a in
        LinearStep(choices: [.init(map: [1 - h * a, 0, 0, 0], noise: [2 * h, 0, 0])])
      },
      make: { _ in LMC() })
  }
}
