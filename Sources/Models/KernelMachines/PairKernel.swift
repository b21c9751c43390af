import Kernels

/// The kernel of a layer: the covariance of its units as a function of that of the layer before, pair by pair.
///
/// With u, v normal of variances p, q and covariance r it is r (linear), $2 E \max(u,0) \max(v,0)$ (arc-cosine, doubled, so that the diagonal stays), or $E \operatorname{erf}(u) \operatorname{erf}(v)$.
package enum PairKernel: String, Sendable, CaseIterable {
  case linear, relu, erf

  /// Its value.
  package func value(_ p: Double, _ q: Double, _ r: Double) -> Double {
    switch self {
    case .linear: r
    case .relu: ArcCosinePair(p, q, r).value
    case .erf: ErfPair(p, q, r).value
    }
  }

  /// On the diagonal, where p = q = r.
  package func diagonal(_ p: Double) -> Double { self == .erf ? ErfPair(p, p, p).value : p }

  /// Values of `count` pairs, in one loop.
  func write(
    _ p: UnsafePointer<Double>, _ q: UnsafePointer<Double>, _ r: UnsafePointer<Double>, _ count: Int,
    to result: UnsafeMutablePointer<Double>
  ) {
    switch self {
    case .linear: result.update(from: r, count: count)
    case .relu: for i in 0..<count { result[i] = ArcCosinePair(p[i], q[i], r[i]).value }
    case .erf: for i in 0..<count { result[i] = ErfPair(p[i], q[i], r[i]).value }
    }
  }

  /// Derivatives by p, q and r of `count` pairs.
  func write(
    _ p: UnsafePointer<Double>, _ q: UnsafePointer<Double>, _ r: UnsafePointer<Double>, _ count: Int,
    slopes: (p: UnsafeMutablePointer<Double>, q: UnsafeMutablePointer<Double>, r: UnsafeMutablePointer<Double>)
  ) {
    switch self {
    case .linear:
      slopes.p.update(repeating: 0, count: count)
      slopes.q.update(repeating: 0, count: count)
      slopes.r.update(repeating: 1, count: count)
    case .relu:
      for i in 0..<count { (slopes.p[i], slopes.q[i], slopes.r[i]) = ArcCosinePair(p[i], q[i], r[i]).slopes }
    case .erf:
      for i in 0..<count { (slopes.p[i], slopes.q[i], slopes.r[i]) = ErfPair(p[i], q[i], r[i]).slopes }
    }
  }
}

/// $\sqrt{pq}\,[\rho + (\sin\theta - \theta \cos\theta)/\pi]$, $\rho = \cos\theta = r/\sqrt{pq}$ (Cho and Saul 2009).
private struct ArcCosinePair {
  let p, q, r, scale, rho, sine: Double

  @inline(__always) init(_ p: Double, _ q: Double, _ r: Double) {
    (self.p, self.q, self.r) = (p, q, r)
    scale = (p * q).squareRoot()
    let ratio = r / scale
    rho = ratio > 1 ? 1 : (ratio < -1 ? -1 : ratio)
    let square = (1 - rho) * (1 + rho)
    sine = square.squareRoot()
  }

  @inline(__always) var value: Double { r.addingProduct(scale, Elementary.arcCosineDefect(rho: rho, sine: sine)) }

  @inline(__always) var slopes: (Double, Double, Double) {
    let common = 0.5 / Double.pi * sine * scale
    return (common / p, common / q, Elementary.angle(x: -rho, y: sine) / Double.pi)
  }
}

/// $(2/\pi) \arcsin(2r/\sqrt{(1+2p)(1+2q)})$ (Williams 1997).
private struct ErfPair {
  let a, b, x, rest: Double

  /// $(1 + 2p)(1 + 2q) - 4r^2$ is above 1, so nothing cancels.
  @inline(__always) init(_ p: Double, _ q: Double, _ r: Double) {
    (a, b, x) = (1 + 2 * p, 1 + 2 * q, 2 * r)
    rest = (a * b - x * x).squareRoot()
  }

  @inline(__always) var value: Double {
    let angle = Elementary.angle(x: rest, y: x.magnitude)
    return 2 / Double.pi * (x < 0 ? -angle : angle)
  }

  @inline(__always) var slopes: (Double, Double, Double) {
    let common = -2 / Double.pi * x / rest
    return (common / a, common / b, 4 / Double.pi / rest)
  }
}
