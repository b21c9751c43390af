/// Gauss's quadrature of a law that is given by points with weights: few nodes that have its moments.
///
/// k nodes integrate polynomials to the degree 2k - 1 as the law itself does. The recurrence of its orthogonal polynomials comes from the points
/// (Stieltjes), the nodes are the eigenvalues of the Jacobi matrix, found by bisection, the weights Christoffel's numbers.
package struct GaussNodes: Sendable {
  package let nodes, weights: [Double]

  /// - Parameters:
  ///   - points, weights: of the law; weights are not negative, with a positive sum.
  ///   - count: nodes, at most as many as there are different points.
  package init(points: [Double], weights: [Double], count: Int) {
    let total = weights.reduce(0, +)
    let centre = zip(points, weights).reduce(0) { $0 + $1.0 * $1.1 } / total
    let spread = (zip(points, weights).reduce(0) { $0 + ($1.0 - centre) * ($1.0 - centre) * $1.1 } / total).squareRoot()
    guard spread > 0 else {
      (nodes, self.weights) = ([centre], [1])
      return
    }
    let x = points.map { ($0 - centre) / spread }
    let w = weights.map { $0 / total }
    /// The orthonormal polynomials at the points, of this degree and the one before.
    var (now, before) = (Array(repeating: 1.0, count: x.count), Array(repeating: 0.0, count: x.count))
    var (diagonal, beside): ([Double], [Double]) = ([], [])
    for k in 0..<max(1, count) {
      let a = x.indices.reduce(0.0) { $0 + w[$1] * x[$1] * now[$1] * now[$1] }
      diagonal.append(a)
      guard k + 1 < count else { break }
      var next = x.indices.map { (x[$0] - a) * now[$0] - (beside.last ?? 0) * before[$0] }
      let norm = x.indices.reduce(0.0) { $0 + w[$1] * next[$1] * next[$1] }.squareRoot()
      // As many points as nodes: the next polynomial vanishes on all of them.
      guard norm > 1e-9 else { break }
      next = next.map { $0 / norm }
      beside.append(norm)
      (before, now) = (now, next)
    }
    let found = Self.eigenvalues(diagonal, beside)
    nodes = found.map { centre + spread * $0 }
    self.weights = found.map { node in
      var (value, last, sum) = (1.0, 0.0, 1.0)
      for k in beside.indices {
        (value, last) = (((node - diagonal[k]) * value - (k > 0 ? beside[k - 1] : 0) * last) / beside[k], value)
        sum += value * value
      }
      return 1 / sum
    }
  }

  /// The same nodes, moved and stretched to another mean and standard deviation.
  package func matched(mean: Double, deviation: Double) -> (nodes: [Double], weights: [Double]) {
    let own = zip(nodes, weights).reduce(0) { $0 + $1.0 * $1.1 }
    let spread = zip(nodes, weights).reduce(0) { $0 + ($1.0 - own) * ($1.0 - own) * $1.1 }.squareRoot()
    return (nodes.map { mean + (spread > 0 ? ($0 - own) * deviation / spread : 0) }, weights)
  }

  /// Eigenvalues of a symmetric tridiagonal matrix, ascending: how many lie below a number is the number of negative pivots.
  private static func eigenvalues(_ diagonal: [Double], _ beside: [Double]) -> [Double] {
    func below(_ x: Double) -> Int {
      var (count, pivot) = (0, 1.0)
      for (k, a) in diagonal.enumerated() {
        pivot = a - x - (k > 0 ? beside[k - 1] * beside[k - 1] / pivot : 0)
        if pivot == 0 { pivot = -.leastNormalMagnitude }
        if pivot < 0 { count += 1 }
      }
      return count
    }
    let reach = diagonal.indices.map { k in
      diagonal[k].magnitude + (k > 0 ? beside[k - 1] : 0) + (k < beside.count ? beside[k] : 0)
    }.max()!
    return diagonal.indices.map { place in
      var (low, high) = (-reach, reach)
      for _ in 0..<64 {
        let middle = 0.5 * (low + high)
        if below(middle) > place { high = middle } else { low = middle }
      }
      return 0.5 * (low + high)
    }
  }
}
