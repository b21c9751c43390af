import Experiments
import Kernels
import Randomness

/// A probe that is measured from the passes of a network: what is asked of them, and what is made of the answers. One conforming type a
/// file; its line is in `Probe.ofPasses`, and every architecture whose draws make passes has it.
package protocol PassProbe: Sendable {
  /// - Parameter p: the whole table, for keys of the probe.
  /// - Throws: `Failure` naming the key.
  init(_ p: Parameters, _ network: PassSettings) throws
  /// What the job asks for of the probe's observables; empty if none.
  var observables: [Observable] { get }
  var needs: PassNeeds { get }
  func makeMeter() -> any PassMeter
}

/// Buffers of one thread in which a probe is measured.
package protocol PassMeter: AnyObject {
  /// - Parameter values: receives `observables.count` numbers.
  func measure(_ passes: Passes, _ stream: inout Stream, to values: UnsafeMutablePointer<Double>)
}

/// What a probe asks of the passes.
package struct PassNeeds: Sendable {
  /// Backward passes of the outputs, and $\phi''$ of the layers.
  var gradients = false
  var curvature = false
  /// Questions to each weight matrix besides those of the forward pass and of the gradients.
  var forward = 0
  var backward = 0
  /// Numbers that its meter keeps.
  var numbers = 0.0

  static func + (_ a: PassNeeds, _ b: PassNeeds) -> PassNeeds {
    PassNeeds(
      gradients: a.gradients || b.gradients, curvature: a.curvature || b.curvature, forward: a.forward + b.forward,
      backward: a.backward + b.backward, numbers: a.numbers + b.numbers)
  }
}

/// What decides the passes of a network, whatever is measured:
///
/// $$z_1 = W_1 x, \qquad z_{l+1} = \alpha_{l+1} z_l + s_{l+1} W_{l+1} \phi(z_l) + \sigma_b b_{l+1}, \qquad f_o = s_{d+1} v_o \cdot \phi(z_d) + \sigma_b b_o,$$
///
/// of a perceptron with $\alpha = 0$ and $s = \sqrt{c/n}$; of a residual one see `ResidualPath`.
package struct PassSettings: Sendable {
  package let network: NetworkSettings
  package let activation: any Activation
  /// c, and sigma_b.
  package let gain, bias: Double
  /// Law of the weights, and of those of the outputs.
  package let law, readout: WeightLaw
  /// Number of outputs.
  package let outputs: Int
  /// n0, the number of components of an input.
  package let features: Int
  package let metric: LearningMetric
  /// The random variance of weights; nil of fixed ones.
  package let mixture: ScaleMixture?

  /// s of $f = n^{-s/2} f_0$ with the learning rates times $n^s$ (arXiv:2210.04909): 0 of the NTK parametrisation, 1 of the mean-field one.
  package let exponent: Double

  /// What makes the layers residual ones; nil of a perceptron.
  package var residual: ResidualPath? = nil

  /// $n^p$.
  func power(_ p: Double) -> Double { p == 0 ? 1 : Elementary.exp(p * Elementary.log(Double(network.width))) }

  /// $\sqrt{c/n}$.
  package var scale: Double { (gain / Double(network.width)).squareRoot() }
}

/// A residual stream: the first layer of the passes is the stream at the inputs, $z_1 = W_1 x$, the others are $z_{l+1} = \alpha z_l + \lambda_l \sqrt{c/n} W_{l+1}
/// \phi(\epsilon_l z_l)$, and outputs are linear in the last, $f_o = v_o \cdot z / \sqrt n$.
package struct ResidualPath: Sendable {
  package let strength: ResidualStrength
  /// Whether $\epsilon_l$ are random signs, one a unit.
  package let balanced: Bool
  package let embedding: Embedding
}

extension PassSettings {
  /// Number of layers of the passes, each with a matrix.
  package var depth: Int { network.depth + (residual == nil ? 0 : 1) }
  /// Law of the first matrix.
  package var firstLaw: WeightLaw { residual.map { $0.embedding == .exact ? .orthogonal : .gaussian } ?? law }
  /// Whether outputs are linear in the last layer.
  var hasLinearTop: Bool { residual != nil }
  /// c of the first layer, by which inputs are scaled.
  var inputGain: Double { residual == nil ? gain : 1 }

  /// $\alpha_l$.
  func skip(_ layer: Int) -> Double { layer > 1 ? residual?.strength.alpha ?? 0 : 0 }

  /// $s_l$ of the layers 1 ... d, and of the outputs, layer d + 1.
  func scale(_ layer: Int) -> Double {
    guard layer > 1 else { return 1 }
    guard let residual else { return scale }
    return layer <= depth ? residual.strength.lambda(layer - 1) * scale : 1 / Double(network.width).squareRoot()
  }

  /// $\lambda_W$ of the layers 2 ... d + 1.
  func weightRate(_ layer: Int) -> Double {
    guard let residual, layer > 1 else { return metric.weights ?? gain }
    guard layer <= depth else { return 1 }
    let lambda = residual.strength.lambda(layer - 1)
    return lambda * lambda * gain
  }

  /// $\lambda_b$ of a layer that has biases in the kernel, else 0.
  func biasRate(into layer: Int) -> Double { layer == 1 && metric == .variances ? 0 : metric.biases ?? bias * bias }

  /// What a layer behind the first adds to the kernel for each unit of $D_a \cdot D_b$: $\lambda_b + \lambda_W \phi_a \cdot \phi_b / n$.
  func increment(into layer: Int, _ product: Double) -> Double {
    (metric.biases ?? bias * bias) + weightRate(layer) * product
  }

  /// The same from the product $\phi_a \cdot \phi_b$ of a layer of the passes, or of the inputs, layer 0.
  func increment(behind layer: Int, _ product: Double) -> Double {
    if layer > 0 { return increment(into: layer &+ 1, product / Double(network.width)) }
    // V_0 = sigma_b^2 + c |x|^2 / n0.
    return metric == .variances
      ? product : metric.increment((product - bias * bias) / gain, gain: gain, bias: bias)
  }

  var hasBiases: Bool { biasRate(into: 2) > 0 }

  /// The groups of weights of the tangent kernel.
  package var groups: [TangentGroup] {
    residual == nil
      ? TangentGroup.perceptron(depth: network.depth, hasBiases: hasBiases)
      : TangentGroup.residual(depth: network.depth)
  }
}

/// Relative learning rates of a layer: $\lambda_b$ of its biases, $\lambda_W$ / fan-in of its weights (arXiv:2106.10165, eq. 7.5). The tangent
/// kernel is $\sum \lambda \, \partial f \, \partial f$ over weights $\sqrt{c/n} W$ and biases $\sigma_b b$.
package struct LearningMetric: Sendable, Equatable {
  /// nil for those of the weights' variances, $\lambda_b = \sigma_b^2$ and $\lambda_W = c$.
  package let biases, weights: Double?

  package static let variances = LearningMetric(biases: nil, weights: nil)

  /// What the weights and biases of a layer add to the kernel for each unit of $D \cdot D$: $\lambda_b + \lambda_W \phi_a \cdot \phi_b / n$.
  func increment(_ product: Double, gain: Double, bias: Double) -> Double {
    (biases ?? bias * bias) + (weights ?? gain) * product
  }

  static let parameters = [
    Parameter(
      "lambda_b", .real(.init(0, .infinity)), optional: true,
      "lambda_b, relative learning rate of the biases in kernels and their change; sigma_b^2 unless given"),
    Parameter(
      "lambda_w", .real(.init(0, .infinity)), optional: true,
      "lambda_W, relative learning rate of the weights times their fan-in; c unless given"),
  ]

  package init(biases: Double?, weights: Double?) { (self.biases, self.weights) = (biases, weights) }

  /// - Parameter settings: the covariance V_0 of the first layer is $\sigma_b^2 + c |x|^2 / n_0$, as that of the others.
  init(_ p: Parameters, _ settings: NetworkSettings, bias: Double) throws {
    biases = p["lambda_b"] != nil ? p.real("lambda_b") : nil
    weights = p["lambda_w"] != nil ? p.real("lambda_w") : nil
    let least = settings.measured.initialNorms.min() ?? 0
    guard self == .variances || bias * bias <= least else {
      throw p.invalid(
        "bias",
        "must be at most sqrt(V_0) = \(least.squareRoot()) where lambda_b or lambda_w is given: V_0 = sigma_b^2 + c |x|^2/n0"
      )
    }
  }
}
