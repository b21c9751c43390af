import Experiments
import Kernels

/// Attraction and repulsion by Gaussian kernels in a harmonic well:
/// H = sum lambda |x_i|^2/2 + (1/2N) sum_{i != j} W(x_i - x_j), W = b exp(-r^2/(2 s_b^2)) - a exp(-r^2/(2 s_a^2)).
final class GaussianKernel: ParticleSystem {
  let dimension: Int
  let interaction = Interaction.pairs
  private let lambda: Double
  /// Repulsion and attraction: strength, 1/(2 scale^2).
  private let parts: [(strength: Double, rate: Double)]
  private var number = 1.0

  init(dimension: Int, lambda: Double, parts: [(strength: Double, rate: Double)]) {
    self.dimension = dimension
    self.lambda = lambda
    self.parts = parts
  }

  func prepare(_ tiling: Tiling) { number = Double(tiling.number) }

  func gradient(
    _ x: Tile, field: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>,
    potential: UnsafeMutablePointer<Double>?
  ) {
    harmonic(x, lambda: lambda, to: gradient, potential: potential)
  }

  func addPairs(_ x: ParticleArray, all: UnsafePointer<Double>, to gradient: ParticleArray, potential: ParticleArray?) {
    for t in x.tiles { addPairs(x[t], all, x.tiling, gradient[t].base, potential?[t].base) }
  }

  private func addPairs(
    _ x: Tile, _ all: UnsafePointer<Double>, _ tiling: Tiling, _ gradient: UnsafeMutablePointer<Double>,
    _ potential: UnsafeMutablePointer<Double>?
  ) {
    let scale = 1 / number
    withAlignedRoom(Tiling.width) { factor in
      PairForces.forEachSource(x, all, tiling) { square, source in
        for i in 0..<x.count { factor[i] = 0 }
        for part in parts {
          let (strength, rate) = (scale * part.strength, part.rate)
          for i in 0..<x.count {
            let kernel = Elementary.exp(-rate * square[i])
            factor[i] = factor[i].addingProduct(-2 * rate * strength, kernel)
            if let potential { potential[i] = potential[i].addingProduct(0.5 * strength, kernel) }
          }
        }
        PairForces.push(x, from: source, by: factor, gradient)
      }
    }
    // A particle's own kernel at r = 0 has no force; its energy is a constant that does not belong to H.
    if let potential {
      let own = parts.reduce(0) { $0 + 0.5 * scale * $1.strength }
      for i in 0..<x.count { potential[i] -= own }
    }
  }

  static let entry = SystemEntry(
    name: "gaussian-kernel", summary: "attraction and repulsion by Gaussian kernels, all pairs",
    equation: "H = sum lambda |x_i|^2/2 + (1/2N) sum_{i != j} (b e^{-r^2/(2 s_b^2)} - a e^{-r^2/(2 s_a^2)})",
    reference: "arXiv:1107.2567",
    parameters: [
      SystemEntry.dimension(2),
      Parameter("lambda", .real(.above(0)), default: .real(1), "curvature of the well"),
      Parameter("repulsion", .real(.init(0, 1e9)), default: .real(4), "b"),
      Parameter("repulsion_scale", .real(.above(0)), default: .real(0.5), "s_b"),
      Parameter("attraction", .real(.init(0, 1e9)), default: .real(2), "a"),
      Parameter("attraction_scale", .real(.above(0)), default: .real(1), "s_a"),
    ]
  ) { p, _ in
    let (d, lambda) = (p.integer("dimension"), p.real("lambda"))
    func rate(_ key: String) -> Double { 0.5 / (p.real(key) * p.real(key)) }
    let parts = [
      (strength: p.real("repulsion"), rate: rate("repulsion_scale")),
      (strength: -p.real("attraction"), rate: rate("attraction_scale")),
    ]
    return SystemModel(make: { GaussianKernel(dimension: d, lambda: lambda, parts: parts) })
  }
}

/// The gradient of lambda |x|^2/2, and it.
func harmonic(
  _ x: Tile, lambda: Double, to gradient: UnsafeMutablePointer<Double>, potential: UnsafeMutablePointer<Double>?
) {
  if let potential { for i in 0..<x.count { potential[i] = 0 } }
  for k in 0..<x.dimension {
    let (row, target) = (x[k], gradient + k * x.lanes)
    for i in 0..<x.count { target[i] = lambda * row[i] }
    guard let potential else { continue }
    for i in 0..<x.count { potential[i] = potential[i].addingProduct(0.5 * lambda * row[i], row[i]) }
  }
}
