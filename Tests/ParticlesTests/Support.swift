import Experiments
import Foundation
import Jobs
import Limits
import Particles
import Randomness
import Statistics

/// As in ModelTests: full size under `make validate`.
let validating = ProcessInfo.processInfo.environment["FATHOM_VALIDATE"] != nil

/// Ten examples that a line does not part.
struct Examples: DataSource {
  func table(_ request: TableRequest) -> DataTable {
    DataTable(
      columns: ["a", "b", "label"],
      rows: (0..<10).map { (i: Int) -> [Double] in
        let (a, b) = (Double(i % 3), Double(i % 5))
        return [a - 1, 0.3 * b - 0.7, Double(i % 2)]
      })
  }
}

/// The job of a table of keys, with limits by name.
func job(_ keys: [String: JobValue], bias: Bool = false, limits: [String] = []) throws -> Job {
  var lines = ["seed = 2026"] + JobValue.table(keys).lines(prefix: ParticleFamily.table)
  if bias { lines.append("bias = {}") }
  for limit in limits { lines += ["[[limit]]", "equation = \"\(limit)\""] }
  let families = [RegisteredFamily(ParticleFamily.self, limits: ParticleLimits.all)]
  return try JobReader(families: families, data: Examples()).read(lines.joined(separator: "\n"), name: "test.toml").job
}

/// The legs of a table of keys.
func legs(_ keys: [String: JobValue], bias: Bool = false, limits: [String] = []) throws -> [Leg] {
  try job(keys, bias: bias, limits: limits).cases[0].legs
}

/// One replica of a leg on its own.
func context(_ replica: UInt64, seed: UInt64 = 2026, name: String, shards: (any ShardStore)? = nil) -> ReplicaContext {
  ReplicaContext(
    replica: replica, key: Stream.key(seed: seed, path: name), group: SelfCommunicator(), shards: shards)
}

/// Runs all replicas of a leg on this process.
func run(_ leg: Leg, seed: UInt64 = 2026, name: String, covariances: Bool = false) throws -> LegState {
  let factory = leg.experiment!.replicas!
  var rows = Rows()
  var histograms = Histograms(marginals: factory.facts.marginals.count)
  for id in 0..<leg.draws {
    let replica = try factory.begin(context(id, seed: seed, name: name), nil)
    try replica.advance(factory.steps)
    if let fault = replica.fault { throw Failure(.badData, "step \(fault.step), particle \(fault.particle)") }
    let outcome = try replica.finish()
    rows.values[id] = outcome.row
    for (i, histogram) in outcome.marginals.enumerated() { histograms.folded[i].merge(histogram) }
  }
  let tally = rows.tally(
    { Tally.Layout(perGroup: leg.observables.count, groups: leg.axis.count, covariances: covariances, centres: $0) },
    width: leg.schema.width)
  return LegState(
    path: name, done: IntervalSet(0..<leg.draws), tally: tally, rows: rows, histograms: histograms)
}

/// Moments of an observable in the last record.
func moments(_ state: LegState, _ leg: Leg, _ observable: String) -> Moments {
  state.tally.moments(leg.schema.index(leg.axis.count - 1, leg.schema.place(of: observable)!))
}

/// Mean of an observable in the last record, known without draws.
func known(_ all: [Leg], _ leg: String, _ observable: String) -> Double {
  let values = all.first { $0.name == leg }!.known!
  return values.mean(of: observable, record: values.schema.axis.count - 1)!
}

/// z of a mean against a known value, by Student's law.
func z(_ m: Moments, _ known: Double) -> Double {
  Student.equivalentZ((m.mean - known) / m.meanError, degreesOfFreedom: Int(m.count) - 1)
}

/// Keys that every integrator takes besides its name, for tests over the catalog.
func keys(_ integrator: String, _ more: [String: JobValue]) -> [String: JobValue] {
  ["integrator": .text(integrator)].merging(more) { $1 }
}
