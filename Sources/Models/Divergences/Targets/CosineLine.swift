import Experiments
import Kernels

/// U = x^2/2 + cos 2x: wells between barriers in a harmonic one.
struct CosineLine: LineTarget {
  func energy(_ x: Double) -> Double { 0.5 * x * x + Elementary.sinCos(2 * x).cos }
  func slope(_ x: Double) -> Double { x - 2 * Elementary.sinCos(2 * x).sin }
  var curvatureAtInfinity: Double { 1 }

  static let entry = TargetEntry(
    name: "cosine", summary: "a harmonic well with ripples", equation: "U = x^2/2 + cos 2x",
    reference: "docs/divergences.md", parameters: []
  ) { _ in CosineLine() }
}
