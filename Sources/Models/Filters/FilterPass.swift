import Experiments
import Kernels
import Randomness

/// How particles are moved, selected and traced back.
package struct FilterPlan: Sendable {
  package enum Proposal: String, CaseIterable, Sendable {
    /// By the transition of the model.
    case bootstrap
    /// By a proposal that sees the next observation.
    case guided
    /// The same, and selected by what each particle promises for that observation.
    case auxiliary
  }

  package var particles: Int
  package var proposal: Proposal
  package var scheme: Selection.Scheme
  /// Particles are selected where the effective number is below this share of N; 1 for every step.
  package var threshold: Double
  /// M of PaRIS; 0 for none.
  package var backward: Int
  /// Whether a path is traced at the end, as conditional passes need it.
  package var isTraced: Bool
  /// Whether what is smoothed are the statistics of learning, not the functionals.
  package var isLearning = false

  package init(
    particles: Int, proposal: Proposal = .bootstrap, scheme: Selection.Scheme = .multinomial, threshold: Double = 1,
    backward: Int = 0, isTraced: Bool = false
  ) {
    (self.particles, self.proposal, self.scheme) = (particles, proposal, scheme)
    (self.threshold, self.backward, self.isTraced) = (threshold, backward, isTraced)
  }

  /// Logarithm of the mean weight, from the largest logarithm and the sum of the integer weights.
  func logMean(_ maximum: Double, _ total: UInt64) -> Double {
    maximum + Elementary.log(Double(total) * 0x1p-40 / Double(particles))
  }
}

/// One pass of a particle filter over the observations, with smoothed additive functionals by backward draws (PaRIS, arXiv:2301.00900), and of a conditional filter.
///
/// $w^i \mathrel{*}= g_t(x_t^i, y_t)$ (by q/p more for guided particles); selection sets the weights to 1 and multiplies $\hat Z$ by their mean, so that without selection the kept weights enter the next
/// increment and $E \hat Z = Z$ for every N, scheme and threshold. Auxiliary particles are selected by $w \eta$ and keep $1/\eta$.
///
/// PaRIS: $\tau^i_t = \frac1M \sum_m (\tau^{J_m}_{t-1} + h_t(x^{J_m}_{t-1}, x^i_t))$ with $J \sim w^J_{t-1} q_t(x^J_{t-1}, x^i_t)$. A path takes the first J of every particle.
package final class FilterPass<Model: StateSpaceModel> {
  package let plan: FilterPlan
  private let functionals, length: Int
  /// Particles now, and a step before.
  private var current, previous: Cloud
  private let logWeights: UnsafeMutablePointer<Double>
  /// Logarithms of what selection multiplies the weights by.
  private let promises: UnsafeMutablePointer<Double>
  /// Integer weights: of the particles, of selection, and of backward draws without rejection.
  private let weights, chosen, scratch: UnsafeMutablePointer<UInt64>
  private let words: UnsafeMutablePointer<UInt64>
  private let ancestors: UnsafeMutablePointer<Int32>
  private let table, fractions: SelectionTable
  /// tau of each particle, functional by functional within a particle.
  private var sums, formerSums: UnsafeMutablePointer<Double>
  /// First backward index and state of every particle at every step.
  private let traces: UnsafeMutablePointer<Int32>
  private let history: Cloud
  /// The reference path, by step; after a traced pass the path that was drawn.
  package let path: Cloud
  /// Estimates of E[h | y].
  package let estimates: UnsafeMutablePointer<Double>

  /// What came out of the last pass.
  package private(set) var logEvidence = 0.0
  /// Mean over steps of the effective number over N.
  package private(set) var effectiveShare = 0.0
  /// Observations that were taken in before all weights were 0: T unless the pass stopped.
  package private(set) var used = 0
  /// Backward draws by proposals, these proposals, and draws over all particles.
  package private(set) var proposals = 0
  package private(set) var fallbacks = 0
  package private(set) var backwardDraws = 0

  /// Refusals after which a backward draw looks at all particles.
  private static var mostProposals: Int { 64 }

  package init(_ model: Model, _ plan: FilterPlan) {
    self.plan = plan
    let learner = plan.isLearning ? model as? any LearnableModel : nil
    (functionals, length) = (learner?.statisticsCount ?? model.functionals.count, model.length)
    let n = plan.particles
    current = Cloud(particles: n, dimension: model.dimension)
    previous = Cloud(particles: n, dimension: model.dimension)
    (logWeights, promises) = (.allocateZeros(n), .allocateZeros(n))
    (weights, chosen, scratch) = (.allocate(capacity: n), .allocate(capacity: n), .allocate(capacity: n))
    (words, ancestors) = (.allocate(capacity: n), .allocate(capacity: n))
    for i in 0..<n { ancestors[i] = Int32(truncatingIfNeeded: i) }
    table = SelectionTable(capacity: n)
    fractions = SelectionTable(capacity: plan.scheme == .residual || plan.proposal == .auxiliary ? n : 0)
    (sums, formerSums) = (.allocateZeros(n * functionals + 1), .allocateZeros(n * functionals + 1))
    let kept = plan.isTraced ? n * length : 0
    traces = .allocate(capacity: max(kept, 1))
    history = Cloud(particles: kept, dimension: model.dimension)
    path = Cloud(particles: length, dimension: model.dimension)
    estimates = .allocateZeros(functionals + 1)
  }

  deinit {
    for cloud in [current, previous, history, path] { cloud.x.deallocate() }
    for place in [logWeights, promises, sums, formerSums, estimates] { place.deallocate() }
    for place in [weights, chosen, scratch, words] { place.deallocate() }
    ancestors.deallocate()
    traces.deallocate()
  }

  /// Sets the reference path to one of the model without observations.
  package func drawPrior(_ model: Model, _ stream: inout Stream) {
    for t in 0..<length {
      ancestors[0] = 0
      if t == 0 {
        model.start(current, 0..<1, &stream)
      } else {
        swap(&current, &previous)
        model.move(t, previous, ancestors, current, 0..<1, &stream)
      }
      path.copy(t, from: current, 0)
    }
  }

  /// Makes a pass.
  /// - Parameter isConditional: whether the last particle follows `path`, which a traced pass replaces by the one that it draws.
  /// - Returns: false if all weights were 0 at some observation, number `used`; log Z is -infinity then and there are no estimates.
  package func run(_ model: Model, isConditional: Bool = false, _ stream: inout Stream) -> Bool {
    run(model, isConditional: isConditional, &stream) { t, from, i, to, j, values in
      model.addFunctionals(t, from, i, to, j, values)
    }
  }

  /// The same with other additive functionals.
  /// - Parameter add: adds the terms of step t.
  @inline(__always)
  func run(
    _ model: Model, isConditional: Bool, _ stream: inout Stream,
    _ add: (_ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int, _ values: UnsafeMutablePointer<Double>) -> Void
  ) -> Bool {
    let n = plan.particles
    let free = isConditional ? n - 1 : n
    (logEvidence, effectiveShare, used) = (0, 0, 0)
    (proposals, fallbacks, backwardDraws) = (0, 0, 0)
    logWeights.update(repeating: 0, count: n)
    sums.update(repeating: 0, count: n * functionals)
    for t in 0..<length {
      if t > 0 {
        select(model, before: t, free, &stream)
        swap(&current, &previous)
      }
      if plan.proposal != .bootstrap {
        model.moveGuided(t, previous, ancestors, current, 0..<free, logWeights, &stream)
      } else if t == 0 {
        model.start(current, 0..<free, &stream)
      } else {
        model.move(t, previous, ancestors, current, 0..<free, &stream)
      }
      if isConditional { current.copy(n - 1, from: path, t) }
      if t > 0 && plan.backward > 0 { traceBack(model, t, &stream, add) }
      if plan.isTraced { for i in 0..<n { history.copy(t * n + i, from: current, i) } }
      model.weigh(t, current, 0..<n, logWeights)
      let maximum = Selection.maximum(logWeights, n)
      let total = maximum.isFinite ? Selection.weigh(logWeights, n, maximum: maximum, into: weights) : 0
      guard total > 0 else {
        logEvidence = maximum == .infinity ? .nan : -.infinity
        return false
      }
      used = t + 1
      if plan.backward > 0 || plan.scheme == .multinomial || t == length - 1 { table.fill(weights, n) }
      effectiveShare += Selection.effectiveSize(weights, n, total: total) / Double(n * length)
      (largest, mass) = (maximum, total)
    }
    logEvidence += logMean(largest, mass)
    average()
    if plan.isTraced { drawPath(&stream) }
    return true
  }

  /// Logarithm of the largest weight now, and the sum of the integer weights.
  private var largest = 0.0
  private var mass: UInt64 = 0

  private func logMean(_ maximum: Double, _ total: UInt64) -> Double { plan.logMean(maximum, total) }

  private func average() {
    let n = plan.particles
    estimates.update(repeating: 0, count: functionals)
    for i in 0..<n where weights[i] > 0 {
      let share = Double(weights[i]) / Double(table.total)
      for f in 0..<functionals { estimates[f] += share * sums[i * functionals + f] }
    }
  }

  private func drawPath(_ stream: inout Stream) {
    let n = plan.particles
    var i = table.find(Selection.number(stream.word(), below: table.total))
    for t in (0..<length).reversed() {
      path.copy(t, from: history, t * n + i)
      if t > 0 { i = Int(traces[t * n + i]) }
    }
  }
}

// MARK: - Selection

extension FilterPass {
  /// Sets the ancestors of the particles of step t, and what their weights begin with.
  private func select(_ model: Model, before t: Int, _ free: Int, _ stream: inout Stream) {
    let n = plan.particles
    var (maximum, source, sum) = (largest, weights, UInt64(0))
    if plan.proposal == .auxiliary {
      model.lookAhead(t, current, 0..<n, promises)
      for i in 0..<n { promises[i] += logWeights[i] }
      maximum = Selection.maximum(promises, n)
      source = chosen
      sum = maximum.isFinite ? Selection.weigh(promises, n, maximum: maximum, into: chosen) : 0
    }
    // Without a promise from anybody the weights decide.
    let promised = sum > 0
    if !promised { (maximum, source, sum) = (largest, weights, mass) }
    guard
      plan.threshold >= 1 || Selection.effectiveSize(source, n, total: sum) < plan.threshold * Double(n)
    else {
      for i in 0..<n { ancestors[i] = Int32(truncatingIfNeeded: i) }
      return
    }
    logEvidence += logMean(maximum, sum)
    choose(source, sum, free, plan.proposal == .auxiliary ? fractions : table, &stream)
    guard promised else {
      logWeights.update(repeating: 0, count: n)
      return
    }
    // w / (w eta) of the ancestor.
    for i in 0..<n { promises[i] = logWeights[i] - promises[i] }
    for k in 0..<n { logWeights[k] = promises[Int(ancestors[k])] }
  }

  private func choose(
    _ source: UnsafeMutablePointer<UInt64>, _ sum: UInt64, _ free: Int, _ own: SelectionTable, _ stream: inout Stream
  ) {
    let n = plan.particles
    switch plan.scheme {
    case .systematic:
      Selection.systematic(source, n, first: 0, .whole(sum), children: free, word: stream.word(), into: ancestors)
    case .multinomial:
      stream.words(free, into: words)
      if own === fractions { own.fill(source, n) }
      Selection.multinomial(own, first: 0, .whole(sum), children: 0..<free, words: words, into: ancestors)
    case .residual:
      stream.words(free, into: words)
      let split = Selection.split(source, n, total: sum, children: free, into: scratch)
      fractions.fill(scratch, n)
      Selection.residual(
        source, n, first: 0, total: sum, copies: .whole(split.copies), table: fractions,
        fractions: .whole(split.fractions), children: free, words: words, into: ancestors)
    case .pivotal:
      stream.words(n, into: words)
      Selection.pivotal(source, n, total: sum, children: free, words: words, extra: scratch, into: ancestors)
    }
  }
}

// MARK: - Backward draws

extension FilterPass {
  /// Means of the functionals over M backward draws of every particle. The weights of the previous step are still those of `table`.
  @inline(__always)
  private func traceBack(
    _ model: Model, _ t: Int, _ stream: inout Stream,
    _ add: (_ t: Int, _ from: Cloud, _ i: Int, _ to: Cloud, _ j: Int, _ values: UnsafeMutablePointer<Double>) -> Void
  ) {
    let n = plan.particles
    swap(&sums, &formerSums)
    let share = 1 / Double(plan.backward)
    for i in 0..<n {
      let own = sums + i &* functionals
      for f in 0..<functionals { own[f] = 0 }
      for m in 0..<plan.backward {
        let j = backwardIndex(model, t, i, &stream)
        if m == 0 && plan.isTraced { traces[t &* n &+ i] = Int32(truncatingIfNeeded: j) }
        let former = formerSums + j &* functionals
        for f in 0..<functionals { own[f] += former[f] }
        add(t, previous, j, current, i, own)
      }
      for f in 0..<functionals { own[f] *= share }
    }
  }

  /// A particle J of the step before with probability in proportion to $w^J q_t(x^J, x^i)$: by rejection, after 64 refusals by looking at all.
  private func backwardIndex(_ model: Model, _ t: Int, _ i: Int, _ stream: inout Stream) -> Int {
    backwardDraws += 1
    if model.isBounded {
      for _ in 0..<Self.mostProposals {
        proposals += 1
        let j = table.find(Selection.number(stream.word(), below: table.total))
        if stream.uniform() < Elementary.exp(model.logTransition(t, previous, j, current, i)) { return j }
      }
    }
    fallbacks += 1
    let n = plan.particles
    for j in 0..<n {
      promises[j] =
        weights[j] == 0
        ? -.infinity : Elementary.log(Double(weights[j])) + model.logTransition(t, previous, j, current, i)
    }
    let maximum = Selection.maximum(promises, n)
    let total = maximum.isFinite ? Selection.weigh(promises, n, maximum: maximum, into: scratch) : 0
    // Only a reference path that the model cannot take has no way back.
    guard total > 0 else { return table.find(Selection.number(stream.word(), below: table.total)) }
    var pointer = Selection.number(stream.word(), below: total)
    var j = 0
    while pointer >= scratch[j] {
      pointer -= scratch[j]
      j += 1
    }
    return j
  }
}
