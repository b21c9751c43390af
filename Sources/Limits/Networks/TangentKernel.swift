import Kernels
import Networks
import Experiments

/// A perceptron whose neural tangent kernel is measured: what `infinite-width-ntk` needs of it.
protocol TangentRecursive: CovarianceRecursive, PerceptronArchitecture {
  /// What is measured of it; nil if nothing is.
  var measuredKernel: TangentKernelObservables? { get }
}

extension TangentMLP: TangentRecursive {
  var measuredKernel: TangentKernelObservables? { kernel }
}

extension PassMLP: TangentRecursive {}

extension NetworkLimits {
  static let tangentKernel = LimitEntry<NetworkModel>(
    name: "infinite-width-ntk",
    summary:
      "neural tangent kernel at infinite width and fixed depth, for every network with the probe \(Probe.tangentKernel.name), with its regression where there is a [posterior]; no randomness",
    equation:
      "Theta_l = K_l + Theta_{l-1} c E[phi'(u_a) phi'(u_b)], u ~ N(0, K_{l-1}), Theta_0 = K_0; K of infinite-width; trained to Theta_*y (Theta_yy + s^2)^-1 y",
    reference: "arXiv:1806.07572, theorem 1; arXiv:1902.06720, eq. 14; docs/limits.md", parameters: []
  ) { p, network in
    guard let architecture = network.architecture as? any TangentRecursive,
      let recursion = architecture.covarianceRecursion(), let kernel = architecture.measuredKernel
    else { throw p.invalid("equation", "needs probes = [\"\(Probe.tangentKernel.name)\"] of the network") }
    let (layer, m) = (architecture.perceptron, network.settings.count)
    let activation = ActivationKernel(layer.activation)
    var k = recursion.start
    var theta = k.map(layer.firstKernel)
    var reached = network.settings.inputs.layer
    let posterior = network.posterior.flatMap { $0.isTangent ? $0 : nil }
    let own = kernel.observables + (posterior?.tangentObservables ?? [])
    var model = LimitModel.infiniteWidth(network.settings, own: own) { target in
      while reached < target {
        // What of Theta arrives in the next layer.
        let (products, slopes) = activation.applyWithDerivative(k, m)
        let passed = zip(theta, slopes).map { $0 * layer.gain * $1 }
        k = layer.covariance(products)
        theta = zip(k, passed).map { layer.firstKernel($0) + $1 }
        reached += 1
      }
      let rounding = 0x1p-48 * Double(m * (target + 4))
      let (own, isSmooth) = kernel.values(theta, rounding: rounding)
      let trained = posterior?.trained(theta) ?? []
      return (recursion.covariance(k), (own + trained).map { $0.isFinite ? $0 : .nan }, isSmooth)
    }
    if let posterior {
      model.attributes["ntk_condition"] = posterior.regression.condition(covariance: theta).description
    }
    try network.refuse(model, p)
    return model
  }
}
