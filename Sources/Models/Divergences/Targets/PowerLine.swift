import Experiments
import Kernels

/// U = |x|^a, 1 < a <= 2: weakly smooth, U' is Hoelder continuous of order a - 1 only. The stationary divergence of LMC is of order h^{a + 1/2} below
/// a = 3/2, where |x|^{a-2} leaves L^2, and h^2 above.
struct PowerLine: LineTarget {
  let power: Double

  func energy(_ x: Double) -> Double { x == 0 ? 0 : Elementary.exp(power * Elementary.log(x.magnitude)) }
  func slope(_ x: Double) -> Double {
    guard x != 0 else { return 0 }
    let size = power * Elementary.exp((power - 1) * Elementary.log(x.magnitude))
    return x < 0 ? -size : size
  }
  var curvatureAtInfinity: Double { power < 2 ? 0 : 2 }
  var divergenceOrder: Double { min(power + 0.5, 2) }
  var isSmooth: Bool { power == 2 }

  static let entry = TargetEntry(
    name: "power", summary: "weakly smooth: a slope that is Hoelder continuous only", equation: "U = |x|^power",
    reference: "docs/divergences.md",
    parameters: [Parameter("power", .real(.init(1, 2, openBelow: true)), default: .real(1.5), "a")]
  ) { p in PowerLine(power: p.real("power")) }
}
