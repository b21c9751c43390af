import Experiments
import Particles

/// Seconds a step of particle systems, without measurements; of those only whose label contains `part`, if given.
func particleTimes(_ part: String?) throws {
  func time(_ name: String, _ keys: [String: JobValue], steps: Int, work: Double, unit: String) throws {
    if let part, !name.contains(part) { return }
    let far: [String: JobValue] = [
      "steps": .integer(1_000_000_000), "measure_every": .integer(1_000_000_000),
      "histogram_every": .integer(1_000_000_000),
    ]
    let legs = try ParticleFamily.read(
      .table(keys.merging(far) { $1 }), JobContext(path: ParticleFamily.table, options: [:], data: NoData())
    ).legs
    let context = ReplicaContext(replica: 0, key: 7, group: SelfCommunicator())
    let replica = try legs[0].experiment!.replicas!.begin(context, nil)
    var failure: (any Error)?
    let seconds = best(total: 2) {
      do { try replica.advance(steps) } catch { failure = error }
    }
    if let failure { throw failure }
    precondition(replica.fault == nil)
    report(
      "particles",
      [
        ("label", "\"\(name)\""), ("seconds", "\(seconds / Double(steps))"), ("work", "\(work)"),
        ("unit", "\"\(unit)\""),
      ])
  }
  try time(
    "lmc, double well, N = 1e5",
    ["system": .text("double-well"), "number": .integer(100_000), "step": .real(0.01)], steps: 20, work: 1e5,
    unit: "particle steps")
  for unit in ["tanh", "relu"] {
    try time(
      "two-layer, \(unit), N = 1024, 64 features, 360 examples",
      [
        "system": .text("two-layer"), "unit": .text(unit), "parity": .integer(3), "bits": .integer(64),
        "examples": .integer(360), "test_every": .integer(0), "number": .integer(1024), "step": .real(0.1),
        "inverse_temperature": .real(1e4),
      ], steps: 5, work: 1024, unit: "particle steps")
  }
  for (sampler, step, more) in [
    ("mala", 0.15, [:]), ("hmc", 0.3, ["leapfrog_steps": JobValue.integer(10)]),
  ] as [(String, Double, [String: JobValue])] {
    try time(
      "\(sampler), Gaussian, d = 100, 64 chains",
      [
        "system": .text("gaussian"), "dimension": .integer(100), "condition": .real(10), "number": .integer(64),
        "integrator": .text(sampler), "step": .real(step), "start_std": .real(0.5),
      ].merging(more) { $1 }, steps: 50, work: 64, unit: "chain steps")
  }
  for batch in [1, 10, 100] as [Int64] {
    try time(
      "sgld, logistic regression, d = 65, 1024 chains, b = \(batch)",
      [
        "system": .text("logistic-regression"), "parity": .integer(1), "bits": .integer(64), "examples": .integer(1000),
        "test_every": .integer(0), "number": .integer(1024), "step": .real(1e-3), "batch": .integer(batch),
      ], steps: 5, work: 1024, unit: "chain steps")
  }
  try time(
    "all pairs, 2-D, 1/r^2, N = 8192",
    ["system": .text("log-gas"), "number": .integer(8192), "step": .real(1e-4)], steps: 2, work: 8192 * 8192,
    unit: "ordered pairs")
}
