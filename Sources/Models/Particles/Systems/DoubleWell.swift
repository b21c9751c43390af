import Experiments
import Kernels
import Statistics

/// Desai and Zwanzig's model: particles in the double well V = x^4/4 - x^2/2, attracted to their mean:
/// dX = -V'(X) - theta (X - m) + sqrt(2/beta) dW. Below a critical temperature the mean is not zero.
final class DoubleWell: ParticleSystem {
  let dimension = 1
  let interaction = Interaction.features(1)
  private let theta: Double

  init(theta: Double) { self.theta = theta }

  let orderParameters = [
    Observable("|m|", "absolute value of the mean of the particles"),
    Observable("m^2", "square of the mean of the particles"),
  ]

  func gradient(
    _ x: Tile, field: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>,
    potential: UnsafeMutablePointer<Double>?
  ) {
    let row = x.base
    let pull = theta * field[0]
    let linear = theta - 1
    for i in 0..<x.count {
      let y = row[i]
      gradient[i] = (-pull).addingProduct(y, linear.addingProduct(y, y))
    }
    guard let potential else { return }
    for i in 0..<x.count {
      let square = row[i] * row[i]
      potential[i] = square * (0.5 * linear).addingProduct(0.25, square)
    }
  }

  func fieldEnergy(_ field: UnsafePointer<Double>) -> Double { -0.5 * theta * field[0] * field[0] }

  func order(
    _ field: UnsafePointer<Double>, measured: UnsafePointer<Double>, to values: UnsafeMutablePointer<Double>
  ) {
    values[0] = field[0].magnitude
    values[1] = field[0] * field[0]
  }

  static let entry = SystemEntry(
    name: "double-well", summary: "Desai-Zwanzig double well with attraction to the mean: a phase transition",
    equation: "H = sum (x_i^4/4 - x_i^2/2) + (theta/4N) sum_ij (x_i - x_j)^2",
    reference: "Desai, Zwanzig, J. Stat. Phys. 19 (1978) 1; Dawson, J. Stat. Phys. 31 (1983) 29",
    parameters: [Parameter("theta", .real(.init(0, 1e9)), default: .real(1), "strength of the attraction")]
  ) { p, _ in
    let (theta, beta) = (p.real("theta"), p.real("inverse_temperature"))
    return SystemModel(
      // Without attraction, chains of their own.
      line: theta > 0
        ? nil
        : LinePotential(
          energy: { 0.25 * $0 * $0 * $0 * $0 - 0.5 * $0 * $0 }, slope: { $0 * $0 * $0 - $0 },
          curvature: { 3 * $0 * $0 - 1 }, name: "x^4/4 - x^2/2"),
      stationary: { _ in
        func law(_ m: Double) -> LineLaw {
          let reach = 3 + 3 / beta.squareRoot().squareRoot()
          return LineLaw(from: -reach, to: reach) { energy($0, m) }
        }
        func energy(_ x: Double, _ m: Double) -> Double {
          beta * (0.25 * x * x * x * x - 0.5 * x * x + 0.5 * theta * x * x - theta * m * x)
        }
        let m = positiveRoot(below: 3) { m in law(m).mean { $0 } - m }
        let stable = law(m)
        let square = stable.mean { $0 * $0 }
        var moments = StationaryMoments(
          equation: "m = int x exp(-beta (V + theta x^2/2 - theta m x)) / Z, the stable root", reference: "Dawson 1983")
        moments.means = ["m^2": m * m, "x^2": square, "x^4": stable.mean { $0 * $0 * $0 * $0 }]
        // Where m is 0, |m| tends to it as N^-1/2, not as 1/N: m^2 says the same.
        if m > 0 { moments.means["|m|"] = m }
        // The branch of the start: runs that begin at zero mean may take either sign.
        if m == 0 || p.real("start_mean") > 0 { moments.means["x"] = m }
        if m == 0 || p.real("start_mean") > 0 {
          let reach = 3 + 3 / beta.squareRoot().squareRoot()
          moments.marginal = TabulatedLaw(name: "mean-field law", from: -reach, to: reach) {
            Elementary.exp(-energy($0, m))
          }
        }
        return moments
      },
      make: { DoubleWell(theta: theta) })
  }
}
