import Foundation
import Randomness
import Simulation
import Statistics

import Particles

/// As in ModelTests: full size under `make validate`.
let validating = ProcessInfo.processInfo.environment["FATHOM_VALIDATE"] != nil

/// Ten examples that a line does not part.
let examples = DataTable(
  columns: ["a", "b", "label"],
  rows: (0..<10).map { (i: Int) -> [Double] in
    let (a, b) = (Double(i % 3), Double(i % 5))
    return [a - 1, 0.3 * b - 0.7, Double(i % 2)]
  })

/// The legs of a `[particles]` table.
func legs(_ keys: [String: JobValue], bias: Bool = false) throws -> [Leg] {
  try ParticleCatalog.read(.table(keys), path: "particles", bias: bias) { _ in
    examples
  }.legs
}

/// Runs all replicas of a leg on this process.
func run(_ leg: Leg, seed: UInt64 = 2026, name: String) throws -> LegState {
  let experiment = leg.replicas!
  var record = ReplicaRecord(marginals: leg.marginals.count)
  for id in 0..<leg.draws {
    let replica = try experiment.begin(id, key: Stream.key(seed: seed, path: name), group: Alone(), from: nil)
    try replica.advance(experiment.steps)
    if let fault = replica.fault { throw Failure(.badData, "step \(fault.step), particle \(fault.particle)") }
    let outcome = try replica.finish()
    record.rows[id] = outcome.values + outcome.diagnostics
    record.add(marginals: outcome.marginals)
  }
  let tally = record.tally(observables: leg.observables.count, records: leg.layers.count, covariances: false)
  return LegState(path: name, tally: tally, done: IntervalSet(0..<leg.draws), replicas: record)
}

/// Moments of an observable in the last record.
func moments(_ state: LegState, _ leg: Leg, _ observable: String) -> Moments {
  let place = leg.observables.firstIndex { $0.name == observable }!
  return state.tally.moments((leg.layers.count - 1) * leg.observables.count + place)
}

/// z of a mean against a known value, by Student's law.
func z(_ m: Moments, _ known: Double) -> Double {
  Student.equivalentZ((m.mean - known) / m.meanError, degreesOfFreedom: Int(m.count) - 1)
}

/// Keys that every integrator takes besides its name, for tests over the catalog.
func keys(_ integrator: String, _ more: [String: JobValue]) -> [String: JobValue] {
  ["integrator": .text(integrator)].merging(more) { $1 }
}
