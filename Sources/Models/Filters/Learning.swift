import Experiments
import Kernels
import Randomness

/// Maximum likelihood by stochastic EM: $S \leftarrow S + \gamma_k (\hat S(\theta) - S)$ with smoothed statistics $\hat S$, then $\theta = \mathrm{argmax}$ given S; $\gamma_k = 1$ for k below `constant`, then $(k - \mathrm{constant} + 1)^{-p}$.
/// $\hat S$ is that of a pass, or that of a sweep of Parisian particle Gibbs from the path of such a pass. A draw is a whole run, a record an iteration.
package struct Learning<Model: LearnableModel>: DrawnProblem {
  package let model: Model
  private(set) var plan: FilterPlan
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
    self.plan.isLearning = true
    (self.constant, self.exponent, self.isGibbs) = (constant, exponent, isGibbs)
    self.attributes = attributes
  }

  package final class State {
    fileprivate let pass: FilterPass<Model>
    /// S.
    fileprivate let sums: UnsafeMutablePointer<Double>

    fileprivate init(_ learning: Learning) {
      pass = FilterPass(learning.model, learning.plan)
      sums = .allocateZeros(learning.model.statisticsCount)
    }

    deinit { sums.deallocate() }
  }

  package var axis: Axis { .counts("iteration", iterations, "iterations made") }
  package var observables: [Observable] {
    model.learned.map {
      Observable($0.name.isEmpty ? "learned" : "learned_\($0.name)", $0.indices, "\($0.summary), after the iteration")
    } + [Observable("stopped", role: .failure, "1 where all weights became 0, which ends the run")]
  }

  package func makeState() -> State { State(self) }

  package func draw(_ state: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    var model = model
    let (pass, sums) = (state.pass, state.sums)
    let (count, width) = (model.statisticsCount, model.learned.count)
    sums.update(repeating: 0, count: count)
    var ended = true
    for k in 0..<iterations {
      ended = ended && smooth(model, pass, &stream)
      for f in 0..<count { sums[f] += rate(k) * (pass.estimates[f] - sums[f]) }
      if ended { model.maximise(sums) }
      let record = values + k * (width + 1)
      if ended { model.writeParameters(record) } else { record.update(repeating: .nan, count: width) }
      record[width] = ended ? 0 : 1
    }
  }

  /// $\gamma_k$.
  private func rate(_ k: Int) -> Double { k < constant ? 1 : Elementary.power(Double(k - constant + 1), -exponent) }

  /// A pass, and a sweep from its path.
  private func smooth(_ model: Model, _ pass: FilterPass<Model>, _ stream: inout Stream) -> Bool {
    func run(_ isConditional: Bool, _ stream: inout Stream) -> Bool {
      pass.run(model, isConditional: isConditional, &stream) { t, from, i, to, j, values in
        model.addStatistics(t, from, i, to, j, values)
      }
    }
    return run(false, &stream) && (!isGibbs || run(true, &stream))
  }

  /// The parameters after each iteration with exact statistics, which those of particles tend to; nil where they are not known.
  package var exactIterations: [[Double]]? {
    var (model, sums, found) = (model, Array(repeating: 0.0, count: model.statisticsCount), [[Double]]())
    var values = Array(repeating: 0.0, count: model.learned.count)
    for k in 0..<iterations {
      guard let exact = model.exactStatistics else { return nil }
      for f in sums.indices { sums[f] += rate(k) * (exact.functionals[f] - sums[f]) }
      model.maximise(sums)
      model.writeParameters(&values)
      found.append(values)
    }
    return found
  }

  /// The parameter of the largest likelihood, by golden section from the exact log Z; nil where that is not known.
  /// - Parameter range: where it is looked for; log Z has one maximum there.
  package func mostLikely(in range: ClosedRange<Double>) -> Double? {
    guard let model = model as? any OneParameterModel else { return nil }
    return Self.mostLikely(model, in: range)
  }

  private static func mostLikely(_ model: some OneParameterModel, in range: ClosedRange<Double>) -> Double? {
    func logEvidence(_ parameter: Double) -> Double? {
      var other = model
      other.parameter = parameter
      return other.exact?.logEvidence
    }
    guard logEvidence(range.lowerBound) != nil else { return nil }
    return GoldenSection.minimum(in: range, sections: 45) { -(logEvidence($0) ?? -.infinity) }
  }
}

/// What limits read of a problem that learns parameters.
package protocol LearningProblem: DrawnProblem {
  /// Names of what is learned, as observables have them.
  var learnedNames: [String] { get }
  /// Its values after each iteration with exact statistics.
  var exactIterations: [[Double]]? { get }
  /// The parameter of the largest likelihood.
  func mostLikely(in range: ClosedRange<Double>) -> Double?
}

extension Learning: LearningProblem {
  package var learnedNames: [String] { observables.dropLast().map(\.name) }
}
