import Randomness
import Statistics

/// A short random experiment with what is known of it, one conforming type a file: an estimator and the law of its data, a generated sample.
///
/// Required: `axis`, `observables`, `makeState` and `draw`. A draw is a pure function of its stream: nothing else may decide a bit, and nothing is allocated after `makeState`.
/// A problem enters the catalog by a `DrawnProblemEntry` in the list of its family.
package protocol DrawnProblem: Sendable {
  associatedtype State: AnyObject

  /// What the records of a draw are numbered by.
  var axis: Axis { get }
  var observables: [Observable] { get }
  /// Functions of their means; none unless implemented.
  var estimands: [Estimand] { get }
  /// What is known at this very size; nothing unless implemented.
  var known: [KnownStatistic] { get }
  /// Further labels for the file; none unless implemented.
  var attributes: [String: String] { get }

  /// Buffers of one thread, used again for every draw: nothing in them may outlast one.
  func makeState() -> State
  /// Writes a number for each observable, record by record.
  func draw(_ state: State, _ stream: inout Stream, into values: UnsafeMutablePointer<Double>)

  /// How many draws `drawTogether` makes side by side, each the same as alone; 1, none, unless implemented.
  var together: Int { get }
  /// Makes as many draws as there are streams, each at the start of its own; their values follow each other.
  func drawTogether(
    _ state: State, _ streams: UnsafeMutablePointer<Stream>, _ count: Int, into values: UnsafeMutablePointer<Double>)
}

extension DrawnProblem {
  package var together: Int { 1 }
  package func drawTogether(
    _ state: State, _ streams: UnsafeMutablePointer<Stream>, _ count: Int, into values: UnsafeMutablePointer<Double>
  ) { preconditionFailure("no draws side by side") }
  package var estimands: [Estimand] { [] }
  package var known: [KnownStatistic] { [] }
  package var attributes: [String: String] { [:] }
  package var schema: Schema { Schema(axis: axis, observables: observables, estimands: estimands) }

  /// The statistics by their places.
  package func predicted(_ known: [KnownStatistic]) -> [PredictedStatistic] {
    let schema = schema
    return known.map {
      PredictedStatistic(
        $0.statistic, record: $0.record, observable: schema.place(of: $0.observable)!, value: $0.value, law: $0.law)
    }
  }

  package func reference(_ known: [KnownStatistic], remainder: [Remainder] = []) -> ReferenceValues {
    ReferenceValues(schema: schema, statistics: predicted(known), remainder: remainder)
  }
}

/// A problem without buffers.
package final class NoState {
  package init() {}
}

/// A statistic of an observable that is known without drawing.
package struct KnownStatistic: Sendable {
  package let observable: String
  package let statistic: Statistic
  package let record: Int
  package let value: Double
  package let law: TabulatedLaw?

  package init(_ statistic: Statistic, of observable: String, record: Int = 0, _ value: Double) {
    (self.observable, self.statistic, self.record, self.value, law) = (observable, statistic, record, value, nil)
  }

  package init(lawOf observable: String, record: Int = 0, _ law: TabulatedLaw) {
    (self.observable, statistic, self.record, value, self.law) = (observable, .law, record, .nan, law)
  }
}

/// The experiment of a problem.
package struct ProblemDraw<Problem: DrawnProblem>: Draw {
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

  package var together: Int { problem.together }

  package func drawTogether(
    using streams: UnsafeMutablePointer<Stream>, _ count: Int, scratch: Problem.State,
    into values: UnsafeMutablePointer<Double>
  ) { problem.drawTogether(scratch, streams, count, into: values) }
}

/// A problem, ready to be drawn and to be compared with limits.
package struct DrawnProblemModel: DrawnModel {
  package let experiment: Experiment
  /// What is drawn: limits cast it to the types that they belong to.
  package let problem: any DrawnProblem
  package let known: ReferenceValues?
  package let parameters: Parameters
  package let attributes: [String: String]

  /// - Parameter process: makes the draws as replicas that ranks share; its observables and the points of its axis are those of the problem.
  package init<P: DrawnProblem>(_ problem: P, _ p: Parameters, process: Experiment? = nil) {
    experiment = process ?? Experiment(ProblemDraw(problem))
    self.problem = problem
    let known = problem.known
    self.known = known.isEmpty ? nil : problem.reference(known)
    parameters = p
    var all = problem.attributes
    if p["sampler"] != nil { all["sampler"] = p.text("sampler") }
    attributes = all
  }

  /// A problem whose finite leg is another experiment than its draws: replicas of a process of the same observables, of which it says what is known.
  package init<P: DrawnProblem>(_ problem: P, replicas experiment: Experiment, _ p: Parameters) {
    self.experiment = experiment
    self.problem = problem
    let known = problem.known
    self.known = known.isEmpty ? nil : problem.reference(known)
    parameters = p
    attributes = problem.attributes
  }
}

/// A line of the catalog of problems.
package struct DrawnProblemEntry: Entry {
  /// Name of the key that names it.
  package let kind: String
  package let name, summary, equation, reference: String
  package let parameters: [Parameter]
  package let observables: [String]
  private let make: @Sendable (Parameters, any DataSource) throws -> DrawnProblemModel

  /// - Parameters:
  ///   - draws: what they are.
  ///   - samplers: the first is the default.
  ///   - observables: families of all that it may measure.
  package init(
    kind: String, name: String, summary: String, equation: String, reference: String, draws: String,
    samplers: [(name: String, summary: String)] = [], observables: [String], parameters: [Parameter],
    make: @escaping @Sendable (Parameters, any DataSource) throws -> DrawnProblemModel
  ) {
    (self.kind, self.name, self.summary, self.equation, self.reference) = (kind, name, summary, equation, reference)
    (self.observables, self.make) = (observables, make)
    var found = [
      Parameter(kind, .choice([name]), "what is drawn"),
      Parameter("draws", .integer(2...Int64.max), draws),
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

  package func read(_ table: JobValue, path: String, data: any DataSource) throws -> DrawnProblemModel {
    let p = try Parameters(table, path: path, allowed: parameters)
    guard case .list(let rest)? = p["observables"], rest.isEmpty else {
      throw p.invalid("observables", "must be an array of { name = …, formula = … }: all others are measured anyway")
    }
    return try make(p, data)
  }
}

/// A family whose models are such problems: it lists them.
package protocol DrawnProblemFamily: Family where Model == DrawnProblemModel {
  /// What an entry is called, and what its draws are unless it says so itself.
  static var kind: String { get }
  static var draws: String { get }
  static var problems: [DrawnProblemEntry] { get }
  /// Where they are documented.
  static var page: String { get }
}

/// What is drawn, and what may be known of it at this very size.
package protocol DrawnModel: Sendable {
  var experiment: Experiment { get }
  var known: ReferenceValues? { get }
  var parameters: Parameters { get }
  /// Labels for the file; `data` is the fingerprint of its data.
  var attributes: [String: String] { get }
}

extension Family where Model: DrawnModel {
  /// The draws of a model, with what is known of them as another leg.
  /// - Parameter page: where that is documented.
  package static func found(_ model: Model, page: String) -> FamilyCase<Model> {
    var legs = [
      Leg(
        name: table, role: .finite,
        content: .sampled(model.experiment, draws: UInt64(model.parameters.integer("draws"))),
        attributes: model.attributes)
    ]
    if let known = model.known {
      legs.append(
        Leg(
          name: "exact", role: .exact, content: .known(known),
          attributes: ["equation": "what is known at this very size", "reference": page]))
    }
    let lines = model.parameters.resolved.lines(prefix: table).filter { !$0.hasPrefix("\(table).draws = ") }
    let data = model.attributes["data"].map { ["\(table).data = \($0)"] } ?? []
    return FamilyCase(model: model, legs: legs, identity: lines + data)
  }
}

extension DrawnProblemFamily {
  package static var entries: [any Entry] { problems }
  package static var observables: [String]? { problems.flatMap(\.observables) }
  package static var drawsKey: String? { "draws" }

  package static func read(_ table: JobValue, _ context: JobContext) throws -> FamilyCase<DrawnProblemModel> {
    let model = try DrawnProblemEntry.named(by: kind, of: table, path: context.path, among: problems)
      .read(table, path: context.path, data: context.data)
    return found(model, page: page)
  }

  /// A line of the catalog of this family.
  package static func entry(
    name: String, summary: String, equation: String, reference: String, draws: String? = nil,
    samplers: [(name: String, summary: String)] = [], observables: [String], parameters: [Parameter],
    make: @escaping @Sendable (Parameters, any DataSource) throws -> DrawnProblemModel
  ) -> DrawnProblemEntry {
    DrawnProblemEntry(
      kind: kind, name: name, summary: summary, equation: equation, reference: reference, draws: draws ?? self.draws,
      samplers: samplers, observables: observables, parameters: parameters, make: make)
  }
}

extension LimitEntry where Model == DrawnProblemModel {
  /// A limit of one type of problem.
  /// - Parameter problem: its name, for messages.
  package static func of<P: DrawnProblem>(
    _ type: P.Type, named problem: String, _ name: String, summary: String, equation: String, reference: String,
    parameters: [Parameter] = [],
    make: @escaping @Sendable (Parameters, P) throws -> LimitModel
  ) -> LimitEntry {
    LimitEntry(name: name, summary: summary, equation: equation, reference: reference, parameters: parameters) {
      p, model in
      guard let own = model.problem as? P else {
        throw p.invalid("equation", "is a limit of \(problem) only")
      }
      return try make(p, own)
    }
  }
}
