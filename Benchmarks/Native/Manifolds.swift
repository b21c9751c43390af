import Experiments
import Manifolds

/// Seconds for a new place of one spin of an alternating ring: 4,096 spins of K = 2, without measurements.
func manifoldTimes() throws {
  let spins = 4096
  for move in ["heat-bath", "langevin"] {
    for rank in [2, 3, 4, 16] {
      let keys: [String: JobValue] = [
        "system": .text("sphere-ring"), "length": .integer(Int64(spins)), "rank": .integer(Int64(rank)),
        "integrator": .text(move), "step": .real(0.05), "inverse_temperature": .real(4),
        "steps": .integer(1_000_000_000), "measure_every": .integer(1_000_000_000),
      ]
      let legs = try ManifoldFamily.read(
        .table(keys), JobContext(path: ManifoldFamily.table, options: [:], data: NoData())
      ).legs
      let context = ReplicaContext(replica: 0, key: 7, group: SelfCommunicator())
      let replica = try legs[0].experiment!.replicas!.begin(context, nil)
      var failure: (any Error)?
      let seconds = best(total: 1) {
        do { try replica.advance(20) } catch { failure = error }
      }
      if let failure { throw failure }
      precondition(replica.fault == nil)
      report(
        "manifold",
        [("move", "\"\(move)\""), ("rank", "\(rank)"), ("seconds", "\(seconds / Double(20 * spins))")])
    }
  }
}
