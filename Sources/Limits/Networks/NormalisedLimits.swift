import Experiments
import Kernels
import Networks

extension NormalisedMLP: CovarianceRecursive {
  /// `K' = c E[phi(u_a) phi(u_b)]`, u ~ N(0, correlations of K), over the units; of a batch for ReLU and inputs whose pairs are all alike.
  package func covarianceRecursion() -> CovarianceRecursion? {
    let m = settings.count
    if normalisation == .batch {
      guard let batch = BatchNormalisation(self) else { return nil }
      let image = (0..<m * m).map { $0 % (m + 1) == 0 ? 0.5 * gain : gain * batch.product }
      return CovarianceRecursion(settings) { _, _ in image }
    }
    let kernel = ActivationKernel(activation)
    return CovarianceRecursion(settings) { [gain] k, _ in
      let norms = (0..<m).map { k[$0 * m + $0].squareRoot() }
      return kernel.apply((0..<m * m).map { k[$0] / (norms[$0 / m] * norms[$0 % m]) }, m).map { gain * $0 }
    }
  }

  package var noRecursion: String {
    "has a closed form behind batch normalisation only for relu and inputs whose pairs are all alike"
  }
}

/// ReLU behind batch normalisation at infinite width, with inputs whose pairs are all alike (docs/limits.md).
///
/// $\hat u$ is uniform on the sphere of radius $\sqrt m$ in the m - 1 dimensions orthogonal to (1, ..., 1): pairs have the correlation
/// r = -1/(m - 1), and |u - mean| is independent of it.
struct BatchNormalisation {
  private let count, gain: Double
  /// $\kappa = E \phi(\hat u_a) \phi(\hat u_b)$.
  let product: Double
  /// Variance of a pre-activation less the covariance of two, of the first layer.
  private let start: Double

  /// - Returns: nil for other networks.
  init?(_ network: NormalisedMLP) {
    let (m, gram) = (network.settings.count, network.settings.inputs.gram)
    let (variance, covariance) = (gram[0], gram[1])
    let isAlike = (0..<m * m).allSatisfy {
      (gram[$0] - ($0 % (m + 1) == 0 ? variance : covariance)).magnitude <= 1e-12 * variance
    }
    guard network.normalisation == .batch, network.activation.isRelu, isAlike else { return nil }
    (count, gain, start) = (Double(m), network.gain, variance - covariance)
    product = ActivationKernel(network.activation).product(1, 1, -1 / (count - 1))
  }

  /// $E|D_l|^2 / E|D_{l+1}|^2$: with y ~ N(0, I - 11^T/m), which the gradient is in law before the activation,
  ///
  /// $$\frac{c}{m - 1}\,E\frac{m}{|u - \bar u|^2}\;E\Bigl[\sum_a \phi_a'^2 y_a^2 - \frac1m\Bigl(\sum_a \phi'_a y_a\Bigr)^2 - \frac1m\Bigl(\sum_a \hat u_a \phi'_a y_a\Bigr)^2\Bigr],$$
  ///
  /// pi/(pi - 1) for many inputs.
  func ratio(layer: Int) -> Double {
    let m = count
    let r = -1 / (m - 1)
    let angle = Elementary.angle(x: r, y: (1 - r * r).squareRoot())
    // Both above 0.
    let active = 0.5 - angle / (2 * Double.pi)
    let numbers = 0.5 * m + m * (m - 1) * active
    let sums = 0.5 * m + m * (m - 1) * product
    let inside = 0.5 * (m - 1) - (0.5 * m - numbers / m) / m - (0.5 * m - sums / m) / m
    let variance = layer == 1 ? start : gain * (0.5 - product)
    return gain * m / ((m - 3) * variance) * inside / (m - 1)
  }
}

extension NetworkLimits {
  static let normalisedGradient = LimitEntry<NetworkModel>(
    name: "normalised-gradient",
    summary:
      "growth of the gradient from layer to layer behind batch, layer or RMS normalisation, at infinite width; no randomness",
    equation:
      "|D_l|^2 / |D_{l+1}|^2: c E phi'(g)^2 mean_a 1/V_{l-1,aa} over the units, g standard normal; batch, ReLU, inputs whose pairs are all alike: docs/limits.md, pi/(pi - 1) for many inputs",
    reference: "arXiv:1902.08129; docs/limits.md", parameters: []
  ) { p, network in
    guard let normalised = network.architecture as? NormalisedMLP else {
      throw p.invalid("equation", "needs \(NormalisedMLP.entry.name)")
    }
    let observables = normalised.ownObservables.filter { $0.family == NormalisedMLP.Family.ratio.rawValue }
    guard !observables.isEmpty else {
      throw p.invalid("equation", "needs \(NormalisedMLP.Family.ratio.rawValue) among the observables")
    }
    let ratio: (Int) -> Double
    if normalised.normalisation == .batch {
      guard let batch = BatchNormalisation(normalised), normalised.settings.count > 3 else {
        throw p.invalid(
          "equation", "needs relu, and more than 3 inputs whose pairs are all alike, behind batch normalisation")
      }
      ratio = batch.ratio
    } else {
      let kernel = ActivationKernel(normalised.activation)
      let (m, gram) = (normalised.settings.count, normalised.settings.inputs.gram)
      let slopes = normalised.gain * kernel.derivativeProduct(1, 1, 1)
      let later = normalised.gain * kernel.product(1, 1, 1)
      let first = (0..<m).reduce(0.0) { $0 + 1 / gram[$1 * m + $1] } / Double(m)
      ratio = { slopes * ($0 == 1 ? first : 1 / later) }
    }
    let means = observables.map { Elementary.log(ratio($0.indices[0])) }
    return LimitModel(
      .known(
        ReferenceValues(
          axis: .layers(normalised.settings.layers), observables: observables, means: means,
          secondMoments: means.map { _ in .nan }, remainder: [Remainder("width", order: 1, along: .fixedValues)])),
      offset: "an offset of order 1/width is expected")
  }
}
