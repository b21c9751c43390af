import Foundation
import Kernels

/// Exact means of a kernel density estimate at any n and d, integrals over $\lambda \sim \chi^2_d$, D given lambda, and t:
///
/// $$ \mathbb E \log S = \int_0^\infty \big(e^{-t} - \varphi(t)^n\big) \frac{dt}t, \qquad \mathbb E Y_2 = n \int_0^\infty t\, \mathbb E[w^2 e^{-tw}]\, \varphi(t)^{n-1} dt, \qquad \varphi(t) = \mathbb E e^{-tw}, \quad w = e^{-D/2h^2} . $$
package struct KernelDensityIntegrals {
  private let dimension, points: Double
  /// lambda, its probability; of each D and its probability.
  private let outer: [(weight: Double, inner: [(distance: Double, weight: Double)])]

  /// E log p(x)/d.
  var entropy: Double { -0.5 * (1 + KernelDensity.logTwoPi) }

  package init(dimension d: Int, points: Double) {
    (dimension, self.points) = (Double(d), points)
    let k = Double(d)
    // Both in logarithms: smooth densities that fall off on both sides, for which the trapezoidal rule converges at once.
    func grid(_ low: Double, _ high: Double, _ count: Int) -> [Double] {
      (0...count).map { low + (high - low) * Double($0) / Double(count) }
    }
    let spread = (2 * k).squareRoot()
    let outerGrid = grid(log(k) - min(8 / k.squareRoot() * 1.5 + 24 / k, 60), log(k + 9 * spread + 60), 40)
    let logs = outerGrid.map { 0.5 * k * $0 - 0.5 * exp($0) }
    let top = logs.max()!
    let total = logs.reduce(0) { $0 + exp($1 - top) }
    outer = zip(outerGrid, logs).compactMap { y, value in
      let weight = exp(value - top) / total
      guard weight > 1e-11 else { return nil }
      let lambda = exp(y)
      func values(_ inner: [Double]) -> [Double] { inner.map { Self.logDensity(exp($0), k, lambda) + $0 } }
      // First coarsely: what is less likely than 1e-12/n, or above, does not count.
      let high = log(k + lambda + 9 * (2 * k + 4 * lambda).squareRoot() + 40)
      let coarse = grid(log(k + lambda) - 70 / k - 4, high, 200)
      let seen = values(coarse)
      let first = seen.firstIndex { $0 > seen.max()! - log(points) - 30 }!
      let inner = grid(coarse[max(first - 1, 0)], high, 600)
      let values = values(inner)
      let most = values.max()!
      let mass = values.reduce(0) { $0 + exp($1 - most) }
      return (weight, zip(inner, values).map { (exp($0), exp($1 - most) / mass) })
    }
  }

  /// Density of a noncentral chi-square number, up to a factor: its Poisson mixture from the largest term on.
  private static func logDensity(_ x: Double, _ k: Double, _ lambda: Double) -> Double {
    let product = 0.25 * lambda * x
    // Terms (lambda x/4)^j/(j! Gamma(k/2 + j)): the largest at j (j + k/2) = lambda x/4.
    let peak = (0.5 * (-(0.5 * k) + (0.25 * k * k + 4 * product).squareRoot())).rounded(.down)
    var sum = 1.0
    var term = 1.0
    var j = peak
    while term > 1e-17 {
      j += 1
      term *= product / (j * (0.5 * k + j - 1))
      sum += term
    }
    (term, j) = (1, peak)
    while term > 1e-17, j > 0 {
      term *= j * (0.5 * k + j - 1) / product
      sum += term
      j -= 1
    }
    let largest = peak * log(product) - lgamma(peak + 1) - lgamma(0.5 * k + peak)
    return (0.5 * k - 1) * log(x) - 0.5 * (x + lambda) + largest + log(sum)
  }

  /// E log rho/d and E Y_2.
  package func values(bandwidth h: Double) -> (logDensity: Double, participation: Double) {
    let rate = 0.5 / (h * h)
    var (logarithm, participation) = (0.0, 0.0)
    for (weight, inner) in outer {
      // Scaled by the weight of a distance that one point in n is below; the smallest of all n is hardly ever beyond the one that 40 are below.
      func distance(_ count: Double) -> Double {
        var cumulative = 0.0
        return inner.first {
          cumulative += $0.weight
          return cumulative >= count / points
        }?.distance ?? inner.last!.distance
      }
      let least = distance(1)
      let w = inner.map { exp(min(rate * (least - $0.distance), 600)) }
      // u = log t, from where t w is nothing for every w to where it is large for the largest of n.
      let mean = zip(inner, w).reduce(0.0) { $0 + $1.0.weight * $1.1 }
      let low = min(-log(max(points * mean, 1)), rate * (inner[0].distance - least)) - 36
      let high = rate * (distance(40) - least) + 5
      let count = Int((high - low) / 0.2)
      let step = (high - low) / Double(count)
      var (first, second) = (0.0, 0.0)
      for i in 0...count {
        let u = low + step * Double(i)
        let t = exp(u)
        var (rest, square) = (0.0, 0.0)
        for (point, w) in zip(inner, w) where point.weight > 0 {
          let x = t * w
          rest -= point.weight * expm1(-x)
          square += point.weight * x * x * exp(-x)
        }
        let power = points * log1p(-min(rest, 1))
        let end = i == 0 || i == count ? 0.5 : 1
        // e^-t - phi^n, whose difference keeps its accuracy where both are near 1.
        first += end * (exp(-t) - exp(power))
        second += end * square * exp(power - log1p(-min(rest, 1)))
      }
      logarithm += weight * (step * first - rate * least)
      participation += weight * points * step * second
    }
    let size = log(points) / dimension
    return (
      logarithm / dimension - size - 0.5 * (KernelDensity.logTwoPi + 2 * log(h)), participation
    )
  }
}
