import Kernels

/// Expectations over Gaussian variables of functions that are smooth between given points, whatever else they are.
///
/// Gauss-Legendre rules of 16 nodes on panels that end at these points, halved until the value stays: for the smooth functions of
/// `GaussianExpectation` the trapezoidal rule is cheaper, but a kink leaves it an error of the square of its step.
///
/// In two dimensions, `u = s_u x` and `v = a x + c y` with independent x and y: for each x the kinks of v are points of y, so the inner
/// integral is split exactly. It is smooth in x, but turns within c/a of the kinks of v at y = 0: panels of that size stand there.
package enum SplitExpectation {
  package typealias Function = (UnsafeMutablePointer<Double>, Int) -> Void

  /// The tails beyond hold 1e-38 of the normal law.
  private static let reach = 13.0
  private static let panel = 2.5
  /// Relative to the expectation of the absolute value.
  private static let tolerance = 1e-11
  private static let mostNodes = 1 << 28

  /// `E f(u) f(v)` for centred Gaussian u, v with the given variances and covariance.
  /// - Parameters:
  ///   - kinks: where f is not smooth, ascending.
  ///   - f: replaces arguments by values.
  /// - Returns: infinity if it does not exist, as far as values up to 13 standard deviations tell; NaN if halving the panels does not
  ///   settle it to 1e-11, or f has no value somewhere.
  package static func ofProduct(
    kinks: [Double], varianceU: Double, varianceV: Double, covariance: Double, _ f: Function
  ) -> Double {
    let sigmaU = varianceU.squareRoot()
    let along = sigmaU > 0 ? covariance / sigmaU : 0
    let rest = varianceV - along * along
    // To rounding, v is a multiple of u.
    let across = rest > 0x1p-50 * varianceV ? rest.squareRoot() : 0
    // Kinks and steep parts shrink with the standard deviation.
    let finest = panel / min(max(1, sigmaU, varianceV.squareRoot()), 8)
    let outerBreaks = outerBreaks(kinks, deviation: sigmaU, along: along, across: across)
    var last = Double.nan
    for parts in [1, 2, 4, 8, 16, 32] {
      let outer = Nodes(outerBreaks, panel: finest, parts: parts)
      guard across == 0 || outer.points.count * outer.points.count <= mostNodes else { return .nan }
      let sum = outer.integral(sigmaU, f) { points in
        if across == 0 { return values(points.map { along * $0 }, f) }
        if along == 0 {
          let inner = inner(0, across, kinks, finest, parts, f)
          return points.map { _ in inner }
        }
        return points.map { inner(along * $0, across, kinks, finest, parts, f) }
      }
      guard sum.value.isFinite else { return sum.value }
      guard sum.tail <= 1e-12 * sum.size else { return .infinity }
      if (sum.value - last).magnitude <= tolerance * sum.size { return sum.value }
      last = sum.value
    }
    return .nan
  }

  /// Where panels of x end: at the kinks of u, and around those of v at y = 0.
  package static func outerBreaks(_ kinks: [Double], deviation: Double, along: Double, across: Double) -> [Double] {
    var breaks = kinks.map { $0 / deviation }
    guard along != 0 else { return breaks }
    let width = across / along.magnitude
    for kink in kinks {
      breaks.append(kink / along)
      guard width > 0 && width < 1 else { continue }
      for k in [2.5, 5, 7.5, 10] { breaks += [kink / along - k * width, kink / along + k * width] }
    }
    return breaks
  }

  /// `E f(mean + across y)`.
  private static func inner(
    _ mean: Double, _ across: Double, _ kinks: [Double], _ panel: Double, _ parts: Int, _ f: Function
  ) -> Double {
    let nodes = Nodes(kinks.map { ($0 - mean) / across }, panel: panel, parts: parts)
    let found = values(nodes.points.map { mean + across * $0 }, f)
    return zip(found, nodes.weights).reduce(0) { $0 + $1.0 * $1.1 }
  }

  private static func values(_ points: [Double], _ f: Function) -> [Double] {
    var points = points
    points.withUnsafeMutableBufferPointer { f($0.baseAddress!, $0.count) }
    return points
  }

  /// Nodes and weights of the standard normal law.
  private struct Nodes {
    private(set) var points: [Double] = []
    private(set) var weights: [Double] = []

    /// - Parameters:
    ///   - breaks: points where panels end.
    ///   - panel: largest size of a panel before each is cut into `parts`.
    init(_ breaks: [Double], panel: Double, parts: Int) {
      let reach = SplitExpectation.reach
      GaussLegendre.forEachNode(in: -reach...reach, breaks: breaks, panel: panel, parts: parts) { x, weight in
        points.append(x)
        weights.append(weight * GaussianExpectation.density(x))
      }
    }

    /// `sum w f(scale x) g(x)`, the sum of its absolute values, and the part of that beyond 12.
    func integral(_ scale: Double, _ f: Function, _ g: ([Double]) -> [Double]) -> (
      value: Double, size: Double, tail: Double
    ) {
      let first = SplitExpectation.values(points.map { scale * $0 }, f)
      let second = g(points)
      var (value, size, tail) = (0.0, 0.0, 0.0)
      for i in points.indices {
        let term = weights[i] * first[i] * second[i]
        value += term
        size += term.magnitude
        if points[i].magnitude > 12 { tail += term.magnitude }
      }
      return (value, size, tail)
    }
  }
}
