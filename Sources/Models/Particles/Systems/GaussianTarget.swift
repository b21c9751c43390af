import Experiments
import Kernels

/// A Gaussian of any condition number: curvatures from 1 to kappa, evenly spaced on a log scale. Particles are chains.
final class GaussianTarget: ParticleSystem {
  let interaction = Interaction.none
  private let curvatures: [Double]
  var dimension: Int { curvatures.count }

  init(_ curvatures: [Double]) { self.curvatures = curvatures }

  func gradient(
    _ x: Tile, field: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>,
    potential: UnsafeMutablePointer<Double>?
  ) {
    if let potential { for i in 0..<x.count { potential[i] = 0 } }
    for k in 0..<dimension {
      let (row, target, a) = (x[k], gradient + k * x.lanes, curvatures[k])
      for i in 0..<x.count { target[i] = a * row[i] }
      guard let potential else { continue }
      for i in 0..<x.count { potential[i] = potential[i].addingProduct(0.5 * target[i], row[i]) }
    }
  }

  static let entry = SystemEntry(
    name: "gaussian", summary: "independent chains on a Gaussian of a given condition number",
    equation: "H = sum_k a_k x_k^2/2, a_k = kappa^((k-1)/(d-1))", reference: "docs/particles.md",
    parameters: [
      SystemEntry.dimension(1),
      Parameter("condition", .real(.init(1, 1e12)), default: .real(1), "kappa, ratio of the extreme curvatures"),
    ]
  ) { p, _ in
    let (d, kappa, beta) = (p.integer("dimension"), p.real("condition"), p.real("inverse_temperature"))
    guard d > 1 || kappa == 1 else { throw p.invalid("condition", "must be 1 in one dimension") }
    let logKappa = Elementary.log(kappa)
    let curvatures = (0..<d).map { d == 1 ? 1 : Elementary.exp(logKappa * Double($0) / Double(d - 1)) }
    return SystemModel(
      startStd: 1 / beta.squareRoot(), largestCurvature: kappa, leastCurvature: 1,
      modes: LinearModes(curvatures.map { ($0, 1 / Double(d)) }, dimension: d, mixture: true),
      line: d > 1
        ? nil : LinePotential(energy: { 0.5 * $0 * $0 }, slope: { $0 }, curvature: { _ in 1 }, name: "x^2/2"),
      stationary: { _ in
        var moments = StationaryMoments(equation: "normal, variances 1/(beta a_k)", reference: "docs/particles.md")
        if d == 1 { moments.marginal = .normal(variance: 1 / beta) }
        return moments
      },
      make: { GaussianTarget(curvatures) })
  }
}
