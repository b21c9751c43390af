import Experiments
import Randomness
import Statistics

/// An estimator and the law of its data: a draw is one data set and what the estimator makes of it.
///
/// Required: `observables`, `known`, `makeState` and `draw`. A draw is a pure function of its stream: nothing else may decide a bit, and nothing is allocated after `makeState`.
/// A problem enters the catalog by an `EstimationEntry` and a line of `EstimationCatalog.problems`.
package protocol EstimationProblem: Sendable {
  associatedtype State: AnyObject

  /// What the records of a draw are numbered by, most often `samples` alone.
  var axis: Axis { get }
  var observables: [Observable] { get }
  /// What is known at this very size; nothing unless implemented.
  var known: [KnownStatistic] { get }

  /// Buffers of one thread, used again for every draw: nothing in them may outlast one.
  func makeState() -> State
  /// Writes a number for each observable.
  func draw(_ state: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>)
}

extension EstimationProblem {
  package var known: [KnownStatistic] { [] }
  package var schema: Schema { Schema(axis: axis, observables: observables) }

  /// The statistics by their places.
  package func predicted(_ known: [KnownStatistic]) -> [PredictedStatistic] {
    let schema = schema
    return known.map {
      PredictedStatistic(
        $0.statistic, record: $0.record, observable: schema.place(of: $0.observable)!, value: $0.value, law: $0.law)
    }
  }
}

extension Axis {
  /// Of problems with one record: the size of the data set of a draw.
  static func samples(_ count: Int) -> Axis {
    Axis(name: "samples", unit: "examples", summary: "size of the data set of a draw", values: [Double(count)])
  }
}

/// A statistic of an observable that is known without drawing.
package struct KnownStatistic: Sendable {
  let observable: String
  let statistic: Statistic
  let record: Int
  let value: Double
  let law: TabulatedLaw?

  package init(_ statistic: Statistic, of observable: String, record: Int = 0, _ value: Double) {
    (self.observable, self.statistic, self.record, self.value, law) = (observable, statistic, record, value, nil)
  }

  package init(lawOf observable: String, _ law: TabulatedLaw) {
    (self.observable, statistic, record, value, self.law) = (observable, .law, 0, .nan, law)
  }
}

/// The experiment of drawing data and estimating once.
package struct EstimationDraw<Problem: EstimationProblem>: Draw {
  package let problem: Problem
  package let schema: Schema

  package init(_ problem: Problem) {
    self.problem = problem
    schema = problem.schema
  }

  package func makeScratch() -> Problem.State { problem.makeState() }

  package func draw(
    using stream: inout Stream, scratch: Problem.State, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    problem.draw(scratch, &stream, into: values)
    return []
  }
}

/// A problem without buffers.
package final class NoState {}

/// An estimation problem, ready to be drawn and to be compared with limits.
package struct EstimationModel: Sendable {
  package let experiment: Experiment
  /// What is estimated: limits cast it to the types that they belong to.
  package let problem: any EstimationProblem
  package let known: ReferenceValues?
  package let parameters: Parameters
  package let attributes: [String: String]

  init<P: EstimationProblem>(_ problem: P, _ p: Parameters) {
    experiment = Experiment(EstimationDraw(problem))
    self.problem = problem
    let statistics = problem.predicted(problem.known)
    known = statistics.isEmpty ? nil : ReferenceValues(schema: problem.schema, statistics: statistics)
    parameters = p
    var all = ["problem": p.text("problem")]
    if p["sampler"] != nil { all["sampler"] = p.text("sampler") }
    attributes = all
  }
}

/// A line of the catalog of problems.
package struct EstimationEntry: Entry {
  package var kind: String { "problem" }
  package let name, summary, equation, reference: String
  package let parameters: [Parameter]
  let observables: [String]
  private let make: @Sendable (Parameters) throws -> EstimationModel

  /// - Parameters:
  ///   - samplers: the first is the default.
  ///   - observables: families of all that it may measure.
  init(
    name: String, summary: String, equation: String, reference: String,
    samplers: [(name: String, summary: String)] = [], observables: [String], parameters: [Parameter],
    make: @escaping @Sendable (Parameters) throws -> EstimationModel
  ) {
    (self.name, self.summary, self.equation, self.reference) = (name, summary, equation, reference)
    (self.observables, self.make) = (observables, make)
    var found = [
      Parameter("problem", .choice([name]), "what is estimated"),
      Parameter("draws", .integer(2...Int64.max), "independent data sets"),
      Parameter(
        "observables", .structured("an array of { name = …, formula = … } of \(observables.joined(separator: ", "))"),
        default: .list([]), "what is measured besides all that the problem measures"),
    ]
    if !samplers.isEmpty {
      found.append(
        Parameter(
          "sampler", .choice(samplers.map(\.name)), default: .text(samplers[0].name),
          samplers.map { "\($0.name): \($0.summary)" }.joined(separator: "; ")))
    }
    self.parameters = found + parameters
  }

  func read(_ table: JobValue, path: String) throws -> EstimationModel {
    let p = try Parameters(table, path: path, allowed: parameters)
    guard case .list(let rest)? = p["observables"], rest.isEmpty else {
      throw p.invalid("observables", "must be an array of { name = …, formula = … }: all others are measured anyway")
    }
    return try make(p)
  }
}
