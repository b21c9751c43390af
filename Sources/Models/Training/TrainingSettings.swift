import Experiments

/// What all problems share: how many steps, at which learning rate, when a run ends, what is measured when.
package struct TrainingSettings: Sendable {
  /// Numbers of steps after which it is measured, ascending; 0 is the start.
  package let records: [Int]
  package let learningRate: LearningRate
  package let schedule: RateSchedule
  package let stopBelow: Double?
  package let divergedAbove: Double
  /// Families of observables that are kept; nil for all.
  package let measured: [String]?

  static func parameters(_ entry: ProblemEntry) -> [Parameter] {
    var found = [
      Parameter("problem", .choice([entry.name]), "what is trained"),
      Parameter("draws", .integer(2...Int64.max), "independent runs, each with weights, data and noise of its own"),
      Parameter("steps", .integer(1...1_000_000_000_000), unit: "steps", "steps of a run"),
      StepRecords.parameter,
      Parameter(
        "learning_rate", .structured(LearningRate.words), isTuned: true,
        "eta; what it multiplies is in the equation of the problem"),
      Parameter("schedule", .structured(RateSchedule.words), default: .text("constant"), "the learning rate in time"),
      Parameter(
        "stop_below", .real(.above(0)), optional: true,
        "a run ends once its training loss is below, and keeps its values; none unless given"),
      Parameter(
        "diverged_above", .real(.above(0)), default: .real(1e8),
        "a run has diverged once its training loss is above, or no number"),
      Parameter(
        "observables",
        .structured(
          "an array of " + entry.observables.joined(separator: ", ") + "; and { name = …, formula = … } of these"),
        default: .list(entry.defaults.map { .text($0) }), "what is measured"),
    ]
    if entry.samplers.count > 1 {
      found.append(
        Parameter(
          "sampler", .choice(entry.samplers.map(\.name)), default: .text(entry.samplers[0].name),
          entry.samplers.map { "\($0.name): \($0.summary)" }.joined(separator: "; ")))
    }
    return found
  }

  init(_ p: Parameters, _ entry: ProblemEntry) throws {
    let steps = p.integer("steps")
    records = try StepRecords.read(p, steps: steps)
    learningRate = try LearningRate(p["learning_rate"], path: "\(p.path).learning_rate")
    schedule = try RateSchedule(p["schedule"], path: "\(p.path).schedule", steps: steps)
    stopBelow = p["stop_below"].map { _ in p.real("stop_below") }
    divergedAbove = p.real("diverged_above")
    if let stopBelow, stopBelow >= divergedAbove {
      throw p.invalid("stop_below", "must be less than diverged_above, \(divergedAbove)")
    }
    measured = try Self.readNames(p, entry.observables)
  }

  package init(
    records: [Int], learningRate: Double, stopBelow: Double? = nil, divergedAbove: Double = 1e8,
    measured: [String]? = nil
  ) {
    self.records = records
    self.learningRate = .fixed(learningRate)
    schedule = .constant
    self.stopBelow = stopBelow
    self.divergedAbove = divergedAbove
    self.measured = measured
  }

  /// eta of a step, from 1.
  /// - Precondition: it is the same for every run (`requireOneRate`).
  package func rate(_ step: Int) -> Double {
    guard case .fixed(let rate) = learningRate else { preconditionFailure("each run has a learning rate of its own") }
    return rate * schedule.factor(step)
  }

  /// - Throws: where each run draws its own learning rate, for what is known of one rate only.
  package func requireOneRate(_ p: Parameters, _ key: String) throws {
    guard learningRate.isFixed else {
      throw p.invalid(key, "needs a learning_rate that is a number, the same for every run")
    }
  }

  func end(_ loss: Double) -> Outcome.End? {
    // Written so that what is no number has diverged.
    if !(loss <= divergedAbove) { return .diverged }
    if let stopBelow, loss < stopBelow { return .converged }
    return nil
  }

  private static func readNames(_ p: Parameters, _ allowed: [String]) throws -> [String] {
    let wrong = p.invalid(
      "observables",
      "must be an array of different names of \(allowed.joined(separator: ", "))\(Nearest.hint(p["observables"], among: allowed))"
    )
    guard case .list(let items)? = p["observables"], !items.isEmpty else { throw wrong }
    let names = try items.map { item in
      guard case .text(let name) = item else { throw wrong }
      guard allowed.contains(name) else {
        throw p.invalid(
          "observables",
          "has \(name), which must be one of \(allowed.joined(separator: ", "))\(Nearest.hint(name, among: allowed))")
      }
      return name
    }
    guard Set(names).count == names.count else { throw wrong }
    return names
  }
}

extension Parameters {
  /// An array of `least` to `most` positive numbers.
  func positives(_ key: String, least: Int = 1, most: Int) throws -> [Double] {
    guard case .list(let items)? = self[key], (least...most).contains(items.count),
      items.allSatisfy({ ($0.number ?? 0) > 0 && $0.number!.isFinite })
    else {
      throw invalid(key, "must be an array of \(least == 0 ? "at most" : "\(least) to") \(most) positive numbers")
    }
    return items.map { $0.number! }
  }
}

extension TrainingSettings {
  /// What is known of all observables of a problem, for those that are kept.
  /// - Parameter means, secondMoments: record by record; NaN where nothing is known.
  func known(_ observables: [Observable], means: [Double], secondMoments: [Double] = []) -> ReferenceValues {
    let kept = observables.indices.filter { measured?.contains(observables[$0].family) ?? true }
    func taken(_ values: [Double]) -> [Double] {
      values.indices.filter { kept.contains($0 % observables.count) }.map { values[$0] }
    }
    return ReferenceValues(
      axis: .steps(records), observables: kept.map { observables[$0] }, means: taken(means),
      secondMoments: taken(secondMoments))
  }
}
