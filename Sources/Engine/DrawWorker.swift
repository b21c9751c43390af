import Experiments
import Statistics

/// Makes independent draws and tallies them.
final class DrawWorker: Worker {
  private let runner: Runner
  private let world: any Collectives
  private let clock: ContinuousClock
  private let stopRequested: () -> Bool
  private var tally: Tally
  private let kept: KeptRows?

  let unit = "draws"
  let unitsPerDraw: UInt64 = 1
  let begun: Set<UInt64> = []

  init(
    _ runner: Runner, layout: Tally.Layout, keep: UInt64, world: any Collectives, clock: ContinuousClock,
    stopRequested: @escaping () -> Bool
  ) {
    self.runner = runner
    self.world = world
    self.clock = clock
    self.stopRequested = stopRequested
    tally = Tally(layout: layout)
    kept = keep > 0 ? KeptRows(limit: keep) : nil
  }

  func work(_ left: IntervalSet, _ shared: SharedKnowledge) -> WorkReport {
    let round = Round(left: left, speeds: shared.speeds)
    let start = clock.now
    var report = WorkReport()
    // Never fewer than are made side by side.
    let least = UInt64(runner.together)
    var chunk = least
    outer: for range in round.shares[world.rank] {
      var cursor = range.lowerBound
      defer { if cursor > range.lowerBound { report.finished.append(range.lowerBound..<cursor) } }
      while cursor < range.upperBound {
        if stopRequested() { break outer }
        let end = min(cursor + chunk, range.upperBound)
        let before = clock.now
        runner.run(cursor..<end, tally, kept)
        report.units += Int64(end - cursor)
        cursor = end
        let now = clock.now
        // Chunks of 1 to 3 ms: short against a round and a signal, long against a look at the clock.
        if now - before < .milliseconds(1) {
          chunk *= 2
        } else if now - before > .milliseconds(3) {
          chunk = max(least, chunk / 2)
        }
        if now - start >= round.deadline { break outer }
      }
    }
    report.seconds = (clock.now - start).seconds
    return report
  }

  func abandon() {}

  func handIn(to state: inout LegState) throws {
    let words = try world.sumToRoot(tally.words)
    let pages = try world.union(pages: tally.pages, of: tally.layout.observables)
    let counts = try world.sumToRoot(tally.counts(of: pages))
    if world.isRoot {
      state.tally.words = zip(state.tally.words, words).map { $0 &+ $1 }
      state.tally.add(counts: counts, to: pages)
    }
    tally = Tally(layout: tally.layout)
    guard let kept else { return }
    var encoder = StateEncoder()
    let rows = Rows(values: kept.take())
    if !rows.isEmpty { rows.encode(to: &encoder) }
    for bytes in try world.gatherToRoot(encoder.bytes) {
      let decoder = StateDecoder(bytes: bytes)
      guard decoder.contains("ids") else { continue }
      state.rows.merge(try Rows(from: decoder, width: tally.layout.observables))
    }
  }
}
