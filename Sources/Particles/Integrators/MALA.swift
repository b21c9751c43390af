import Randomness
import Simulation

/// Metropolis-adjusted Langevin: the LMC step as a proposal, accepted or rejected, so that exp(-beta H) is left exactly as it is.
final class MALA: Integrator {
  private var proposal: Metropolis?

  func prepare(_ e: Ensemble) throws {
    proposal = Metropolis(e)
    try e.evaluate(at: e.positions, gradient: e.gradient, potential: e.potential)
  }

  func step(_ e: Ensemble) throws {
    let proposal = proposal!
    let h = e.stepSize
    let beta = e.inverseTemperature
    let amplitude = (2 * h / beta).squareRoot()
    proposal.keepField(e)
    try e.evaluate(at: proposal.position, gradient: proposal.gradient, potential: proposal.potential) { t in
      let (x, y) = (e.positions[t], proposal.position[t].base)
      let g = e.gradient[t].base
      let normals = e.noise.normals(t, x.count * x.dimension)
      forEachLane(x) { i, n in
        y[i] = x.base[i].addingProduct(-h, g[i]).addingProduct(amplitude, normals[n])
      }
    }
    for t in e.tiles {
      let (x, y) = (e.positions[t], proposal.position[t].base)
      let (g, f) = (e.gradient[t].base, proposal.gradient[t].base)
      let (u, w, cost) = (e.potential[t].base, proposal.potential[t].base, proposal.cost[t].base)
      for i in 0..<x.count { cost[i] = beta * (w[i] - u[i]) }
      // |x - y + h g(y)|^2 - |y - x + h g(x)|^2 = h (g(y) + g(x)) . (2 (x - y) + h (g(y) - g(x))).
      for k in 0..<x.dimension {
        let row = k &* x.lanes
        for i in 0..<x.count {
          let move = 2 * (x.base[row &+ i] - y[row &+ i]) + h * (f[row &+ i] - g[row &+ i])
          cost[i] = cost[i].addingProduct(0.25 * beta * (f[row &+ i] + g[row &+ i]), move)
        }
      }
    }
    try proposal.decide(e)
  }

  static let entry = IntegratorEntry(
    name: "mala", summary: "Metropolis-adjusted Langevin algorithm; exact at any step",
    equation: "proposal of lmc, accepted with probability min(1, ratio)",
    reference: "Roberts, Tweedie, Bernoulli 2 (1996) 341",
    parameters: [ParticleFrame.target(0.574)]
  ) { p in
    IntegratorModel(order: nil, accepts: true, target: ParticleFrame.target(p), make: { _ in MALA() })
  }
}
