import Experiments
import Filters

/// All limits of particle filters.
package enum FilterLimits {
  package static let all: [LimitEntry<DrawnProblemModel>] = [smoothingLaw, maximumLikelihood, exactEM]

  private static let smoothingLaw = LimitEntry<DrawnProblemModel>(
    name: "smoothing-law", summary: "expectations given the observations, as the number of particles goes to infinity",
    equation: "E[sum_t h_t(x_{t-1}, x_t) | y], by Kalman smoothing, forward and backward sums, or quadrature",
    reference: "arXiv:2301.00900; docs/filters.md", parameters: []
  ) { p, model in
    guard let problem = model.problem as? any SmoothingProblem else {
      throw p.invalid("equation", "is a limit of method = \"filter\", \"paris\" and \"gibbs\" only")
    }
    guard let smoothed = problem.smoothed else {
      throw p.invalid("equation", "is not known of this model with these observations")
    }
    var known = problem.estimated.flatMap { names in
      (0..<problem.axis.count).flatMap { record in
        zip(names, smoothed.functionals).map { KnownStatistic(.mean, of: $0, record: record, $1) }
      }
    }
    if problem.schema.place(of: "log_evidence") != nil {
      known.append(KnownStatistic(.mean, of: "log_evidence", smoothed.logEvidence))
    }
    return LimitModel(
      .known(problem.reference(known, remainder: [Remainder("particles", order: 1)])),
      offset: "of order 1/N")
  }

  private static let maximumLikelihood = LimitEntry<DrawnProblemModel>(
    name: "maximum-likelihood", summary: "the parameter of the largest likelihood, at the last iteration",
    equation: "argmax log Z, by golden section on the exact log Z", reference: "arXiv:2301.00900; docs/filters.md",
    parameters: [
      Parameter("from", .real(.finite), default: .real(-0.999), "where the parameter is looked for"),
      Parameter("to", .real(.finite), default: .real(0.999), "where the parameter is looked for"),
    ]
  ) { p, model in
    guard let problem = model.problem as? any LearningProblem else {
      throw p.invalid("equation", "is a limit of method = \"learning\" only")
    }
    guard p.real("from") < p.real("to") else { throw p.invalid("to", "must be above from, \(p.real("from"))") }
    guard let best = problem.mostLikely(in: p.real("from")...p.real("to")) else {
      throw p.invalid("equation", "needs a model whose likelihood is known")
    }
    return LimitModel(
      .known(
        problem.reference(
          [KnownStatistic(.mean, of: "learned", record: problem.axis.count - 1, best)],
          remainder: [Remainder("particles", order: 1)])), offset: "of order 1/N")
  }

  private static let exactEM = LimitEntry<DrawnProblemModel>(
    name: "exact-em", summary: "the parameters after each iteration, as the number of particles goes to infinity",
    equation:
      "S <- S + gamma_k (E[statistics given y, theta] - S), theta = argmax given S, by Kalman smoothing, forward and backward sums, or quadrature",
    reference: "arXiv:2301.00900; docs/filters.md", parameters: []
  ) { p, model in
    guard let problem = model.problem as? any LearningProblem else {
      throw p.invalid("equation", "is a limit of method = \"learning\" only")
    }
    guard let iterations = problem.exactIterations else {
      throw p.invalid("equation", "needs a model whose statistics are known exactly, with these observations")
    }
    return LimitModel(
      .known(
        problem.reference(
          iterations.enumerated().flatMap { record, values in
            zip(problem.learnedNames, values).map { KnownStatistic(.mean, of: $0, record: record, $1) }
          }, remainder: [Remainder("particles", order: 1)])), offset: "of order 1/N")
  }
}
