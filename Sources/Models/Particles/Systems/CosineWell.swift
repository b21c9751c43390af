import Experiments
import Kernels
import Statistics

/// x^2/2 + cos 2x: smooth, not convex, on the line; on it the weak order of an integrator shows.
final class CosineWell: ParticleSystem {
  let dimension = 1
  let interaction = Interaction.none

  func gradient(
    _ x: Tile, field: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>,
    potential: UnsafeMutablePointer<Double>?
  ) {
    let row = x.base
    for i in 0..<x.count {
      let turn = Elementary.sinCos(2 * row[i])
      gradient[i] = row[i] - 2 * turn.sin
      if let potential { potential[i] = (0.5 * row[i]) * row[i] + turn.cos }
    }
  }

  static let entry = SystemEntry(
    name: "cosine-well", summary: "independent chains on x^2/2 + cos 2x", equation: "H = x^2/2 + cos 2x",
    reference: "docs/particles.md", parameters: []
  ) { p, _ in
    let beta = p.real("inverse_temperature")
    @Sendable func energy(_ x: Double) -> Double { beta * (0.5 * x * x + Elementary.sinCos(2 * x).cos) }
    return SystemModel(
      largestCurvature: 5, leastCurvature: -3,
      line: LinePotential(
        energy: { 0.5 * $0 * $0 + Elementary.sinCos(2 * $0).cos }, slope: { $0 - 2 * Elementary.sinCos(2 * $0).sin },
        curvature: { 1 - 4 * Elementary.sinCos(2 * $0).cos }, name: "x^2/2 + cos 2x"),
      stationary: { _ in .line("exp(-beta (x^2/2 + cos 2x))", reach: 3 + 10 / beta.squareRoot(), beta: beta, energy) },
      make: { CosineWell() })
  }
}

extension StationaryMoments {
  /// Everything that quadrature gives of a law on the line, `energy` being beta H.
  static func line(
    _ name: String, reach: Double, beta: Double, _ energy: (Double) -> Double
  ) -> StationaryMoments {
    let law = LineLaw(from: -reach, to: reach, energy: energy)
    var moments = StationaryMoments(equation: name + ", by quadrature", reference: "docs/particles.md")
    moments.means = [
      // Rounding leaves something like 1e-16 of a mean that is 0 by symmetry.
      "x": (law.mean { $0 } * 0x1p40).rounded() * 0x1p-40, "x^2": law.mean { $0 * $0 },
      "x^4": law.mean { $0 * $0 * $0 * $0 },
      "energy": law.mean(energy) / beta,
    ]
    moments.marginal = TabulatedLaw(name: name, from: -reach, to: reach) { Elementary.exp(energy(0) - energy($0)) }
    return moments
  }
}
