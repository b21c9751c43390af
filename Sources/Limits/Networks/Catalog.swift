import Experiments
import Networks

/// All limits of networks.
public enum NetworkLimits {
  public static let all: [LimitEntry<NetworkModel>] = [
    shapedReluSDE, smoothSDE, explosionLaw, unshapedQ, transformerSDE, eigenvalueSDE, freeSpectrum, logGaussian,
    hypoactivation, residualFlow, residualFluctuation, infiniteWidth, infiniteWidthHeads, finiteWidth, tangentKernel,
    jacobianSpectrum, scaleMixture, linearFlow, normalisedGradient, ownSDE,
  ]

  static let draws = Parameter(
    "draws", .integer(2...Int64.max), optional: true, "independent draws; as many as networks unless given")
  static let step = Parameter(
    "step", .real(.init(0, 1, openBelow: true)), default: .real(0.01), unit: "layer / width",
    "largest step size of the integrator")
  static let extrapolate = Parameter(
    "extrapolate", .boolean, default: .boolean(false),
    "run half the step as well, and compare with the means extrapolated to step 0")
  static let paths = [step, extrapolate, draws]
  static let integrated =
    paths + [
      Parameter(
        "integrator", .choice(["splitting", "wishart"]), default: .text("splitting"),
        "splitting: from drift and diffusion only; wishart: Wishart steps, weak order 1")
    ]
}

extension LimitModel {
  /// The paths of a covariance diffusion.
  static func diffusion<D: CovarianceDrift>(
    _ drift: D, _ p: Parameters, _ network: NetworkModel, noise: Double = 1, offset: String
  ) throws -> LimitModel {
    let integrator = CovarianceDiffusion<D>.Integrator(rawValue: p.text("integrator"))!
    let m = network.settings.count
    guard integrator == .splitting || p.real("step") * noise * Double(m + 1) <= 1 else {
      throw p.invalid("step", "must be at most \(1 / (noise * Double(m + 1))) for wishart steps with \(m) inputs")
    }
    let settings = network.settings
    return LimitModel(
      .integrated(order: integrator == .splitting ? drift.order : 1) { step in
        Experiment(CovarianceDiffusion(drift, settings: settings, noise: noise, step: step, integrator: integrator))
      }, offset: offset)
  }
}
