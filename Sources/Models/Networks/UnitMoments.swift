import Kernels

/// Gaussian expectations over one unit of a layer with pre-activations $(u, v) \sim N(0, K)$, which the theory of order 1/n is made of:
/// those of $s_u s_v$ with $s = \phi(u)$, of its products, and their derivatives in K.
///
/// Gauss-Legendre panels split where phi has kinks, halved until every value stays to `tolerance`: an error here counts n times.
/// Derivatives in K are expectations with Hermite polynomials, so none of phi is needed, and kinks count rightly.
package struct UnitMoments {
  let activation: any Activation
  let kinks: [Double]
  let rule: Rule

  /// Nodes and weights of the standard normal law, from points where panels end, the standard deviation of what they are scaled to, and
  /// the parts that each panel is cut into.
  package typealias Rule =
    @Sendable (_ breaks: [Double], _ scale: Double, _ parts: Int) -> (points: [Double], weights: [Double])

  /// Relative to the expectation of the absolute value.
  static let tolerance = 1e-11
  /// $1 - \rho^2$ below which derivatives in K lose more than half of their digits.
  package static let leastSine = 1e-6
  static let reach = 13.0
  private static let panel = 2.5

  /// - Parameter rule: another than that of the panels, for controls of what an unchecked one would say.
  package init(_ activation: any Activation, rule: @escaping Rule = UnitMoments.panels) {
    (self.activation, kinks, self.rule) = (activation, activation.kinks, rule)
  }

  private init(_ activation: any Activation, kinks: [Double]) {
    (self.activation, self.kinks, rule) = (activation, kinks, Self.panels)
  }

  /// For variances of any size: panels end at powers of 4 as well, so that what the activation does near 0 is seen.
  package init(graded activation: any Activation) {
    let powers = (-4...24).map { Double(sign: .plus, exponent: 2 * $0, significand: 1) }
    self.init(activation, kinks: activation.kinks + powers + powers.map { -$0 })
  }

  /// Of one input: $E s^2$, $E s^4$, and first and second derivative of $E s^2$ in the variance.
  package struct Single {
    package let square, fourth, slope, curvature: Double
  }

  /// With $t = \phi'(u)$: $E t^2$, $E t^4$, $E s^2 t^2$, first and second derivative of $E t^2$ in the variance, and $E u s t^3 / K$.
  package struct Slope {
    package let square, fourth, mixed, slope, curvature, product: Double
  }

  /// Of two: $E s_u s_v$ with gradient and Hessian in $(K_{uu}, K_{uv}, K_{vv})$, and $E s_u^3 s_v$, $E s_u^2 s_v^2$, $E s_u s_v^3$.
  package struct Pair {
    package let product: Double
    package let gradient: [Double]
    package let hessian: [[Double]]
    package let fourth: (Double, Double, Double)
  }

  /// - Returns: nil where an expectation is infinite or not found.
  package func single(_ variance: Double) -> Single? {
    guard variance > 0 else {
      let s = activation.value(0)
      return s == 0 && variance == 0 ? Single(square: 0, fourth: 0, slope: 0, curvature: 0) : nil
    }
    let scale = variance.squareRoot()
    let found = Self.settled(4) { parts in
      let nodes = nodes(kinks.map { $0 / scale }, scale: scale, parts: parts)
      var sums = Sums(4)
      for (x, s, w) in zip3(nodes.points, values(nodes.points.map { scale * $0 }), nodes.weights) {
        let f = w * s * s
        sums.add([f, f * s * s, f * (x * x - 1), f * Self.hermite4(x)], isTail: x.magnitude > Self.reach - 1)
      }
      return sums
    }
    guard let found else { return nil }
    return Single(
      square: found[0], fourth: found[1], slope: found[2] / (2 * variance),
      curvature: found[3] / (4 * variance * variance))
  }

  /// $E s^6$; nil where it is infinite or not found.
  package func sixth(_ variance: Double) -> Double? {
    guard variance > 0 else { return nil }
    let scale = variance.squareRoot()
    return Self.settled(1) { parts in
      let nodes = nodes(kinks.map { $0 / scale }, scale: scale, parts: parts)
      var sums = Sums(1)
      for (x, s, w) in zip3(nodes.points, values(nodes.points.map { scale * $0 }), nodes.weights) {
        sums.add([w * s * s * s * s * s * s], isTail: x.magnitude > Self.reach - 1)
      }
      return sums
    }?[0]
  }

  /// - Precondition: the activation has a derivative.
  /// - Returns: nil where an expectation is infinite or not found.
  package func slope(_ variance: Double) -> Slope? {
    guard variance > 0 else { return nil }
    let scale = variance.squareRoot()
    let found = Self.settled(6) { parts in
      let nodes = nodes(kinks.map { $0 / scale }, scale: scale, parts: parts)
      var values = nodes.points.map { scale * $0 }
      var slopes = values
      values.withUnsafeMutableBufferPointer { values in
        slopes.withUnsafeMutableBufferPointer {
          activation.apply(values.baseAddress!, slopes: $0.baseAddress!, values.count)
        }
      }
      var sums = Sums(6)
      for i in values.indices {
        let (x, s, t) = (nodes.points[i], values[i], slopes[i])
        let f = nodes.weights[i] * t * t
        sums.add(
          [f, f * t * t, f * s * s, f * (x * x - 1), f * Self.hermite4(x), f * x * s * t],
          isTail: x.magnitude > Self.reach - 1)
      }
      return sums
    }
    guard let found else { return nil }
    return Slope(
      square: found[0], fourth: found[1], mixed: found[2], slope: found[3] / (2 * variance),
      curvature: found[4] / (4 * variance * variance), product: found[5] / scale)
  }

  /// - Returns: nil where an expectation is infinite or not found, or K is singular to `leastSine`.
  package func pair(_ vu: Double, _ cov: Double, _ vv: Double) -> Pair? {
    guard vu > 0, vv > 0, vu * vv - cov * cov > Self.leastSine * vu * vv else { return nil }
    let scale = vu.squareRoot()
    let along = cov / scale
    let across = (vv - along * along).squareRoot()
    let size = max(scale, vv.squareRoot())
    let found = Self.settled(12) { parts in
      let outer = nodes(
        SplitExpectation.outerBreaks(kinks, deviation: scale, along: along, across: across), scale: size, parts: parts)
      let left = values(outer.points.map { scale * $0 })
      var sums = Sums(12)
      for (x, s, w) in zip3(outer.points, left, outer.weights) {
        let mean = along * x
        let inner = nodes(kinks.map { ($0 - mean) / across }, scale: size, parts: parts)
        let right = values(inner.points.map { mean + across * $0 })
        var (t0, t1, t2, t3, t4, square, cube) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        for (y, t, v) in zip3(inner.points, right, inner.weights) {
          let f = v * t
          let y2 = y * y
          t0 += f
          t1 += f * y
          t2 += f * (y2 - 1)
          t3 += f * y * (y2 - 3)
          t4 += f * (y2 * (y2 - 6) + 3)
          square += f * t
          cube += f * t * t
        }
        let f = w * s
        let (h1, h2, h3, h4) = (f * x, f * (x * x - 1), f * x * (x * x - 3), f * Self.hermite4(x))
        // An inner sum may vanish by symmetry; by Schwarz's inequality it is at most the root of E s^2 times k!, k its order.
        let bound = square.squareRoot()
        let (bound2, bound3, bound4) = (1.4143 * bound, 2.4495 * bound, 4.899 * bound)
        sums.add(
          [
            f * t0, h2 * t0, h1 * t1, f * t2, h4 * t0, h3 * t1, h2 * t2, h1 * t3, f * t4, f * s * s * t0,
            f * s * square,
            f * cube,
          ],
          sizes: [
            f * bound, h2 * bound, h1 * bound, f * bound2, h4 * bound, h3 * bound, h2 * bound2, h1 * bound3, f * bound4,
            f * s * s * bound, f * s * square, f * cube,
          ], isTail: x.magnitude > Self.reach - 1)
      }
      return sums
    }
    guard let e = found else { return nil }
    // d/du and d/dv by those of the independent coordinates: u = scale x, v = along x + across y.
    let (p, q, r) = (1 / scale, -along / (scale * across), 1 / across)
    let second = [e[1], e[2], e[3]]
    let fourth = [e[4], e[5], e[6], e[7], e[8]]
    /// `E d_u^i d_v^j f` of order 2 or 4: (p X + q Y)^i (r Y)^j.
    func derivative(_ i: Int, _ j: Int) -> Double {
      let table = i + j == 2 ? second : fourth
      var sum = 0.0
      var binomial = 1.0
      for k in 0...i {
        // k factors q Y out of i.
        sum += binomial * Self.power(p, i - k) * Self.power(q, k) * Self.power(r, j) * table[k + j]
        binomial *= Double(i - k) / Double(k + 1)
      }
      return sum
    }
    // A derivative in a variance is half of the second derivative in its argument.
    let kinds = [(2, 0, 0.5), (1, 1, 1.0), (0, 2, 0.5)]
    return Pair(
      product: e[0], gradient: kinds.map { $0.2 * derivative($0.0, $0.1) },
      hessian: kinds.map { a in kinds.map { b in a.2 * b.2 * derivative(a.0 + b.0, a.1 + b.1) } },
      fourth: (e[9], e[10], e[11]))
  }

  private static func hermite4(_ x: Double) -> Double { x * x * (x * x - 6) + 3 }

  private static func power(_ x: Double, _ n: Int) -> Double { (0..<n).reduce(1) { product, _ in product * x } }

  // MARK: - Quadrature

  /// Sums, those of the absolute values, and the part of these in the tails.
  struct Sums {
    private(set) var values, sizes, tails: [Double]

    init(_ count: Int) {
      values = Array(repeating: 0, count: count)
      (sizes, tails) = (values, values)
    }

    mutating func add(_ terms: [Double], sizes bounds: [Double]? = nil, isTail: Bool) {
      for (k, term) in terms.enumerated() {
        let size = (bounds?[k] ?? term).magnitude
        values[k] += term
        sizes[k] += size
        if isTail { tails[k] += size }
      }
    }
  }

  /// Halves the panels until nothing changes.
  static func settled(_ count: Int, _ sums: (_ parts: Int) -> Sums) -> [Double]? {
    var last = Array(repeating: Double.nan, count: count)
    for parts in [1, 2, 4, 8] {
      let found = sums(parts)
      guard found.values.allSatisfy(\.isFinite), zip(found.tails, found.sizes).allSatisfy({ $0 <= 1e-12 * $1 }) else {
        return nil
      }
      let isSettled = zip(zip(found.values, last), found.sizes).allSatisfy {
        ($0.0 - $0.1).magnitude <= tolerance * $1
      }
      if isSettled { return found.values }
      last = found.values
    }
    return nil
  }

  func nodes(_ breaks: [Double], scale: Double, parts: Int) -> (points: [Double], weights: [Double]) {
    rule(breaks, scale, parts)
  }

  @Sendable package static func panels(
    _ breaks: [Double], scale: Double, parts: Int
  ) -> (points: [Double], weights: [Double]) {
    var (points, weights): ([Double], [Double]) = ([], [])
    let panel = panel / min(max(1, scale), 8)
    GaussLegendre.forEachNode(in: -reach...reach, breaks: breaks, panel: panel, parts: parts) { x, weight in
      points.append(x)
      weights.append(weight * GaussianExpectation.density(x))
    }
    return (points, weights)
  }

  private func values(_ points: [Double]) -> [Double] {
    var points = points
    points.withUnsafeMutableBufferPointer { activation.apply($0.baseAddress!, $0.count) }
    return points
  }
}

private func zip3(_ a: [Double], _ b: [Double], _ c: [Double]) -> LazyMapSequence<Range<Int>, (Double, Double, Double)>
{
  a.indices.lazy.map { (a[$0], b[$0], c[$0]) }
}
