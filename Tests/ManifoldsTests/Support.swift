import Experiments
import Foundation
import Jobs
import Limits
import Manifolds
import Randomness
import Statistics
import Support

/// As in ModelTests: full size under `make validate`.
let validating = ProcessInfo.processInfo.environment["FATHOM_VALIDATE"] != nil

/// The legs of a table of keys.
func legs(_ keys: [String: JobValue]) throws -> [Leg] {
  let lines = ["seed = 2026"] + JobValue.table(keys).lines(prefix: ManifoldFamily.table)
  let families = [RegisteredFamily(ManifoldFamily.self, limits: ManifoldLimits.all)]
  return try JobReader(families: families, data: NoData()).read(lines.joined(separator: "\n"), name: "test.toml").job
    .cases[0].legs
}

/// Means over the replicas of a table of keys, in the last record, and what is known of them.
struct Outcome {
  let legs: [Leg]
  private var moments: [String: Moments] = [:]

  init(_ keys: [String: JobValue], seed: UInt64 = 2026) throws {
    legs = try ManifoldsTests.legs(keys)
    let leg = legs[0]
    var values: [String: [Double]] = [:]
    let factory = leg.experiment!.replicas!
    for id in 0..<leg.draws {
      let context = ReplicaContext(
        replica: id, key: Stream.key(seed: seed, path: "\(keys.sorted { $0.key < $1.key })"), group: SelfCommunicator())
      let replica = try factory.begin(context, nil)
      try replica.advance(factory.steps)
      if let fault = replica.fault { throw Failure(.badData, "step \(fault.step), site \(fault.particle)") }
      let row = try replica.finish().row
      for (place, observable) in leg.observables.enumerated() {
        values[observable.name, default: []].append(row[leg.schema.index(leg.axis.count - 1, place)])
      }
    }
    moments = values.mapValues { Moments(values: $0) }
  }

  func mean(_ name: String) -> (value: Double, error: Double) { (moments[name]!.mean, moments[name]!.meanError) }

  /// z of a mean against a known value, by Student's law.
  func z(_ name: String, _ known: Double) -> Double {
    let own = moments[name]!
    return Student.equivalentZ((own.mean - known) / own.meanError, degreesOfFreedom: Int(own.count) - 1)
  }

  /// Every mean that is known without sampling.
  var known: [(name: String, value: Double)] {
    let values = legs[1].known!
    return values.observables.compactMap { observable in
      values.mean(of: observable.name, record: 0).map { (observable.name, $0) }
    }
  }
}
