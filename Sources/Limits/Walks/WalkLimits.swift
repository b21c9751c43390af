import Experiments
import Walks

/// What walks on graphs tend to, compared with the last record: those before are of shorter walks.
package enum WalkLimits {
  package static let all: [LimitEntry<DrawnProblemModel>] = [covariance, token]

  private static let notFound =
    "needs the spectrum of the chain along a function, which the method of Lanczos does not find in 4000 steps: its gap is too small"

  static let covariance = LimitEntry.of(
    SelfRepellentWalk.self, named: "problem = \"self-repellent\"", "walk-covariance",
    summary: "the covariance of the shares of the visits of a long walk; no randomness",
    equation:
      "n Cov(x) -> V = sum_i (1+lambda_i)/(1-lambda_i) u_i u_i^T/(2 alpha (1+lambda_i) + 1); scaled_error tr V, scaled_square f^T V f, scaled_variation sum_j sqrt(V_jj/2 pi)",
    reference: "arXiv:2305.05097; docs/walks.md"
  ) { p, walk in
    guard let measure = walk.chain.measure(of: walk.function) else { throw p.invalid("equation", notFound) }
    let square = measure.sum { SpectralMeasure.repellent($0, alpha: walk.alpha) }
    let variances = walk.chain.variances(alpha: walk.alpha)
    if variances == nil {
      Notes.add(
        "walk-covariance: of graphs of more than \(BaseChain.dense) vertices the limit of scaled_square is known only, by the method of Lanczos"
      )
    }
    let last = walk.records.count - 1
    var known = [KnownStatistic(.mean, of: "scaled_square", record: last, square)]
    if let variances {
      let variation = variances.reduce(0) { $0 + (max(0, $1) / (2 * Double.pi)).squareRoot() }
      known += [
        KnownStatistic(.mean, of: "scaled_error", record: last, variances.reduce(0, +)),
        KnownStatistic(.mean, of: "scaled_variation", record: last, variation),
      ]
    }
    return LimitModel(
      .known(walk.reference(known, remainder: [Remainder("steps", order: 1)])),
      offset: "an offset of order 1/n is expected")
  }

  static let token = LimitEntry.of(
    TokenLearning.self, named: "problem = \"token\"", "token-covariance",
    summary: "the covariance of what a token has learned after a long walk; no randomness",
    equation:
      "Var theta/beta_n -> W, K W + W K - (e/g) W = sum_i m_i h_i h_i^T, h_i = H(theta*, .)^T u_i, K the Hessian, e = 1 for q = 1; m = (1+lambda)/(1-lambda)/(alpha (1+lambda) + 1)^2 for p < q",
    reference: "arXiv:2401.09665; docs/walks.md"
  ) { p, token in
    let least = token.objective.curvatures.min() ?? 0
    let isFast = token.stepExponent == 1
    guard !isFast || 2 * least * token.gain > 1 else {
      throw p.invalid(
        "equation",
        "needs walk.gain above \(1 / (2 * least)) for step_exponent = 1, 1/(2 kappa) of the least curvature: with less the start is not forgotten"
      )
    }
    guard let variances = token.variances else { throw p.invalid("equation", notFound) }
    let excess = zip(variances, token.objective.curvatures).reduce(0) { $0 + 0.5 * $1.0 * $1.1 }
    let last = token.records.count - 1
    let known = [
      KnownStatistic(.mean, of: "scaled_error", record: last, variances.reduce(0, +)),
      KnownStatistic(.mean, of: "scaled_excess", record: last, excess),
    ]
    // beta_n/gamma_n; where there is no repulsion, or both steps are one over n, the order is one.
    let hasOrder = isFast && (token.alpha > 0 || token.objective.kind == .mean)
    let order = token.alpha == 0 || token.shareExponent == 1 ? 1 : 1 - token.shareExponent
    return LimitModel(
      .known(token.reference(known, remainder: hasOrder ? [Remainder("steps", order: order)] : [])),
      offset: "an offset of order beta_n/gamma_n is expected")
  }
}
