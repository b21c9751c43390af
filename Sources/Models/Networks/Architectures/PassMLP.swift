import Experiments
import Kernels
import Randomness

/// Multilayer perceptron of which any derivative can be asked: each weight matrix is known by its answers only (`LazyMatrix`), so a pass
/// costs O(n r) a layer after r of them, with the law of drawing every weight.
///
///     z_1 = W_1 x,   z_{l+1} = sqrt(c/n) W_{l+1} phi(z_l) + sigma_b b_{l+1},   f_o = sqrt(c/n) v_o . phi(z_d) + sigma_b b_o
///
/// With a random variance v (`ScaleMixture`) f, or every layer, is multiplied by sqrt(v). W_1 is n x n0, the others n x n; entries have variance 1, or W is sqrt(n) times uniform on O(n). What is measured are the probes of `Probe.ofPasses`.
public struct PassMLP: PassArchitecture {
  public let draws: PassDraws

  public var hasGaussianReadout: Bool { passes.readout == .gaussian && passes.mixture == nil }

  /// y of the probe `descent`; nil if it is not measured.
  package var targets: [Double]? { draws.probes.compactMap { ($0 as? DescentPass)?.targets }.first }
}

extension PassMLP {
  static let ensemble = Parameter(
    "ensemble", .choice(WeightLaw.allCases.map(\.rawValue)), default: .text(WeightLaw.gaussian.rawValue),
    "with probes of passes: law of the weights; independent normals, sqrt(n) times uniform on O(n), or independent uniform or signs of variance 1 (these with sampler = \"weights\")"
  )

  private static let readout = Parameter(
    "readout", .choice(WeightLaw.allCases.map(\.rawValue)), optional: true,
    "law of the weights of the outputs; that of the others unless given")
  private static let exponent = Parameter(
    "s", .real(.init(0, 1)), optional: true,
    "s of f = n^(-s/2) f_0 and learning rates times n^s: 0 of the NTK parametrisation, 1 of the mean-field one; 0 unless given"
  )

  /// Draws that make passes, for the probes of `Probe.ofPasses`.
  /// - Parameters:
  ///   - probes: what is measured besides passes.
  ///   - law: law of the weights and sigma_b that a table asks for.
  static func draws(
    parameters: [Parameter] = [], probes: [Probe] = [.covariance, .gram],
    law: @escaping @Sendable (Parameters) -> (weights: WeightLaw, bias: Double?)
  ) -> NetworkDraws {
    NetworkDraws(
      probes: probes + Probe.ofPasses,
      samplers: PassDraws.samplers,
      parameters: parameters + [readout, PassDraws.outputs, PassDraws.features, ScaleMixture.parameter, exponent]
        + LearningMetric.parameters
        + Probe.ofPasses.flatMap(\.parameters)
    ) { p, settings in
      let (weights, bias) = law(p)
      return try model(p, settings, law: weights, bias: bias)
    }
  }

  private static func model(
    _ p: Parameters, _ settings: NetworkSettings, law: WeightLaw, bias: Double?
  ) throws -> NetworkModel {
    let choice = try ActivationChoice(p["activation"]!, path: "\(p.path).activation", width: settings.width)
    let (gain, bias, attributes) = try choice.initialisation(p, bias: bias)
    let explicit = p.text("sampler") == "weights"
    try PassDraws.check(p, settings)
    var mixture = try ScaleMixture.read(p)
    let asked = Probe.asked(p)
    if mixture != nil, let other = asked.first(where: { $0 != .output }) {
      throw p.invalid(ScaleMixture.key, "is known to the probe \(Probe.output.name) only: leave out \(other.name)")
    }
    try mixture?.check(p, settings, choice.function)
    let exponent = p["s"] != nil ? p.real("s") : 0
    if exponent != 0 {
      guard mixture == nil else { throw p.invalid("s", "cannot be given with \(ScaleMixture.key)") }
      if asked.contains(.jacobian) {
        throw p.invalid("s", "is not known to the probe \(Probe.jacobian.name): leave it out")
      }
      mixture = ScaleMixture(.fixed(Elementary.exp(-exponent * Elementary.log(Double(settings.width)))))
    }
    guard explicit || law.isInvariant else {
      throw p.invalid("ensemble", "\(law.rawValue) needs sampler = \"weights\": their law depends on every entry")
    }
    let network = try PassSettings(
      network: settings, activation: choice.function, gain: gain, bias: bias, law: law,
      readout: p["readout"] != nil ? WeightLaw(rawValue: p.text("readout"))! : law, outputs: p.integer("outputs"),
      features: PassDraws.dimension(p, settings, law), metric: LearningMetric(p, settings, bias: bias),
      mixture: mixture,
      exponent: exponent)
    guard network.readout != .orthogonal || network.outputs <= settings.width else {
      throw p.invalid("outputs", "must be at most the width, \(settings.width), for orthogonal weights")
    }
    let mlp = PassMLP(draws: try PassDraws(network, asked, p))
    return NetworkModel(
      mlp, parameters: p, activation: choice, known: mlp.known(), attributes: attributes)
  }

  /// What is exact at this width: with slopes.
  private func known() -> ReferenceValues? {
    guard let exact = ExactDerivatives(passes, perceptron), let slopes = passes.activation as? SlopeActivation else {
      return nil
    }
    let covariance =
      passes.bias == 0 && passes.law == .gaussian ? ExactMoments.mlp(settings, slopes: slopes, gain: passes.gain) : nil
    return ReferenceValues(settings, own: ownObservables) { _ in
      var values = (0..<settings.count).reduce(into: [String: (Double, Double)]()) { all, a in
        all.merge(exact.values(a)) { $1 }
      }
      for (name, own) in covariance?.moments(record: 0) ?? [:] { values[name] = (own.mean, own.second) }
      return values
    }
  }
}
