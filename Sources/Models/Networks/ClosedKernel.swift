import Kernels

/// An activation whose kernel is known in closed form: the recursions at infinite width ask for it before any quadrature.
package protocol ClosedKernel: Activation {
  /// $\kappa = E \phi(u) \phi(v)$.
  func product(_ k: GaussianPair) -> Double
  /// $d\kappa / dr$ at fixed variances: $E \phi'(u) \phi'(v)$ of a continuous function.
  func slope(_ k: GaussianPair) -> Double
  /// `product` of u with `count` variables v, in one loop.
  func products(
    _ p: Double, _ q: UnsafePointer<Double>, _ r: UnsafePointer<Double>, _ count: Int,
    to result: UnsafeMutablePointer<Double>)
  /// The same with `slope`, which shares most of the work.
  func products(
    _ p: Double, _ q: UnsafePointer<Double>, _ r: UnsafePointer<Double>, _ count: Int,
    to result: UnsafeMutablePointer<Double>, slopes: UnsafeMutablePointer<Double>)
}

// Functions of their own: in the entry of a protocol's table, where the loops would be inlined, square roots stay calls.
extension ClosedKernel {
  @inline(never)
  package func products(
    _ p: Double, _ q: UnsafePointer<Double>, _ r: UnsafePointer<Double>, _ count: Int,
    to result: UnsafeMutablePointer<Double>
  ) {
    let kernel = self
    for b in 0..<count { result[b] = kernel.product(GaussianPair(p, q[b], r[b])) }
  }

  @inline(never)
  package func products(
    _ p: Double, _ q: UnsafePointer<Double>, _ r: UnsafePointer<Double>, _ count: Int,
    to result: UnsafeMutablePointer<Double>, slopes: UnsafeMutablePointer<Double>
  ) {
    let kernel = self
    for b in 0..<count {
      let pair = GaussianPair(p, q[b], r[b])
      result[b] = kernel.product(pair)
      slopes[b] = kernel.slope(pair)
    }
  }
}

/// Two centred Gaussian variables u and v of variances p and q and covariance r.
package struct GaussianPair {
  package let p, q, r: Double

  package init(_ p: Double, _ q: Double, _ r: Double) { (self.p, self.q, self.r) = (p, q, r) }

  /// $\sqrt{p q}$.
  @inline(__always) package var scale: Double { Self.geometricMean(p, q) }
  /// $p q - r^2$, 0 where rounding has made it negative.
  @inline(__always) var determinant: Double {
    let scale = scale
    return max((scale - r) * (scale + r), 0)
  }
  /// $(p + q)/2$.
  @inline(__always) var mean: Double { 0.5 * p + 0.5 * q }

  /// Cosine and sine of the angle between u and v. Needs variances above 0.
  @inline(__always) var angle: (cosine: Double, sine: Double) {
    let rho = min(max(r / scale, -1), 1)
    return (rho, max((1 - rho) * (1 + rho), 0).squareRoot())
  }

  @inline(__always) func scaled(_ factor: Double) -> GaussianPair { GaussianPair(factor * p, factor * q, factor * r) }

  /// `sqrt(a b)` of two numbers that are not negative, also where their product is out of the range of numbers.
  @inline(__always) private static func geometricMean(_ a: Double, _ b: Double) -> Double {
    let product = a * b
    if product.isNormal { return product.squareRoot() }
    return a == b ? a : a.squareRoot() * b.squareRoot()
  }
}

extension Elementary {
  /// The arc sine of $y / \sqrt{x^2 + y^2}$, x >= 0.
  @inline(__always) static func arcSine(_ y: Double, besides x: Double) -> Double {
    let angle = angle(x: x, y: y.magnitude)
    return y < 0 ? -angle : angle
  }
}

/// A smooth function f with a closed kernel, plain and shaped.
package protocol ClosedSmoothActivation: SmoothActivation, ClosedKernel {
  /// $E f(u)$ for a variance.
  static func mean(_ variance: Double) -> Double
  static func product(_ k: GaussianPair) -> Double
  static func slope(_ k: GaussianPair) -> Double
}

extension ClosedSmoothActivation {
  @inline(__always)
  package func product(_ k: GaussianPair) -> Double {
    let inner = k.scaled(scaling.inner * scaling.inner)
    let square = scaling.outer * scaling.outer * Self.product(inner)
    if scaling.offset == 0 { return square }
    // Of a shaped function the square and the offset cancel to the order of (inner/outer)^2, to rounding of the larger.
    return square + scaling.offset
      * (scaling.outer * (Self.mean(inner.p) + Self.mean(inner.q)) + scaling.offset)
  }

  @inline(__always)
  package func slope(_ k: GaussianPair) -> Double {
    let rate = scaling.outer * scaling.inner
    return rate * rate * Self.slope(k.scaled(scaling.inner * scaling.inner))
  }
}

extension Activation {
  /// $E \phi(u) \phi(v)$ by quadrature that checks itself: the trapezoidal rule where phi is analytic, panels split at its kinks otherwise.
  /// - Returns: NaN where it does not settle.
  package func quadrature(_ k: GaussianPair) -> Double {
    guard smoothness == .analytic else {
      return SplitExpectation.ofProduct(kinks: kinks, varianceU: k.p, varianceV: k.q, covariance: k.r, apply)
    }
    return GaussianExpectation.ofProduct({ value($0) }, varianceU: k.p, varianceV: k.q, covariance: k.r)
  }
}
