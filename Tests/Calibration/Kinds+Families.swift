import Experiments

/// Verdicts that single families brought: cumulants, of draws and of chains; generalisation gaps. (What says `differs` of a job and its twin is `KS (two samples)`.)
extension Calibration {
  private static let radii = """
    [coulomb]
    dimension = 2
    number = 16
    inverse_temperature = 2.0
    sampler = "ginibre-radii"
    draws = 4000
    \(noTolerance)
    """
  /// On the line, where the cumulants are exact at any N.
  private static let chains = """
    [coulomb]
    dimension = 1
    number = 4
    inverse_temperature = 2.0
    cumulants = 2
    warm_up = 20
    steps = 100
    draws = 24
    \(noTolerance)
    """

  /// The second cumulant, alone.
  private static func kappa(_ share: Double) -> @Sendable (Job) -> Job {
    let moved = only(.estimand("kappa_2"), of: "l", share: share)
    return { moved($0.without(.limit)) }
  }

  private static let gaps = """
    [training]
    problem = "sgld-generalisation"
    examples = 10
    batch = 2
    temperature = 0.05
    learning_rate = 0.1
    steps = 30
    records = "last"
    draws = 1000
    \(noTolerance)
    """
  /// Standard deviation of the gap of this job, from 2x10^6 runs of another program (NumPy).
  private static let gapDeviation = 0.2383
  private static func gap(off effect: Double) -> Statement {
    Statement(gaps, effect: effect, edit: only(.mean, of: "gap", shift: effect * gapDeviation))
  }

  static let families: [Kind] = [
    Kind(
      name: "cumulants",
      summary: "second cumulant of a Coulomb gas by independent draws against its exact value; 6.5% off", alpha: alpha,
      truth: Statement(radii, edit: kappa(0)),
      falsehood: Statement(radii, effect: 0.065, edit: kappa(0.065)), read: comparison("exact")),
    Kind(
      name: "cumulants (replicas)",
      summary: "second cumulant of a Coulomb gas on the line by 24 chains against its exact value; 13% off",
      alpha: alpha, truth: Statement(chains, edit: kappa(0)),
      falsehood: Statement(chains, effect: 0.13, edit: kappa(0.13)), read: comparison("exact")),
    Kind(
      name: "generalisation gap",
      summary: "mean gap of test and training loss against its exact value; moved by 0.09 standard deviations",
      alpha: alpha, truth: gap(off: 0), falsehood: gap(off: 0.09), read: comparison("exact")),
  ]
}
