import Experiments
import Kernels

/// The posterior of one point with a kernel that keeps the diagonal, at every N: $\log G_l = \log G_{l-1} + \log(\chi^2_N/N)$ is a random walk, weighted by a function of its end, so forward and
/// backward sums on a grid are all of it. The trapezoidal rule on functions that are analytic and fall off at both ends: its error falls faster than any power of the step.
package struct OnePoint {
  let settings: MachineSettings
  private let grid: [Double]
  private let step: Double
  /// The place of log K_0.
  private let origin: Int
  /// Density of log(chi^2_N/N) at differences of grid points, from -(n - 1) to n - 1.
  private let moves: [Double]

  /// - Parameter refinement: divides the step.
  package init?(_ settings: MachineSettings, refinement: Double = 1) {
    guard settings.points == 1, settings.kernel != .erf, settings.width <= 100_000 else { return nil }
    self.settings = settings
    let n = Double(settings.width)
    let yy = settings.targets.reduce(0) { $0 + $1[0] * $1[0] }
    let marks = [settings.start[0], settings.noise, yy].filter { $0 > 0 }.map(Elementary.log)
    let start = Elementary.log(settings.start[0])
    let (least, most) = marks.reduce((start, start)) { (min($0.0, $1), max($0.1, $1)) }
    // A walk of L steps of variance 2/N; to the left chi^2 falls like e^(N x/2) only.
    let deviation = (2 * Double(settings.depth) / n).squareRoot()
    let lower = least - 14 * deviation - 100 / n
    let upper = most + 14 * deviation
    let wanted = (2 / n).squareRoot() / (8 * (1 + settings.outputRatio).squareRoot()) / refinement
    // The start is a point of the grid.
    let left = ((start - lower) / wanted).rounded(.up)
    let h = (start - lower) / left
    let count = Int(left) + Int(((upper - start) / h).rounded(.up)) + 1
    guard count <= 8000 else { return nil }
    (step, origin) = (h, Int(left))
    grid = (0..<count).map { start + h * (Double($0) - left) }
    // (N/2)(x - e^x + 1) + (1/2) log N/(4 pi), less Stirling's remainder, which cancels: ratios only are needed.
    moves = (1 - count..<count).map { i in
      let x = h * Double(i)
      return h * Elementary.exp(0.5 * n * (x - Elementary.exp(x) + 1))
    }
  }

  package struct Means: Equatable {
    /// By layer.
    package var gram, complexity: [Double]
    package var fit: Double
    /// (1/N) log E e^{N fit}.
    package var evidence: Double
  }

  /// Nil where the posterior is so far from the prior that the prior's probability of it is out of the range of numbers.
  package var means: Means? {
    let (count, depth, n) = (grid.count, settings.depth, Double(settings.width))
    let yy = settings.targets.reduce(0) { $0 + $1[0] * $1[0] }
    let fits = grid.map { x in
      let c = Elementary.exp(x) + settings.noise
      return -0.5 * settings.outputRatio * (Elementary.log(c) + yy / c)
    }
    let best = fits.reduce(-.infinity, max)
    // Mass of a step, which `moves` leave out.
    let whole = moves.reduce(0, +)
    /// Sums over the grid of a function of the step, from or to every point.
    func carried(_ from: [Double], backward: Bool, _ weight: [Double]) -> [Double] {
      let live = from.indices.filter { from[$0] > 0 }
      return (0..<count).map { i in
        var sum = 0.0
        for j in live { sum += from[j] * weight[(backward ? j - i : i - j) + count - 1] }
        return sum / whole
      }
    }
    var backward = [fits.map { Elementary.exp(n * ($0 - best)) }]
    for _ in 0..<depth { backward.append(carried(backward[backward.count - 1], backward: true, moves)) }
    var forward = Array(repeating: 0.0, count: count)
    forward[origin] = 1
    let complexities = (1 - count..<count).map { i in
      let x = step * Double(i)
      let move = moves[i + count - 1]
      return move == 0 ? 0 : move * 0.5 * (Elementary.exp(x) - x - 1)
    }
    let total = zip(forward, backward[depth]).reduce(0) { $0 + $1.0 * $1.1 }
    guard total > 1e-280 else { return nil }
    var found = Means(gram: [], complexity: [], fit: 0, evidence: best + Elementary.log(total) / n)
    for l in 1...depth {
      let after = backward[depth - l]
      let paid = carried(forward, backward: false, complexities)
      found.complexity.append(zip(paid, after).reduce(0) { $0 + $1.0 * $1.1 } / total)
      forward = carried(forward, backward: false, moves)
      let both = zip(forward, after).map { $0 * $1 }
      found.gram.append(zip(both, grid).reduce(0) { $0 + $1.0 * Elementary.exp($1.1) } / total)
      if l == depth { found.fit = zip(both, fits).reduce(0) { $0 + $1.0 * $1.1 } / total }
    }
    return found
  }
}
