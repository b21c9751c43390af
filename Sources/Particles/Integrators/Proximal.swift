import Randomness
import Kernels
import Simulation

/// The proximal sampler: y ~ N(x, h/beta), then x' ~ exp(-beta (H(x') + |x' - y|^2/(2h))) by its restricted Gaussian oracle. Exact.
///
/// The oracle rejects from a Gaussian. With m a lower bound of the curvature, c = 1/h + m > 0, and any point p, the function
/// f(x) = H(x) + |x - y|^2/(2h) lies above f(p) + f'(p)(x - p) + c |x - p|^2/2, so N(p - f'(p)/c, 1/(beta c)) is an envelope. It is
/// valid wherever p is; p near the minimum makes it tight, so p comes from a few gradient steps.
final class Proximal: Integrator {
  private let least: Double
  private let largest: Double?
  private var centre: ParticleArray?
  private var slope: ParticleArray?
  private var trial: ParticleArray?
  private var trialGradient: ParticleArray?
  /// Numbers of the particles: f(p), potential of the trial, whether accepted.
  private var height: ParticleArray?
  private var trialPotential: ParticleArray?
  private var open: ParticleArray?
  private static let mostTrials = 100_000

  init(least: Double, largest: Double?) {
    self.least = least
    self.largest = largest
  }

  func prepare(_ e: Ensemble) throws {
    centre = ParticleArray(e.tiling)
    slope = ParticleArray(e.tiling)
    trial = ParticleArray(e.tiling)
    trialGradient = ParticleArray(e.tiling)
    height = ParticleArray(e.tiling, dimension: 1)
    trialPotential = ParticleArray(e.tiling, dimension: 1)
    open = ParticleArray(e.tiling, dimension: 1)
    try e.evaluate(at: e.positions, gradient: e.gradient, potential: e.potential)
  }

  func step(_ e: Ensemble) throws {
    for t in e.tiles { sample(e, t) }
    try e.evaluate(at: e.positions, gradient: e.gradient, potential: e.potential)
  }

  private func sample(_ e: Ensemble, _ t: Int) {
    let x = e.positions[t]
    let (p, f, y, z) = (centre![t], slope![t].base, trialGradient![t], trial![t])
    let (top, u, open) = (height![t].base, trialPotential![t].base, open![t].base)
    let h = e.stepSize
    let beta = e.inverseTemperature
    let c = 1 / h + least
    // y, and p = y to begin with.
    let count = x.count * x.dimension
    var normals = e.noise.normals(t, count)
    let forward = (h / beta).squareRoot()
    forEachLane(x) { i, n in
      y.base[i] = x.base[i].addingProduct(forward, normals[n])
      p.base[i] = y.base[i]
    }
    let iterations = largest == nil ? 0 : 8
    for iteration in 0...iterations {
      e.system.gradient(p, field: e.field, to: f, potential: iteration == iterations ? top : nil)
      let scale = iteration == iterations ? 0 : 1 / (1 / h + largest!)
      forEachLane(p) { i, _ in
        f[i] += (p.base[i] - y.base[i]) / h
        p.base[i] = p.base[i].addingProduct(-scale, f[i])
      }
    }
    for i in 0..<x.count { open[i] = 1 }
    let spread = (1 / (beta * c)).squareRoot()
    var left = x.count
    var trials = 0
    while left > 0 {
      trials += 1
      guard trials <= Self.mostTrials else {
        e.fail(tile: t, lane: (0..<x.count).first { open[$0] != 0 }!)
        return
      }
      normals = e.noise.normals(t, count + 2 * x.count)
      forEachLane(z) { i, n in z.base[i] = p.base[i].addingProduct(-1 / c, f[i]).addingProduct(spread, normals[n]) }
      e.system.gradient(z, field: e.field, to: e.gradient[t].base, potential: u)
      // u becomes what the envelope leaves to be paid: f(z) - f(p) - f'(p)(z - p) - c |z - p|^2/2 >= 0.
      for i in 0..<x.count { u[i] -= top[i] }
      for k in 0..<x.dimension {
        let row = k &* x.lanes
        for i in 0..<x.count {
          let (zi, pi, yi) = (z.base[row &+ i], p.base[row &+ i], y.base[row &+ i])
          let move = zi - pi
          u[i] += move * (0.5 * (zi + pi - 2 * yi) / h - f[row &+ i] - 0.5 * c * move)
        }
      }
      e.tried += left
      for i in 0..<x.count where open[i] != 0 {
        let (a, b) = (normals[count + i], normals[count + x.count + i])
        guard beta * u[i] <= 0.5 * (a * a + b * b) else { continue }
        for k in 0..<x.dimension { x[k][i] = z[k][i] }
        open[i] = 0
        left -= 1
        e.accepted += 1
      }
    }
  }

  static let entry = IntegratorEntry(
    name: "proximal",
    summary: "proximal sampler, restricted Gaussian oracle by rejection; exact; for particles without interaction",
    equation: "y ~ N(x, h/beta), x' ~ exp(-beta (H(x') + |x' - y|^2/(2h)))",
    reference: "arXiv:2010.04194, arXiv:2202.06386",
    parameters: []
  ) { _ in
    IntegratorModel(
      order: nil, accepts: true,
      make: { Proximal(least: $0.leastCurvature ?? 0, largest: $0.largestCurvature) })
  }
}
