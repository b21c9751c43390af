import Experiments
import Randomness
import Training

extension TrainingLimits {
  package static let meanFieldTraining = LimitEntry<TrainingModel>(
    name: "mean-field-training",
    summary:
      "perceptrons and residual networks in muP at infinite width, any depth, activation and loss, trained by the same discrete steps: draws of a population of units; causal, no fixed point",
    equation:
      "h_{l+1} = s h_l + beta sqrt(c) [u_l + A_l g_{l+1} + (eta gamma beta sqrt(c)/P) D Phi_l g_{l+1}], g_l = s g_{l+1} + beta sqrt(c) phi'(h_l) [r_l + B_l phi(h_l) + (eta gamma beta sqrt(c)/P) D G_{l+1} phi(h_l)], u_l ~ GP(0, Phi_l), r_l ~ GP(0, G_{l+1}), s = 1 of residual networks, else 0",
    reference: "arXiv:2309.16620; arXiv:2205.09653; docs/training.md",
    parameters: [
      Parameter(
        "units", .integer(16...1_048_576), default: .integer(4096),
        "units of a draw; their number leaves an error of order 1/units in the mean, and spreads the draws"),
      NetworkLimits.draws,
    ]
  ) { p, model in
    guard let network = model.problem as? TrainedMLP else {
      throw p.invalid("equation", "needs problem = \"mlp\" or \"resnet\"")
    }
    try model.settings.requireOneRate(p, "equation")
    let problem = try MeanFieldNetwork(
      network, units: p.integer("units"), steps: model.settings.records.last!
    ) { p.invalid("equation", $0) }
    return LimitModel(
      .mean(Experiment(TrainingRun(problem, model.settings))), offset: "an offset of order 1/n is expected")
  }
}
