import Experiments

/// Replicas of particle systems: Student's test, the jackknife, the certificate.
extension Calibration {
  private static func particles(_ keys: String) -> String { "[particles]\n\(keys)\n\(noTolerance)" }

  private static let attraction = particles(
    """
    system = "gaussian-attraction"
    integrator = "baoab"
    number = 8
    step = 0.5
    warm_up = 20
    steps = 300
    replicas = 16
    """)
  private static let start =
    particles(
      """
      system = "gaussian"
      number = 4
      step = 0.1
      steps = 20
      replicas = 200
      """) + "[[limit]]\nequation = \"gaussian-moments\"\n"
  private static let chains = particles(
    """
    system = "gaussian"
    integrator = "mala"
    number = 10
    step = 0.1
    warm_up = 100
    steps = 500
    replicas = 16
    """)

  /// The exact mean of x^2 alone, so that it is the only test of the case.
  private static func exact(share: Double) -> @Sendable (Job) -> Job {
    let moved = only(.mean, of: "x^2", share: share)
    return { moved($0.without(.limit)) }
  }

  static let replicas: [Kind] = [
    Kind(
      name: "exact (replicas)",
      summary: "mean of x^2 of 16 replicas against its exact value by Student's law; 5.5% off",
      alpha: alpha, truth: Statement(attraction, edit: exact(share: 0)),
      falsehood: Statement(attraction, effect: 0.055, edit: exact(share: 0.055)),
      read: comparison("exact")),
    Kind(
      name: "second moments (replicas)",
      summary: "variance of x over 200 replicas against its exact value by the jackknife; 40% off", alpha: alpha,
      truth: Statement(start, edit: only(.variance, of: "x")),
      falsehood: Statement(start, effect: 0.4, edit: only(.variance, of: "x", share: 0.4)),
      read: comparison("gaussian-moments")),
    // LMC's variance of a Gaussian of curvature 1 is 1/(1 - h/2).
    Kind(
      name: "stationarity",
      summary: "certificate of a Gaussian, 16 replicas; true: MALA, exact; false: LMC, off by h/2 = 5%",
      alpha: alpha, truth: Statement(chains),
      falsehood: Statement(chains, finite: ["particles.integrator=\"lmc\""], effect: 1 / 0.95 - 1), read: certificate),
  ]
}
