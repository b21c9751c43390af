import Chemotaxis
import Experiments

/// Seconds of a step of particles in a box, and of particles of the plane.
func chemotaxisTimes() throws {
  func leg(_ keys: [String: JobValue]) throws -> Leg {
    try ChemotaxisFamily.read(
      .table(keys), JobContext(path: ChemotaxisFamily.table, options: [:], data: NoData())
    ).legs[0]
  }
  for (dimension, modes) in [(1, 32), (2, 8), (3, 4)] {
    let own = try leg([
      "domain": .text("box"), "dimension": .integer(Int64(dimension)), "modes": .integer(Int64(modes)),
      "length": .integer(4), "mass": .real(1.5), "tau": .real(0.5), "eps": .real(0.1), "number": .integer(100_000),
      "step": .real(0.01), "steps": .integer(1_000_000), "measure_every": .integer(1_000_000), "draws": .integer(2),
    ])
    guard let factory = own.experiment?.replicas else { continue }
    let replica = try factory.begin(ReplicaContext(replica: 0, key: 7, group: SelfCommunicator()), nil)
    let steps = 20
    let seconds = try best { try replica.advance(steps) }
    sink += Double(replica.step)
    report(
      "chemotaxis box",
      [
        ("dimension", "\(dimension)"), ("modes", "\(modes)"), ("number", "100000"),
        ("seconds", "\(seconds / Double(steps))"),
      ])
  }
  for number in [8, 64] {
    let own = try leg([
      "domain": .text("plane"), "number": .integer(Int64(number)), "mass": .real(12), "step": .real(0.001),
      "steps": .integer(1000), "records": .text("last"), "draws": .integer(2),
    ])
    guard let runner = own.experiment?.makeRunner(key: 7) else { continue }
    var next: UInt64 = 0
    let seconds = best {
      sink += runner.values(next)[0]
      next += 1
    }
    report("chemotaxis plane", [("number", "\(number)"), ("seconds", "\(seconds / 1000)")])
  }
}
