import Experiments
import Manifolds

/// All limits of systems on manifolds.
package enum ManifoldLimits {
  package static let all: [LimitEntry<ManifoldModel>] = [gibbsLaw]

  /// Means in the law exp(-beta H) of this very system, as the step vanishes.
  static let gibbsLaw = LimitEntry<ManifoldModel>(
    name: "gibbs-law", summary: "means in the law exp(-beta H) at this size, h -> 0", equation: "exp(-beta H), h -> 0",
    reference: "docs/manifolds.md", parameters: []
  ) { p, model in
    guard model.settings.schedule.warmUp > 0 else {
      throw p.invalid("equation", "needs a run with warm_up > 0: without it nothing stationary is measured")
    }
    let remainder = model.move.order.map { [Remainder("step", order: Double($0))] } ?? []
    var attributes: [String: String] = [:]
    if !model.exact.equation.isEmpty { attributes["equation"] = model.exact.equation }
    if !model.exact.reference.isEmpty { attributes["reference"] = model.exact.reference }
    return LimitModel(
      .known(model.values(remainder: remainder)),
      offset: remainder.isEmpty ? "" : "an offset of order h is expected", attributes: attributes)
  }
}
