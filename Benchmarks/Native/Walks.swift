import Experiments
import Walks

/// Steps a second of self-repellent walks, as many side by side as a job makes, on random graphs of ten neighbours each, without the record at their end.
func walkTimes() throws {
  for n in [1_000, 100_000] {
    for alpha in [0.0, 1, 5] {
      let table: JobValue = .table([
        "problem": .text("self-repellent"), "graph": .text("regular"), "vertices": .integer(Int64(n)),
        "degree": .integer(10), "alpha": .real(alpha), "steps": .integer(2_000_000), "records": .text("last"),
        "start": .integer(0), "draws": .integer(2),
      ])
      let leg = try WalkFamily.read(table, JobContext(path: WalkFamily.table, options: [:], data: NoData())).legs[0]
      guard let experiment = leg.experiment else { continue }
      let (runner, tally) = prepare(experiment, covariances: false)
      let walks = UInt64(runner.together)
      var next: UInt64 = 0
      let seconds = best {
        runner.run(next..<next + walks, tally, nil)
        next += walks
      }
      report(
        "walk",
        [
          ("vertices", "\(n)"), ("alpha", "\(alpha)"), ("side_by_side", "\(walks)"),
          ("steps_per_second", "\(2_000_000 * Double(walks) / seconds)"),
        ])
    }
  }
}
