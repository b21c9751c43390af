import Kernels

/// Equidistant points on the line, on which a model with normal transitions becomes a chain of finitely many states: quadrature by the trapezoidal rule, which converges at once for smooth densities on points closer than a deviation.
package struct LineGrid: Sendable {
  let from, spacing: Double
  let count: Int

  init(from: Double, to: Double, count: Int) {
    (self.from, self.count) = (from, count)
    spacing = (to - from) / Double(count - 1)
  }

  package var points: [Double] { (0..<count).map { self[$0] } }

  subscript(_ i: Int) -> Double { from + spacing * Double(i) }

  /// Mass of N(mean, spread^2) at every point.
  private func masses(_ mean: Double, _ spread: Double) -> [Double] {
    let scale = spacing / (spread * (2 * Double.pi).squareRoot())
    return (0..<count).map {
      let z = (self[$0] - mean) / spread
      return scale * Elementary.exp(max(-0.5 * z * z, -746))
    }
  }

  /// - Parameters:
  ///   - start: mean and deviation of X_0.
  ///   - laws: mean and deviation of X_t, given that X_{t-1} is at point i.
  ///   - logDensity: log g(x, y_t) at point i, 0 where y_t is missing.
  func smoother(
    _ observations: Observations, start: (mean: Double, spread: Double), laws: (Int) -> (mean: Double, spread: Double),
    logDensity: (_ i: Int, _ t: Int) -> Double
  ) -> FiniteSmoother {
    FiniteSmoother(
      start: masses(start.mean, start.spread),
      transition: (0..<count).flatMap { i in
        let law = laws(i)
        return masses(law.mean, law.spread)
      },
      logLikelihood: (0..<observations.count).map { t in (0..<count).map { logDensity($0, t) } })
  }

  /// Sums of x_{t-1} x_t and x_{t-1}^2 given y.
  func products(_ smoother: FiniteSmoother) -> [Double] {
    smoother.functionals(2) { _, i, j, weight, sums in
      sums[0] += weight * self[i] * self[j]
      sums[1] += weight * self[i] * self[i]
    }
  }
}
