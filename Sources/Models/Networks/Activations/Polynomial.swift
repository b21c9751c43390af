import Experiments

/// `a_0 + a_1 x + … + a_d x^d`.
public struct Polynomial: Activation {
  /// Coefficients of phi, phi' and phi'', ascending.
  private let coefficients, slopes, curvatures: [Double]

  /// - Parameter coefficients: at least one.
  public init(_ coefficients: [Double]) {
    self.coefficients = coefficients
    slopes = Self.differentiated(coefficients)
    curvatures = Self.differentiated(slopes)
  }

  private static func differentiated(_ a: [Double]) -> [Double] {
    a.count > 1 ? (1..<a.count).map { Double($0) * a[$0] } : [0]
  }

  private static func sum(_ a: [Double], _ x: Double) -> Double {
    a.dropLast().reversed().reduce(a.last!) { $1.addingProduct($0, x) }
  }

  /// Horner's scheme, a block of arguments at a time so that its loops are vectorised.
  private static func sum(_ a: [Double], _ values: UnsafeMutablePointer<Double>, _ count: Int) {
    let block = 256
    withUnsafeTemporaryAllocation(of: Double.self, capacity: block) { room in
      let sums = room.baseAddress!
      for start in stride(from: 0, to: count, by: block) {
        let (x, size) = (values + start, min(block, count - start))
        for i in 0..<size { sums[i] = a[a.count - 1] }
        for k in stride(from: a.count - 2, through: 0, by: -1) {
          let next = a[k]
          for i in 0..<size { sums[i] = next.addingProduct(sums[i], x[i]) }
        }
        for i in 0..<size { x[i] = sums[i] }
      }
    }
  }

  public func value(_ x: Double) -> Double { Self.sum(coefficients, x) }
  public func derivative(_ x: Double) -> Double { Self.sum(slopes, x) }
  public func curvature(_ x: Double) -> Double { Self.sum(curvatures, x) }

  public func apply(_ values: UnsafeMutablePointer<Double>, _ count: Int) { Self.sum(coefficients, values, count) }

  public func apply(_ values: UnsafeMutablePointer<Double>, slopes: UnsafeMutablePointer<Double>, _ count: Int) {
    slopes.update(from: values, count: count)
    Self.sum(self.slopes, slopes, count)
    Self.sum(coefficients, values, count)
  }

  public func applyCurvature(_ values: UnsafeMutablePointer<Double>, _ count: Int) {
    Self.sum(curvatures, values, count)
  }

  public var secondMoment: Double { product(GaussianPair(1, 1, 1)) }
  public var smoothness: Smoothness { .analytic }

  private static let mostCoefficients = 17

  static let entry = ActivationEntry(
    name: "polynomial", summary: "a_0 + a_1 x + a_2 x^2 + …",
    parameters: [
      Parameter(
        "coefficients", .structured("an array of 1 to \(mostCoefficients) finite numbers, not all 0: a_0, a_1, …"),
        "coefficients, that of x^0 first")
    ]
  ) { p, _ in
    guard case .list(let items)? = p["coefficients"], (1...mostCoefficients).contains(items.count),
      items.allSatisfy({ $0.number?.isFinite ?? false }), items.contains(where: { $0.number != 0 })
    else { throw p.invalid("coefficients", "must be an array of 1 to \(mostCoefficients) finite numbers, not all 0") }
    return Polynomial(items.map { $0.number! })
  }
}

/// $\kappa = \sum_k r^k/k! \, E \phi^{(k)}(u) \, E \phi^{(k)}(v)$, a finite sum.
extension Polynomial: ClosedKernel {
  package func product(_ k: GaussianPair) -> Double { Self.expansion(coefficients, k) }
  package func slope(_ k: GaussianPair) -> Double { Self.expansion(slopes, k) }

  private static func expansion(_ a: [Double], _ k: GaussianPair) -> Double {
    var (sum, weight, derivative) = (0.0, 1.0, a)
    for order in a.indices {
      sum += weight * mean(derivative, k.p) * mean(derivative, k.q)
      weight *= k.r / Double(order + 1)
      derivative = differentiated(derivative)
    }
    return sum
  }

  /// Of `sum a_j u^j`: moments `(j - 1)!! p^(j/2)` of even order.
  private static func mean(_ a: [Double], _ variance: Double) -> Double {
    var (sum, moment) = (0.0, 1.0)
    for j in stride(from: 0, to: a.count, by: 2) {
      sum += a[j] * moment
      moment *= Double(j + 1) * variance
    }
    return sum
  }
}
