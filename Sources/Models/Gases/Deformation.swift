import Kernels

/// A matrix of three rows.
package struct Matrix3: Sendable, Equatable {
  package var rows: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>)

  package init(_ a: SIMD3<Double>, _ b: SIMD3<Double>, _ c: SIMD3<Double>) { rows = (a, b, c) }
  package init(_ entries: [[Double]]) { self.init(SIMD3(entries[0]), SIMD3(entries[1]), SIMD3(entries[2])) }

  package static func == (a: Matrix3, b: Matrix3) -> Bool {
    a.rows.0 == b.rows.0 && a.rows.1 == b.rows.1 && a.rows.2 == b.rows.2
  }

  package static func diagonal(_ x: Double) -> Matrix3 { Matrix3(SIMD3(x, 0, 0), SIMD3(0, x, 0), SIMD3(0, 0, x)) }

  package subscript(i: Int, j: Int) -> Double { (i == 0 ? rows.0 : i == 1 ? rows.1 : rows.2)[j] }

  @inline(__always) package static func * (a: Matrix3, x: SIMD3<Double>) -> SIMD3<Double> {
    SIMD3(dot(a.rows.0, x), dot(a.rows.1, x), dot(a.rows.2, x))
  }

  package static func * (a: Matrix3, b: Matrix3) -> Matrix3 {
    func row(_ x: SIMD3<Double>) -> SIMD3<Double> { x.x * b.rows.0 + x.y * b.rows.1 + x.z * b.rows.2 }
    return Matrix3(row(a.rows.0), row(a.rows.1), row(a.rows.2))
  }

  package static func * (a: Double, b: Matrix3) -> Matrix3 { Matrix3(a * b.rows.0, a * b.rows.1, a * b.rows.2) }
  package static func + (a: Matrix3, b: Matrix3) -> Matrix3 {
    Matrix3(a.rows.0 + b.rows.0, a.rows.1 + b.rows.1, a.rows.2 + b.rows.2)
  }

  var trace: Double { rows.0.x + rows.1.y + rows.2.z }

  /// The matrix with $M\, \mathrm{adj}\, M = \det M$.
  var adjugate: Matrix3 {
    let (a, b, c) = (cross(rows.1, rows.2), cross(rows.2, rows.0), cross(rows.0, rows.1))
    return Matrix3(SIMD3(a.x, b.x, c.x), SIMD3(a.y, b.y, c.y), SIMD3(a.z, b.z, c.z))
  }

  var determinant: Double { dot(rows.0, cross(rows.1, rows.2)) }
  var norm: Double { (square(rows.0) + square(rows.1) + square(rows.2)).squareRoot() }
}

// Sums are written out, so that their order is that of the text on every CPU.
@inline(__always) func dot(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double { a.x * b.x + a.y * b.y + a.z * b.z }
@inline(__always) func square(_ a: SIMD3<Double>) -> Double { dot(a, a) }
@inline(__always) func cross(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> {
  SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
}

/// A gas whose flow is $L(t) x$ with $L(t) = L_0 (I + t L_0)^{-1}$, so that a particle that meets nobody keeps its velocity in the laboratory (a homoenergetic flow, arXiv:2506.15449).
/// Relative to the flow its velocity obeys $\dot w = -L(t) w$: in a time $\tau$ from t on
///
/// $$ w \to (I + \tau L)^{-1} w = \frac{w + \tau (\mathrm{tr} L\, w - L w) + \tau^2\, \mathrm{adj} L\, w}{1 + \tau\, \mathrm{tr} L + \tau^2\, \mathrm{tr}\, \mathrm{adj} L + \tau^3 \det L}, \qquad L = L(t). $$
///
/// Nothing is referred to the start: at t = 1e16 the difference of what has been sheared since then would have no digits left.
package struct Deformation: Sendable {
  enum Kind: Sendable {
    case none
    /// $L_0^2 = 0$: L is constant, and paths are straight.
    case shear
    case general
  }

  /// $L_0$.
  package let start: Matrix3
  let kind: Kind
  /// $\mathrm{tr} L_0$, $\mathrm{tr}\, \mathrm{adj} L_0$, $\det L_0$.
  private let invariants: (Double, Double, Double)
  private let adjugate: Matrix3

  package init(_ start: Matrix3) {
    self.start = start
    let zero = Matrix3.diagonal(0)
    kind = start == zero ? .none : start * start == zero ? .shear : .general
    adjugate = start.adjugate
    invariants = (start.trace, adjugate.trace, start.determinant)
  }

  /// $\det(I + t L_0)$.
  package func determinant(_ t: Double) -> Double {
    let (a, b, c) = invariants
    return 1 + t * (a + t * (b + t * c))
  }

  /// The first time in (0, end] at which $\det(I + t L_0) = 0$; nil if there is none.
  package func singularTime(before end: Double) -> Double? {
    guard kind == .general else { return nil }
    let (a, b, c) = invariants
    // (1 + kt)^3 has a threefold root, which bisection finds to a third of the digits.
    if (b - a * a / 3).magnitude <= 1e-12 * a * a, (c - a * a * a / 27).magnitude <= 1e-12 * (a * a * a).magnitude {
      return a < 0 && -3 / a <= end ? -3 / a : nil
    }
    // Where the slope a + 2 b t + 3 c t^2 changes its sign.
    var turns: [Double] = []
    let root = b * b - 3 * a * c
    if root >= 0 {
      // The stable form: no difference of nearly equal numbers.
      let q = -(b + (b < 0 ? -root.squareRoot() : root.squareRoot()))
      if c != 0 { turns.append(q / (3 * c)) }
      if q != 0 { turns.append(a / q) }
    }
    var from = 0.0
    for t in turns.filter({ $0 > 0 && $0 < end }).sorted() + [end] {
      if determinant(t) <= 0 {
        var (low, high) = (from, t)
        for _ in 0..<200 {
          let middle = 0.5 * (low + high)
          if determinant(middle) > 0 { low = middle } else { high = middle }
        }
        return high
      }
      from = t
    }
    return nil
  }

  /// L(t).
  package func rate(at t: Double) -> Matrix3 {
    guard kind == .general else { return start }
    // adj(I + t L_0) = I + t (tr L_0 I - L_0) + t^2 adj L_0, and L_0 adj L_0 = det L_0.
    let (a, _, c) = invariants
    let squared = start * start
    let product = start + t * (a * start + -1 * squared) + (t * t * c) * .diagonal(1)
    return (1 / determinant(t)) * product
  }

  /// The path of a velocity from a time on, if nothing is met.
  @inline(__always) package func path(_ w: SIMD3<Double>, at t: Double) -> FreePath {
    switch kind {
    case .none: return FreePath(w)
    case .shear: return FreePath(w, first: -(start * w))
    case .general:
      let rate = rate(at: t)
      let adjugate = rate.adjugate
      let trace = rate.trace
      return FreePath(
        w, first: trace * w - rate * w, second: adjugate * w, trace, adjugate.trace, rate.determinant)
    }
  }
}

/// $w(\tau) = (p_0 + p_1 \tau + p_2 \tau^2)/(1 + d_1 \tau + d_2 \tau^2 + d_3 \tau^3)$.
package struct FreePath {
  let start, first, second: SIMD3<Double>
  let (d1, d2, d3): (Double, Double, Double)
  let isStraight: Bool

  init(_ start: SIMD3<Double>, first: SIMD3<Double> = .zero) {
    (self.start, self.first, second) = (start, first, .zero)
    (d1, d2, d3, isStraight) = (0, 0, 0, true)
  }

  init(
    _ start: SIMD3<Double>, first: SIMD3<Double>, second: SIMD3<Double>, _ d1: Double, _ d2: Double, _ d3: Double
  ) {
    (self.start, self.first, self.second) = (start, first, second)
    (self.d1, self.d2, self.d3, isStraight) = (d1, d2, d3, false)
  }

  @inline(__always) package func callAsFunction(_ time: Double) -> SIMD3<Double> {
    if isStraight { return start + time * first }
    return (1 / (1 + time * (d1 + time * (d2 + time * d3)))) * (start + time * (first + time * second))
  }

  /// A time in which the numerator moves by at most `share` of (|w| + floor), and the denominator by at most 1/4.
  @inline(__always) package func window(share: Double, floor: Double) -> Double {
    let reach = share * (square(start).squareRoot() + floor)
    let speed = square(first).squareRoot()
    if isStraight { return speed > 0 ? reach / speed : .infinity }
    // a W + b W^2 <= reach for W = reach/(a + sqrt(b reach)); the denominator in the same way.
    let numerator = speed + (square(second).squareRoot() * reach).squareRoot()
    let third = d3 == 0 ? 0 : Elementary.power(d3.magnitude, 1.0 / 3)
    let denominator = d1.magnitude + d2.magnitude.squareRoot() + third
    return min(numerator > 0 ? reach / numerator : .infinity, denominator > 0 ? 0.25 / denominator : .infinity)
  }

  /// Bounds of |w| within a time; of a straight path its least and greatest value.
  @inline(__always) package func bounds(_ time: Double) -> (least: Double, most: Double) {
    let own = square(start).squareRoot()
    if isStraight {
      let speed = square(first)
      guard speed > 0 else { return (own, own) }
      let end = square(start + time * first).squareRoot()
      let nearest = -dot(start, first) / speed
      guard nearest > 0 && nearest < time else { return (min(own, end), max(own, end)) }
      return (square(start + nearest * first).squareRoot(), max(own, end))
    }
    let move = time * (square(first).squareRoot() + time * square(second).squareRoot())
    let change = time * (d1.magnitude + time * (d2.magnitude + time * d3.magnitude))
    return (max(0, own - move) / (1 + change), change < 1 ? (own + move) / (1 - change) : .infinity)
  }
}
