extension Formula {
  /// Its coefficients from order 0 up if it is a polynomial in one variable by its form, and depends on no other one; nil else, or
  /// if the degree exceeds 64. The last coefficient is not 0, but for `[0]`.
  public func polynomial(in variable: String) -> [Double]? {
    variables.firstIndex(of: variable).flatMap { graph.polynomial(root, variable: $0) }
  }
}

extension Graph {
  static let largestDegree = 64

  /// Coefficients of a node, as `Formula.polynomial`.
  func polynomial(_ root: ID, variable: Int) -> [Double]? {
    let marks = needed(by: [root])
    var polynomials = [[Double]?](repeating: nil, count: nodes.count)
    for k in nodes.indices where marks[k] {
      let node = nodes[k]
      func of(_ id: ID) -> [Double]? { id < 0 ? nil : polynomials[Int(id)] }
      polynomials[k] =
        switch node.operation {
        case .constant: [Double(bitPattern: node.payload)]
        case .variable: node.exponent == variable ? [0, 1] : nil
        case .negate: of(node.a)?.map { -$0 }
        case .add: Self.sum(of(node.a), of(node.b), sign: 1)
        case .subtract: Self.sum(of(node.a), of(node.b), sign: -1)
        case .multiply: Self.product(of(node.a), of(node.b))
        case .divide: Self.quotient(of(node.a), of(node.b))
        case .power: Self.power(of(node.a), node.exponent)
        default: nil
        }
    }
    return polynomials[Int(root)]
  }

  private static func trimmed(_ p: [Double]) -> [Double]? {
    guard p.allSatisfy(\.isFinite) else { return nil }
    let degree = p.lastIndex { $0 != 0 } ?? 0
    return degree > largestDegree ? nil : Array(p[...degree])
  }

  private static func sum(_ p: [Double]?, _ q: [Double]?, sign: Double) -> [Double]? {
    guard let p, let q else { return nil }
    return trimmed(
      (0..<max(p.count, q.count)).map { ($0 < p.count ? p[$0] : 0) + sign * ($0 < q.count ? q[$0] : 0) })
  }

  private static func product(_ p: [Double]?, _ q: [Double]?) -> [Double]? {
    guard let p, let q else { return nil }
    var r = [Double](repeating: 0, count: p.count + q.count - 1)
    for (i, a) in p.enumerated() { for (j, b) in q.enumerated() { r[i + j] += a * b } }
    return trimmed(r)
  }

  private static func quotient(_ p: [Double]?, _ q: [Double]?) -> [Double]? {
    guard let p, let q, q.count == 1 else { return nil }
    return trimmed(p.map { $0 / q[0] })
  }

  private static func power(_ p: [Double]?, _ n: Int) -> [Double]? {
    guard let p, n >= 0, n <= largestDegree else { return nil }
    return (0..<n).reduce([1]) { power, _ in product(power, p) }
  }
}
