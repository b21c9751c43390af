import Experiments
import Randomness
import Statistics
import Testing
import Training

/// A problem of the catalog with its keys, and runs of it.
struct ProblemRuns {
  let model: TrainingModel
  /// Legs of its family: runs, and what is known exactly.
  let legs: [Leg]

  init(_ problem: String, _ keys: [String: Any]) throws {
    let table = Self.value(["problem": problem, "learning_rate": 0.1, "draws": 2].merging(keys) { $1 })
    let found = try TrainingFamily.read(table, JobContext(path: "training", options: [:], data: NoData()))
    (model, legs) = (found.model, found.legs)
  }

  static func value(_ x: Any) -> JobValue {
    switch x {
    case let x as Int: .integer(Int64(x))
    case let x as Double: .real(x)
    case let x as String: .text(x)
    case let x as Bool: .boolean(x)
    case let x as [Any]: .list(x.map(value))
    case let x as [String: Any]: .table(x.mapValues(value))
    default: fatalError("no value of a job: \(x)")
    }
  }

  private var schema: Schema { model.experiment.schema }

  func place(_ name: String, record: Int? = nil) throws -> Int {
    schema.index(record ?? schema.axis.count - 1, try #require(schema.place(of: name)))
  }

  /// All values of some runs, a row a run.
  func rows(_ draws: Int, seed: UInt64 = 2026, path: String = "training") -> [[Double]] {
    let runner = model.experiment.makeRunner(Stream.key(seed: seed, path: path))
    return (0..<draws).map { runner.values(UInt64($0)) }
  }

  /// One observable of some runs at a record, the last unless given.
  func sample(_ name: String, _ draws: Int, record: Int? = nil, path: String = "training") throws -> [Double] {
    let place = try place(name, record: record)
    return rows(draws, path: path).map { $0[place] }
  }

  /// Of a run that has nothing random.
  func value(_ name: String, record: Int? = nil) throws -> Double {
    if first.row.isEmpty { first.row = rows(1)[0] }
    return first.row[try place(name, record: record)]
  }

  /// The first run, made once.
  private final class First { var row: [Double] = [] }
  private let first = First()
}

/// Whether the mean of runs is a printed value within 4 errors of both.
func expectMean(
  _ values: [Double], _ printed: Double, _ error: Double, _ what: String = "",
  location: SourceLocation = #_sourceLocation
) {
  let found = Moments(values: values)
  let spread = (found.meanError * found.meanError + error * error).squareRoot()
  #expect(
    (found.mean - printed).magnitude <= 4 * spread, "\(what): \(found.mean) +- \(found.meanError), printed \(printed)",
    sourceLocation: location)
}

/// Whether two samplers of a problem have one law: means and variances of all observables of the last record, each within 4.5 errors (at most
/// 40 comparisons in a suite).
func expectOneLaw(
  _ problem: String, _ keys: [String: Any], draws: Int, location: SourceLocation = #_sourceLocation
) throws {
  let sides = try ["reduced", "weights"].map {
    (name: $0, runs: try ProblemRuns(problem, keys.merging(["sampler": $0]) { $1 }))
  }
  let rows = sides.map { $0.runs.rows(draws, path: $0.name) }
  for observable in sides[0].runs.model.experiment.observables where observable.role != .failure {
    let place = try sides[0].runs.place(observable.name)
    let (a, b) = (Moments(values: rows[0].map { $0[place] }), Moments(values: rows[1].map { $0[place] }))
    #expect(zScore(a, b).magnitude < 4.5, "mean of \(observable.name): \(a.mean), \(b.mean)", sourceLocation: location)
    let error = (a.varianceError * a.varianceError + b.varianceError * b.varianceError).squareRoot()
    #expect(
      (a.variance - b.variance).magnitude <= 4.5 * error,
      "variance of \(observable.name): \(a.variance), \(b.variance)", sourceLocation: location)
  }
}
