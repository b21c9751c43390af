import Experiments
import Foundation
import Jobs
import Randomness
import Tangent
import Testing

import Limits

/// A service of `[tangent]`, as a job asks for it.
struct Service {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  let model: DrawnProblemModel

  /// - Parameter keys: lines of the table in TOML.
  init(_ keys: String) throws {
    let table = try TOML.parse("[tangent]\n\(keys)\n", name: "test")
    let context = JobContext(path: "tangent", options: [:], data: DataFiles(job: "\(Self.root)/jobs/job.toml"))
    model = try TangentFamily.read(try #require(table["tangent"]), context).model
  }

  static func message(_ keys: String) -> String {
    do {
      _ = try Service(keys)
      return "no error"
    } catch { return "\(error)" }
  }

  /// Values of draws of an observable.
  func sample(_ name: String, _ draws: Int, record: Int = 0) throws -> [Double] {
    let schema = model.problem.schema
    let place = schema.index(record, try #require(schema.place(of: name)))
    let runner = try #require(model.experiment.makeRunner(key: Stream.key(seed: 2026, path: "tangent")))
    return (0..<UInt64(draws)).map { runner.values($0)[place] }
  }

  func exact(_ name: String, _ statistic: Statistic = .mean, record: Int = 0) throws -> Double {
    try Self.value(try #require(model.known), name, statistic, record)
  }

  func limit(_ equation: String, _ name: String, _ statistic: Statistic = .mean, record: Int = 0) throws -> Double {
    let entry = try #require(TangentLimits.all.first { $0.name == equation })
    let p = try Parameters(.table(["equation": .text(equation)]), path: "limit", allowed: entry.parameters)
    guard case .known(let values) = try entry.make(p, model).content else { return .nan }
    return try Self.value(values, name, statistic, record)
  }

  private static func value(
    _ values: ReferenceValues, _ name: String, _ statistic: Statistic, _ record: Int
  ) throws -> Double {
    let place = try #require(values.schema.place(of: name))
    return try #require(
      values.statistics.first { $0.observable == place && $0.statistic == statistic && $0.record == record }
    ).value
  }
}

/// Mean of values and its standard error, with which it is compared. Some hundred such tests in this target: 4.5 errors each keep the probability of a false alarm below .001.
struct Sample {
  let mean, error: Double

  init(_ values: [Double]) {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    self.mean = mean
    error = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count * (count - 1))).squareRoot()
  }

  func z(_ expected: Double, _ other: Double = 0) -> Double {
    (mean - expected) / (error * error + other * other).squareRoot()
  }
}

func expect(
  _ values: [Double], _ expected: Double, _ error: Double = 0, _ words: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let found = Sample(values)
  let z = found.z(expected, error)
  #expect(
    z.magnitude < 4.5, "\(words) \(found.mean) +- \(found.error), expected \(expected) +- \(error), z = \(z)",
    sourceLocation: sourceLocation)
}
