import Foundation
import Networks
import Randomness
import Simulation
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
  return try NetworkCatalog.read(.table(keys.merging(extra) { $1 }), path: "network") { _ in [] }
}

func correlated(_ rho: Double, count: Int = 2) -> JobValue {
  count == 1 ? table(["count": .integer(1)]) : table(["correlation": .real(rho), "count": .integer(Int64(count))])
}

/// Makes draws and tallies them.
func sample(_ experiment: AnyExperiment, _ draws: UInt64, name: String, seed: UInt64 = 2026) -> Tally {
  let key = Stream.key(seed: seed, path: name)
  let tally = Tally(
    layout: .init(
      perGroup: experiment.observables.count, groups: experiment.layers.count, covariances: false,
      centres: experiment.centres(key: key)))
  experiment.makeRunner(key).run(0..<draws, tally)
  return tally
}

func index(_ experiment: AnyExperiment, _ observable: String, layer: Int = 0) -> Int {
  layer * experiment.observables.count + experiment.observables.firstIndex { $0.name == observable }!
}

/// Difference of two means in combined standard errors.
func zScore(_ a: Moments, _ b: Moments) -> Double {
  let error = (a.meanError * a.meanError + b.meanError * b.meanError).squareRoot()
  return a.mean == b.mean ? 0 : (a.mean - b.mean) / error
}
