import Experiments
import Randomness

/// What is trained and how a step goes: one conforming type a file.
///
/// **Required**: `observables`, what a record holds; `State`, the buffers of a run; `makeState`; `start`; `loss`; `step`; `measure`.
///
/// **Lifecycle** of a run, as `TrainingRun` drives it:
/// 1. `makeState` once a thread. It is used again for every draw, so nothing in it may outlast one.
/// 2. `start` draws data and weights.
/// 3. For every step: `measure`, if the steps made so far are a record; `loss`, which works out all that the step needs, and by whose value the run
///    may end; `step`. After the last step `measure` once more.
///
/// A run is a pure function of its stream: what is random comes from the stream, nothing else may decide a bit, nothing is allocated after `makeState`.
///
/// A problem enters the catalog by a `ProblemEntry` and a line of `TrainingCatalog.problems`.
package protocol TrainingProblem: Sendable {
  associatedtype State: AnyObject

  /// By the first it is judged whether a run has diverged, as by the training loss.
  var observables: [Observable] { get }
  /// Functions of their means; none, unless implemented.
  var estimands: [Estimand] { get }
  func makeState() -> State
  func start(_ state: State, _ stream: inout Stream)
  /// The training loss at the present parameters, on the examples of the step that follows.
  /// - Parameter step: number of that step, from 1.
  func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double
  /// Moves the parameters; `loss` has been called for this step.
  /// - Parameter rate: the learning rate eta of this step.
  func step(_ state: State, _ stream: inout Stream, rate: Double)
  /// Writes a number for each observable.
  func measure(_ state: State, into values: UnsafeMutablePointer<Double>)
  /// Whether runs may end because the problem is solved, and whether one has: asked after `loss`. Never, unless implemented.
  var mayEnd: Bool { get }
  func hasEnded(_ state: State) -> Bool
  /// Above which learning rate no minimum is stable, where that is known. It is said before the job runs.
  var stabilityEdge: StabilityEdge? { get }
}

/// The largest learning rate at which descent can end.
package struct StabilityEdge: Sendable {
  package let rate: Double
  /// What it is, after "the edge of stability".
  package let reason: String

  package init(_ rate: Double, _ reason: String) { (self.rate, self.reason) = (rate, reason) }

  /// Tells the user where a learning rate is beyond.
  package func warn(_ learningRate: LearningRate, path: String) {
    guard learningRate.largest > rate else { return }
    Notes.add(
      "\(path).learning_rate = \(learningRate.largest) is beyond \(Float(rate)), the edge of stability \(reason): expect runs that diverge or do not settle"
    )
  }
}

extension TrainingProblem {
  package var estimands: [Estimand] { [] }
  package var mayEnd: Bool { false }
  package func hasEnded(_ state: State) -> Bool { false }
  package var stabilityEdge: StabilityEdge? { nil }
}

/// A problem whose training has a limit: the same steps, from another start.
package protocol HasInfiniteWidth: TrainingProblem {
  /// Whether runs at infinite width still differ, by the examples that each draws. If not, and unless implemented, they take nothing from their stream.
  var isRandomAtInfiniteWidth: Bool { get }
  /// The problem at infinite width.
  /// - Throws: what `refuse` makes of the reason why there is none.
  func infiniteWidth(_ refuse: (String) -> Failure) throws -> any TrainingProblem
}

extension HasInfiniteWidth {
  package var isRandomAtInfiniteWidth: Bool { false }
}
