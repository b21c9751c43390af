import Experiments
import Kernels
import Randomness

/// The experiment of training once: a draw is a whole run, from the data and the weights to the last step.
///
/// A run may end before its last step, and how is an observable: `converged` once the training loss is below a level or the problem is solved, `diverged` once it is no number or above a
/// bound. A run that has converged keeps its values; one that has diverged has none from then on (not a number: tallies count these and leave them out of the means).
package struct TrainingRun<Problem: TrainingProblem>: Draw {
  package let problem: Problem
  package let schema: Schema
  private let settings: TrainingSettings
  /// Of the observables of the problem, those that are kept.
  private let kept: [Int]
  private let mayEnd: Bool

  package final class Scratch {
    let state: Problem.State
    let measured: UnsafeMutablePointer<Double>

    init(_ problem: Problem) {
      state = problem.makeState()
      measured = .allocateZeros(problem.observables.count)
    }

    deinit { measured.deallocate() }
  }

  package init(_ problem: Problem, _ settings: TrainingSettings) {
    self.problem = problem
    self.settings = settings
    mayEnd = problem.mayEnd || settings.stopBelow != nil
    let all = problem.observables
    kept = all.indices.filter { settings.measured?.contains(all[$0].family) ?? true }
    schema = Schema(
      axis: .steps(settings.records),
      observables: kept.map { all[$0] } + settings.learningRate.observables
        + Outcome.observables(settings, mayEnd: mayEnd))
  }

  package func makeScratch() -> Scratch { Scratch(problem) }

  package func draw(
    using stream: inout Stream, scratch: Scratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    problem.start(scratch.state, &stream)
    let learningRate = settings.learningRate.draw(&stream)
    var record = 0
    var outcome = Outcome(learningRate: settings.learningRate.isFixed ? nil : learningRate)
    var made = 0
    while record < settings.records.count {
      if made == settings.records[record] {
        write(scratch, outcome, into: values, record)
        record += 1
        continue
      }
      let loss = problem.loss(scratch.state, &stream, step: made + 1)
      if let end = settings.end(loss) ?? (problem.hasEnded(scratch.state) ? .converged : nil) {
        outcome.end(end, after: made)
        break
      }
      made += 1
      problem.step(scratch.state, &stream, rate: learningRate * settings.schedule.factor(made))
      outcome.steps = made
    }
    while record < settings.records.count {
      write(scratch, outcome, into: values, record)
      record += 1
    }
    return []
  }

  private func write(
    _ scratch: Scratch, _ outcome: Outcome, into values: UnsafeMutablePointer<Double>, _ record: Int
  ) {
    let place = values + record * schema.observables.count
    var outcome = outcome
    if !outcome.diverged {
      problem.measure(scratch.state, into: scratch.measured)
      outcome.diverged = settings.end(scratch.measured[0]) == .diverged
    }
    for (i, source) in kept.enumerated() { place[i] = outcome.diverged ? .nan : scratch.measured[source] }
    outcome.write(to: place + kept.count, mayEnd: mayEnd)
  }
}

/// How a run has gone so far.
struct Outcome {
  enum End { case converged, diverged }

  var converged = false
  var diverged = false
  /// Steps made.
  var steps = 0
  /// eta, where each run draws its own.
  private let learningRate: Double?

  init(learningRate: Double?) { self.learningRate = learningRate }

  mutating func end(_ end: End, after steps: Int) {
    converged = end == .converged
    diverged = end == .diverged
    self.steps = steps
  }

  /// What is measured of it, besides what the problem measures.
  static func observables(_ settings: TrainingSettings, mayEnd: Bool) -> [Observable] {
    var found = [
      Observable(
        "diverged", role: .failure, "1 where the training loss was no number or above diverged_above, else 0")
    ]
    if mayEnd {
      let solved = settings.stopBelow == nil ? "problem was solved" : "training loss was below stop_below"
      found.append(Observable("converged", role: .event, "1 where the \(solved), else 0"))
      found.append(Observable("steps", unit: "steps", "steps made, until the run converged or diverged"))
    }
    return found
  }

  func write(to place: UnsafeMutablePointer<Double>, mayEnd: Bool) {
    var place = place
    if let learningRate {
      place[0] = Elementary.log(learningRate)
      place += 1
    }
    place[0] = diverged ? 1 : 0
    guard mayEnd else { return }
    place[1] = converged ? 1 : 0
    place[2] = Double(steps)
  }
}
