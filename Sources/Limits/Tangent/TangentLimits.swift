import Experiments
import Tangent

/// Limits of services of the tangent kernel.
package enum TangentLimits {
  package static let all: [LimitEntry<DrawnProblemModel>] = [infiniteWidth, greedyKernel]

  private static let infiniteWidth = LimitEntry<DrawnProblemModel>(
    name: "infinite-width-service", summary: "the same service with the tangent kernel at infinite width",
    equation:
      "adversarial-training: f of mean B_t y, variance K - 2 B_t K + B_t K B_t^T; distilled-labels: errors of the true and of the solved labels",
    reference: "docs/tangent.md", parameters: []
  ) { p, model in
    let known: ReferenceValues
    switch model.problem {
    case let problem as AdversarialTraining:
      known = problem.reference(problem.limit, remainder: [Remainder("width", order: 1)])
    case let problem as DistilledLabels:
      // Labels are solved for with the least eigenvalues of the kernel: order 1/n where its fluctuations are small beside them, and so no order is promised.
      known = problem.reference(
        [
          KnownStatistic(.mean, of: "true_error", problem.limit.trueError),
          KnownStatistic(.mean, of: "limit_error", problem.limit.solvedError),
          KnownStatistic(.mean, of: "own_error", problem.limit.solvedError),
        ])
    default:
      throw p.invalid("equation", "is a limit of service = \"adversarial-training\" and \"distilled-labels\" only")
    }
    return LimitModel(.known(known), offset: "a finite network is off by order 1/n")
  }

  private static let greedyKernel = LimitEntry.of(
    ActiveLearning.self, named: "service = \"active-learning\"", "greedy-kernel",
    summary: "the greedy choice with the kernel at infinite width itself",
    equation: "pivoted Cholesky of K + noise", reference: "docs/tangent.md"
  ) { _, problem in
    let greedy = problem.greedy
    let names = problem.observables.map(\.name)
    let known = problem.picks.indices.flatMap { record in
      names.enumerated().map {
        KnownStatistic(.mean, of: $1, record: record, greedy.values[record * names.count + $0])
      }
    }
    return LimitModel(
      .known(problem.reference(known)), offset: "choices that do not see the kernel are worth less")
  }
}
