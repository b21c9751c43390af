import Experiments
import Walks

/// Steps a second of self-repellent walks on random graphs of ten neighbours each, without the record at their end.
func walkTimes() throws {
  for n in [1_000, 100_000] {
    for alpha in [0.0, 1, 5] {
      let table: JobValue = .table([
        "problem": .text("self-repellent"), "graph": .text("regular"), "vertices": .integer(Int64(n)),
        "degree": .integer(10), "alpha": .real(alpha), "steps": .integer(2_000_000), "records": .text("last"),
        "start": .integer(0), "draws": .integer(2),
      ])
      let leg = try WalkFamily.read(table, JobContext(path: WalkFamily.table, options: [:], data: NoData())).legs[0]
      guard let runner = leg.experiment?.makeRunner(key: 7) else { continue }
      var next: UInt64 = 0
      let seconds = best {
        sink += runner.values(next)[0]
        next += 1
      }
      report(
        "walk", [("vertices", "\(n)"), ("alpha", "\(alpha)"), ("steps_per_second", "\(2_000_000 / seconds)")])
    }
  }
}
