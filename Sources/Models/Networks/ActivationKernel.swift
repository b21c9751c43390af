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

  /// All pairs of an m x m covariance.
  public func apply(_ k: [Double], _ m: Int) -> [Double] { Self.pairs(k, m, product) }

  /// A symmetric matrix from variances and covariance, pair by pair.
  package static func pairs(_ k: [Double], _ m: Int, _ entry: (Double, Double, Double) -> Double) -> [Double] {
    var result = k
    for a in 0..<m {
      for b in 0...a {
        let value = entry(k[a * m + a], k[b * m + b], k[a * m + b])
        result[a * m + b] = value
        result[b * m + a] = value
      }
    }
    return result
  }
}
