import Experiments
import Semidefinite

/// All limits of semidefinite programs.
package enum SemidefiniteLimits {
  package static let all: [LimitEntry<SemidefiniteModel>] = [equipartition]

  /// At low temperature every direction in which the form rises from its minimum has the energy 1/(2 beta). Of the n (k - 1) directions those do not rise that turn all
  /// vectors alike: the minimum has rank r, so (k(k-1) - (k-r)(k-r-1))/2 of them.
  static let equipartition = LimitEntry<SemidefiniteModel>(
    name: "equipartition", summary: "mean of the relaxed form at a fixed, low temperature",
    equation: "beta (E H - H*) -> [n(k-1) - (k(k-1) - (k-r)(k-r-1))/2]/2", reference: "docs/max-cut.md",
    parameters: [
      Parameter("optimum", .real(.finite), "value of the program, as a run that ends with mixing finds it"),
      Parameter("optimum_rank", .integer(1...4096), "r, rank of the minimum"),
    ]
  ) { p, model in
    guard let beta = model.settings.stationary else {
      throw p.invalid(
        "equation",
        "needs a run at one temperature: final_inverse_temperature = inverse_temperature, mixing = 0, warm_up > 0")
    }
    let (n, k, r) = (Double(model.program.vertices), Double(model.settings.rank), Double(p.integer("optimum_rank")))
    guard r <= k else { throw p.invalid("optimum_rank", "must be at most the rank of the run, \(model.settings.rank)") }
    let directions = n * (k - 1) - 0.5 * (k * (k - 1) - (k - r) * (k - r - 1))
    let relaxed = model.experiment.observables[0]
    let mean = p.real("optimum") + model.program.factor * directions / (2 * beta)
    let axis = model.settings.schedule.axis
    return LimitModel(
      .known(
        ReferenceValues(
          axis: axis, observables: [relaxed], means: Array(repeating: mean, count: axis.count),
          remainder: [])),
      offset: "an offset of order 1/beta^2 is expected, and of order h for langevin")
  }
}
