import Experiments
import Filters
import Foundation
import Randomness
import Statistics
import Testing

/// `make validate` draws more.
let validating = ProcessInfo.processInfo.environment["FATHOM_VALIDATE"] != nil

/// Models and observations with printed values, and samples of problems.
enum Known {
  static let hidden = HiddenMarkov(
    initial: [0.5, 0.25, 0.25], transition: [[0.7, 0.2, 0.1], [0.3, 0.5, 0.2], [0.2, 0.3, 0.5]],
    emission: [[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.2, 0.7]],
    observations: Observations([0, 0, 1, 2, 2, 1, 0, 2, 1, 0]))

  static let ten = Observations([0.5, -0.3, 1.2, 0.8, -0.5, -1.1, 0.2, 0.9, 1.5, -0.4])
  static let linear = ScalarLinearGaussian(
    coefficient: 0.9, noise: 0.5, gain: 1, error: 0.5, spread: 1, observations: ten)
  static let volatility = StochasticVolatility(persistence: 0.95, noise: 0.3, scale: 0.8, observations: ten)

  /// A hundred observations of the theory of learning.
  static func waves(_ coefficient: Double) -> ScalarLinearGaussian {
    let seen = (0..<100).map { (t: Int) -> Double in cos(0.3 * Double(t)) + 0.5 * sin(1.7 * Double(t)) }
    return ScalarLinearGaussian(
      coefficient: coefficient, noise: 0.5, gain: 1, error: 0.5, spread: 1, observations: Observations(seen))
  }

  /// A model of vectors of two coordinates, seen in three numbers, two of them missing once.
  static let vectors = LinearGaussian(
    transition: [[0.8, 0.3], [-0.2, 0.7]], noise: [[0.5, 0.1], [0.1, 0.4]],
    emission: [[1, 0], [0.5, 1], [0, -1]], error: [[0.6, 0.1, 0], [0.1, 0.8, 0], [0, 0, 1]],
    start: [[1, 0.3], [0.3, 2]],
    observations: Observations([
      [0.5, 0.2, -0.1], [1, .nan, .nan], [-0.4, 0.6, 0.9], [0.2, 0, -1.2], [1.1, 0.4, 0.3],
    ]))
}

/// Values of draws of a problem.
struct Sample {
  private let schema: Schema
  private let rows: [[Double]]

  init(_ problem: some DrawnProblem, _ draws: Int, key: String = "filters") {
    schema = problem.schema
    let runner = Experiment(ProblemDraw(problem)).makeRunner(key: Stream.key(seed: 2026, path: key))
    rows = (0..<draws).compactMap { runner?.values(UInt64($0)) }
  }

  func values(_ name: String, record: Int = 0) -> [Double] {
    guard let place = schema.place(of: name) else { return [] }
    return rows.map { $0[schema.index(record, place)] }
  }

  func moments(_ name: String, record: Int = 0) -> Moments { Moments(values: values(name, record: record)) }

  /// Expects a mean.
  /// - Parameter further: another standard error, that of the expected number.
  func expect(
    _ name: String, record: Int = 0, _ expected: Double, errors: Double, further: Double = 0,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let found = moments(name, record: record)
    let error = (found.meanError * found.meanError + further * further).squareRoot()
    #expect(
      (found.mean - expected).magnitude < errors * error + 1e-12,
      "\(name) at \(record): \(found.mean) +- \(found.meanError), \(expected)", sourceLocation: sourceLocation)
  }

  /// Expects a variance, with the error that the fourth moment gives.
  func expectVariance(
    _ name: String, _ expected: Double, errors: Double, further: Double = 0,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let mean = moments(name).mean
    let squares = Moments(values: values(name).map { ($0 - mean) * ($0 - mean) })
    let error = (squares.meanError * squares.meanError + further * further).squareRoot()
    #expect(
      (squares.mean - expected).magnitude < errors * error,
      "variance of \(name): \(squares.mean) +- \(squares.meanError), \(expected)", sourceLocation: sourceLocation)
  }
}
