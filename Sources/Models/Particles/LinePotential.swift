/// A potential of one coordinate with its first two derivatives.
package struct LinePotential: Sendable {
  package let energy, slope, curvature: @Sendable (Double) -> Double
  /// As laws of it are named.
  package let name: String
  /// Where it is not smooth.
  package var kinks: [Double] = []

  package init(
    energy: @escaping @Sendable (Double) -> Double, slope: @escaping @Sendable (Double) -> Double,
    curvature: @escaping @Sendable (Double) -> Double, name: String, kinks: [Double] = []
  ) {
    (self.energy, self.slope, self.curvature) = (energy, slope, curvature)
    (self.name, self.kinks) = (name, kinks)
  }
}
