import Randomness
import Kernels
import Simulation

/// The heat bath of the Curie-Weiss model through its Hubbard-Stratonovich field: phi ~ N(m, 1/(beta N)) given the spins, then all
/// spins at once, independent given phi, +1 with probability 1/(1 + e^{-2 beta phi}). A Gibbs sampler with two blocks: exact.
final class HeatBath: Integrator {
  func step(_ e: Ensemble) throws {
    let beta = e.inverseTemperature
    let radius = (-2 * Elementary.log(e.noise.uniform())).squareRoot()
    let angle = Elementary.sinCosTurns(e.noise.uniform())
    let phi = e.field[0] + radius * angle.cos / (beta * Double(e.tiling.number)).squareRoot()
    let threshold = Elementary.softplus(2 * beta * phi)
    try e.evaluate(at: e.positions, gradient: e.gradient, potential: e.measuredPotential) { t in
      let x = e.positions[t]
      let normals = e.noise.normals(t, 2 * x.count)
      // P(exponential < log(1 + e^y)) = 1/(1 + e^{-y}).
      for i in 0..<x.count {
        let (a, b) = (normals[i], normals[x.count &+ i])
        x.base[i] = 0.5 * (a * a + b * b) < threshold ? 1 : -1
      }
    }
  }

  static let entry = IntegratorEntry(
    name: "heat-bath", summary: "all spins at once through the Hubbard-Stratonovich field; exact; for curie-weiss",
    equation: "phi ~ N(m, 1/(beta N)), P(s = 1) = 1/(1 + e^{-2 beta phi})",
    reference: "Hubbard, Phys. Rev. Lett. 3 (1959) 77", parameters: []
  ) { _ in
    IntegratorModel(order: nil, make: { _ in HeatBath() })
  }
}
