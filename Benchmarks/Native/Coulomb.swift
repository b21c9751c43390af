import Coulomb
import Experiments
import Kernels

/// Coulomb gases: unordered pairs a second of energies and gradients, and seconds a draw of their samplers.
func coulombTimes() throws {
  for d in 1...3 {
    for n in [64, 256, 1024] {
      let pairs = GasPairs(dimension: d, number: n)
      let x = UnsafeMutablePointer<Double>.allocateZeros(2 * d * pairs.stride)
      let g = x + d * pairs.stride
      defer {
        pairs.deallocate()
        x.deallocate()
      }
      for i in 0..<d * pairs.stride {
        x[i] = Elementary.sinCosTurns(0.618034 * Double(i) + 0.001 * Double(i * i % 89)).sin
      }
      pairs.gradient(x, to: g)
      let (work, calls) = (Double(n * (n - 1) / 2), max(1, 4_000_000 / (n * n)))
      let energy = best(total: 0.5) { for _ in 0..<calls { sink += pairs.energy(x, gradient: g) } }
      let gradient = best(total: 0.5) {
        for _ in 0..<calls { pairs.gradient(x, to: g) }
        sink += g[0]
      }
      for (what, seconds) in [("energy", energy), ("gradient", gradient)] {
        report(
          "coulomb-pairs",
          [
            ("what", "\"\(what)\""), ("dimension", "\(d)"), ("number", "\(n)"),
            ("pairs_per_second", "\(work * Double(calls) / seconds)"),
          ])
      }
    }
  }
  try coulombSamplers()
}

/// Seconds a draw, or a trajectory of a chain; a draw is independent, and of the chains the diagnostics of a job tell how many trajectories make one.
private func coulombSamplers() throws {
  func experiment(_ keys: [String: JobValue]) throws -> Experiment {
    let usual: [String: JobValue] = ["dimension": .integer(2), "draws": .integer(2)]
    return try CoulombFamily.read(
      .table(usual.merging(keys) { $1 }), JobContext(path: CoulombFamily.table, options: [:], data: NoData())
    ).legs[0].experiment!
  }
  func say(_ label: String, _ number: Int, _ seconds: Double) {
    report("coulomb-draw", [("label", "\"\(label)\""), ("number", "\(number)"), ("seconds", "\(seconds)")])
  }
  for n in [64, 256] {
    let (runner, tally) = prepare(
      try experiment([
        "number": .integer(Int64(n)), "inverse_temperature": .real(2), "sampler": .text("ginibre-radii"),
      ]), covariances: true)
    var next: UInt64 = 0
    let seconds = best {
      runner.run(next..<next + 200, tally, nil)
      next += 200
    }
    say("ginibre-radii", n, seconds / 200)
    let chain = try experiment([
      "number": .integer(Int64(n)), "inverse_temperature": .real(4), "steps": .integer(1_000_000_000),
    ])
    let replica = try chain.replicas!.begin(ReplicaContext(replica: 0, key: 7, group: SelfCommunicator()), nil)
    var failure: (any Error)?
    let step = best {
      do { try replica.advance(200) } catch { failure = error }
    }
    if let failure { throw failure }
    say("hmc, beta = 4", n, step / 200)
  }
}
