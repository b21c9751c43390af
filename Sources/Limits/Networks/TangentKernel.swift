import Kernels
import Networks
import Experiments

/// A network whose neural tangent kernel has a limit at infinite width: what `infinite-width-ntk` needs of it.
protocol TangentRecursive: CovarianceRecursive {
  /// What is measured of the kernel; nil if nothing is.
  var measuredKernel: TangentKernelObservables? { get }
  /// Adds layer after layer to the kernel.
  /// - Returns: K of the last layer.
  func tangentRecursion(_ recursion: CovarianceRecursion, _ kernel: inout TangentSum) -> [Double]
  /// Why there is none, after "equation"; nil if there is one.
  var noTangentRecursion: String? { get }
}

extension TangentRecursive {
  var noTangentRecursion: String? { nil }
}

/// A tangent kernel at infinite width as it grows layer by layer, and what each group of weights has added to it.
struct TangentSum {
  let kernel: TangentKernelObservables
  private(set) var theta: [Double] = []
  private(set) var blocks: [Double]
  private let size: Int

  init(_ kernel: TangentKernelObservables, inputs m: Int) {
    self.kernel = kernel
    size = m * m
    blocks = Array(repeating: 0, count: kernel.blockRoom)
  }

  /// What arrives in the next layer: all times the same number and a factor for each entry.
  mutating func pass(_ scale: Double, _ factors: [Double]) {
    theta = zip(theta, factors).map { $0 * scale * $1 }
    for i in blocks.indices { blocks[i] *= scale * factors[i % size] }
  }

  /// Adds what a layer does.
  /// - Parameter parts: of its groups, by index; together `total`.
  mutating func add(_ total: [Double], _ parts: [(group: Int, value: [Double])]) {
    theta = theta.isEmpty ? total : zip(total, theta).map { $0 + $1 }
    guard !blocks.isEmpty else { return }
    for (index, value) in parts {
      let place = kernel.groups.firstIndex { $0.index == index }!
      for i in 0..<size { blocks[place * size + i] += value[i] }
    }
  }
}

/// A perceptron whose kernel is measured: Theta' = F(K') + Theta c E phi'phi', F what the weights and biases of a layer add.
protocol TangentPerceptron: TangentRecursive, PerceptronArchitecture {}

extension TangentPerceptron {
  func tangentRecursion(_ recursion: CovarianceRecursion, _ kernel: inout TangentSum) -> [Double] {
    let (layer, m, d) = (perceptron, settings.count, settings.depth)
    let activation = ActivationKernel(layer.activation)
    func add(_ k: [Double], _ index: Int) {
      let bias = layer.metric == .variances && index == 1 ? 0 : layer.biasRate
      let total = k.map(layer.firstKernel)
      kernel.add(
        total,
        [(index, total.map { $0 - bias })] + (bias == 0 ? [] : [(d + 2, total.map { _ in bias })]))
    }
    var k = recursion.start
    add(k, 1)
    for reached in settings.inputs.layer..<d {
      // What of Theta arrives in the next layer.
      let (products, slopes) = activation.applyWithDerivative(k, m)
      kernel.pass(layer.gain, slopes)
      k = layer.covariance(products)
      add(k, reached + 2)
    }
    return k
  }
}

extension TangentMLP: TangentPerceptron {
  var measuredKernel: TangentKernelObservables? { kernel }
}

extension PassMLP: TangentPerceptron {}

extension PassResNet: TangentRecursive {
  /// Theta' = lambda_l^2 c E phi phi + Theta (alpha^2 + lambda_l^2 c E phi'phi'), from Theta_0 = K_0 of the embedding; the outputs add K_d.
  func tangentRecursion(_ recursion: CovarianceRecursion, _ kernel: inout TangentSum) -> [Double] {
    let (m, d, strength) = (settings.count, settings.depth, network.strength)
    let activation = ActivationKernel(network.activation)
    var k = recursion.start
    kernel.add(k, [(0, k)])
    for layer in 1...d {
      let (alpha, lambda) = (strength.alpha, strength.lambda(layer))
      let gain = lambda * lambda * network.gain
      kernel.pass(1, activation.applyWithDerivative(k, m).slopes.map { alpha * alpha + gain * $0 })
      let branch = activation.apply(k, m).map { gain * $0 }
      kernel.add(branch, [(layer, branch)])
      k = recursion.next(k, layer)
    }
    kernel.add(k, [(d + 1, k)])
    return k
  }
}

extension TangentTransformer: TangentRecursive {
  var measuredKernel: TangentKernelObservables? { kernel }

  var noTangentRecursion: String? {
    settings.count == 1 ? nil : "is known of one token: the scores of more stay random, and their kernel with them"
  }

  /// One token sees only itself, so a block is linear in LN of the stream, then an MLP of it: with K the variance of the stream
  /// Theta' = Theta (1 + c_u c_v / K) + 2 c_u c_v, Theta'' = Theta' (1 + c_x c_y E phi'^2 / K') + c_y (E phi^2 + c_x E phi'^2); the output divides by
  /// K and adds 1.
  func tangentRecursion(_ recursion: CovarianceRecursion, _ kernel: inout TangentSum) -> [Double] {
    let gains = network.gains
    var k = recursion.start[0]
    kernel.add([k], [(Group.embedding.rawValue, [k])])
    let branch = gains.output * gains.value
    let unit = network.block.map { block -> (square: Double, slope: Double) in
      let moments = ActivationKernel(block.activation)
      return (
        gains.mlp * moments.apply([gains.hidden], 1)[0],
        gains.mlp * gains.hidden * moments.derivativeProduct(gains.hidden, gains.hidden, gains.hidden)
      )
    }
    for _ in 0..<settings.depth {
      kernel.pass(1, [1 + branch / k])
      kernel.add([2 * branch], [(Group.value.rawValue, [branch]), (Group.output.rawValue, [branch])])
      k += branch
      guard let unit else { continue }
      kernel.pass(1, [1 + unit.slope / k])
      kernel.add(
        [unit.square + unit.slope], [(Group.mlp.rawValue, [unit.square]), (Group.hidden.rawValue, [unit.slope])])
      k += unit.square
    }
    kernel.pass(1, [1 / k])
    kernel.add([1], [(Group.readout.rawValue, [1])])
    return [k]
  }
}

extension NetworkLimits {
  static let tangentKernel = LimitEntry<NetworkModel>(
    name: "infinite-width-ntk",
    summary:
      "neural tangent kernel at infinite width and fixed depth, and what each group of weights adds to it, for every network with the probe \(Probe.tangentKernel.name), with its regression where there is a [posterior]; no randomness",
    equation:
      "Theta_l = K_l + Theta_{l-1} c E[phi'(u_a) phi'(u_b)], u ~ N(0, K_{l-1}), Theta_0 = K_0; of residual networks Theta_l = lambda_l^2 c E[phi(u_a) phi(u_b)] + Theta_{l-1} (alpha^2 + lambda_l^2 c E[phi'(u_a) phi'(u_b)]); of a pre-LN Transformer of one token Theta' = Theta (1 + c_u c_v / K) + 2 c_u c_v and Theta'' = Theta' (1 + c_x c_y E[phi'^2] / K') + c_y E[phi^2] + c_x c_y E[phi'^2]; K of infinite-width; trained to Theta_*y (Theta_yy + s^2)^-1 y",
    reference: "arXiv:1806.07572, theorem 1; arXiv:1902.06720, eq. 14; docs/limits.md", parameters: []
  ) { p, network in
    guard let architecture = network.architecture as? any TangentRecursive,
      let recursion = architecture.covarianceRecursion(), let kernel = architecture.measuredKernel
    else { throw p.invalid("equation", "needs probes = [\"\(Probe.tangentKernel.name)\"] of the network") }
    if let missing = architecture.noTangentRecursion { throw p.invalid("equation", missing) }
    let m = network.settings.count
    var sum = TangentSum(kernel, inputs: m)
    let posterior = try network.regressionPosterior(p).flatMap { $0.isTangent ? $0 : nil }
    let own = kernel.observables + (posterior?.tangentObservables ?? [])
    // The kernel is that of the whole network: the last layer is the only one that is measured.
    var model = LimitModel.infiniteWidth(network.settings, own: own) { target in
      let k = architecture.tangentRecursion(recursion, &sum)
      let rounding = 0x1p-48 * Double(m * (target + 4))
      let (own, isSmooth) = kernel.values(sum.theta, blocks: sum.blocks, rounding: rounding)
      let trained = posterior?.trained(sum.theta) ?? []
      return (recursion.covariance(k), (own + trained).map { $0.isFinite ? $0 : .nan }, isSmooth)
    }
    if let posterior {
      model.attributes["ntk_condition"] = posterior.regression.condition(covariance: sum.theta).description
    }
    try network.refuse(model, p)
    return model
  }
}
