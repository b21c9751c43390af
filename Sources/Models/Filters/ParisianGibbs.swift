import Experiments
import Randomness

/// Sweeps of Parisian particle Gibbs (arXiv:2301.00900): passes with backward draws in which one particle follows a reference path, and the path of a particle drawn at the end is the next reference. A draw is a run of sweeps, a record a sweep.
///
/// From a reference of the smoothing law every sweep is unbiased, for every N >= 2. From any other the bias falls geometrically in the sweeps. Selection is multinomial: a conditional systematic one is not the systematic one with its last particle
/// replaced.
package struct ParisianGibbs<Model: StateSpaceModel>: DrawnProblem, SmoothingProblem {
  package let model: Model
  let plan: FilterPlan
  let sweeps, burnIn: Int
  let reference: FilterReference
  package let smoothed: SmoothedValues?
  package let attributes: [String: String]
  package var estimated: [[String]] { [model.names, model.names.map { "averaged_\($0)" }] }

  package init(
    _ model: Model, _ plan: FilterPlan, sweeps: Int, burnIn: Int, reference: FilterReference,
    attributes: [String: String] = [:]
  ) {
    (self.model, self.plan, self.sweeps, self.burnIn) = (model, plan, sweeps, burnIn)
    (self.reference, self.attributes) = (reference, attributes)
    smoothed = model.exact
  }

  package var axis: Axis { .counts("sweep", sweeps, "sweeps made, this one included") }

  package var observables: [Observable] {
    model.functionals.map { Observable($0.name, $0.indices, $0.summary) }
      + model.functionals.map {
        Observable(
          "averaged_\($0.name)", $0.indices,
          "\($0.name), mean over the sweeps after the first \(burnIn); of one of these, its own")
      }
      + [Observable("stopped", role: .failure, "1 where all weights became 0, which ends the run")]
  }

  package var known: [KnownStatistic] {
    guard reference == .smoothing, let smoothed else { return [] }
    return (0..<sweeps).flatMap { sweep in
      estimated.flatMap { names in
        zip(names, smoothed.functionals).map { KnownStatistic(.mean, of: $0, record: sweep, $1) }
      }
    }
  }

  package func makeState() -> FilterPass<Model> { FilterPass(model, plan) }

  package func draw(_ pass: FilterPass<Model>, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    let count = model.functionals.count
    var ended = pass.begin(model, reference, &stream)
    for sweep in 0..<sweeps {
      let record = values + sweep * (2 * count + 1)
      ended = ended && pass.run(model, isConditional: true, &stream)
      for f in 0..<count {
        let estimate = ended ? pass.estimates[f] : .nan
        record[f] = estimate
        // The mean so far, which the record before holds.
        let age = Double(max(sweep - burnIn, 0))
        let former = age > 0 ? record[f - count - 1] : 0
        record[count + f] = former + (estimate - former) / (age + 1)
      }
      record[2 * count] = ended ? 0 : 1
    }
  }
}

/// Where the first reference path comes from.
package enum FilterReference: String, CaseIterable, Sendable {
  /// The model without its observations.
  case prior
  /// A pass without a reference.
  case filter
  /// The smoothing law, exactly.
  case smoothing
}

extension FilterPass {
  /// Sets the first reference path.
  /// - Returns: whether there is one.
  func begin(_ model: Model, _ reference: FilterReference, _ stream: inout Stream) -> Bool {
    switch reference {
    case .prior: drawPrior(model, &stream)
    case .smoothing: model.drawSmoothed(path, &stream)
    case .filter: return run(model, &stream)
    }
    return true
  }
}
