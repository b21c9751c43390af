import Analyses
import Engine
import Experiments
import Foundation
import Jobs
import Statistics

/// What one run says, and what it says of its own power.
package struct Outcome: Sendable, Equatable {
  package let word: Equivalence
  /// Probability with which these draws detect an effect of the statement's size, by the numbers that are printed beside the word; nil where they
  /// promise nothing of such an effect.
  package let power: Double?

  package init(word: Equivalence, power: Double?) {
    self.word = word
    self.power = power
  }
}

/// A job and its references, which are right, or wrong by a known amount.
package struct Statement: Sendable {
  /// TOML without a seed.
  package let job: String
  /// Settings under which the finite leg is drawn instead. The references stay those of `job`.
  package var finite: [String] = []
  /// How far the references are off, in the unit of the kind; 0 of a true statement.
  package var effect = 0.0
  /// Puts other references in place of those that the job has.
  package var edit: @Sendable (Job) -> Job = { $0 }

  package init(
    _ job: String, finite: [String] = [], effect: Double = 0, edit: @escaping @Sendable (Job) -> Job = { $0 }
  ) {
    self.job = job
    self.finite = finite
    self.effect = effect
    self.edit = edit
  }

  /// The job as `fathom run` reads it, with another seed, and another finite leg or other references where the statement has them.
  package func read(seed: Int) throws -> Job {
    func job(_ settings: [String]) throws -> Job {
      try JobReader(data: DataFiles(job: "calibration.toml"))
        .read(self.job, name: "calibration.toml", settings: ["seed=\(seed)"] + settings).job
    }
    let result = edit(try job([]))
    guard !finite.isEmpty else { return result }
    let others = try job(finite).cases
    return result.editing { leg, item in
      leg.role == .finite ? others.first { $0.label == item.label }?.finite : leg
    }
  }

  package func run(seed: Int) throws -> Snapshot { try LocalRun.run(read(seed: seed), ranks: 1).snapshot }
}

/// A kind of verdict: a statement that is true, one that is false, and where the word stands.
package struct Kind: Sendable {
  package let name: String
  /// What is compared, and by how much the false statement is off.
  package let summary: String
  /// Probability with which the true statement is contradicted.
  package let alpha: Double
  /// Whether the word contradicts the true statement.
  package var isAlarm: @Sendable (Equivalence) -> Bool = { $0 == .differs }
  package let truth, falsehood: Statement
  /// The word and the printed power for an effect of this size; nil where there is no such verdict, which is a fault of the job.
  package let read: @Sendable (_ snapshot: Snapshot, _ effect: Double) -> Outcome?

  package enum Side: String, Sendable, CaseIterable {
    case truth = "true"
    case falsehood = "false"
  }

  package func statement(_ side: Side) -> Statement { side == .truth ? truth : falsehood }

  package struct NoVerdict: Error, CustomStringConvertible {
    package let description: String
  }

  package func run(_ side: Side, seed: Int) throws -> Outcome {
    let statement = statement(side)
    // Both statements may have the same finite leg: with the same draws, their counts would not be independent.
    let own = side == .truth ? seed : 1_000_000 + seed
    guard let outcome = read(try statement.run(seed: own), statement.effect) else {
      throw NoVerdict(description: "\(name), \(side.rawValue) statement, seed \(seed): the job has no such verdict")
    }
    return outcome
  }
}

extension Job {
  /// The same job with other legs, or fewer: nil leaves a leg out.
  func editing(_ change: (Leg, Case) -> Leg?) -> Job {
    let cases = cases.map { item in
      Case(label: item.label, swept: item.swept, legs: item.legs.compactMap { change($0, item) })
    }
    return with(cases)
  }

  /// The same job, each case with one leg more.
  func adding(_ make: (Leg) -> Leg) -> Job {
    with(cases.map { Case(label: $0.label, swept: $0.swept, legs: $0.legs + [make($0.finite!)]) })
  }

  private func with(_ cases: [Case]) -> Job {
    Job(
      title: title, seed: seed, cases: cases, tolerances: tolerances, covarianceLimit: covarianceLimit,
      healthThreshold: healthThreshold, exponents: exponents, smallParameters: smallParameters,
      tunedKeys: tunedKeys ?? [], text: text, identity: identity)
  }

  /// The same job with what its known references predict changed. What becomes nil is not predicted; a reference without predictions is left out.
  func predicting(_ change: (PredictedStatistic, Observable) -> PredictedStatistic?) -> Job {
    editing { leg, _ in
      guard let known = leg.known else { return leg }
      let statistics = known.statistics.compactMap { change($0, known.observables[$0.observable]) }
      guard !statistics.isEmpty else { return nil }
      let values = ReferenceValues(
        schema: known.schema, statistics: statistics, remainder: known.remainder,
        holdsFromTheStart: known.holdsFromTheStart)
      return Leg(
        name: leg.name, role: leg.role, content: .known(values), attributes: leg.attributes,
        expectedOffset: leg.expectedOffset, refines: leg.refines, marginalLaw: leg.marginalLaw)
    }
  }

  func without(_ role: Leg.Role) -> Job { editing { leg, _ in leg.role == role ? nil : leg } }
}

extension PredictedStatistic {
  func with(_ value: Double) -> PredictedStatistic {
    PredictedStatistic(statistic, record: record, observable: observable, value: value, law: law)
  }
}
