import Experiments

/// Slopes along sweeps: trends in the logarithm of the width, exponents over depth.
extension Calibration {
  /// One step of a linear network with one example whose target is far away: the pre-activations of unit i move by n^-(1-s)/2 |v_i| times a number that does
  /// not depend on n. The mean of (1/2) log(sum v^2/n) adds .001930 to the slope that is fitted over these widths.
  private static func move(slope: Double, effect: Double = 0) -> Statement {
    Statement(
      """
      [training]
      problem = "mlp"
      width = 64
      activation = "linear"
      parametrisation = { s = \(1 + 2 * (slope - 0.001930)) }
      learning_rate = 1.0
      steps = 1
      records = "last"
      observables = ["log_coordinate_change"]
      diverged_above = 1e12
      draws = 100
      [training.data]
      inputs = [[1.0]]
      targets = [1000.0]
      [sweep]
      "training.width" = [64, 256, 1024]
      \(comparisonTable)
      """, effect: effect)
  }

  /// Of linear networks the variance of log V is that of one layer times the depth: its exponent is 1, and is said to be another by `offset`.
  private static func depths(offset: Double, effect: Double = 0) -> Statement {
    Statement(
      network(
        "log_V", width: 16, depth: 4,
        comparisonTable
          + "[exponents]\ntolerance = 0.1\n[sweep]\n\"network.depth\" = [4, 8, 16, 32, 64]\n"), effect: effect
    ) {
      $0.editing { leg, _ in
        guard leg.role == .finite, let experiment = leg.experiment else { return nil }
        return Leg(
          name: leg.name, role: leg.role, content: .sampled(experiment, draws: leg.draws), attributes: leg.attributes,
          asymptotics: [DepthLaw(.power, .variance, of: "log_V[0]", exponent: 1 + offset)])
      }
    }
  }

  static let slopes: [Kind] = [
    Kind(
      name: "trend",
      summary:
        "slope in log n of the move of pre-activations, flat within 0.05; true: -0.05, where either word is wrong; false: -0.06",
      alpha: alpha, isAlarm: { $0 != .undecided }, truth: move(slope: -0.05),
      falsehood: move(slope: -0.06, effect: 0.01),
      read: trend),
    Kind(
      name: "exponents",
      summary:
        "exponent of Var log V over depths 4 to 64, tolerance 0.1; true: off by just that, where either word is wrong; false: off by 0.3",
      alpha: alpha, isAlarm: { $0 != .undecided }, truth: depths(offset: 0.1),
      falsehood: depths(offset: 0.3, effect: 0.2),
      read: exponents),
  ]
}
