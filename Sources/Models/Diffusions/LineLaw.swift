import Experiments
import Kernels
import Statistics

/// A law on the line as values of its density at equidistant points, moved by the steps of a process: what a reverse process with a nonlinear score generates, without drawing.
package struct LineLaw: Sendable {
  package let start, spacing: Double
  package private(set) var density: [Double]

  private func place(_ i: Int) -> Double { start + spacing * Double(i) }

  package init(_ range: ClosedRange<Double>, spacing: Double, density: (Double) -> Double) {
    start = range.lowerBound
    self.spacing = spacing
    let count = Int((range.upperBound - range.lowerBound) / spacing) + 1
    self.density = (0..<count).map { density(range.lowerBound + spacing * Double($0)) }
    normalise()
  }

  private mutating func normalise() {
    let mass = density.reduce(0, +) * spacing
    for i in density.indices { density[i] /= mass }
  }

  /// The law of map(y) + N(0, variance). The trapezoidal rule converges at once as long as the deviation is some spacings.
  package mutating func step(variance: Double, _ map: (Double) -> Double) {
    let reach = 9 * variance.squareRoot()
    var next = Array(repeating: 0.0, count: density.count)
    for (i, mass) in density.enumerated() where mass > 1e-300 {
      let centre = map(place(i))
      let first = max(0, Int(((centre - reach - start) / spacing).rounded(.up)))
      let last = min(density.count - 1, Int(((centre + reach - start) / spacing).rounded(.down)))
      guard first <= last else { continue }
      for j in first...last {
        let difference = place(j) - centre
        next[j] += mass * Elementary.exp(-0.5 * difference * difference / variance)
      }
    }
    density = next
    normalise()
  }

  package func mean(_ value: (Double) -> Double) -> Double {
    var sum = 0.0
    for (i, mass) in density.enumerated() { sum += mass * value(place(i)) }
    return sum * spacing
  }

  /// log density by cubics through four points; where there is no mass, that of the nearest point with some.
  package func logDensity(_ x: Double) -> Double {
    let t = min(max((x - start) / spacing, 1), Double(density.count) - 3)
    let i = Int(t)
    let u = t - Double(i)
    let v = (-1...2).map { Elementary.log(max(density[i + $0], 1e-300)) }
    let (a, b) = (0.5 * (v[2] - v[0]), 0.5 * (v[3] - v[1]))
    let difference = v[2] - v[1]
    return v[1] + u * (a + u * (3 * difference - 2 * a - b + u * (a + b - 2 * difference)))
  }

  /// KL(law | this) and the Wasserstein distance W2, for a law given by its density.
  package func distances(from law: NormalMixture) -> (divergence: Double, wasserstein: Double) {
    var divergence = 0.0
    for (i, mass) in density.enumerated() {
      let (log, _) = law.score(place(i))
      if log > -600 { divergence += Elementary.exp(log) * (log - Elementary.log(max(mass, 1e-300))) }
    }
    let other = LineLaw(start...place(density.count - 1), spacing: spacing) {
      Elementary.exp(max(law.score($0).log, -740))
    }
    return (divergence * spacing, wasserstein(other))
  }

  /// W2 by quantiles of both laws, linear between the points.
  private func wasserstein(_ other: LineLaw) -> Double {
    func quantiles(_ law: LineLaw, _ levels: Int) -> [Double] {
      var (found, cumulative, i): ([Double], Double, Int) = ([], 0, 0)
      for level in 0..<levels {
        let wanted = (Double(level) + 0.5) / Double(levels)
        while i + 1 < law.density.count, cumulative + law.density[i] * law.spacing < wanted {
          cumulative += law.density[i] * law.spacing
          i += 1
        }
        found.append(law.place(i) + law.spacing * ((wanted - cumulative) / (law.density[i] * law.spacing) - 0.5))
      }
      return found
    }
    let levels = 200_000
    var sum = 0.0
    for (x, y) in zip(quantiles(self, levels), quantiles(other, levels)) { sum += (x - y) * (x - y) }
    return (sum / Double(levels)).squareRoot()
  }

  package var law: TabulatedLaw {
    let end = place(density.count - 1)
    return TabulatedLaw(name: "what is generated", from: start, to: end) { x in
      let t = min(max((x - start) / spacing, 0), Double(density.count - 2))
      let i = Int(t)
      return density[i] + (t - Double(i)) * (density[i + 1] - density[i])
    }
  }
}
