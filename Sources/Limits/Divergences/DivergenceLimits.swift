import Divergences
import Experiments

/// All limits of laws of chains.
package enum DivergenceLimits {
  package static let all: [LimitEntry<DivergenceModel>] = [smallStep, smallStepDivergence, spectralGap]

  /// The target itself.
  static let smallStep = LimitEntry<DivergenceModel>(
    name: "small-step", summary: "moments of the chain's stationary law, which are those of the target as h -> 0",
    equation: "E x^2 in pi_h tends to E x^2 in pi, off by O(h) under lmc, by O(h^2) under obabo",
    reference: "docs/divergences.md", parameters: []
  ) { p, model in
    let order = model.smallStep?.remainder.first?.order ?? 1
    return try line(
      p, model.smallStep, "an offset of order h\(order == 1 ? "" : "^\(Axis.label(order))") is expected")
  }

  /// Langevin dynamics.
  static let spectralGap = LimitEntry<DivergenceModel>(
    name: "spectral-gap", summary: "the rate at which KL falls in the end: twice the spectral gap of Langevin dynamics",
    equation: "KL(q_k | pi_h) falls as e^{-2 gap h k}", reference: "arXiv:2112.12662", parameters: []
  ) { p, model in
    try line(p, model.spectralGap, "faster modes at the start and an offset of order h are expected")
  }

  private static func line(_ p: Parameters, _ values: ReferenceValues?, _ offset: String) throws -> LimitModel {
    guard let values else {
      throw p.invalid(
        "equation", "needs a chain on the line: law = \"line\" under lmc, or law = \"phase\" where the limit is no rate"
      )
    }
    return LimitModel(.known(values), offset: offset)
  }

  /// The stationary law of the chain.
  static let smallStepDivergence = LimitEntry<DivergenceModel>(
    name: "small-step-divergence",
    summary: "the divergence of the chain's stationary law from the target, which vanishes as h -> 0",
    equation:
      "KL(pi_h | pi) -> 0 as h^{2p}, p the weak order; as h^{a + 1/2} for lmc and U = |x|^a, a < 3/2, as h^{2a + 1} for obabo",
    reference: "docs/divergences.md", parameters: []
  ) { p, model in
    guard let values = model.smallStepDivergence else {
      throw p.invalid(
        "equation",
        "needs a chain with a step size and an error in it: law = \"line\" under lmc, law = \"phase\" or law = \"gaussian\""
      )
    }
    return LimitModel(
      .known(values), offset: "an offset of order h^\(Axis.label(values.remainder[0].order)) is expected")
  }
}
