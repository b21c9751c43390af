import Experiments

/// A target $\pi = e^{-U}/Z$ on the line. One conforming type a file, and a line of `DivergenceCatalog.targets`.
///
/// `energy` and `slope` decide bits of draws: functions of `Elementary` only.
package protocol LineTarget: Sendable {
  /// U, up to a constant.
  func energy(_ x: Double) -> Double
  /// U'.
  func slope(_ x: Double) -> Double
  /// The limit of U'(x)/x as |x| grows, the larger one of both sides: 0 below quadratic growth, infinite above. It decides the tails of the chain's law.
  var curvatureAtInfinity: Double { get }
  /// The order in h of the stationary divergence of LMC; 2 unless U is less smooth than a chain can see.
  var divergenceOrder: Double { get }
  /// Whether U and U' are smooth: else sums over a grid converge as a power of its spacing only.
  var isSmooth: Bool { get }
}

extension LineTarget {
  package var divergenceOrder: Double { 2 }
  package var isSmooth: Bool { true }
}

/// U = a x^2/2: a coordinate of a Gaussian target.
struct Harmonic: LineTarget {
  let curvature: Double

  func energy(_ x: Double) -> Double { 0.5 * curvature * x * x }
  func slope(_ x: Double) -> Double { curvature * x }
  var curvatureAtInfinity: Double { curvature }
}

/// A line of the catalog of targets.
package struct TargetEntry: Entry {
  package var kind: String { "target" }
  package let name, summary, equation, reference: String
  package let parameters: [Parameter]
  package let make: @Sendable (Parameters) throws -> any LineTarget
}
