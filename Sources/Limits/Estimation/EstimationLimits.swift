import Estimation
import Experiments

/// All limits of estimation problems.
package enum EstimationLimits {
  package static let all: [LimitEntry<DrawnProblemModel>] = [
    spikedCovariance, riskExpansion, gaussianAnswers, filledBody, denseSensors, randomEnergy,
  ]

  /// A limit that knows means.
  private static func means<P: DrawnProblem>(
    of type: P.Type, named problem: String, _ name: String, summary: String, equation: String, reference: String,
    parameters: [Parameter] = [], offset: String, remainder: @escaping @Sendable (Parameters) -> [Remainder],
    _ values: @escaping @Sendable (Parameters, P) throws -> [KnownStatistic]
  ) -> LimitEntry<DrawnProblemModel> {
    .of(
      type, named: "problem = \"\(problem)\"", name, summary: summary, equation: equation, reference: reference,
      parameters: parameters
    ) { p, problem in
      LimitModel(.known(problem.reference(try values(p, problem), remainder: remainder(p))), offset: offset)
    }
  }

  private static let spikedCovariance = means(
    of: Pretraining.self, named: "pretraining", "spiked-covariance",
    summary: "overlap and risk at infinite dimension, D/m fixed",
    equation:
      "c^2 = (1 - g/theta^2)/(1 + g/theta), theta^2 > g = D/m, else 0; risk (s^2 + b^2/(1 + theta c^2)) (n-1)/(n-2)",
    reference: "docs/estimation.md", offset: "the overlap is off by order 1/D",
    remainder: { _ in [Remainder("dimension", order: 1, along: .fixedRatios)] }
  ) { _, problem in
    [
      KnownStatistic(.mean, of: "overlap", problem.limitOverlap),
      KnownStatistic(.mean, of: "risk", problem.meanRisk(overlap: problem.limitOverlap)),
    ]
  }

  private static let riskExpansion = means(
    of: MaximumLikelihoodRisk.self, named: "mle-risk", "risk-expansion", summary: "the risk in powers of 1/n",
    equation: "normal: p (p+3)/4n + …/n^2; gamma: 1/2n + 11/(12 k n^2)", reference: "docs/estimation.md",
    parameters: [Parameter("order", .integer(1...2), default: .integer(2), "last power of 1/n that is kept")],
    offset: "the next power of 1/n is left out",
    remainder: { [Remainder("samples", order: Double($0.integer("order") + 1))] }
  ) { p, problem in
    let (n, terms) = (Double(problem.samples), problem.expansion)
    return [KnownStatistic(.mean, of: "risk", terms.first / n + (p.integer("order") == 2 ? terms.second / (n * n) : 0))]
  }

  private static let gaussianAnswers = means(
    of: AdaptiveQueries.self, named: "adaptive-queries", "gaussian-answers",
    summary: "the bias where answers are normal", equation: "sqrt(2k/pi)/(n sqrt(1/n + S^2))",
    reference: "docs/estimation.md", offset: "the law of an answer is normal to order 1/n",
    remainder: { _ in [Remainder("samples", order: 1, along: .fixedRatios)] }
  ) { _, problem in
    let n = Double(problem.samples)
    let size = (2 * Double(problem.queries) / Double.pi).squareRoot()
    return [KnownStatistic(.mean, of: "bias", size / (n * (1 / n + problem.noise * problem.noise).squareRoot()))]
  }

  private static let filledBody = LimitEntry.of(
    Magnitude.self, named: "problem = \"magnitude\"", "filled-body",
    summary: "magnitude of the body that the points fill, as n goes to infinity",
    equation: "interval 1 + t/2; ball of R^3 1 + 2t + t^2 + t^3/6", reference: "arXiv:1507.02502; docs/estimation.md"
  ) { p, problem in
    guard let value = problem.limit else { throw p.invalid("equation", "is known in 1 and 3 dimensions only") }
    return LimitModel(
      .known(problem.reference([KnownStatistic(.mean, of: "magnitude", value)])),
      offset: "finite sets of points are smaller")
  }

  private static let denseSensors = means(
    of: Sensors.self, named: "sensors", "dense-sensors", summary: "the error where sensors are dense",
    equation: "(h^4/72) [1/l^2 - (1/l^2 - 1/l^4) exp(-1/2l^2)], h = 1/m", reference: "docs/estimation.md",
    offset: "the next power of h^2/l^2 is left out", remainder: { _ in [Remainder("samples", order: 6)] }
  ) { _, problem in [KnownStatistic(.mean, of: "square_error", problem.limit)] }

  private static let randomEnergy = means(
    of: KernelDensity.self, named: "kernel-density", "random-energy",
    summary: "a kernel density estimate at infinite dimension, log(n)/d fixed",
    equation:
      "above h_G = r^-1/2: log rho/d = -log(2 pi (1 + h^2))/2 - 1/(2 + 2h^2), Y_2 = 0; below: -alpha - log(2 pi h^2)/2 - s/2h^2, Y_2 = 1 - h^2 r",
    reference: "arXiv:2408.05807; docs/estimation.md",
    offset: "finite dimension is off by order log(d)/d, at h_G by d^-1/2", remainder: { _ in [] }
  ) { _, problem in
    let regimes = KernelDensity.Regimes(rate: problem.rate)
    return problem.bandwidths.enumerated().flatMap { record, h in
      [
        KnownStatistic(.mean, of: "log_density", record: record, regimes.logDensity(h)),
        KnownStatistic(.mean, of: "participation", record: record, regimes.participation(h)),
      ]
    }
  }
}
