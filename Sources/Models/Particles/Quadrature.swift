import Kernels

/// Means under a density on the line, by the trapezoidal rule: exponentially accurate for smooth densities that vanish at both ends.
struct LineLaw {
  private let points: [Double]
  private let weights: [Double]

  /// - Parameter energy: -log of the density, up to a constant.
  init(from lower: Double, to upper: Double, energy: (Double) -> Double) {
    let count = 4000
    let width = (upper - lower) / Double(count)
    points = (0...count).map { lower + width * Double($0) }
    let energies = points.map(energy)
    let least = energies.min()!
    var masses = energies.map { Elementary.exp(least - $0) }
    // The ends count half: on a circle they are one point.
    masses[0] *= 0.5
    masses[count] *= 0.5
    let total = masses.reduce(0, +)
    weights = masses.map { $0 / total }
  }

  func mean(_ f: (Double) -> Double) -> Double { zip(points, weights).reduce(0) { $0 + $1.1 * f($1.0) } }
}

/// The positive root of a function that is positive just above 0 and negative at `upper`, 0 if there is none: by bisection.
func positiveRoot(below upper: Double, _ f: (Double) -> Double) -> Double {
  var (low, high) = (1e-6 * upper, upper)
  guard f(low) > 0 else { return 0 }
  for _ in 0..<100 {
    let middle = 0.5 * (low + high)
    if f(middle) > 0 { low = middle } else { high = middle }
  }
  return 0.5 * (low + high)
}
