import Kernels
import Randomness

/// The law of a noncentral chi-square number in cells of its logarithm, $D = |x_i - x|^2$ given $\lambda = |x|^2$.
///
/// Its distribution function is the Poisson mixture $F(t) = \sum_j \frac{e^{-\lambda/2} (\lambda/2)^j}{j!} P(d/2 + j, t/2)$ of regularised gamma functions; $P(a, x) = P(a + 1, x) + x^a e^{-x}/\Gamma(a + 1)$,
/// run from the last j down, has positive terms only, so that the lower tail keeps its relative accuracy.
final class NoncentralCells {
  private let dimension: Int
  /// Cells of log D.
  private static let count = 512
  /// Borders, with F and the density of log D there; points of a cell.
  private let borders, below, slopes, counts: UnsafeMutablePointer<Double>
  /// Weights of the mixture; a standard normal number a cell, the same for all bandwidths.
  private let mixture, noise: UnsafeMutablePointer<Double>
  private let mostTerms: Int
  /// First cell that is counted, and where in it, as log D, the counted part begins.
  private var first = 0
  private var start = 0.0

  init(dimension: Int) {
    self.dimension = dimension
    // lambda is chi-square: beyond these its probability is below 1e-30.
    let most = Double(dimension) + 12 * Double(2 * dimension).squareRoot() + 150
    mostTerms = Int(0.5 * most + 12 * (0.5 * most).squareRoot()) + 40
    let n = Self.count
    (borders, below, slopes) = (.allocateZeros(n + 1), .allocateZeros(n + 1), .allocateZeros(n + 1))
    (counts, noise, mixture) = (.allocateZeros(n), .allocateZeros(n), .allocateZeros(mostTerms))
  }

  deinit { for place in [borders, below, slopes, counts, noise, mixture] { place.deallocate() } }

  /// The law for a lambda.
  func tabulate(_ lambda: Double) {
    let n = Self.count
    let half = 0.5 * lambda
    let terms = min(mostTerms, Int(half + 12 * half.squareRoot()) + 40)
    var log = -half
    for j in 0..<terms {
      mixture[j] = Elementary.exp(max(log, -740))
      log += Elementary.log(half / Double(j + 1))
    }
    // D has mean d + lambda and variance 2 d + 4 lambda; the smallest of 1e12 is above e^-28 of the typical scale a coordinate.
    let mean = Double(dimension) + lambda
    let spread = (2 * Double(dimension) + 4 * lambda).squareRoot()
    let high = Elementary.log(mean + 14 * spread + 60)
    let low = Elementary.log(mean) - 70 / Double(dimension) - 4
    // ln Gamma(a + 1) of the last term, upwards from ln Gamma(d/2 + 1).
    let last = 0.5 * Double(dimension) + Double(terms - 1)
    var logGamma = 0.0
    var a = dimension % 2 == 0 ? 1.0 : 0.5
    if dimension % 2 == 1 { logGamma = 0.5723649429247001 }
    // Gamma(a) here; up to Gamma(last + 1).
    while a < last + 0.75 {
      logGamma += Elementary.log(a)
      a += 1
    }
    for c in 0...n {
      let y = low + (high - low) * Double(c) / Double(n)
      let x = 0.5 * Elementary.exp(y)
      // The term x^a e^-x/Gamma(a + 1) at the last a, and P there by its series.
      var a = last
      var term = Elementary.exp(max(a * Elementary.log(x) - x - logGamma, -740))
      var (series, ratio) = (term, term)
      var k = a
      while ratio > 1e-17 * series {
        k += 1
        ratio *= x / k
        series += ratio
      }
      var cumulative = series
      var (sum, density) = (0.0, 0.0)
      for j in (0..<terms).reversed() {
        sum += mixture[j] * cumulative
        // d P(a, x)/d log x = a times the term.
        density += mixture[j] * a * term
        term *= a / x
        a -= 1
        cumulative += term
      }
      (borders[c], below[c], slopes[c]) = (y, min(sum, 1), density)
    }
  }

  /// The D with F(D) = p, by a cubic in log F that has its slope at both borders.
  private func quantile(_ p: Double) -> (value: Double, cell: Int) {
    var (low, high) = (0, Self.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if below[middle] <= p { low = middle } else { high = middle }
    }
    let (u0, u1) = (below[low], below[high])
    guard u0 > 0, u1 > u0 else { return (Elementary.exp(borders[low]), low) }
    // y as a function of log F: Hermite.
    let (a, b) = (Elementary.log(u0), Elementary.log(u1))
    let (width, t) = (b - a, (Elementary.log(p) - a) / (b - a))
    let (left, right) = (width * u0 / slopes[low], width * u1 / slopes[high])
    let s = 1 - t
    let y =
      borders[low] * s * s * (1 + 2 * t) + borders[high] * t * t * (3 - 2 * t) + left * t * s * s - right * t * t * s
    return (Elementary.exp(y), low)
  }

  /// The smallest distances one by one, ascending; the rest is counted in cells.
  /// - Returns: how many were drawn one by one.
  func draw(
    _ stream: inout Stream, points: Int, single: Int, into distances: UnsafeMutablePointer<Double>
  ) -> Int {
    // Uniform order statistics from the smallest on: 1 - U_(k+1) = (1 - U_(k)) V^{1/(n - k)}.
    var survivors = 0.0
    var p = 0.0
    for k in 0..<single {
      survivors += Elementary.log(stream.uniform()) / Double(points - k)
      // 1 - e^s without cancellation for small s.
      p = survivors > -1e-4 ? -survivors * (1 + 0.5 * survivors * (1 + survivors / 3)) : 1 - Elementary.exp(survivors)
      (distances[k], first) = quantile(p)
    }
    start = Elementary.log(distances[single - 1])
    var left = points - single
    var mass = 1 - p
    for c in first..<Self.count {
      let share = below[c + 1] - (c == first ? p : below[c])
      let probability = c + 1 == Self.count ? 1 : min(1, max(0, share / mass))
      let count = left > 0 ? stream.binomial(left, probability) : 0
      counts[c] = Double(count)
      noise[c] = stream.normal()
      left -= count
      mass -= share
    }
    return single
  }

  /// Adds the weights $e^{\text{rate} (\text{least} - D)}$ of the counted points: of each cell mean and variance, by the midpoint and its slopes.
  func addRest(rate: Double, least: Double, _ sum: inout Double, _ squares: inout Double) {
    for c in first..<Self.count where counts[c] > 0 {
      let from = c == first ? start : borders[c]
      let to = borders[c + 1]
      // Gauss-Legendre of three nodes in log D, weighted by the density.
      var (mass, mean, square) = (0.0, 0.0, 0.0)
      let (middle, half) = (0.5 * (from + to), 0.5 * (to - from))
      for (x, weight) in [(-0.7745966692414834, 5.0), (0, 8), (0.7745966692414834, 5)] {
        let y = middle + half * x
        let t = (y - borders[c]) / (borders[c + 1] - borders[c])
        let density = weight * (slopes[c] + t * (slopes[c + 1] - slopes[c]))
        let w = Elementary.exp(max(rate * (least - Elementary.exp(y)), -740))
        mass += density
        mean += density * w
        square += density * w * w
      }
      guard mass > 0 else { continue }
      mean /= mass
      square /= mass
      let deviation = (counts[c] * max(0, square - mean * mean)).squareRoot()
      sum += max(0, counts[c] * mean + deviation * noise[c])
      squares += counts[c] * square
    }
  }
}
