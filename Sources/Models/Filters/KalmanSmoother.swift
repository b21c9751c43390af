import Kernels

/// Filtered and smoothed laws of a linear Gaussian model, by Kalman's filter and the Rauch-Tung-Striebel recursion, with log Z; missing observations are passed over.
struct KalmanSmoother: Sendable {
  /// Means, as columns, and covariances of X_t given y_0, …, y_t.
  private(set) var means: [Matrix] = []
  private(set) var covariances: [Matrix] = []
  private(set) var logEvidence = 0.0
  private let transition, noise: Matrix

  init(transition: Matrix, noise: Matrix, emission: Matrix, error: Matrix, start: Matrix, _ observations: Observations)
  {
    (self.transition, self.noise) = (transition, noise)
    var (mean, covariance) = (Matrix(transition.rows, 1), start)
    for t in 0..<observations.count {
      if t > 0 { (mean, covariance) = predicted(mean, covariance) }
      if !observations.isMissing(t) {
        let total = (emission * covariance * emission.transposed + error).symmetric
        guard let seen = Whitening(total) else { preconditionFailure("errors of observations are positive definite") }
        let residual = Matrix(column: (0..<emission.rows).map { observations[t, $0] }) - emission * mean
        let white = seen.inverse * residual
        logEvidence += seen.logNormaliser - 0.5 * white.values.reduce(0) { $0 + $1 * $1 }
        let gain = covariance * emission.transposed * seen.precision
        mean = mean + gain * residual
        // Joseph's form keeps it positive.
        let rest = .identity(mean.rows) - gain * emission
        covariance = (rest * covariance * rest.transposed + gain * error * gain.transposed).symmetric
      }
      means.append(mean)
      covariances.append(covariance)
    }
  }

  private func predicted(_ mean: Matrix, _ covariance: Matrix) -> (Matrix, Matrix) {
    (transition * mean, (transition * covariance * transition.transposed + noise).symmetric)
  }

  /// What step t tells of step t - 1: $E[x_{t-1} | x_t, y] = m + G (x_t - A m)$, with the covariance that is left.
  func back(_ t: Int) -> (gain: Matrix, rest: Matrix) {
    let (_, ahead) = predicted(means[t - 1], covariances[t - 1])
    guard let white = Whitening(ahead) else { preconditionFailure("noise is positive definite") }
    let gain = covariances[t - 1] * transition.transposed * white.precision
    return (gain, (covariances[t - 1] - gain * ahead * gain.transposed).symmetric)
  }

  /// $E[\sum_{t \ge 1} x_{t-1} \cdot x_t | y]$ and $E[\sum_{t \ge 1} |x_{t-1}|^2 | y]$.
  var products: [Double] {
    var (mean, covariance) = (means[means.count - 1], covariances[covariances.count - 1])
    var sums = [0.0, 0.0]
    for t in means.indices.dropFirst().reversed() {
      let (gain, rest) = back(t)
      let former = means[t - 1] + gain * (mean - transition * means[t - 1])
      // Cov(x_{t-1}, x_t | y) = G Cov(x_t | y).
      let cross = gain * covariance + former * mean.transposed
      sums[0] += cross.trace
      covariance = (rest + gain * covariance * gain.transposed).symmetric
      mean = former
      sums[1] += (covariance + mean * mean.transposed).trace
    }
    return sums
  }
}
