import Kernels
import Randomness

/// The first m orthonormal polynomials of a classical weight, and samplers of the points that they ask for.
package struct OrthonormalBasis: Sendable {
  package enum Weight: String, CaseIterable, Sendable {
    /// Uniform on [-1, 1].
    case legendre
    /// N(0, 1).
    case hermite
  }

  package let weight: Weight
  /// m.
  package let count: Int

  /// Standard deviation of the proposals for one point of the Hermite functions; the bound of their rejection.
  private let spread: Double
  private var bound = 1.0

  package init(_ weight: Weight, _ count: Int) {
    (self.weight, self.count) = (weight, count)
    spread = 1.3 * Double(count).squareRoot()
    guard weight == .hermite else { return }
    // The largest value on a grid far finer than any function oscillates, and a hundredth more.
    withAlignedRoom(count) { room in
      var most = 0.0
      let reach = 2 * Double(count).squareRoot() + 12
      for i in 0...8192 { most = max(most, proposalRatio(reach * Double(i) / 8192, room)) }
      bound = 1.01 * most
    }
  }

  /// K(x, x) times the density of the law over that of the proposals, up to a factor.
  private func proposalRatio(_ x: Double, _ room: UnsafeMutablePointer<Double>) -> Double {
    evaluate(x, into: room) * Elementary.exp(-0.5 * x * x * (1 - 1 / (spread * spread)))
  }

  /// All functions at x, and the sum of their squares, K(x, x).
  @discardableResult
  func evaluate(_ x: Double, into values: UnsafeMutablePointer<Double>) -> Double {
    // x phi_j = b_{j+1} phi_{j+1} + b_j phi_{j-1}.
    var (last, value, square) = (0.0, 1.0, 0.0)
    for j in 0..<count {
      values[j] = value
      square += value * value
      (last, value) = (value, (x * value - beside(j) * last) / beside(j + 1))
    }
    return square
  }

  private func beside(_ j: Int) -> Double {
    let k = Double(j)
    return switch weight {
    case .legendre: k / (4 * k * k - 1).magnitude.squareRoot()
    case .hermite: k.squareRoot()
    }
  }

  /// Calls `body` with the nodes and weights of a rule for integrals over the law, exact for polynomials of some hundred degrees, converged for smooth functions.
  func forEachNode(_ body: (_ x: Double, _ weight: Double) -> Void) {
    switch weight {
    case .legendre: GaussLegendre.forEachNode(in: -1...1, breaks: [0], panel: 0.02) { body($0, 0.5 * $1) }
    case .hermite:
      let reach = 2 * Double(count).squareRoot() + 12
      GaussLegendre.forEachNode(in: -reach...reach, breaks: [0], panel: 0.25) { x, w in
        body(x, w * 0.3989422804014327 * Elementary.exp(-0.5 * x * x))
      }
    }
  }

  /// The points of the projection process, of density det K(x_i, x_j)/m!: eigenvalues of a tridiagonal matrix (Dumitriu and Edelman 2002; Killip and Nenciu 2004).
  /// - Parameters:
  ///   - points: receives m numbers, in no order.
  ///   - room: for 4 m numbers.
  package func drawProjection(
    _ stream: inout Stream, into points: UnsafeMutablePointer<Double>, room: UnsafeMutablePointer<Double>
  ) {
    let (beside, m) = (room, count)
    switch weight {
    case .hermite:
      for i in 0..<m { points[i] = stream.normal() }
      for i in 0..<m - 1 { beside[i] = stream.gamma(shape: Double(m - 1 - i)).squareRoot() }
    case .legendre:
      // a_0, ..., a_{2m-2} with a_{-1} = a_{2m-1} = -1, moved by one.
      let a = room + m
      (a[0], a[2 * m]) = (-1, -1)
      for k in 0...2 * m - 2 {
        let s = 0.5 * Double(k % 2 == 0 ? 2 * m - k : 2 * m - k + 1)
        let t = 0.5 * Double(k % 2 == 0 ? 2 * m - k : 2 * m - k - 1)
        let (x, y) = (stream.gamma(shape: s), stream.gamma(shape: t))
        a[k + 1] = 1 - 2 * x / (x + y)
      }
      for k in 0..<m {
        let (before, even, odd) = (a[2 * k], a[2 * k + 1], a[2 * k + 2])
        points[k] = 0.5 * ((1 - before) * even - (1 + before) * (k > 0 ? a[2 * k - 1] : 0))
        if k + 1 < m { beside[k] = 0.5 * ((1 - before) * (1 - even * even) * (1 + odd)).squareRoot() }
      }
    }
    Tridiagonal.eigenvalues(diagonal: points, beside: beside, count: m)
  }

  /// The same process point by point: proposals of density K/m, accepted by what of their functions is not yet spanned (Hough et al. 2006).
  /// - Parameter room: for m (m + 1) numbers.
  package func drawProjectionByChain(
    _ stream: inout Stream, into points: UnsafeMutablePointer<Double>, room: UnsafeMutablePointer<Double>
  ) {
    let (m, value) = (count, room + count * count)
    for i in 0..<m {
      while true {
        points[i] = drawOne(&stream, room: value)
        let all = evaluate(points[i], into: value)
        // Gram-Schmidt twice.
        for _ in 0..<2 {
          for j in 0..<i {
            let q = room + j * m
            var product = 0.0
            for k in 0..<m { product += q[k] * value[k] }
            for k in 0..<m { value[k] -= product * q[k] }
          }
        }
        var rest = 0.0
        for k in 0..<m { rest += value[k] * value[k] }
        guard stream.uniform() * all < rest else { continue }
        let scale = 1 / rest.squareRoot()
        for k in 0..<m { room[i * m + k] = scale * value[k] }
        break
      }
    }
  }

  /// A point of density K(x, x)/m.
  /// - Parameter room: for m numbers.
  func drawOne(_ stream: inout Stream, room: UnsafeMutablePointer<Double>) -> Double {
    while true {
      switch weight {
      case .legendre:
        // (2j + 1) P_j^2 sqrt(1 - x^2) < 4/pi (Bernstein): half of the arcsine proposals are accepted.
        let (sine, x) = Elementary.sinCosTurns(0.5 * stream.uniform())
        if stream.uniform() * 4 / Double.pi * Double(count) < evaluate(x, into: room) * sine { return x }
      case .hermite:
        let x = spread * stream.normal()
        if stream.uniform() * bound < proposalRatio(x, room) { return x }
      }
    }
  }
}
