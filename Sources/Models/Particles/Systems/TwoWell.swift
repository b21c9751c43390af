import Experiments
import Kernels

/// A mixture of two normal laws of unit variance at +a and -a along the first coordinate: two wells as far apart as one likes.
final class TwoWell: ParticleSystem {
  let dimension: Int
  let interaction = Interaction.none
  private let separation: Double

  init(dimension: Int, separation: Double) {
    self.dimension = dimension
    self.separation = separation
  }

  func gradient(
    _ x: Tile, field: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>,
    potential: UnsafeMutablePointer<Double>?
  ) {
    harmonic(x, lambda: 1, to: gradient, potential: potential)
    let row = x.base
    for i in 0..<x.count {
      let y = separation * row[i]
      gradient[i] -= separation * Elementary.tanh(y)
      // log cosh y without overflow.
      if let potential { potential[i] -= y.magnitude + Elementary.softplus(-2 * y.magnitude) - 0x1.62e42fefa39efp-1 }
    }
  }

  static let entry = SystemEntry(
    name: "two-well", summary: "independent chains on a mixture of two normal laws at +-a",
    equation: "H = |x|^2/2 - log cosh(a x_1)", reference: "docs/particles.md",
    parameters: [
      SystemEntry.dimension(1), Parameter("separation", .real(.init(0, 1e3)), default: .real(2), "a"),
    ]
  ) { p, _ in
    let (d, a, beta) = (p.integer("dimension"), p.real("separation"), p.real("inverse_temperature"))
    @Sendable func energy(_ x: Double) -> Double {
      let y = (a * x).magnitude
      return beta * (0.5 * x * x - y - Elementary.softplus(-2 * y) + 0x1.62e42fefa39efp-1)
    }
    return SystemModel(
      startStd: max(a, 1), largestCurvature: 1, leastCurvature: 1 - a * a,
      line: d > 1
        ? nil
        : LinePotential(
          energy: { energy($0) / beta }, slope: { $0 - a * Elementary.tanh(a * $0) },
          curvature: {
            let t = Elementary.tanh(a * $0)
            return 1 - a * a * (1 - t * t)
          }, name: "x^2/2 - log cosh a x"),
      stationary: { _ in
        let reach = a + 10 / beta.squareRoot()
        var moments = StationaryMoments.line("exp(-beta (x^2/2 - log cosh a x))", reach: reach, beta: beta, energy)
        guard d > 1 else { return moments }
        let (first, rest) = (moments.means, Double(d - 1))
        moments.marginal = nil
        moments.means["energy"] = first["energy"]! + 0.5 * rest / beta
        guard d > 3 else {
          moments.means = ["energy": moments.means["energy"]!]
          for k in 0..<d {
            moments.means["x[\(k)]"] = 0
            moments.means["x[\(k)]^2"] = k == 0 ? first["x^2"]! : 1 / beta
            moments.means["x[\(k)]^4"] = k == 0 ? first["x^4"]! : 3 / (beta * beta)
          }
          return moments
        }
        moments.means["x^2"] = (first["x^2"]! + rest / beta) / Double(d)
        moments.means["x^4"] = (first["x^4"]! + 3 * rest / (beta * beta)) / Double(d)
        return moments
      },
      make: { TwoWell(dimension: d, separation: a) })
  }
}
