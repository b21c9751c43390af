import Experiments
import Statistics

/// Whether the replicas of a leg, as chains, have mixed: each went everywhere where the others went. Whoever draws conclusions about the law that
/// they sample asks first. docs/diagnostics.md has the definitions.
///
/// Means of the replicas that differ more than chance explains are the sign of chains that did not mix. Of halves of chains with e effective samples
/// each, R-hat^2 - 1 is about chi^2/(e k) with k degrees of freedom, one less than there are halves. So R-hat may be as large as
/// that is with probability `falseAlarm`, but at least 1.01 (Vehtari et al., arXiv:1903.08008, for chains that are long enough) and at most 1.1
/// (Gelman and Rubin, Statist. Sci. 7 (1992) 457).
package struct Mixing: Sendable {
  package enum Reason: String, Sendable {
    case mixed
    /// No replica left its start.
    case noChainMoved = "no-chain-moved"
    /// Some did not.
    case stuckChains = "stuck-chains"
    /// Too few proposals were accepted in some replica.
    case acceptance
    /// The replicas, or their halves, disagree.
    case rHat = "r-hat"
    case effectiveSamples = "effective-samples"
    /// So few measurements that nothing can be said.
    case tooShort = "too-short"
  }

  /// What the series of an observable look like.
  package enum State: String, Sendable {
    case moving
    /// The same in all replicas at all times.
    case constant
    /// Constant in every replica, and different from one to the next.
    case frozen
    /// Constant in some replicas.
    case stuck
    case tooShort = "too short"
    case notFinite = "not finite"
  }

  package struct Row: Sendable {
    package let observable: Observable
    package let state: State
    /// Rank-normalised, the larger of bulk and folded; the plain one where no single measurements are kept. NaN for a constant.
    package let rHat: Double
    /// What `rHat` may be at most.
    package let bound: Double
    /// From the means of the halves of the whole run.
    package let splitRHat: Double
    /// For the mean. A series that is constant in every replica counts as one sample a replica.
    package let effectiveSamples: Double
    /// Nil where no single measurements are kept.
    package let bulkEffectiveSamples: Double?
    /// The kept measurements.
    package let chains: Chains?

    /// Whether mixing is judged by it: a quantity of the system that is not rare.
    package var isJudged: Bool { observable.isPhysical && observable.role != .event && observable.role != .failure }
  }

  /// Proposals accepted in a replica, and effective samples of an observable a replica, below which nothing is concluded.
  package static let leastAccepted = 10.0
  package static let leastEffectiveSamples = 10.0
  /// Probability that chance alone takes R-hat of mixed chains over its bound, if that is between its limits.
  package static let falseAlarm = 1e-6
  package static let bounds = 1.01...1.1

  package let replicas: Int
  package let rows: [Row]
  package let code: Reason
  /// Why they have not mixed, or with what R-hat they have, as half a sentence.
  package let sentence: String

  package var isMixed: Bool { code == .mixed }
  package var reason: String { code.rawValue }
  /// The judged observable with the largest R-hat, infinite ones first.
  package var worst: Row? { rows.filter { $0.isJudged && !$0.rHat.isNaN }.max { $0.rHat < $1.rHat } }

  /// Nil for a leg of independent draws, and without replicas.
  package init?(leg: Leg, state: LegState) {
    guard let process = leg.process, !state.rows.isEmpty else { return nil }
    let summaries = leg.observables.indices.map { Summary(leg, state, $0) }
    replicas = state.rows.values.count
    rows = summaries.map(\.row)
    (code, sentence) = Self.judge(rows, summaries, steps: process.schedule.steps, replicas: replicas)
  }

  /// R-hat that chains of so many effective samples a half may have.
  package static func bound(effectiveSamples: Double, halves: Int) -> Double {
    let k = halves - 1
    var (low, high) = (0.0, 100 + 10 * Double(k))
    for _ in 0..<50 {
      let middle = 0.5 * (low + high)
      if ChiSquare.tail(middle, degreesOfFreedom: k) > falseAlarm { low = middle } else { high = middle }
    }
    let bound = (1 + high / Double(k) / effectiveSamples).squareRoot()
    return bound.isNaN ? bounds.upperBound : min(max(bound, bounds.lowerBound), bounds.upperBound)
  }

  private static func judge(
    _ rows: [Row], _ summaries: [Summary], steps: Int, replicas: Int
  ) -> (Reason, String) {
    let judged = zip(rows, summaries).filter { $0.0.isJudged }
    let acceptances = zip(rows, summaries).first { $0.0.observable.role == .acceptanceRate }?.1.means
    if judged.allSatisfy({ $0.0.state == .tooShort }) {
      return (.tooShort, "the replicas are too short to tell whether they have mixed")
    }
    // What is the same for all replicas at all times says nothing of their motion.
    let telling = judged.filter { $0.0.state != .constant }
    let known = telling.map(\.0).filter { !$0.rHat.isNaN }
    func words(_ row: Row) -> String { "R-hat is \(Words.format(row.rHat, 4)) in \(row.observable.name)" }
    let largest = known.max { $0.rHat < $1.rHat }.map { "the largest \(words($0))" }
    let still = (0..<replicas).filter { replica in
      telling.allSatisfy { $0.1.isConstant[replica] } || acceptances?[replica] == 0
    }
    if still.count == replicas { return (.noChainMoved, "no chain moved") }
    guard let largest else { return (.tooShort, "the replicas are too short to tell whether they have mixed") }
    if !still.isEmpty { return (.stuckChains, "\(still.count) of \(replicas) chains never moved; \(largest)") }
    if let least = acceptances?.min(), least * Double(steps) < leastAccepted {
      let (accepted, wanted) = (Words.format(least * Double(steps), 2), Words.format(leastAccepted, 2))
      return (
        .acceptance, "a chain accepted \(accepted) proposals in \(steps) steps, fewer than \(wanted); \(largest)"
      )
    }
    if let worst = known.filter({ $0.rHat > $0.bound }).max(by: { $0.rHat < $1.rHat }) {
      let who = replicas > 1 ? "the chains disagree" : "the halves of the chain disagree"
      return (.rHat, "\(who): \(words(worst)), above \(Words.format(worst.bound, 3))")
    }
    let least = known.min { $0.judgedSamples < $1.judgedSamples }!
    let each = least.judgedSamples / Double(replicas)
    if each < leastEffectiveSamples {
      let wanted = Words.format(leastEffectiveSamples, 2)
      return (
        .effectiveSamples,
        "\(Words.format(each, 2)) effective samples a chain in \(least.observable.name), fewer than \(wanted)"
      )
    }
    return (.mixed, largest)
  }
}

extension Mixing.Row {
  fileprivate var judgedSamples: Double { bulkEffectiveSamples ?? effectiveSamples }
}

/// One observable of a leg of replicas, from its rows and its kept measurements.
private struct Summary {
  let row: Mixing.Row
  /// Of each replica: its mean over the run, and whether it never changed.
  let means: [Double]
  let isConstant: [Bool]

  init(_ leg: Leg, _ state: LegState, _ place: Int) {
    let order = state.rows.draws
    let m = Double(order.count)
    func column(_ kind: Int) -> [Double] {
      order.map { state.rows.values[$0]![leg.schema.width + place * Rows.diagnostics.count + kind] }
    }
    let (errors, first, second, variances) = (column(0), column(1), column(2), column(3))
    means = zip(first, second).map { 0.5 * ($0 + $1) }
    isConstant = order.indices.map { variances[$0] == 0 && first[$0] == second[$0] }
    let halves = first + second
    let within = variances.reduce(0, +) / m
    let mean = halves.reduce(0, +) / Double(halves.count)
    let between = halves.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(halves.count - 1)
    let isFrozen = !isConstant.contains(false)
    let isSame = isFrozen && halves.allSatisfy { $0 == halves[0] }
    let splitRHat = isSame ? .nan : (1 + between / within).squareRoot()
    // Effective samples by batch means: as if the chains agreed.
    let squares = errors.reduce(0) { $0 + $1 * $1 }
    let batch = within * m * m / squares

    let schedule = leg.process!.schedule
    let values = state.series.values(of: place, replicas: order)
    let chains = isFrozen ? nil : values.flatMap { Chains($0, count: order.count) }
    let condition: Mixing.State =
      schedule.measurements < 4
      ? .tooShort
      : !halves.allSatisfy(\.isFinite) || !within.isFinite
        ? .notFinite
        : isSame
          ? .constant
          : isFrozen ? .frozen : isConstant.contains(true) && leg.observables[place].isPhysical ? .stuck : .moving

    var rHat = splitRHat
    var bound = Mixing.bounds.lowerBound
    var samples = m
    var bulkSamples: Double?
    if let chains {
      let scales = [chains.mixing(.bulk), chains.mixing(.folded)]
      bulkSamples = scales[0].effectiveSamples
      let known = scales.filter { !$0.rHat.isNaN }
      rHat = known.map(\.rHat).max() ?? .nan
      bound =
        known.map { Mixing.bound(effectiveSamples: $0.effectiveSamplesWithin / (2 * m), halves: 2 * order.count) }.max()
        ?? bound
      samples = chains.effectiveSamples
      // Values left out between the kept ones hide how fast the chains move, and are many where the chains agree.
      if state.series.stride > 1, rHat <= bound, batch.isFinite { samples = max(samples, batch) }
    } else if !isFrozen {
      bound = Mixing.bound(effectiveSamples: batch / (2 * m), halves: 2 * order.count)
      // The variance between the chains enters once it is more than chance.
      let apart = splitRHat * splitRHat
      samples = splitRHat > bound ? min(batch, m * apart / (apart - 1)) : batch
    }
    row = Mixing.Row(
      observable: leg.observables[place], state: condition, rHat: rHat, bound: bound, splitRHat: splitRHat,
      effectiveSamples: samples, bulkEffectiveSamples: bulkSamples, chains: chains)
  }
}
