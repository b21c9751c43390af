import Experiments

/// Extrapolations: from two steps, over sizes, and of biases.
extension Calibration {
  private static let steps = network(
    "V", width: 64, depth: 4,
    noTolerance + "[[limit]]\nequation = \"covariance-sde\"\nstep = 0.02\nextrapolate = true\n")
  /// Standard deviation of V after four layers of width 64, V_0 = 1.
  private static let spread = { (v: Double) in (v * v * v * v - 1).squareRoot() }(1 + 2.0 / 64)

  private static let widths = network(
    "log_V", width: 8, depth: 2, draws: 4000,
    comparisonTable + "[[limit]]\nequation = \"infinite-width\"\n[sweep]\n\"network.width\" = [8, 16, 32, 64, 128]\n")

  private static let biased = """
    [particles]
    system = "gaussian-attraction"
    integrator = "lmc"
    number = 16
    step = 0.05
    warm_up = 100
    steps = 400
    replicas = 16
    [bias]
    \(comparisonTable)
    """

  /// The mean of x^2 in the limit alone.
  private static func limit(_ effect: Double) -> Statement {
    let moved = only(.mean, of: "x^2", shift: effect)
    return Statement(biased, effect: effect) { moved($0.without(.exact)) }
  }

  static let extrapolations: [Kind] = [
    // The laws at the larger step are the other test of the case.
    Kind(
      name: "Richardson",
      summary: "mean of V against the covariance SDE at steps h and h/2, no tolerance; V of the network 5.76% off",
      alpha: alpha / 2, truth: Statement(steps) { $0.without(.exact) },
      falsehood: Statement(
        steps, finite: ["network.inputs={ gram = [[1.0576]] }"], effect: 0.0576 / (1.0576 * spread)
      ) { $0.without(.exact) }, read: comparison("covariance-sde at step 0")),
    Kind(
      name: "extrapolation", summary: "E log V at widths 8 to 128 against infinite width; moved by 0.06", alpha: alpha,
      truth: Statement(widths, edit: only(.mean, of: "log_V[0]")),
      falsehood: Statement(widths, effect: 0.06, edit: only(.mean, of: "log_V[0]", shift: 0.06)),
      read: recovery("infinite-width")),
    Kind(
      name: "bias", summary: "E x^2 extrapolated in N and h against the limit, 1/2; moved by 0.1", alpha: alpha,
      truth: limit(0), falsehood: limit(0.1), read: bias("x^2")),
  ]
}
