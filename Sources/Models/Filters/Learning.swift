import Experiments
import Kernels
import Randomness

/// Maximum likelihood by stochastic EM: $S \leftarrow S + \gamma_k (\hat S(\theta) - S)$ with smoothed functionals $\hat S$, then $\theta = \mathrm{argmax}$ given S; $\gamma_k = 1$ for k below `constant`, then $(k - \mathrm{constant} + 1)^{-p}$.
/// $\hat S$ is that of a pass, or that of a sweep of Parisian particle Gibbs from the path of such a pass. A draw is a whole run, a record an iteration.
package struct Learning<Model: LearnableModel>: DrawnProblem {
  package let model: Model
  let plan: FilterPlan
  let iterations, constant: Int
  let exponent: Double
  /// Whether a conditional sweep follows each pass.
  let isGibbs: Bool
  package let attributes: [String: String]

  package init(
    _ model: Model, _ plan: FilterPlan, iterations: Int, constant: Int, exponent: Double, isGibbs: Bool,
    attributes: [String: String] = [:]
  ) {
    (self.model, self.plan, self.iterations) = (model, plan, iterations)
    (self.constant, self.exponent, self.isGibbs) = (constant, exponent, isGibbs)
    self.attributes = attributes
  }

  package final class State {
    fileprivate let pass: FilterPass<Model>
    /// S.
    fileprivate let sums: UnsafeMutablePointer<Double>

    fileprivate init(_ learning: Learning) {
      pass = FilterPass(learning.model, learning.plan)
      sums = .allocateZeros(learning.model.functionals.count)
    }

    deinit { sums.deallocate() }
  }

  package var axis: Axis { .counts("iteration", iterations, "iterations made") }
  package var observables: [Observable] {
    [
      Observable("learned", "the parameter after the iteration"),
      Observable("stopped", role: .failure, "1 where all weights became 0, which ends the run"),
    ]
  }

  package func makeState() -> State { State(self) }

  package func draw(_ state: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    var model = model
    let (pass, sums) = (state.pass, state.sums)
    let count = model.functionals.count
    sums.update(repeating: 0, count: count)
    var ended = true
    for k in 0..<iterations {
      ended = ended && pass.run(model, &stream) && (!isGibbs || pass.run(model, isConditional: true, &stream))
      let step = k < constant ? 1 : Elementary.power(Double(k - constant + 1), -exponent)
      for f in 0..<count { sums[f] += step * (pass.estimates[f] - sums[f]) }
      if ended { model.parameter = model.maximiser(sums) }
      (values[2 * k], values[2 * k + 1]) = (ended ? model.parameter : .nan, ended ? 0 : 1)
    }
  }

  /// The parameter of the largest likelihood, by golden section from the exact log Z; nil where that is not known.
  /// - Parameter range: where it is looked for; log Z has one maximum there.
  package func mostLikely(in range: ClosedRange<Double>) -> Double? {
    func logEvidence(_ parameter: Double) -> Double? {
      var other = model
      other.parameter = parameter
      return other.exact?.logEvidence
    }
    guard logEvidence(range.lowerBound) != nil else { return nil }
    return GoldenSection.minimum(in: range, sections: 45) { -(logEvidence($0) ?? -.infinity) }
  }
}

/// What limits read of a problem that learns a parameter.
package protocol LearningProblem: DrawnProblem {
  /// The parameter of the largest likelihood.
  func mostLikely(in range: ClosedRange<Double>) -> Double?
}

extension Learning: LearningProblem {}
