import Experiments
import Kernels

/// An equal mixture of two normal laws of variance 1 at +-a.
struct TwoWells: LineTarget {
  let separation: Double

  func energy(_ x: Double) -> Double {
    let y = (separation * x).magnitude
    return 0.5 * x * x - y - Elementary.softplus(-2 * y)
  }
  func slope(_ x: Double) -> Double { x - separation * Elementary.tanh(separation * x) }
  var curvatureAtInfinity: Double { 1 }

  static let entry = TargetEntry(
    name: "two-well", summary: "an equal mixture of two normal laws of variance 1 at +-a",
    equation: "U = x^2/2 - log cosh(a x)", reference: "docs/divergences.md",
    parameters: [Parameter("separation", .real(.init(0, 20)), default: .real(2), "a")]
  ) { p in TwoWells(separation: p.real("separation")) }
}
