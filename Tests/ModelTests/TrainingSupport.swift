import Experiments
import Jobs
import Limits
import Randomness
import Statistics
import Training

/// A `[training]` table of a job.
func training(_ problem: String, _ keys: [String: JobValue]) throws -> TrainingModel {
  let usual: [String: JobValue] = ["problem": .text(problem), "draws": .integer(10)]
  return try TrainingFamily.read(
    .table(usual.merging(keys) { $1 }), JobContext(path: "training", options: [:], data: NoData())
  ).model
}

func numbers(_ values: [Double]) -> JobValue { .list(values.map { .real($0) }) }
func rows(_ values: [[Double]]) -> JobValue { .list(values.map(numbers)) }
func steps(_ values: [Int]) -> JobValue { .list(values.map { .integer(Int64($0)) }) }

/// The values of one run, by name of the observable, at the last record unless another is given.
func run(_ model: TrainingModel, key: UInt64 = 1, draw: UInt64 = 0, record: Int? = nil) -> [String: Double] {
  let schema = model.experiment.schema
  let values = model.experiment.makeRunner(key).values(draw)
  let record = record ?? schema.axis.count - 1
  return Dictionary(
    uniqueKeysWithValues: schema.observables.indices.map {
      (schema.observables[$0].name, values[schema.index(record, $0)])
    })
}

/// What a limit predicts.
func prediction(_ equation: String, of model: TrainingModel) throws -> ReferenceValues {
  let entry = TrainingLimits.all.first { $0.name == equation }!
  let p = try Parameters(
    .table(["equation": .text(equation)]), path: "limit", allowed: entry.parameters)
  guard case .known(let values) = try entry.make(p, model).content else { throw Failure(.bug, "not known") }
  return values
}

extension ReferenceValues {
  func value(_ statistic: Statistic, _ name: String, record: Int) -> Double {
    values(of: statistic)[schema.index(record, schema.place(of: name)!)]
  }
}
