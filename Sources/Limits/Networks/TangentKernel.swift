import Kernels
import Networks
import Experiments

/// An architecture whose neural tangent kernel follows a recursion at infinite width: what `infinite-width-ntk` needs of it.
protocol TangentRecursive: CovarianceRecursive {
  var kernel: TangentKernelObservables { get }
  /// What of Theta arrives in the next layer: `Theta c E[phi'(u_a) phi'(u_b)]`, u ~ N(0, K).
  func propagate(_ theta: [Double], over k: [Double]) -> [Double]
}

extension TangentMLP: TangentRecursive {
  func propagate(_ theta: [Double], over k: [Double]) -> [Double] {
    let slopes = ActivationKernel.pairs(k, settings.count, ActivationKernel(activation).derivativeProduct)
    return zip(theta, slopes).map { $0 * gain * $1 }
  }
}

extension NetworkLimits {
  static let tangentKernel = LimitEntry<NetworkModel>(
    name: "infinite-width-ntk",
    summary:
      "neural tangent kernel at infinite width and fixed depth, for every network with the probe \(Probe.tangentKernel.name); no randomness",
    equation:
      "Theta_l = K_l + Theta_{l-1} c E[phi'(u_a) phi'(u_b)], u ~ N(0, K_{l-1}), Theta_0 = K_0; K of infinite-width",
    reference: "arXiv:1806.07572, theorem 1; docs/limits.md", parameters: []
  ) { p, network in
    guard let architecture = network.architecture as? any TangentRecursive,
      let recursion = architecture.covarianceRecursion()
    else { throw p.invalid("equation", "needs probes = [\"\(Probe.tangentKernel.name)\"] of the network") }
    var k = recursion.start
    var theta = k
    var reached = network.settings.inputs.layer
    let model = LimitModel.infiniteWidth(network.settings, own: architecture.kernel.observables) { layer in
      while reached < layer {
        let passed = architecture.propagate(theta, over: k)
        k = recursion.next(k)
        theta = zip(k, passed).map { $0 + $1 }
        reached += 1
      }
      return (recursion.covariance(k), architecture.kernel.values(theta))
    }
    try network.refuse(model, p)
    return model
  }
}
