import Kernels

/// Gaussian expectations of an activation, which the recursions at infinite width are made of: in closed form where the activation has one
/// (`ClosedKernel`), by quadrature that checks itself otherwise.
public struct ActivationKernel: Sendable {
  public let activation: any Activation
  private let closed: (any ClosedKernel)?

  public init(_ activation: any Activation) {
    self.activation = activation
    closed = activation as? any ClosedKernel
  }

  /// `E phi(u) phi(v)` for the variances and covariance of (u, v); NaN where quadrature does not settle.
  public func product(_ vu: Double, _ vv: Double, _ cov: Double) -> Double {
    let pair = GaussianPair(vu, vv, cov)
    return closed?.product(pair) ?? activation.quadrature(pair)
  }

  /// `E phi'(u) phi'(v)`.
  /// - Precondition: the activation has a derivative.
  public func derivativeProduct(_ vu: Double, _ vv: Double, _ cov: Double) -> Double {
    let pair = GaussianPair(vu, vv, cov)
    return closed?.slope(pair) ?? SlopeFunction(activation).quadrature(pair)
  }

  /// `product` of u with `count` variables v, in one loop where the kernel is closed.
  package func products(
    _ p: Double, _ q: UnsafePointer<Double>, _ r: UnsafePointer<Double>, _ count: Int,
    to result: UnsafeMutablePointer<Double>
  ) {
    if let closed { return closed.products(p, q, r, count, to: result) }
    for b in 0..<count { result[b] = activation.quadrature(GaussianPair(p, q[b], r[b])) }
  }

  /// The same with `derivativeProduct`.
  /// - Precondition: the activation has a derivative.
  package func products(
    _ p: Double, _ q: UnsafePointer<Double>, _ r: UnsafePointer<Double>, _ count: Int,
    to result: UnsafeMutablePointer<Double>, slopes: UnsafeMutablePointer<Double>
  ) {
    if let closed { return closed.products(p, q, r, count, to: result, slopes: slopes) }
    for b in 0..<count {
      (result[b], slopes[b]) = (product(p, q[b], r[b]), derivativeProduct(p, q[b], r[b]))
    }
  }

  /// `product` of all pairs of an m x m covariance.
  public func apply(_ k: [Double], _ m: Int) -> [Double] {
    let rows = rows(of: (0..<m).map { k[$0 * m + $0] })
    return [Double](unsafeUninitializedCapacity: m * m) { buffer, initialised in
      let result = buffer.baseAddress!
      k.withUnsafeBufferPointer { k in
        SymmetricMatrix.fill(result, m) { a in rows.write(a, k.baseAddress! + a &* m, to: result + a &* m) }
      }
      initialised = m * m
    }
  }

  /// The same with `derivativeProduct`.
  /// - Precondition: the activation has a derivative.
  package func applyWithDerivative(_ k: [Double], _ m: Int) -> (products: [Double], slopes: [Double]) {
    let rows = rows(of: (0..<m).map { k[$0 * m + $0] })
    var products: [Double] = []
    let slopes = [Double](unsafeUninitializedCapacity: m * m) { buffer, initialised in
      let slopes = buffer.baseAddress!
      products = [Double](unsafeUninitializedCapacity: m * m) { buffer, initialised in
        let result = buffer.baseAddress!
        k.withUnsafeBufferPointer { k in
          SymmetricMatrix.fill(slopes, and: result, m) { a in
            rows.write(a, k.baseAddress! + a &* m, to: result + a &* m, slopes: slopes + a &* m)
          }
        }
        initialised = m * m
      }
      initialised = m * m
    }
    return (products, slopes)
  }

  /// The next layer of a perceptron at infinite width: $K' = c\, \mathbb E \phi \phi$, and $\Theta' = c\, \mathbb E \phi' \phi' \cdot \Theta$, to which the weights of the layer add $K'$.
  /// - Parameter isTrained: whether they do.
  package func tangentLayer(
    _ k: [Double], _ theta: [Double], _ m: Int, gain: Double, isTrained: Bool = true
  ) -> (k: [Double], theta: [Double]) {
    let (products, slopes) = applyWithDerivative(k, m)
    let next = products.map { gain * $0 }
    return (next, theta.indices.map { gain * slopes[$0] * theta[$0] + (isTrained ? next[$0] : 0) })
  }

  /// `product` and `derivativeProduct` of pairs row by row, where the whole matrices need not be kept.
  /// - Parameter variances: of all variables.
  package func rows(of variances: [Double]) -> Rows {
    Rows(kernel: self, variances: variances)
  }

  package struct Rows {
    fileprivate let kernel: ActivationKernel
    fileprivate let variances: [Double]

    /// The entries 0 ... a of row a, in one loop where the kernel is closed.
    /// - Parameters:
    ///   - covariances: of variable a with the others.
    ///   - slopes: receives those of `derivativeProduct`, if there is room for them.
    package func write(
      _ a: Int, _ covariances: UnsafePointer<Double>, to products: UnsafeMutablePointer<Double>,
      slopes: UnsafeMutablePointer<Double>? = nil
    ) {
      variances.withUnsafeBufferPointer { variances in
        let (p, q, r, count) = (variances[a], variances.baseAddress!, covariances, a &+ 1)
        if let slopes {
          kernel.products(p, q, r, count, to: products, slopes: slopes)
        } else {
          kernel.products(p, q, r, count, to: products)
        }
      }
    }
  }
}
