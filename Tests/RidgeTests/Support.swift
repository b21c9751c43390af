import Experiments
import Jobs
import Regression
import Support
import Testing

/// Jobs as tables.
enum RegressionJobs {
  static func read(_ keys: [String: JobValue], data: any DataSource = NoData()) throws -> RegressionModel {
    let context = JobContext(path: "regression", options: [:], data: data)
    return try RegressionFamily.read(.table(keys), context).model
  }

  static func message(_ keys: [String: JobValue], data: any DataSource = NoData()) -> String {
    do {
      _ = try read(keys, data: data)
      return "no error"
    } catch { return "\(error)" }
  }

  static let eigenbasis: [String: JobValue] = [
    "model": .text("eigenbasis"), "samples": .integer(20), "features": .integer(30), "draws": .integer(100),
    "spectrum": .table(["decay": .real(1.5), "modes": .integer(100)]), "teacher": .table(["decay": .real(1.8)]),
    "noise_variance": .real(0.1), "ridges": .list([.real(0.01)]),
  ]

  static func eigenbasis(_ changes: [String: JobValue?]) -> [String: JobValue] {
    changes.reduce(into: eigenbasis) { $0[$1.key] = $1.value }
  }
}

/// Values of draws, observable by observable: records in their order.
struct Drawn {
  let values: [[Double]]

  init(_ experiment: Experiment, draws: Int, key: UInt64 = 20_261_130) {
    let runner = experiment.makeRunner(key: key)!
    let rows = (0..<UInt64(draws)).map { runner.values($0) }
    values = (0..<experiment.schema.width).map { i in rows.map { $0[i] } }
  }

  func mean(_ i: Int) -> Double { values[i].reduce(0, +) / Double(values[i].count) }
  func error(_ i: Int) -> Double {
    let (mean, count) = (mean(i), Double(values[i].count))
    return (values[i].reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count * (count - 1))).squareRoot()
  }

  /// Whether two means differ by no more than a given number of their common errors.
  func z(_ i: Int, _ other: Drawn) -> Double {
    (mean(i) - other.mean(i)) / (error(i) * error(i) + other.error(i) * other.error(i)).squareRoot()
  }
}
