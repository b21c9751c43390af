import Experiments
import Gases

/// Collisions a second of a tagged particle in a shear, K = 1: what is proposed and refused is part of the time.
func taggedTimes() throws {
  for (gamma, time) in [(0.0, 20_000.0), (1, 5_000), (0.5, 5_000), (-0.5, 1)] {
    // Soft molecules in a gas at rest: in a shear they would not stay near.
    let table: JobValue = .table([
      "system": .text("tagged-particle"), "gamma": .real(gamma), "shear": .real(gamma < 0 ? 0 : 1),
      "times": .list([.real(gamma < 0 ? 5_000 : time)]), "draws": .integer(2),
    ])
    try taggedTime(table, [("gamma", "\(gamma)"), ("flow", gamma < 0 ? "\"none\"" : "\"shear\"")])
  }
  // Far out: the time of a whole path.
  let far: JobValue = .table([
    "system": .text("tagged-particle"), "gamma": .real(-0.5), "shear": .real(1), "times": .list([.real(1e16)]),
    "moments": .boolean(false), "draws": .integer(2),
  ])
  try taggedTime(far, [("gamma", "-0.5"), ("flow", "\"far\"")])
}

private func taggedTime(_ table: JobValue, _ keys: [(String, String)]) throws {
  let leg = try GasFamily.read(table, JobContext(path: GasFamily.table, options: [:], data: NoData())).legs[0]
  guard let runner = leg.experiment?.makeRunner(key: 7), let schema = leg.experiment?.schema,
    let place = schema.place(of: "collisions")
  else { return }
  let isFar = keys.contains { $0.1 == "\"far\"" }
  let paths = isFar ? 2_000 : 20
  var (next, collisions, rounds) = (UInt64(0), 0.0, 0.0)
  let seconds = best {
    for _ in 0..<paths {
      collisions += runner.values(next)[place]
      next += 1
    }
    rounds += 1
  }
  sink += collisions
  report(
    "tagged",
    keys + [
      ("collisions_per_second", "\(collisions / rounds / seconds)"), ("paths_per_second", "\(Double(paths) / seconds)"),
    ])
}
