import Randomness
import Simulation

/// Hamiltonian Monte Carlo: fresh velocities N(0, 1/beta), `leapfrog_steps` steps of leapfrog, then accepted or rejected. One
/// step is one such trajectory.
final class HMC: Integrator {
  private let steps: Int
  private var proposal: Metropolis?
  private var velocity: ParticleArray?

  init(steps: Int) { self.steps = steps }

  func prepare(_ e: Ensemble) throws {
    proposal = Metropolis(e)
    velocity = ParticleArray(e.tiling)
    try e.evaluate(at: e.positions, gradient: e.gradient, potential: e.potential)
  }

  func step(_ e: Ensemble) throws {
    let (proposal, velocity) = (proposal!, velocity!)
    let h = e.stepSize
    let beta = e.inverseTemperature
    let thermal = (1 / beta).squareRoot()
    proposal.keepField(e)
    for t in e.tiles {
      let v = velocity[t]
      let (g, u, cost) = (e.gradient[t].base, e.potential[t].base, proposal.cost[t].base)
      let normals = e.noise.normals(t, v.count * v.dimension)
      for i in 0..<v.count { cost[i] = -beta * u[i] }
      addKinetic(v, to: cost, sign: -1, beta: beta) { i, n in
        v.base[i] = thermal * normals[n]
      }
      forEachLane(v) { i, _ in v.base[i] = v.base[i].addingProduct(-0.5 * h, g[i]) }
    }
    for l in 0..<steps {
      let last = l == steps - 1
      try e.evaluate(
        at: proposal.position, gradient: proposal.gradient, potential: last ? proposal.potential : nil
      ) { t in
        let (y, v) = (proposal.position[t], velocity[t].base)
        let x = e.positions[t].base
        let g = proposal.gradient[t].base
        if l == 0 {
          forEachLane(y) { i, _ in y.base[i] = x[i].addingProduct(h, v[i]) }
        } else {
          forEachLane(y) { i, _ in
            let kicked = v[i].addingProduct(-h, g[i])
            v[i] = kicked
            y.base[i] = y.base[i].addingProduct(h, kicked)
          }
        }
      }
    }
    for t in e.tiles {
      let v = velocity[t]
      let (f, w, cost) = (proposal.gradient[t].base, proposal.potential[t].base, proposal.cost[t].base)
      for i in 0..<v.count { cost[i] += beta * w[i] }
      addKinetic(v, to: cost, sign: 1, beta: beta) { i, _ in
        v.base[i] = v.base[i].addingProduct(-0.5 * h, f[i])
      }
    }
    try proposal.decide(e)
  }

  /// Changes the velocities, then adds their kinetic energy times beta to the cost of each particle.
  @inline(__always)
  private func addKinetic(
    _ v: Tile, to cost: UnsafeMutablePointer<Double>, sign: Double, beta: Double, _ change: (Int, Int) -> Void
  ) {
    forEachLane(v, change)
    for k in 0..<v.dimension {
      let row = v[k]
      for i in 0..<v.count { cost[i] = cost[i].addingProduct(0.5 * sign * beta * row[i], row[i]) }
    }
  }

  static let entry = IntegratorEntry(
    name: "hmc", summary: "Hamiltonian Monte Carlo with leapfrog; exact at any step",
    equation: "v ~ N(0, 1/beta), leapfrog_steps leapfrog steps, accepted with probability min(1, e^{-beta dE})",
    reference: "arXiv:1206.1901",
    parameters: [
      ParticleFrame.target(0.8),
      Parameter("leapfrog_steps", .integer(1...100_000), standard: .integer(10), "leapfrog steps of one trajectory"),
    ]
  ) { p in
    let steps = p.integer("leapfrog_steps")
    return IntegratorModel(
      order: nil, accepts: true, target: ParticleFrame.target(p), make: { _ in HMC(steps: steps) })
  }
}
