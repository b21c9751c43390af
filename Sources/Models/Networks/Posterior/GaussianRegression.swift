import Kernels

/// Regression with a Gaussian process whose covariance is given as a triangular factor, `V = L L^T`:
///
/// $$ \ell = \log N(y; 0, V_{yy} + s^2), \qquad m = V_{*y} (V_{yy} + s^2)^{-1} y, \qquad
///    S = V_{**} - V_{*y} (V_{yy} + s^2)^{-1} V_{y*} . $$
///
/// No Gram matrix is formed, and nothing is added to its diagonal but $s^2$: the QR factor R of the rows of $L^T$ and of $s\,1$ has
/// $R^T R = V + s^2$ over the training inputs, and what the test inputs have beyond these, in its lower right, is the factor of S. So condition
/// numbers are not squared, S is a sum of squares, and equal inputs are no special case unless s = 0.
public struct GaussianRegression: Sendable {
  /// Inputs by their place in V.
  public let train, test: [Int]
  public let targets: [Double]
  /// $s^2$.
  public let noise: Double
  @usableFromInline package let inputs: Int

  public init(inputs: Int, train: [Int], targets: [Double], noise: Double, test: [Int]) {
    precondition(train.count == targets.count)
    precondition((train + test).allSatisfy { (0..<inputs).contains($0) })
    (self.inputs, self.train, self.targets, self.noise, self.test) = (inputs, train, targets, noise, test)
  }

  @usableFromInline var columns: Int { train.count + test.count }

  /// Numbers that `solve` needs room for: R, a row of it, and what R is solved for.
  public var room: Int { columns * columns + columns + train.count }

  /// - Parameters:
  ///   - lower: L, row by row.
  ///   - work: room for `room` numbers.
  ///   - means: receives m of the test inputs, `variances` S.
  /// - Returns: l; minus infinity where the targets have no density, with m = S = 0.
  public func solve(
    lower: UnsafePointer<Double>, work: UnsafeMutablePointer<Double>, means: UnsafeMutablePointer<Double>,
    variances: UnsafeMutablePointer<Double>
  ) -> Double {
    let (q, t) = (columns, train.count)
    let (factor, row, solved) = (work, work + q &* q, work + (q &* q &+ q))
    for i in 0..<q &* q { factor[i] = 0 }
    for k in 0..<inputs {
      for j in 0..<q {
        let input = j < t ? train[j] : test[j &- t]
        row[j] = k <= input ? lower[input &* inputs &+ k] : 0
      }
      Triangular.addRow(row, from: 0, to: factor, m: q)
    }
    if noise > 0 {
      let deviation = noise.squareRoot()
      for j in 0..<t {
        for k in j..<q { row[k] = k == j ? deviation : 0 }
        Triangular.addRow(row, from: j, to: factor, m: q)
      }
    }
    var likelihood = -Self.halfLogTwoPi * Double(t)
    for j in 0..<t {
      let pivot = factor[j &* q &+ j]
      guard pivot != 0 else {
        for c in 0..<test.count { (means[c], variances[c]) = (0, 0) }
        return -.infinity
      }
      var rest = targets[j]
      for i in 0..<j { rest -= factor[i &* q &+ j] * solved[i] }
      solved[j] = rest / pivot
      likelihood -= 0.5 * solved[j] * solved[j] + Elementary.log(pivot.magnitude)
    }
    for c in 0..<test.count {
      var (mean, variance) = (0.0, 0.0)
      for i in 0..<t { mean += factor[i &* q &+ t &+ c] * solved[i] }
      for i in t...(t &+ c) { variance += factor[i &* q &+ t &+ c] * factor[i &* q &+ t &+ c] }
      (means[c], variances[c]) = (mean, variance)
    }
    return likelihood
  }

  /// $\tfrac12 \log \det(1 + V_{yy} / s^2)$, what the targets tell of the outputs, in nats.
  /// - Parameter work: as `solve` left it.
  /// - Precondition: s > 0.
  func information(_ work: UnsafePointer<Double>) -> Double {
    let deviation = noise.squareRoot()
    return train.indices.reduce(0) { $0 + Elementary.log(work[$1 &* (columns &+ 1)].magnitude / deviation) }
  }

  /// The same for a covariance itself, in float64; nil where it is not positive semi-definite, or out of the range of numbers.
  package func solve(
    covariance: [Double]
  ) -> (likelihood: Double, means: [Double], variances: [Double], information: Double)? {
    guard covariance.allSatisfy(\.isFinite), let lower = Triangular.cholesky(covariance, m: inputs, tolerance: 1e-9)
    else { return nil }
    var work = Array(repeating: 0.0, count: room)
    var (means, variances) = (Array(repeating: 0.0, count: test.count), Array(repeating: 0.0, count: test.count))
    let likelihood = solve(lower: lower, work: &work, means: &means, variances: &variances)
    return (likelihood, means, variances, noise > 0 ? information(work) : .infinity)
  }

  /// Ratio of the largest to the smallest eigenvalue of $V_{yy} + s^2$; infinity where it is singular.
  package func condition(covariance: [Double]) -> Double {
    let t = train.count
    var gram = (0..<t * t).map { covariance[train[$0 / t] * inputs + train[$0 % t]] }
    for i in 0..<t { gram[i * t + i] += noise }
    guard var lower = Triangular.cholesky(gram, m: t, tolerance: 1e-9) else { return .infinity }
    var squares = Array(repeating: 0.0, count: t)
    SingularValues.squares(&lower, m: t, into: &squares)
    return squares[t - 1] > 0 ? squares[0] / squares[t - 1] : .infinity
  }

  /// (1/2) log(2 pi).
  static let halfLogTwoPi = 0.5 * Elementary.log(2 * Double.pi)
}
