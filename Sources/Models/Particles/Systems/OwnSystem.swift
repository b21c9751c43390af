import Experiments
import Formulas
import Kernels

/// Particles in an external potential and with a pair potential of the distance, both by formula:
/// H = sum_i U(x_i) + (1/2N) sum_{i != j} W(|x_i - x_j|). Pairs at distance 0 do not count.
final class OwnSystem: ParticleSystem {
  let dimension: Int
  var interaction: Interaction { pair == nil ? .none : .pairs }
  private let external: ExternalFormula
  /// W with W'.
  private let pair: FormulaProgram?
  private var number = 1.0

  init(_ external: ExternalFormula, dimension: Int, pair: FormulaProgram?) {
    self.external = external
    self.dimension = dimension
    self.pair = pair
  }

  func prepare(_ tiling: Tiling) { number = Double(tiling.number) }

  func gradient(
    _ x: Tile, field: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>,
    potential: UnsafeMutablePointer<Double>?
  ) {
    external.write(x, gradient: gradient, potential: potential)
  }

  func addPairs(_ x: ParticleArray, all: UnsafePointer<Double>, to gradient: ParticleArray, potential: ParticleArray?) {
    guard let pair else { return }
    let scale = 1 / number
    withAlignedRoom(2 * Tiling.width) { room in
      let (energy, slope) = (room, room + Tiling.width)
      for t in x.tiles {
        let tile = x[t]
        let (own, shares) = (gradient[t].base, potential?[t].base)
        PairForces.forEachSource(tile, all, x.tiling) { square, source in
          for i in 0..<tile.count { energy[i] = square[i].squareRoot() }
          pair.apply(energy, slopes: slope, tile.count)
          for i in 0..<tile.count {
            let apart = square[i] > 0
            slope[i] = apart ? scale * slope[i] / square[i].squareRoot() : 0
            energy[i] = apart ? energy[i] : 0
          }
          PairForces.push(tile, from: source, by: slope, own)
          guard let shares else { return }
          for i in 0..<tile.count { shares[i] = shares[i].addingProduct(0.5 * scale, energy[i]) }
        }
      }
    }
  }

  private static let formula = "a table { formula = …, and its parameters }"

  static let entry = SystemEntry(
    name: "own", summary: "a potential and a pair potential of one's own, by formula",
    equation: "H = sum U(x_i) + (1/2N) sum_{i != j} W(|x_i - x_j|)", reference: "docs/formulas.md",
    parameters: [
      SystemEntry.dimension(1),
      Parameter(
        "potential", .structured(formula),
        "U, a formula in x, summed over the coordinates, or in x0, x1, …, the coordinates of a particle; kinks = [...] besides those found"
      ),
      Parameter(
        "pair", .structured(formula), optional: true, "W, a formula in the distance r, all pairs; none unless given"),
      Parameter(
        "least_curvature", .real(.finite), optional: true,
        "a lower bound of the second derivatives of U, for the proximal sampler"),
    ]
  ) { p, _ in
    let (dimension, beta) = (p.integer("dimension"), p.real("inverse_temperature"))
    let external = try ExternalFormula(p, "potential", dimension: dimension)
    let pair = try p["pair"].map { try pairProgram($0, p) }
    if pair == nil { try external.refuseUnbounded(p) }
    return SystemModel(
      leastCurvature: p["least_curvature"] == nil ? nil : p.real("least_curvature"),
      line: dimension == 1 && pair == nil ? external.line : nil,
      stationary: { _ in pair == nil ? external.stationary(dimension: dimension, beta: beta) : StationaryMoments() },
      make: { OwnSystem(external, dimension: dimension, pair: pair) })
  }

  private static func pairProgram(_ value: JobValue, _ p: Parameters) throws -> FormulaProgram {
    let formula = try ExternalFormula.read(value, p, "pair", variables: ["r"], own: ["formula"]).formula
    for k in 1...640 {
      if let event = formula.domainEvent(at: [Double(k) / 64]) {
        Notes.add("\(p.path).pair: \(event), for r = \(Double(k) / 64)")
        break
      }
    }
    return FormulaProgram([formula, try ExternalFormula.derivative(formula, "r", p, "pair")])
  }
}
