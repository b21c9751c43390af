import Experiments
import Kernels
import Networks

extension NetworkLimits {
  static let jacobianSpectrum = LimitEntry<NetworkModel>(
    name: "jacobian-spectrum",
    summary:
      "spectral moments of the Jacobian at infinite width and fixed depth, for perceptrons with Gaussian or orthogonal weights and the probe \(Probe.spectrum.name); no randomness",
    equation:
      "m_1 = prod_l c mu_1, m_2 / m_1^2 = 1 + sum_l (mu_2 / mu_1^2 - 1 + g), mu_k = E phi'(u)^2k, u ~ N(0, K_l); g = 1 of Gaussian weights (n/n0 in the first layer), 0 of orthogonal ones",
    reference: "arXiv:1711.04735; arXiv:1802.09979", parameters: []
  ) { p, network in
    guard let passes = network.architecture as? PassMLP, passes.perceptron.law.isInvariant else {
      throw p.invalid(
        "equation",
        "needs probes = [\"\(Probe.spectrum.name)\"] of a perceptron with Gaussian or orthogonal weights")
    }
    let observables = passes.ownObservables.filter { $0.family.hasSuffix("spectral_moment") }
    guard !observables.isEmpty else {
      throw p.invalid("equation", "needs spectral_moment or log_spectral_moment among the observables")
    }
    let settings = network.settings
    let moments = try (0..<settings.count).map { a in
      guard let found = spectralMoments(passes, settings.inputs.gram[a * settings.count + a]) else {
        throw p.invalid(
          "equation",
          "needs Gaussian expectations of the activation's slope, which are not finite or not found to 1e-11\(network.activation?.eventRemark ?? "")"
        )
      }
      return found
    }
    let means = observables.map { observable -> Double in
      let found = moments[observable.indices[0]]
      let value = observable.indices[1] == 1 ? found.first : found.second
      return observable.family == "spectral_moment" ? value : Elementary.log(value)
    }
    return LimitModel(
      .known(
        ReferenceValues(
          axis: .layers(settings.layers), observables: observables, means: means,
          secondMoments: means.map { _ in .nan }, remainder: [Remainder("width", order: 1, along: .fixedValues)])),
      offset: "an offset of order depth/width is expected of a finite width")
  }

  /// $m_1$ and $m_2$ from the variance of the first layer.
  private static func spectralMoments(_ passes: PassMLP, _ start: Double) -> (first: Double, second: Double)? {
    let perceptron = passes.perceptron
    let moments = UnitMoments(perceptron.activation)
    let shape = Double(passes.settings.width) / Double(passes.passes.features)
    var (variance, first, spread) = (start, 1.0, 1.0)
    for layer in 0..<passes.settings.depth {
      guard let unit = moments.single(variance), let slope = moments.slope(variance), slope.square > 0 else {
        return nil
      }
      let free = perceptron.law == .orthogonal ? 0 : layer == 0 ? shape : 1
      first *= perceptron.gain * slope.square
      spread += slope.fourth / (slope.square * slope.square) - 1 + free
      variance = perceptron.gain * unit.square + perceptron.bias * perceptron.bias
    }
    return (first, spread * first * first)
  }
}
