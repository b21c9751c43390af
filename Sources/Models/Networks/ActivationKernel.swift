import Kernels

/// Gaussian expectations of an activation, which the recursions at infinite width are made of: in closed form where the activation has one
/// (`ClosedKernel`), by quadrature that checks itself otherwise.
public struct ActivationKernel: Sendable {
  public let activation: any Activation

  public init(_ activation: any Activation) { self.activation = activation }

  /// `E phi(u) phi(v)` for the variances and covariance of (u, v); NaN where quadrature does not settle.
  public func product(_ vu: Double, _ vv: Double, _ cov: Double) -> Double {
    let pair = GaussianPair(vu, vv, cov)
    return (activation as? any ClosedKernel)?.product(pair) ?? activation.quadrature(pair)
  }

  /// `E phi'(u) phi'(v)`.
  /// - Precondition: the activation has a derivative.
  public func derivativeProduct(_ vu: Double, _ vv: Double, _ cov: Double) -> Double {
    let pair = GaussianPair(vu, vv, cov)
    return (activation as? any ClosedKernel)?.slope(pair) ?? SlopeFunction(activation).quadrature(pair)
  }

  /// `product` of all pairs of an m x m covariance, row by row in one loop where it is closed.
  public func apply(_ k: [Double], _ m: Int) -> [Double] {
    [Double](unsafeUninitializedCapacity: m * m) { buffer, initialised in
      apply(k, m, to: buffer.baseAddress!)
      initialised = m * m
    }
  }

  /// The same with `derivativeProduct`.
  /// - Precondition: the activation has a derivative.
  package func applyWithDerivative(_ k: [Double], _ m: Int) -> (products: [Double], slopes: [Double]) {
    var products: [Double] = []
    let slopes = [Double](unsafeUninitializedCapacity: m * m) { buffer, initialised in
      let slopes = buffer.baseAddress!
      products = [Double](unsafeUninitializedCapacity: m * m) { buffer, initialised in
        apply(k, m, to: buffer.baseAddress!, slopes: slopes)
        initialised = m * m
      }
      initialised = m * m
    }
    return (products, slopes)
  }

  /// Writes `product` of all pairs, and `derivativeProduct` if there is room for it, m x m each: where many inputs are looked at again and again, new
  /// memory would cost more than the kernel.
  package func apply(
    _ k: UnsafePointer<Double>, _ m: Int, to products: UnsafeMutablePointer<Double>,
    slopes: UnsafeMutablePointer<Double>? = nil
  ) {
    let (variances, closed) = ((0..<m).map { k[$0 &* m &+ $0] }, activation as? any ClosedKernel)
    variances.withUnsafeBufferPointer { variances in
      let q = variances.baseAddress!
      SymmetricMatrix.fill(slopes.map { [products, $0] } ?? [products], m) { a in
        let (p, r, place, count) = (q[a], k + a &* m, a &* m, a &+ 1)
        switch (closed, slopes) {
        case (let closed?, let slopes?):
          closed.products(p, q, r, count, to: products + place, slopes: slopes + place)
        case (let closed?, nil): closed.products(p, q, r, count, to: products + place)
        case (nil, _):
          for b in 0..<count {
            products[place &+ b] = product(p, q[b], r[b])
            slopes?[place &+ b] = derivativeProduct(p, q[b], r[b])
          }
        }
      }
    }
  }
}
