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
      let result = buffer.baseAddress!
      Self.symmetric(k, m, [result]) { p, q, r, count, place in
        if let closed { return closed.products(p, q, r, count, to: result + place) }
        for b in 0..<count { result[place &+ b] = product(p, q[b], r[b]) }
      }
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
        let result = buffer.baseAddress!
        Self.symmetric(k, m, [result, slopes]) { p, q, r, count, place in
          if let closed { return closed.products(p, q, r, count, to: result + place, slopes: slopes + place) }
          for b in 0..<count {
            result[place &+ b] = product(p, q[b], r[b])
            slopes[place &+ b] = derivativeProduct(p, q[b], r[b])
          }
        }
        initialised = m * m
      }
      initialised = m * m
    }
    return (products, slopes)
  }

  private var closed: (any ClosedKernel)? { activation as? any ClosedKernel }

  /// Symmetric m x m matrices from variances and covariance.
  /// - Parameter write: puts the entries 0 ... a of row a of each at a place: from the variance of the row, those of the columns, and the covariances.
  private static func symmetric(
    _ k: [Double], _ m: Int, _ matrices: [UnsafeMutablePointer<Double>],
    _ write: (
      _ p: Double, _ q: UnsafePointer<Double>, _ r: UnsafePointer<Double>, _ count: Int, _ place: Int
    ) -> Void
  ) {
    let variances = (0..<m).map { k[$0 * m + $0] }
    // Rows are mirrored some at a time: a column of single entries would be one line of the cache each.
    let together = 16
    k.withUnsafeBufferPointer { k in
      for first in stride(from: 0, to: m, by: together) {
        let last = min(first + together, m)
        for a in first..<last { write(variances[a], variances, k.baseAddress! + a &* m, a &+ 1, a &* m) }
        for entries in matrices {
          for b in 0..<last {
            for a in max(first, b)..<last { entries[b &* m &+ a] = entries[a &* m &+ b] }
          }
        }
      }
    }
  }
}
