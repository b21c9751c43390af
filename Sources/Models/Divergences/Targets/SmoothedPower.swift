import Experiments
import Kernels

/// U = (1 + x^2)^{alpha/2}: from tails like those of the Laplace law (alpha = 1: a Poincare inequality and no more) to normal ones (alpha = 2: a log-Sobolev inequality).
struct SmoothedPower: LineTarget {
  let alpha: Double

  func energy(_ x: Double) -> Double { Elementary.exp(0.5 * alpha * Elementary.log(1 + x * x)) }
  func slope(_ x: Double) -> Double {
    let base = 1 + x * x
    return alpha * x * Elementary.exp((0.5 * alpha - 1) * Elementary.log(base))
  }
  var curvatureAtInfinity: Double { alpha < 2 ? 0 : 2 }

  static let entry = TargetEntry(
    name: "smoothed-power", summary: "between Poincare (alpha = 1) and log-Sobolev (alpha = 2)",
    equation: "U = (1 + x^2)^(alpha/2)", reference: "arXiv:2112.12662",
    parameters: [Parameter("alpha", .real(.init(1, 2)), default: .real(1), "growth of U")]
  ) { p in SmoothedPower(alpha: p.real("alpha")) }
}
