/// A multilayer perceptron, whatever its draws measure: what theories of it need.
///
///     z_1 ~ N(0, V_0),   z_{l+1} = sqrt(c/n) W_{l+1} phi(z_l) + sigma_b b_{l+1},   f = sqrt(c/n) v . phi(z_d) + sigma_b b
package struct Perceptron: Sendable {
  package let activation: any Activation
  /// c, and sigma_b.
  package let gain, bias: Double
  /// Law of the weights, and of those of the output.
  package let law, readout: WeightLaw
  /// Learning rates of the tangent kernel.
  package let metric: LearningMetric
  /// The random variance of weights; nil of fixed ones.
  package let mixture: ScaleMixture?

  /// - Parameter readout: that of the other weights unless given.
  package init(
    activation: any Activation, gain: Double, bias: Double = 0, law: WeightLaw = .gaussian, readout: WeightLaw? = nil,
    metric: LearningMetric = .variances, mixture: ScaleMixture? = nil
  ) {
    (self.activation, self.gain, self.bias, self.law) = (activation, gain, bias, law)
    self.readout = readout ?? law
    self.metric = metric
    self.mixture = mixture
  }

  /// $\lambda_b$ and $\lambda_W$.
  package var biasRate: Double { metric.biases ?? bias * bias }
  package var weightRate: Double { metric.weights ?? gain }

  /// K of a layer from $E \phi(u_a) \phi(u_b)$ of the one before it.
  package func covariance(_ products: [Double]) -> [Double] { products.map { gain * $0 + bias * bias } }

  /// The kernel of the first layer from V_0.
  package func firstKernel(_ covariance: Double) -> Double {
    if metric == .variances { return covariance }
    return metric.increment((covariance - bias * bias) / gain, gain: gain, bias: bias)
  }
}

/// An architecture that is a perceptron.
package protocol PerceptronArchitecture: Architecture {
  var perceptron: Perceptron { get }
}

extension MLP: PerceptronArchitecture {
  package var perceptron: Perceptron { Perceptron(activation: activation, gain: gain, bias: bias) }
}

extension OrthogonalMLP: PerceptronArchitecture {
  package var perceptron: Perceptron { Perceptron(activation: activation, gain: gain, law: .orthogonal) }
}

extension TangentMLP: PerceptronArchitecture {
  package var perceptron: Perceptron {
    Perceptron(activation: activation, gain: gain, bias: bias, law: orthogonal ? .orthogonal : .gaussian)
  }
}

extension PassMLP: PerceptronArchitecture {
  package var perceptron: Perceptron {
    Perceptron(
      activation: passes.activation, gain: passes.gain, bias: passes.bias, law: passes.law, readout: passes.readout,
      metric: passes.metric, mixture: passes.mixture)
  }
}

extension NetworkModel {
  /// The network as a perceptron; nil if it is none.
  package var perceptron: Perceptron? { (architecture as? any PerceptronArchitecture)?.perceptron }

  /// The same if all its weights are Gaussian.
  package var gaussianPerceptron: Perceptron? { perceptron.flatMap { $0.law == .gaussian ? $0 : nil } }
}
