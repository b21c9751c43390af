/// First and second derivatives of the log likelihood, the mean and the second moment of a regression in the entries of the covariance.
///
/// With $A = V_{yy} + s^2$, $\alpha = A^{-1} y$, $\beta = A^{-1} k$, $k = V_{y*}$, along symmetric directions E, F,
///
/// $$ \partial_E \ell = \tfrac12 (\alpha E \alpha - \operatorname{tr} A^{-1} E), \qquad
///    \partial_E m = (e - E \beta) \cdot \alpha, \qquad \partial_E S = E_{**} - 2\, e \cdot \beta + \beta E \beta, $$
///
/// e the entries of E between training inputs and the test input, and their derivatives along F.
package struct RegressionDerivatives {
  private let regression: GaussianRegression
  private let inputs: Int
  private let inverse: [[Double]]
  private let alpha: [Double]
  private let beta: [[Double]]
  package let likelihood: Double
  package let means, variances: [Double]

  /// Nil where the covariance has no regression.
  package init?(_ regression: GaussianRegression, covariance: [Double], inputs: Int) {
    guard let found = regression.solve(covariance: covariance), found.likelihood.isFinite else { return nil }
    (likelihood, means, variances) = (found.likelihood, found.means, found.variances)
    (self.regression, self.inputs) = (regression, inputs)
    let t = regression.train.count
    // A column of the inverse is the mean of a regression on a unit vector, of an input with the covariance of that column.
    var gram = (0..<t).map { i in (0..<t).map { covariance[regression.train[i] * inputs + regression.train[$0]] } }
    for i in 0..<t { gram[i][i] += regression.noise }
    guard let inverse = Self.inverse(gram) else { return nil }
    self.inverse = inverse
    alpha = Self.product(inverse, regression.targets)
    beta = regression.test.map { a in
      Self.product(inverse, regression.train.map { covariance[$0 * inputs + a] })
    }
  }

  /// Of a positive definite matrix, by elimination.
  private static func inverse(_ matrix: [[Double]]) -> [[Double]]? {
    let t = matrix.count
    var rows = matrix.enumerated().map { i, row in row + (0..<t).map { $0 == i ? 1 : 0 } }
    for i in 0..<t {
      let pivot = rows[i][i]
      guard pivot > 0 else { return nil }
      rows[i] = rows[i].map { $0 / pivot }
      for j in 0..<t where j != i {
        let factor = rows[j][i]
        for k in 0..<2 * t { rows[j][k] -= factor * rows[i][k] }
      }
    }
    return rows.map { Array($0[t...]) }
  }

  private static func product(_ matrix: [[Double]], _ x: [Double]) -> [Double] { matrix.map { dot($0, x) } }
  private static func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }

  /// A direction in the space of covariances: ones at the entries of two sets of equal inputs, both ways.
  package struct Direction {
    fileprivate let train: [[Double]]
    fileprivate let cross: [[Double]]
    fileprivate let own: [Double]
  }

  /// - Parameter entry: of the covariance; the inputs a and b belong to it or not.
  package func direction(_ entry: (Int, Int) -> Bool) -> Direction {
    func value(_ a: Int, _ b: Int) -> Double { entry(a, b) || entry(b, a) ? 1 : 0 }
    let train = regression.train
    return Direction(
      train: train.map { a in train.map { value(a, $0) } },
      cross: regression.test.map { a in train.map { value(a, $0) } }, own: regression.test.map { value($0, $0) })
  }

  /// Along a direction: of the log likelihood, and of m and S of a test input.
  package func first(_ e: Direction) -> (likelihood: Double, means: [Double], variances: [Double]) {
    let image = Self.product(e.train, alpha)
    var trace = 0.0
    for (row, other) in zip(inverse, e.train) { trace += Self.dot(row, other) }
    return (
      0.5 * (Self.dot(alpha, image) - trace),
      beta.indices.map { Self.dot(e.cross[$0], alpha) - Self.dot(beta[$0], image) },
      beta.indices.map { c in
        e.own[c] - 2 * Self.dot(e.cross[c], beta[c]) + Self.dot(beta[c], Self.product(e.train, beta[c]))
      }
    )
  }

  /// Along two directions.
  package func second(_ e: Direction, _ f: Direction) -> (likelihood: Double, means: [Double], variances: [Double]) {
    func pushed(_ direction: Direction, _ x: [Double]) -> [Double] { Self.product(direction.train, x) }
    func solved(_ x: [Double]) -> [Double] { Self.product(inverse, x) }
    let (ea, fa) = (solved(pushed(e, alpha)), solved(pushed(f, alpha)))
    var trace = 0.0
    let (left, right) = (inverse.map { pushed(e, $0) }, inverse.map { pushed(f, $0) })
    for i in alpha.indices { for j in alpha.indices { trace += left[i][j] * right[j][i] } }
    let likelihood = 0.5 * trace - Self.dot(pushed(e, alpha), fa)
    let means = beta.indices.map { c in
      Self.dot(pushed(e, beta[c]), fa) + Self.dot(pushed(f, beta[c]), ea) - Self.dot(e.cross[c], fa)
        - Self.dot(f.cross[c], ea)
    }
    let variances = beta.indices.map { c -> Double in
      let (eb, fb) = (solved(pushed(e, beta[c])), solved(pushed(f, beta[c])))
      let cross = Self.dot(e.cross[c], fb) + Self.dot(f.cross[c], eb) - Self.dot(e.cross[c], solved(f.cross[c]))
      return 2 * (cross - Self.dot(pushed(e, beta[c]), fb))
    }
    return (likelihood, means, variances)
  }
}
