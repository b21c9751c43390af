import Experiments
import Kernels

/// The posterior of a deep linear network, exactly at every width and depth.
///
/// Given the norms of its layers the output is a Gaussian process: with $u = \prod_{l=1}^{L} \chi^2_n / n$, independent, $f \mid u \sim GP(0, g u V_0)$ at all inputs together, g the product of the gains. So every
/// expectation is an integral over one number,
///
/// $$ E[f | y] = \frac{\int p(u) e^{\ell(u)} m(u)\, du}{\int p(u) e^{\ell(u)}\, du} , $$
///
/// l, m and S those of regression with covariance g u V_0. In t = log u the density is analytic and falls off exponentially, so the trapezoidal rule has all digits; that of a product is
/// a convolution.
package struct LinearPosterior: Sendable {
  /// Of every layer: the activation's slope squared times c.
  let gain: Double
  let width: Int

  /// Nil for a network that is not linear, or has biases behind its first layer.
  package init?(_ perceptron: Perceptron, width: Int) {
    guard let slopes = perceptron.activation as? SlopeActivation, slopes.plus == slopes.minus, perceptron.bias == 0,
      perceptron.mixture == nil, perceptron.law == .gaussian
    else { return nil }
    (gain, self.width) = (perceptron.gain * slopes.plus * slopes.plus, width)
  }

  /// The density of log(chi^2_n/n) at a point, not normalised, and at its mode 1.
  private func density(_ t: Double) -> Double {
    let half = 0.5 * Double(width)
    return Elementary.exp(half * (t - Elementary.exp(t) + 1))
  }

  /// Points log u and their probabilities, a step apart.
  private func nodes(layers: Int, step: Double) -> (points: [Double], weights: [Double])? {
    // Where the density is below e^-80 of its mode.
    let half = 0.5 * Double(width)
    func isSeen(_ k: Int) -> Bool { half * (Double(k) * step - Elementary.exp(Double(k) * step) + 1) > -80 }
    var (low, high) = (0, 0)
    while isSeen(low) { low -= 1 }
    while isSeen(high) { high += 1 }
    let count = Double(high - low + 1) * Double(layers)
    guard count * count < Self.mostWork else { return nil }
    let own = (low...high).map { density(Double($0) * step) }
    let total = own.reduce(0, +)
    let one = own.map { $0 / total }
    var all = one
    for _ in 1..<layers {
      var next = Array(repeating: 0.0, count: all.count + one.count - 1)
      for (i, p) in all.enumerated() { for (j, q) in one.enumerated() { next[i + j] += p * q } }
      all = next
    }
    return (all.indices.map { Double($0 + layers * low) * step }, all)
  }

  /// Products of all convolutions together, at most: a job is to be read in a second.
  private static let mostWork = 1e8
  /// Measured layers times the square of the number of inputs, at most, for the same reason.
  static let mostRegressions = 4096

  /// By the names of the estimands, for V_0 and that depth; nil where twice as many points do not give the same to 1e-9, a number is out of range, or there are too many
  /// layers for the convolutions.
  package func values(_ regression: GaussianRegression, covariance: [Double], layers: Int) -> [String: Double]? {
    // A sixth of the deviation of log chi^2_n/n in the finer rule: the error is e^{-2 pi^2 36}, of the coarser one e^{-2 pi^2 9}.
    let step = min(0.2, (2 / Double(width)).squareRoot() / 3)
    guard let coarse = integrals(regression, covariance, layers: layers, step: step),
      let fine = integrals(regression, covariance, layers: layers, step: step / 2),
      fine.allSatisfy({ key, value in
        value.isFinite && (value - coarse[key, default: .nan]).magnitude <= 1e-9 * max(1, value.magnitude)
      })
    else { return nil }
    return fine
  }

  private func integrals(
    _ regression: GaussianRegression, _ covariance: [Double], layers: Int, step: Double
  ) -> [String: Double]? {
    guard let (points, weights) = nodes(layers: layers, step: step) else { return nil }
    let scale = ExactMoments.power(gain, layers)
    let found = points.compactMap { t in
      let u = scale * Elementary.exp(t)
      return regression.solve(covariance: covariance.map { $0 * u })
    }
    guard found.count == points.count, let centre = found.map(\.likelihood).max(), centre.isFinite else { return nil }
    let tests = regression.test
    var (total, means, seconds) = (0.0, tests.map { _ in 0.0 }, tests.map { _ in 0.0 })
    for (p, one) in zip(weights, found) {
      let w = p * Elementary.exp(one.likelihood - centre)
      total += w
      for c in tests.indices {
        means[c] += w * one.means[c]
        seconds[c] += w * (one.variances[c] + one.means[c] * one.means[c])
      }
    }
    var values = [Posterior.evidenceName: centre + Elementary.log(total)]
    for (c, a) in tests.enumerated() {
      let mean = means[c] / total
      values[Posterior.meanName(a)] = mean
      values[Posterior.varianceName(a)] = seconds[c] / total - mean * mean
    }
    return values
  }
}
