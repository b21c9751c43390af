import Experiments
import Kernels

/// Residual network of which any derivative can be asked, with outputs that are linear in its stream:
///
///     z_0 = W_in x,   z_{l+1} = alpha z_l + lambda_l sqrt(c/n) W_l phi(s_l z_l),   f_o = v_o . z_d / sqrt(n)
///
/// The networks are those of `ResNet`, whose passes go back as well: `D^l = alpha D^{l+1} + lambda_l sqrt(c/n) s_l phi'(s_l z_l) * W_l^T D^{l+1}`.
public struct PassResNet: PassArchitecture {
  /// What limits of the covariance know it by.
  package let network: ResNet
  public let draws: PassDraws

  public var hasGaussianReadout: Bool { true }

  /// Draws that make passes, for the probes of `Probe.ofPasses`.
  static let networkDraws = NetworkDraws(
    probes: [.covariance, .gram] + Probe.ofPasses, samplers: PassDraws.samplers,
    parameters: [PassDraws.outputs, PassDraws.features] + Probe.ofPasses.flatMap(\.parameters)
  ) { p, settings in
    try PassDraws.check(p, settings)
    let (resnet, choice) = try ResNet.read(p, settings)
    let residual = ResidualPath(
      strength: resnet.strength, balanced: resnet.balanced, embedding: resnet.embedding)
    let passes = PassSettings(
      network: settings, activation: resnet.activation, gain: resnet.gain, bias: 0, law: .gaussian, readout: .gaussian,
      outputs: p.integer("outputs"),
      features: try PassDraws.dimension(
        p, settings, resnet.embedding == .exact ? .orthogonal : .gaussian, "for embedding = \"exact\""),
      metric: .variances, mixture: nil, exponent: 0, residual: residual)
    let network = PassResNet(network: resnet, draws: try PassDraws(passes, Probe.asked(p), p))
    return NetworkModel(
      network, parameters: p, activation: choice, known: network.known, attributes: resnet.attributes)
  }

  /// With fresh signs, or without a kink, slopes do not know the stream that they meet: a layer multiplies E |z|^2 and E |D|^2 by
  /// $r_l = \alpha^2 + \lambda_l^2 c m_1$, $m_1 = (s_+^2 + s_-^2)/2$, so that each branch adds $\lambda_l^2 c m_1 E V_d / r_l$ to the kernel, embedding and
  /// outputs $E V_d$ each.
  private var known: ReferenceValues? {
    guard let slopes = network.activation as? SlopeActivation,
      network.balanced || slopes.plus == slopes.minus, settings.measured.bound == .infinity
    else { return nil }
    let (strength, branch) = (network.strength, network.gain * slopes.secondMoment)
    let (m, d) = (settings.count, settings.depth)
    let growth = strength.product(to: d, branch: branch)
    return ReferenceValues(settings, own: ownObservables) { _ in
      var values: [String: (Double, Double)] = [:]
      for a in 0..<m {
        let v = ExactMoments.product(growth, settings.inputs.gram[a * m + a])
        values["V[\(a),\(a)]"] = (v, .nan)
        for o in 0..<passes.outputs {
          values["f_product[\(passes.outputs > 1 ? "\(o)," : "")\(a),\(a)]"] = (v, .nan)
        }
        var sum = 2 * v
        for layer in 1...d {
          let own = strength.lambda(layer) * strength.lambda(layer) * branch
          let block = own == 0 ? 0 : v * own / (strength.alpha * strength.alpha + own)
          values["NTK_block[\(layer),\(a),\(a)]"] = (block, .nan)
          sum += block
        }
        for group in [0, d + 1] { values["NTK_block[\(group),\(a),\(a)]"] = (v, .nan) }
        values["NTK[\(a),\(a)]"] = (sum, .nan)
      }
      return values
    }
  }
}

extension NetworkModel {
  /// The network as a residual one, whatever is measured of it; nil if it is none.
  package var residual: ResNet? { architecture as? ResNet ?? (architecture as? PassResNet)?.network }
}
