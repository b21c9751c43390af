import Diffusions
import Experiments
import Kernels

/// All limits of generative diffusions.
package enum DiffusionLimits {
  package static let all: [LimitEntry<DrawnProblemModel>] = [dataLaw, lineData, gaussianEquivalent, kernelMixtures]

  private static let dataLaw = LimitEntry.of(
    Multiplicative.self, named: "process = \"multiplicative\"", "log-normal-data",
    summary: "the data themselves, as the steps go to infinity",
    equation: "log x ~ sum_i weight_i N(mean_i, variance_i)",
    reference: "arXiv:2510.02730; docs/diffusions.md"
  ) { _, problem in
    let data = problem.data
    return LimitModel(
      .known(
        problem.reference(
          [
            KnownStatistic(.mean, of: "log_x", data.mean), KnownStatistic(.mean, of: "square_log_x", data.secondMoment),
            KnownStatistic(
              .mean, of: "x",
              data.components.reduce(0) { $0 + $1.weight * Elementary.exp($1.mean + 0.5 * $1.variance) }),
            KnownStatistic(lawOf: "log_x", data.law),
          ], remainder: [Remainder("steps", order: 1)])),
      offset: "of order 1/K from the exact start; a start that does not know the data keeps a distance")
  }

  private static let lineData = LimitEntry.of(
    Additive.self, named: "process = \"additive\"", "line-data",
    summary: "the data themselves, as the steps go to infinity",
    equation: "x ~ sum_i weight_i N(mean_i, variance_i), or Student's law",
    reference: "arXiv:2501.07741; docs/diffusions.md"
  ) { p, problem in
    var known: [KnownStatistic] = []
    if case .mixture(let data) = problem.data {
      known = [KnownStatistic(.mean, of: "x", data.mean), KnownStatistic(.mean, of: "square", data.secondMoment)]
    }
    // What no run will see is not compared.
    if problem.tailProbability > 1e-7 { known.append(KnownStatistic(.mean, of: "tail", problem.tailProbability)) }
    return LimitModel(
      .known(problem.reference(known, remainder: [Remainder("steps", order: 1)])), offset: "of order 1/K")
  }

  private static let gaussianEquivalent = LimitEntry.of(
    GeneratedClasses.self, named: "process = \"generated-classes\"", "gaussian-equivalent",
    summary: "normal classes with the means and covariances of the generated ones",
    equation: "x of class c ~ N(mean_c, covariance_c)", reference: "arXiv:2501.07741; docs/diffusions.md",
    parameters: [
      Parameter(
        "moment_samples", .integer(2...1_000_000), default: .integer(2000),
        "generated samples a class, of which mean and covariance are taken")
    ]
  ) { p, problem in
    LimitModel(
      .exact(Experiment(ProblemDraw(problem.gaussian(moments: p.integer("moment_samples"))))),
      offset: "equal if the error sees no more than two moments of the data")
  }

  private static let kernelMixtures = LimitEntry.of(
    GeneratedClasses.self, named: "process = \"generated-classes\"", "kernel-mixtures",
    summary: "the classes themselves, as the steps go to infinity: excess kurtosis along their principal components",
    equation: "(mean p^4 + 6 b^2 v + 3 b^4)/(v + b^2)^2 - 3, p = u.(x_i - mean), v = mean p^2, b the bandwidth",
    reference: "arXiv:2501.07741; docs/diffusions.md"
  ) { p, problem in
    guard problem.hasProjections else { throw p.invalid("equation", "needs diffusion.projections >= 1") }
    return LimitModel(.known(problem.mixtures), offset: "of order 1/K")
  }
}
