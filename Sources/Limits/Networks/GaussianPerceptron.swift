import Networks

/// A multilayer perceptron with Gaussian weights, whichever probes its draws measure: what limits of its covariance need of it.
struct GaussianPerceptron {
  let activation: ActivationChoice
  /// sigma_b.
  let bias: Double

  init?(_ network: NetworkModel) {
    guard let activation = network.activation else { return nil }
    self.activation = activation
    switch network.architecture {
    case let network as MLP: bias = network.bias
    case let network as TangentMLP where !network.orthogonal: bias = network.bias
    default: return nil
    }
  }
}
