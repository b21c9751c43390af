/// A smooth function of means by the delta method, with control variates: what is known to have mean 0 and varies with it.
///
/// Of n independent draws with means $\hat\mu$ and covariance $\Sigma$, of a function f with gradient g at $\hat\mu$, and of controls c whose
/// expectation is 0,
///
/// $$ \hat f = f(\hat\mu) - \beta \cdot \hat c, \qquad \beta = \Sigma_{cc}^{-1} \Sigma_{c \cdot}\, g, \qquad
///    \sigma^2 = \frac{g^T \Sigma g - \beta \cdot \Sigma_{cc} \beta}{n - k}, $$
///
/// k the number of controls. Any fixed $\beta$ would leave the mean as it is; the fitted one has a bias of order 1/n, as f has.
/// Controls that depend on those before them are left out.
public struct ControlledEstimate: Sendable, Equatable {
  /// With controls.
  public let value, error: Double
  /// Without.
  public let plainValue, plainError: Double
  /// Standard deviation of a draw of the linear part, `plainError` times the root of the number of draws.
  public let deviation: Double
  /// Controls that are used.
  public let controls: Int

  /// Part of the variance of a control that must be its own.
  static let leastOwnVariance = 1e-9
  /// Draws for each control below which none is used.
  static let drawsPerControl = 10

  /// - Parameters:
  ///   - value: f at the means.
  ///   - gradient: of f in all variables, 0 for those that it does not depend on.
  ///   - covariance: of all variables, row by row; only the entries of the controls and of those with a gradient are read.
  ///   - controls: places of the variables whose expectation is 0, and `controlMeans` their means over the draws.
  public init(
    count: Int64, value: Double, gradient: [Double], covariance: [Double], controls: [Int], controlMeans: [Double]
  ) {
    let size = gradient.count
    let n = Double(count)
    let active = gradient.indices.filter { gradient[$0] != 0 }
    func withGradient(_ row: Int) -> Double { active.reduce(0) { $0 + covariance[row * size + $1] * gradient[$1] } }
    let variance = max(active.reduce(0) { $0 + gradient[$1] * withGradient($1) }, 0)
    plainValue = value
    deviation = variance.squareRoot()
    plainError = count > 1 ? (variance / n).squareRoot() : .nan
    let usable = controls.indices.filter { covariance[controls[$0] * size + controls[$0]] > 0 }
    guard Int(count) >= Self.drawsPerControl * usable.count, !usable.isEmpty, plainError > 0 else {
      (self.value, error, self.controls) = (value, plainError, 0)
      return
    }
    // In units in which every control has the variance 1: Cholesky's factor, row by row, with what is solved for.
    let places = usable.map { controls[$0] }
    let scales = places.map { covariance[$0 * size + $0].squareRoot() }
    var rows: [[Double]] = []
    var (keptPlaces, keptScales): ([Int], [Double]) = ([], [])
    var (projections, means): ([Double], [Double]) = ([], [])
    for (k, place) in places.enumerated() {
      var row: [Double] = []
      for (j, other) in rows.enumerated() {
        let own = covariance[place * size + keptPlaces[j]] / scales[k] / keptScales[j]
        row.append((own - zip(row, other).reduce(0) { $0 + $1.0 * $1.1 }) / other[j])
      }
      let left = 1 - row.reduce(0) { $0 + $1 * $1 }
      guard left > Self.leastOwnVariance else { continue }
      let root = left.squareRoot()
      func solved(_ x: Double, _ before: [Double]) -> Double {
        (x - zip(row, before).reduce(0) { $0 + $1.0 * $1.1 }) / root
      }
      projections.append(solved(withGradient(place) / scales[k], projections))
      means.append(solved(controlMeans[usable[k]] / scales[k], means))
      rows.append(row + [root])
      keptPlaces.append(place)
      keptScales.append(scales[k])
    }
    let explained = projections.reduce(0) { $0 + $1 * $1 }
    self.value = value - zip(projections, means).reduce(0) { $0 + $1.0 * $1.1 }
    self.controls = projections.count
    error = (max(variance - explained, 0) / (n - Double(projections.count))).squareRoot()
  }
}
