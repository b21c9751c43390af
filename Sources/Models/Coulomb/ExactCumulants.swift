import Foundation
import Kernels

/// Cumulants of L that are known at finite N, without noise: no bit of a draw, so functions of the C library are used.
package enum ExactCumulants {
  private static let mostRadii = 2048

  /// Where something is known, the cumulants and how.
  package static func known(_ gas: GasSettings, tilt: Double = 0) -> (values: [Double], equation: String)? {
    let (d, beta) = (gas.dimension, gas.inverseTemperature)
    if beta == 0 {
      return (
        IndependentPoints(d, gas.number, gas.confinement).cumulants(gas.statistic), "independent points, by quadrature"
      )
    }
    if d == 2, let law = gammaLaw(gas, tilt: tilt) {
      return ((1...4).map { law.cumulant($0) }, "L is Gamma distributed, by scaling")
    }
    if tilt == 0, d == 2, beta == 2, gas.number <= mostRadii {
      return (radii(gas), "the radii are independent (Ginibre)")
    }
    if d == 1, gas.number <= OrderedLine.mostPoints {
      return (OrderedLine(gas, tilt: tilt).cumulants, "recursion over ordered points")
    }
    return nil
  }

  /// In the plane, of $V = r^a/a$ and $f = r^a$: x -> s x multiplies the law of L by a power.
  package static func gammaLaw(_ gas: GasSettings, tilt: Double = 0) -> GammaLaw? {
    guard gas.dimension == 2, gas.inverseTemperature > 0, let a = gas.confinement.power, gas.statistic.power == a,
      1 + a * tilt > 0
    else { return nil }
    let (n, beta) = (Double(gas.number), gas.inverseTemperature)
    return GammaLaw(shape: (2 * n + 0.5 * beta * n * (n - 1)) / a, rate: beta * n * (1 / a + tilt))
  }

  /// In the plane at beta = 2 the radii are independent, with density $r^{2k-1} e^{-2 N V}$.
  package static func radii(_ gas: GasSettings) -> [Double] {
    let n = Double(gas.number)
    let parts = (1...gas.number).map { k in
      RadialLaw(exponent: Double(2 * k - 1)) { -2 * n * gas.confinement($0) }.cumulants { gas.statistic($0) }
    }
    return (0..<4).map { q in parts.reduce(0) { $0 + $1[q] } }
  }

  /// From the means of the first four powers.
  static func cumulants(_ m: [Double]) -> [Double] {
    let (a, b, c, d) = (m[0], m[1], m[2], m[3])
    return [
      a, b - a * a, c - 3 * a * b + 2 * a * a * a, d - 4 * a * c - 3 * b * b + 12 * a * a * b - 6 * a * a * a * a,
    ]
  }
}

package struct GammaLaw: Sendable {
  package let shape: Double
  package var rate: Double

  package func cumulant(_ q: Int) -> Double {
    var result = shape
    for k in 1...q { result *= (k > 1 ? Double(k - 1) : 1) / rate }
    return result
  }

  /// $\log(Z_0/Z_e)$ of two laws of one shape that differ by a tilt.
  package func freeEnergy(to tilted: GammaLaw) -> Double { shape * log(tilted.rate / rate) }

  /// The density up to a factor, 1 at the mode.
  package func density(_ x: Double) -> Double {
    let mode = (shape - 1) / rate
    return x > 0 ? exp((shape - 1) * log(x / mode) - rate * (x - mode)) : 0
  }
}

/// A radius with the density $r^k e^{h(r)}$, by quadrature around its mode.
struct RadialLaw {
  private var nodes: [(r: Double, weight: Double)] = []

  init(exponent k: Double, _ h: (Double) -> Double) {
    func level(_ r: Double) -> Double { (k > 0 ? k * log(r) : 0) + h(r) }
    // The mode on a grid that doubles, then around it down and up until nothing is left.
    var (best, top) = (1e-3, level(1e-3))
    for j in -400...400 {
      let r = pow(2, Double(j) / 40)
      let value = level(r)
      if value > top { (best, top) = (r, value) }
    }
    var (low, high) = (best, best)
    while low > 1e-12 * best, level(low) > top - 45 { low *= 0.97 }
    if level(low) > top - 45 { low = 0 }
    while level(high) > top - 45 { high *= 1.02 }
    var total = 0.0
    GaussLegendre.forEachNode(in: low...high, breaks: [], panel: (high - low) / 24) { r, weight in
      let mass = weight * exp(level(r) - top)
      nodes.append((r, mass))
      total += mass
    }
    for i in nodes.indices { nodes[i].weight /= total }
  }

  func cumulants(_ f: (Double) -> Double) -> [Double] {
    let values = nodes.map { f($0.r) }
    let mean = zip(nodes, values).reduce(0) { $0 + $1.0.weight * $1.1 }
    let central = (2...4).map { q in
      zip(nodes, values).reduce(0) { sum, one in
        sum + one.0.weight * pow(one.1 - mean, Double(q))
      }
    }
    return [mean, central[0], central[1], central[2] - 3 * central[0] * central[0]]
  }
}

/// Points without interaction, each with the density $e^{-N V(|x|)}$.
package struct IndependentPoints {
  private let law: RadialLaw
  private let number: Double

  init(_ dimension: Int, _ number: Int, _ confinement: RadialFunction) {
    let n = Double(number)
    self.number = n
    law = RadialLaw(exponent: Double(dimension - 1)) { -n * confinement($0) }
  }

  func cumulants(_ f: RadialFunction) -> [Double] { law.cumulants { f($0) }.map { number * $0 } }
}

/// The gas on the line: in order, $x_1 < \dots < x_N$ have the density $\prod_k e^{-\beta [N V(x_k) - (2k - N - 1) x_k]}$, and integrated from the left it is a recursion of functions of one variable,
///
/// $$ F_k(y) = \int_{-\infty}^y e^{-\beta [N V(y') - (2k - N - 1) y'] - s f(y')} F_{k-1}(y') \, dy' . $$
///
/// Each is a Taylor series in s, to order four, on a grid: the logarithm of $F_N(\infty)$ has the cumulants as its coefficients. Without noise; of fourth order in the spacing of the grid.
struct OrderedLine {
  static let mostPoints = 1024
  static let grid = 4001
  let cumulants: [Double]

  init(_ gas: GasSettings, tilt: Double) {
    let (n, beta) = (Double(gas.number), gas.inverseTemperature)
    let terms = gas.terms(tilt: tilt)
    func potential(_ x: Double) -> Double { terms.reduce(0) { $0 + $1.1 * $1.0(x.magnitude) } }
    // The outermost point has the slope N V' = N - 1; nothing is left where beta (N V - (N - 1) x) is 45 above its least.
    func outer(_ x: Double) -> Double { beta * (n * potential(x) - (n - 1) * x) }
    var (best, least) = (0.0, outer(0))
    for j in 0...4000 {
      let x = Double(j) * 1e-2
      if outer(x) < least { (best, least) = (x, outer(x)) }
    }
    var reach = best + 1e-3
    while outer(reach) < least + 45 { reach *= 1.01 }
    let count = Self.grid
    let h = 2 * reach / Double(count - 1)
    let x = (0..<count).map { -reach + h * Double($0) }
    let centre = gas.cumulants.centre / n
    let f = x.map { gas.statistic($0.magnitude) - centre }
    let energy = x.map { beta * n * potential($0) }
    // Taylor coefficients of e^{-s f}: (-f)^q/q!.
    let series = f.map { f in [1, -f, f * f / 2, -f * f * f / 6, f * f * f * f / 24] }
    var state = Array(repeating: [1.0, 0, 0, 0, 0], count: count)
    var integrand = state
    for k in 1...gas.number {
      let push = beta * (2 * Double(k) - n - 1)
      let level = (0..<count).map { push * x[$0] - energy[$0] }
      let top = level.max()!
      for i in 0..<count {
        let weight = exp(level[i] - top)
        for q in 0...4 {
          var sum = 0.0
          for p in 0...q { sum += series[i][q - p] * state[i][p] }
          integrand[i][q] = weight * sum
        }
      }
      // Integrals of the cubic through four neighbours, cell by cell.
      var running = [0.0, 0, 0, 0, 0]
      state[0] = running
      for i in 1..<count {
        for q in 0...4 {
          let (a, b) = (integrand[i - 1][q], integrand[i][q])
          let before = i > 1 ? integrand[i - 2][q] : 0
          let after = i + 1 < count ? integrand[i + 1][q] : 0
          running[q] += h * (13 * (a + b) - before - after) / 24
        }
        state[i] = running
      }
      // By the last value, so that nothing leaves the range of numbers.
      let scale = 1 / running[0]
      for i in 0..<count { for q in 0...4 { state[i][q] *= scale } }
    }
    // E e^{-s L}: the mean of (-L)^q is q! times its coefficient.
    let last = state[count - 1]
    var found = ExactCumulants.cumulants([-last[1], 2 * last[2], -6 * last[3], 24 * last[4]])
    found[0] += gas.cumulants.centre
    cumulants = found
  }
}
