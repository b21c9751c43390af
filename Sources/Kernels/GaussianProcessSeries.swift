/// The Gaussian process of covariance $e^{-r^2/2l^2}$ on [0, 1] as a series, exactly: with s the distance from the middle over l, $u = e^{-s^2/2} \sum_j g_j s^j/\sqrt{j!}$, g_j standard normal.
package struct GaussianProcessSeries: Sendable {
  /// l.
  package let length: Double
  /// Terms after which nothing of double precision is left.
  package let count: Int

  package init(length: Double) {
    self.length = length
    let z = 0.5 / length
    count = Int(z * z + 12 * z) + 40
  }

  /// Calls `body` with every function of the series at x from the middle, in [-1/2, 1/2].
  package func forEachTerm(_ x: Double, _ body: (_ j: Int, _ value: Double) -> Void) {
    let s = x / length
    var value = Elementary.exp(-0.5 * s * s)
    for j in 0..<count {
      body(j, value)
      value *= s / Double(j + 1).squareRoot()
    }
  }
}
