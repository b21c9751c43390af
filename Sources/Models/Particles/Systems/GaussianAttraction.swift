import Experiments
import Kernels
import Statistics

/// Particles in a harmonic well that attract each other quadratically:
/// H = sum lambda |x_i|^2/2 + (theta/4N) sum_ij |x_i - x_j|^2. Solvable: the centre of mass has curvature lambda, the rest
/// lambda + theta, so the variance of a coordinate is (1/N)/lambda + (1 - 1/N)/(lambda + theta) over beta.
final class GaussianAttraction: ParticleSystem {
  let dimension: Int
  private let lambda, theta: Double

  init(dimension: Int, lambda: Double, theta: Double) {
    self.dimension = dimension
    self.lambda = lambda
    self.theta = theta
  }

  var interaction: Interaction { .features(dimension) }

  func gradient(
    _ x: Tile, field: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>,
    potential: UnsafeMutablePointer<Double>?
  ) {
    let curvature = lambda + theta
    if let potential { for i in 0..<x.count { potential[i] = 0 } }
    for k in 0..<dimension {
      let (row, target) = (x[k], gradient + k * x.lanes)
      let pull = theta * field[k]
      for i in 0..<x.count { target[i] = curvature * row[i] - pull }
      guard let potential else { continue }
      for i in 0..<x.count { potential[i] = potential[i].addingProduct(0.5 * curvature * row[i], row[i]) }
    }
  }

  func fieldEnergy(_ field: UnsafePointer<Double>) -> Double {
    -0.5 * theta * (0..<dimension).reduce(0) { $0 + field[$1] * field[$1] }
  }

  static let entry = SystemEntry(
    name: "gaussian-attraction", summary: "harmonic well and quadratic attraction; everything is known",
    equation: "H = sum lambda |x_i|^2/2 + (theta/4N) sum_ij |x_i - x_j|^2", reference: "docs/particles.md",
    parameters: [
      SystemEntry.dimension(1),
      Parameter("lambda", .real(.above(0)), default: .real(1), "curvature of the well"),
      Parameter("theta", .real(.init(0, 1e9)), default: .real(1), "strength of the attraction"),
    ]
  ) { p, _ in
    let (d, lambda, theta) = (p.integer("dimension"), p.real("lambda"), p.real("theta"))
    let beta = p.real("inverse_temperature")
    let number = Double(p.integer("number"))
    return SystemModel(
      startStd: (1 / (beta * (lambda + theta))).squareRoot(), largestCurvature: lambda + theta,
      modes: LinearModes(
        [(lambda, 1 / number), (lambda + theta, 1 - 1 / number)], dimension: d, mixture: false),
      stationary: { _ in
        var moments = StationaryMoments(
          equation: "N -> infinity, h -> 0: normal with variance 1/(beta (lambda + theta))",
          reference: "docs/particles.md")
        let variance = 1 / (beta * (lambda + theta))
        moments.means = [
          "x": 0, "x^2": variance, "x^4": 3 * variance * variance, "energy": 0.5 * Double(d) / beta,
        ]
        if (2...3).contains(d) { moments.means = moments.means.spread(over: d) }
        moments.marginal = .normal(variance: variance)
        return moments
      },
      make: { GaussianAttraction(dimension: d, lambda: lambda, theta: theta) })
  }
}

extension TabulatedLaw {
  static func normal(variance: Double) -> TabulatedLaw {
    let sd = variance.squareRoot()
    return TabulatedLaw(name: "normal, variance \(variance)", from: -9 * sd, to: 9 * sd, normalVariance: variance) {
      Elementary.exp(-0.5 * $0 * $0 / variance)
    }
  }
}
