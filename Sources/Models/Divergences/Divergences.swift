import Kernels
import Statistics

/// How far a law q is from the target pi.
struct Divergences: Sendable, Equatable {
  /// KL(q | pi), in nats.
  var kl = 0.0
  /// Renyi divergences of the orders that are asked for, in nats; infinite where the tails of q are too heavy.
  var renyi: [Double]
  /// 1/(1 + chi^2) = e^{-R_2}: 0 where chi^2 is infinite.
  var overlap = 1.0
  /// Total variation distance; NaN where there is no closed form.
  var variation = 0.0
  /// Wasserstein distance of order 2.
  var wasserstein = 0.0

  /// Of independent coordinates.
  static func product(_ parts: [Divergences], orders: Int) -> Divergences {
    var all = Divergences(renyi: Array(repeating: 0, count: orders))
    var square = 0.0
    for part in parts {
      all.kl += part.kl
      for k in 0..<orders { all.renyi[k] += part.renyi[k] }
      all.overlap *= part.overlap
      square += part.wasserstein * part.wasserstein
    }
    all.wasserstein = square.squareRoot()
    all.variation = parts.count == 1 ? parts[0].variation : .nan
    return all
  }
}

/// A normal law of one coordinate against N(0, 1/a).
struct NormalLaw: Sendable, Equatable {
  let mean, variance: Double

  func divergences(curvature a: Double, orders: [Double]) -> Divergences {
    let s = a * variance
    let shift = a * mean * mean
    // R_alpha = -(log s)/2 - log(w)/(2 (alpha - 1)) + alpha a m^2/(2 w), w = alpha + (1 - alpha) s, infinite for w <= 0.
    func renyi(_ order: Double) -> Double {
      let w = order + (1 - order) * s
      guard w > 0 else { return .infinity }
      return 0.5 * (order * shift / w - Elementary.log(s) - Elementary.log(w) / (order - 1))
    }
    let std = variance.squareRoot() - 1 / a.squareRoot()
    return Divergences(
      kl: divergence(curvature: a), renyi: orders.map(renyi), overlap: Elementary.exp(-renyi(2)),
      variation: variation(curvature: a), wasserstein: (mean * mean + std * std).squareRoot())
  }

  func divergence(curvature a: Double) -> Double { Self.divergence(a * variance, shift: a * mean * mean) }

  /// log q/pi at x.
  func logRatio(_ x: Double, curvature a: Double) -> Double {
    let z = x - mean
    return 0.5 * (a * x * x - z * z / variance - Elementary.log(a * variance))
  }

  var tabulated: TabulatedLaw {
    let (mean, std) = (mean, variance.squareRoot())
    return TabulatedLaw(name: "normal, mean \(mean), variance \(variance)", from: mean - 9 * std, to: mean + 9 * std) {
      let z = ($0 - mean) / std
      return Elementary.exp(-0.5 * z * z)
    }
  }

  /// KL(N(m, v) | N(0, 1/a)) = (s - 1 - log s + a m^2)/2 with s = a v; by its series where s is near 1, so that it keeps its digits.
  static func divergence(_ s: Double, shift: Double = 0) -> Double {
    let u = s - 1
    guard u.magnitude < 1e-3 else { return 0.5 * (u - Elementary.log(s) + shift) }
    // u - log(1 + u) = u^2/2 - u^3/3 + ...
    let series = horner(u, 1.0 / 2, -1.0 / 3, 1.0 / 4, -1.0 / 5, 1.0 / 6, -1.0 / 7)
    return 0.5 * (u * u * series + shift)
  }

  /// KL of this law and another one.
  func divergence(from other: NormalLaw) -> Double {
    let distance = mean - other.mean
    return Self.divergence(variance / other.variance, shift: distance * distance / other.variance)
  }

  /// Total variation: the densities cross at one or two points.
  private func variation(curvature a: Double) -> Double {
    let (m, s) = (mean, variance.squareRoot())
    let t = 1 / a.squareRoot()
    func below(_ x: Double, _ mean: Double, _ std: Double) -> Double {
      0.5 + 0.5 * Elementary.erf((x - mean) / std * 0x1.6a09e667f3bcdp-1)
    }
    // x^2 (1/s^2 - 1/t^2) - 2 x m/s^2 + m^2/s^2 - 2 log(t/s) = 0
    let (p, q) = (1 / variance - a, m / variance)
    let r = m * q - 2 * Elementary.log(t / s)
    if p.magnitude < 1e-14 * a {
      guard m != 0 else { return 0 }
      return (below(0.5 * m, 0, t) - below(0.5 * m, m, s)).magnitude
    }
    let root = max(q * q - p * r, 0).squareRoot()
    let ends = [(q - root) / p, (q + root) / p].sorted()
    let mine = below(ends[1], m, s) - below(ends[0], m, s)
    let other = below(ends[1], 0, t) - below(ends[0], 0, t)
    return (mine - other).magnitude
  }
}

extension LineGrid {
  /// Of a density on the grid.
  /// - Parameter infinite: orders from which on the Renyi divergence is known to be infinite: no grid sees that.
  func divergences(_ q: UnsafePointer<Double>, orders: [Double], infiniteFrom infinite: Double) -> Divergences {
    let logs = (0..<count).map { q[$0] > 0 ? Elementary.log(q[$0]) : -.infinity }
    func renyi(_ order: Double) -> Double {
      guard order < infinite else { return .infinity }
      let terms = (0..<count).map { order * logs[$0] - (order - 1) * logTarget($0) }
      let largest = terms.max()!
      let sum = terms.reduce(0) { $0 + Elementary.exp($1 - largest) }
      return (largest + Elementary.log(sum * spacing)) / (order - 1)
    }
    var (kl, variation) = (0.0, 0.0)
    for i in 0..<count where q[i] > 0 { kl += q[i] * (logs[i] - logTarget(i)) }
    for i in 0..<count { variation += (q[i] - Elementary.exp(logTarget(i))).magnitude }
    return Divergences(
      kl: kl * spacing, renyi: orders.map(renyi), overlap: Elementary.exp(-renyi(2)),
      variation: 0.5 * variation * spacing, wasserstein: wasserstein(q))
  }

  /// W2 to the target: the distance of the quantiles, with the mass of a point spread over its cell.
  private func wasserstein(_ q: UnsafePointer<Double>) -> Double {
    let mine = (0..<count).map { q[$0] }
    let theirs = (0..<count).map { Elementary.exp(logTarget($0)) }
    let (all, others) = (mine.reduce(0, +), theirs.reduce(0, +))
    var (i, j) = (0, 0)
    // What is left of the two cells, and where in them.
    var (a, b) = (mine[0] / all, theirs[0] / others)
    var sum = 0.0
    func place(_ cell: Int, _ left: Double, _ whole: Double) -> Double {
      points[cell] + spacing * (0.5 - (whole > 0 ? left / whole : 0))
    }
    while true {
      let (wholeA, wholeB) = (mine[i] / all, theirs[j] / others)
      let mass = min(a, b)
      if mass > 0 {
        // The difference of two linear functions of the probability, by Simpson's rule, which is exact.
        let first = place(i, a, wholeA) - place(j, b, wholeB)
        let last = place(i, a - mass, wholeA) - place(j, b - mass, wholeB)
        let middle = 0.5 * (first + last)
        sum += mass * (first * first + 4 * middle * middle + last * last) * (1 / 6)
      }
      let (endsA, endsB) = (a <= b, b <= a)
      a -= mass
      b -= mass
      if endsA {
        i += 1
        guard i < count else { break }
        a = mine[i] / all
      }
      if endsB {
        j += 1
        guard j < count else { break }
        b = theirs[j] / others
      }
    }
    return sum.squareRoot()
  }
}
