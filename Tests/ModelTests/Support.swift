import Foundation
import Jobs
import Limits
import Networks
import Randomness
import Experiments
import Statistics

/// `make validate` sets FATHOM_VALIDATE and runs the statistical suites at full size; `make test` runs
/// the same checks with fewer draws.
let validating = ProcessInfo.processInfo.environment["FATHOM_VALIDATE"] != nil

/// A table of a job from pairs of keys and values.
func table(_ entries: [String: JobValue]) -> JobValue { .table(entries) }

/// An MLP from catalog keys.
func network(
  _ activation: JobValue, width: Int, depth: Int, inputs: JobValue, sampler: String = "conditional",
  extra: [String: JobValue] = [:]
) throws -> NetworkModel {
  let keys: [String: JobValue] = [
    "architecture": .text("mlp"), "activation": activation, "width": .integer(Int64(width)),
    "depth": .integer(Int64(depth)), "inputs": inputs, "sampler": .text(sampler), "draws": .integer(10),
  ]
  return try NetworkCatalog.read(.table(keys.merging(extra) { $1 }), path: "network", data: NoData())
}

func correlated(_ rho: Double, count: Int = 2) -> JobValue {
  count == 1 ? table(["count": .integer(1)]) : table(["correlation": .real(rho), "count": .integer(Int64(count))])
}

/// Makes draws and tallies them.
func sample(_ experiment: Experiment, _ draws: UInt64, name: String, seed: UInt64 = 2026) -> Tally {
  let key = Stream.key(seed: seed, path: name)
  let tally = Tally(
    layout: .init(
      perGroup: experiment.observables.count, groups: experiment.layers.count, covariances: false,
      centres: experiment.centres(key: key)))
  experiment.makeRunner(key).run(0..<draws, tally, nil)
  return tally
}

func index(_ experiment: Experiment, _ observable: String, layer: Int = 0) -> Int {
  layer * experiment.observables.count + experiment.observables.firstIndex { $0.name == observable }!
}

/// No data files.
struct NoData: DataSource {
  func table(_ request: TableRequest) throws -> DataTable { DataTable(columns: [], rows: []) }
}

/// The legs of a `[limit]` table of a network.
func limitLegs(
  _ table: JobValue, path: String, network: NetworkModel, networkDraws: UInt64
) throws -> (legs: [Leg], resolved: JobValue) {
  let found = try RegisteredFamily.limit(table, path: path, network, NetworkLimits.all, draws: networkDraws)
  return (found.legs, found.resolved)
}

extension Experiment {
  var observables: [Observable] { schema.observables }
  var layers: [Double] { schema.axis.values }
  func makeRunner(_ key: UInt64) -> Runner { makeRunner(key: key)! }
  func centres(key: UInt64) -> [Double] { makeRunner(key).centres(schema.width) }
}

extension ReferenceValues {
  var means: [Double] { values(of: .mean) }
  var secondMoments: [Double] { values(of: .secondMoment) }
}

/// Difference of two means in combined standard errors.
func zScore(_ a: Moments, _ b: Moments) -> Double {
  let error = (a.meanError * a.meanError + b.meanError * b.meanError).squareRoot()
  return a.mean == b.mean ? 0 : (a.mean - b.mean) / error
}
