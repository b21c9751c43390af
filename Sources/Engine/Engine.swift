import Experiments
import Randomness
import Statistics

/// Makes the draws of a job on all ranks: short draws and long replicas alike.
///
/// The work goes in rounds of about half a second. At the start of a round every rank knows which draws are finished or begun and the speeds
/// of all ranks, so all compute the same shares of what is left, without a message. A rank works through its share until it is done or the
/// round's time is over; what it could not do goes out again in the next round. Which draws were finished is all that matters: what is kept of
/// them does not depend on who made them, nor on the order.
package final class Engine {
  package enum Outcome { case finished, stopped }

  /// What the user hears of.
  package enum Event {
    case legStarted(path: String, done: UInt64, target: UInt64, unit: String)
    /// What is done of this leg, in draws or steps; the rate is that of all ranks together, a second.
    case progress(path: String, done: UInt64, target: UInt64, rate: Double, unit: String)
    case checkpoint(seconds: Double)
  }

  package let job: Job
  let checkpointInterval: Double
  let world: any Collectives
  /// On rank 0 the recorders hold what all ranks made; elsewhere they stay empty.
  package private(set) var states: [LegState]
  let part: DrawPart
  private let save: ([LegState]) throws -> Void
  let stopRequested: () -> Bool
  private let report: (Event) -> Void
  let clock = ContinuousClock()
  private var lastCheckpoint: ContinuousClock.Instant
  /// Ranks that share a replica; nil to choose by the number of replicas.
  let shards: Int?
  let shardStore: (any ShardStore)?
  /// Shards of the checkpoint before the last: a file of that generation may still be asked for.
  private var formerShards: Set<String> = []
  /// Collectives of groups, by the number of groups.
  private var groups: [Int: any Collectives] = [:]

  /// - Parameters:
  ///   - restored: states of an earlier run (on rank 0; other ranks give none).
  ///   - save: writes a checkpoint; called on rank 0 only.
  ///   - stopRequested: whether this process was asked to stop.
  package init(
    job: Job, world: any Collectives, restored: [LegState]?, checkpointInterval: Double, part: DrawPart = .whole,
    shards: Int? = nil, shardStore: (any ShardStore)? = nil, save: @escaping ([LegState]) throws -> Void,
    stopRequested: @escaping () -> Bool = { false }, report: @escaping (Event) -> Void = { _ in }
  ) throws {
    self.job = job
    self.checkpointInterval = checkpointInterval
    self.world = world
    self.part = part
    self.shards = shards
    self.shardStore = shardStore
    formerShards = Set((restored ?? []).flatMap(\.shards))
    self.save = save
    self.stopRequested = stopRequested
    self.report = report
    lastCheckpoint = clock.now
    states = try Self.agreedStates(job: job, world: world, restored: restored)
  }

  /// Centres and finished draws as rank 0 has them, on every rank.
  private static func agreedStates(job: Job, world: any Collectives, restored: [LegState]?) throws -> [LegState] {
    try job.sampledLegs.map { path, leg in
      let old = restored?.first { $0.path == path }
      var encoder = StateEncoder()
      try world.onRoot {
        // The tally of replicas is made from their rows, which bring their own centres.
        let runner = leg.experiment?.makeRunner(key: Stream.key(seed: job.seed, path: path))
        let own = runner?.centres(leg.schema.width)
        let centres = own ?? old?.tally.layout.centres ?? Array(repeating: 0, count: leg.schema.width)
        guard old.map({ $0.tally.layout.centres == centres }) ?? true else {
          throw Failure(
            .badData, "\(path): the centres of its sums are not those of this job; --fresh starts from scratch")
        }
        encoder.add("centres", centres)
        encoder.add("done", (old?.done.intervals ?? []).flatMap { [$0.lowerBound, $0.upperBound] })
      }
      let agreed = StateDecoder(bytes: try world.broadcast(world.isRoot ? encoder.bytes : []))
      var done = IntervalSet()
      for pair in try agreed.words("done").chunked(2) { done.insert(pair[0]..<pair[1]) }
      let fresh = LegState(
        path: path, done: done, tally: Tally(layout: job.layout(of: leg, centres: try agreed.doubles("centres"))),
        histograms: Histograms(marginals: leg.process?.marginals.count ?? 0))
      return old ?? fresh
    }
  }

  /// Makes all draws that are left; checkpoints on the way and at the end.
  package func run() throws -> Outcome {
    for (index, (_, leg)) in job.sampledLegs.enumerated() {
      let outcome = try run(index, leg)
      if outcome == .stopped {
        try checkpoint()
        return .stopped
      }
    }
    try checkpoint()
    return .finished
  }

  private func run(_ index: Int, _ leg: Leg) throws -> Outcome {
    let path = states[index].path
    let target = part.range(of: leg.draws)
    let total = UInt64(target.count)
    var left = states[index].done.missing(in: target)
    report(.legStarted(path: path, done: total - left.count, target: total, unit: leg.drawName))
    guard !left.isEmpty else { return .finished }
    let worker = try makeWorker(index, leg, left: left.count)
    var shared = SharedKnowledge(speeds: Array(repeating: 0, count: world.size), begun: worker.begun)
    while true {
      var mine = WorkReport()
      do { mine = try worker.work(left, shared) } catch { mine.failure = Failure(wrapping: error) }
      mine.stop = stopRequested()
      mine.due = clock.now - lastCheckpoint >= .seconds(checkpointInterval)
      let reports = try world.gatherAllVarying(mine.words).map(WorkReport.init(words:))
      if let failure = reports.lazy.compactMap(\.failure).first { throw failure }
      for report in reports { for range in report.finished { states[index].done.insert(range) } }
      shared.take(reports)
      left = states[index].done.missing(in: target)

      let made = (total - left.count) * worker.unitsPerDraw + reports.reduce(0) { $0 + UInt64($1.unitsBegun) }
      report(
        .progress(
          path: path, done: made, target: total * worker.unitsPerDraw, rate: shared.speeds.reduce(0, +),
          unit: worker.unit))
      let fault = reports.lazy.compactMap(\.fault).min { $0.fault.step < $1.fault.step }
      let stop = reports.contains(where: \.stop)
      guard left.isEmpty || stop || fault != nil || reports[0].due else { continue }
      if fault != nil, mine.fault != nil { worker.abandon() }
      try worker.handIn(to: &states[index])
      if let fault {
        try checkpoint()
        throw Failure(
          .badData,
          "\(path): replica \(fault.replica), step \(fault.fault.step): particle \(fault.fault.particle) is not finite; \(leg.experiment?.replicas?.advice ?? "") (what was finished before is kept)"
        )
      }
      if stop { return .stopped }
      if left.isEmpty { return .finished }
      try checkpoint()
    }
  }

  private func makeWorker(_ index: Int, _ leg: Leg, left: UInt64) throws -> any Worker {
    let key = Stream.key(seed: job.seed, path: states[index].path)
    switch leg.experiment!.kind {
    case .draws(let makeRunner):
      return DrawWorker(
        makeRunner(key), layout: states[index].tally.layout, keep: leg.keep, world: world, clock: clock,
        stopRequested: stopRequested)
    case .replicas(let factory):
      let (size, count) = Self.groups(shards, replicas: left, ranks: world.size)
      let groupIndex = min(world.rank / size, count - 1)
      let group = try groups[count] ?? world.group(color: groupIndex)
      groups[count] = group
      return try ReplicaWorker(
        factory, leg, job, key: key, saved: states[index].begun, groups: (groupIndex, count), group: group,
        world: world, shardStore: shardStore, clock: clock, stopRequested: stopRequested)
    }
  }

  /// Ranks that share a replica: as many as the job says, or one as long as there are replicas enough; and the groups so made.
  package static func groups(_ shards: Int?, replicas: UInt64, ranks: Int) -> (size: Int, count: Int) {
    let size = shards ?? (replicas >= UInt64(ranks) ? 1 : (ranks + Int(replicas) - 1) / Int(replicas))
    return (size, max(1, ranks / size))
  }

  /// Writes a checkpoint of what rank 0 has. Collective; every rank hears how long it took.
  package func checkpoint() throws {
    let start = clock.now
    try world.onRoot {
      try save(states)
      let named = Set(states.flatMap(\.shards))
      let finished = zip(job.sampledLegs, states).allSatisfy { $1.done.count >= $0.leg.draws }
      shardStore?.prune(keeping: finished ? [] : named.union(formerShards))
      formerShards = named
    }
    lastCheckpoint = clock.now
    report(.checkpoint(seconds: (lastCheckpoint - start).seconds))
  }
}

extension IntervalSet {
  /// How many members are below `bound`.
  func count(below bound: UInt64) -> UInt64 {
    intervals.reduce(0) { $0 + ($1.lowerBound < bound ? min($1.upperBound, bound) - $1.lowerBound : 0) }
  }

  /// What of a range is not in the set.
  func missing(in range: Range<UInt64>) -> IntervalSet {
    var left = complement(upTo: range.upperBound)
    _ = left.takeFirst(left.count(below: range.lowerBound))
    return left
  }
}

extension Duration {
  /// The duration as a number of seconds.
  package var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}

extension Array {
  /// Consecutive pieces of `size` elements.
  func chunked(_ size: Int) -> [[Element]] {
    stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
  }
}
