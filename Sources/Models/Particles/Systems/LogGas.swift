import Experiments
import Kernels

/// The log-gas (one-component plasma) in a harmonic well: the repulsion x/(|x|^2 + e^2) of every pair,
/// H = sum lambda |x_i|^2/2 - (s/4N) sum_{i != j} log(|x_i - x_j|^2 + e^2). In two dimensions this is Coulomb's law.
/// By scaling, lambda E|x|^2 = d/beta + s (N - 1)/(2N) as the softening e goes to 0.
final class LogGas: ParticleSystem {
  let dimension: Int
  let interaction = Interaction.pairs
  private let lambda, strength, softening: Double
  private var number = 1.0

  init(dimension: Int, lambda: Double, strength: Double, softening: Double) {
    self.dimension = dimension
    self.lambda = lambda
    self.strength = strength
    self.softening = softening
  }

  func prepare(_ tiling: Tiling) { number = Double(tiling.number) }

  func gradient(
    _ x: Tile, field: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>,
    potential: UnsafeMutablePointer<Double>?
  ) {
    harmonic(x, lambda: lambda, to: gradient, potential: potential)
  }

  func addPairs(_ x: ParticleArray, all: UnsafePointer<Double>, to gradient: ParticleArray, potential: ParticleArray?) {
    let least = softening * softening
    if dimension == 2 { PairForces.addRepulsion(all, least, scale: -strength / number, to: gradient) }
    for t in x.tiles {
      if dimension != 2 { addGeneral(x[t], all, x.tiling, least, gradient[t].base) }
      if let potential { addPotential(x[t], all, x.tiling, least, potential[t].base) }
    }
  }

  private func addGeneral(
    _ x: Tile, _ all: UnsafePointer<Double>, _ tiling: Tiling, _ least: Double, _ gradient: UnsafeMutablePointer<Double>
  ) {
    let scale = -strength / number
    PairForces.forEachSource(x, all, tiling) { square, source in
      for i in 0..<x.count { square[i] = scale / (square[i] + least) }
      PairForces.push(x, from: source, by: square, gradient)
    }
  }

  private func addPotential(
    _ x: Tile, _ all: UnsafePointer<Double>, _ tiling: Tiling, _ least: Double,
    _ potential: UnsafeMutablePointer<Double>
  ) {
    let scale = -0.25 * strength / number
    PairForces.forEachSource(x, all, tiling) { square, _ in
      for i in 0..<x.count {
        potential[i] = potential[i].addingProduct(scale, Elementary.log(square[i] + least))
      }
    }
    let own = scale * Elementary.log(least)
    for i in 0..<x.count { potential[i] -= own }
  }

  static let entry = SystemEntry(
    name: "log-gas", summary: "log-gas (2-D Coulomb) in a harmonic well, all pairs",
    equation: "H = sum lambda |x_i|^2/2 - (s/4N) sum_{i != j} log(|x_i - x_j|^2 + e^2)", reference: "arXiv:1803.08836",
    parameters: [
      SystemEntry.dimension(2),
      Parameter("lambda", .real(.above(0)), default: .real(1), "curvature of the well"),
      Parameter("strength", .real(.init(0, 1e9)), default: .real(1), "s"),
      Parameter("softening", .real(.init(1e-6, 1e6)), default: .real(1e-2), unit: "length", "e"),
    ]
  ) { p, _ in
    let (d, lambda, strength, softening) = (
      p.integer("dimension"), p.real("lambda"), p.real("strength"), p.real("softening")
    )
    return SystemModel(
      make: { LogGas(dimension: d, lambda: lambda, strength: strength, softening: softening) })
  }
}
