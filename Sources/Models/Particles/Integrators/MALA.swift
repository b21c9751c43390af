import Experiments

/// Metropolis-adjusted Langevin: the LMC step as a proposal, accepted or rejected, so that exp(-beta H) is left exactly as it is.
final class MALA: Integrator {
  private var proposal: Metropolis?

  func prepare(_ ensemble: Ensemble) throws {
    proposal = Metropolis(ensemble)
    try ensemble.evaluate(at: ensemble.positions, gradient: ensemble.gradient, potential: ensemble.potential)
  }

  func step(_ ensemble: Ensemble) throws {
    let proposal = proposal!
    let h = ensemble.stepSize
    let beta = ensemble.inverseTemperature
    let amplitude = (2 * h / beta).squareRoot()
    proposal.keepField(ensemble)
    try ensemble.evaluate(at: proposal.position, gradient: proposal.gradient, potential: proposal.potential) { t in
      let (x, y) = (ensemble.positions[t], proposal.position[t].base)
      let g = ensemble.gradient[t].base
      let normals = ensemble.noise.normals(t, x.count * x.dimension)
      forEachLane(x) { i, n in
        y[i] = x.base[i].addingProduct(-h, g[i]).addingProduct(amplitude, normals[n])
      }
    }
    for t in ensemble.tiles {
      let (x, y) = (ensemble.positions[t], proposal.position[t].base)
      let (g, f) = (ensemble.gradient[t].base, proposal.gradient[t].base)
      let (u, w, cost) = (ensemble.potential[t].base, proposal.potential[t].base, proposal.cost[t].base)
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
    try proposal.decide(ensemble)
  }

  static let entry = IntegratorEntry(
    name: "mala", summary: "Metropolis-adjusted Langevin algorithm; exact at any step",
    equation: "proposal of lmc, accepted with probability min(1, ratio)",
    reference: "Roberts, Tweedie, Bernoulli 2 (1996) 341",
    parameters: [ParticleSettings.target(0.574)]
  ) { p in
    IntegratorModel(order: nil, accepts: true, target: ParticleSettings.target(p), make: { _ in MALA() })
  }
}
