import Experiments
import Statistics

/// Advances replicas of a process: groups of ranks, each with a replica at a time.
///
/// Begun replicas stay where they are; a checkpoint holds them whole.
final class ReplicaWorker: Worker {
  private let factory: ReplicaFactory
  private let leg: Leg
  private let job: Job
  private let key: UInt64
  private let groupIndex, groupCount: Int
  private let group, world: any Collectives
  private let shardStore: (any ShardStore)?
  private let clock: ContinuousClock
  private let stopRequested: () -> Bool

  /// Started by another run, or before the last stop, and waiting.
  private var waiting: [ReplicaState]
  private var current: (id: UInt64, replica: any Replica)?
  /// On the root of a group.
  private var finished: [(id: UInt64, outcome: ReplicaOutcome)] = []
  /// Parts of this rank of the marginals of finished replicas.
  private var marginals: Histograms
  /// Steps in one piece of work.
  private var batch = 1
  private var deadline = Duration.milliseconds(100)

  let unit = "steps"
  let begun: Set<UInt64>
  var unitsPerDraw: UInt64 { UInt64(factory.steps) }

  /// - Parameter saved: replicas under way, on rank 0.
  init(
    _ factory: ReplicaFactory, _ leg: Leg, _ job: Job, key: UInt64, saved: [ReplicaState],
    groups: (index: Int, count: Int), group: any Collectives, world: any Collectives,
    shardStore: (any ShardStore)?, clock: ContinuousClock, stopRequested: @escaping () -> Bool
  ) throws {
    self.factory = factory
    self.leg = leg
    self.job = job
    self.key = key
    (groupIndex, groupCount) = groups
    self.group = group
    self.world = world
    self.shardStore = shardStore
    self.clock = clock
    self.stopRequested = stopRequested
    marginals = Histograms(marginals: factory.facts.marginals.count)
    let all = try Self.decode(world.broadcast(world.isRoot ? Self.encode(saved) : []))
    if let late = all.first(where: { $0.step >= factory.steps }) {
      throw Failure(
        .badData, "\(leg.name): replica \(late.replica) under way is at step \(late.step) of \(factory.steps)")
    }
    begun = Set(all.map(\.replica))
    waiting = all.enumerated().filter { $0.offset % groups.count == groups.index }.map(\.element)
  }

  private static func encode(_ states: [ReplicaState]) -> [UInt8] {
    var encoder = StateEncoder()
    for (index, state) in states.enumerated() {
      encoder.nest("\(index)") { encoder in
        encoder.add("replica", [state.replica])
        encoder.add("step", state.step)
        encoder.add("state", state.decoder)
      }
    }
    return encoder.bytes
  }

  private static func decode(_ bytes: [UInt8]) throws -> [ReplicaState] {
    let decoder = StateDecoder(bytes: bytes)
    return try decoder.names.map { name in
      let own = decoder.nested(name)
      return ReplicaState(
        replica: try own.words("replica", count: 1)[0], step: try own.count("step"),
        encoded: own.nested("state").encoder)
    }.sorted { $0.replica < $1.replica }
  }

  /// Advances replicas until the time is over. All ranks of a group see the same clock, that of its root.
  func work(_ left: IntervalSet, _ shared: SharedKnowledge) throws -> WorkReport {
    // An equal part of what nobody has begun, at most a thousand.
    let pool = left.intervals.lazy.flatMap { $0 }.filter { !shared.begun.contains($0) }
    var next = pool.prefix(1024 * groupCount).enumerated().filter { $0.offset % groupCount == groupIndex }
      .map(\.element).makeIterator()
    let start = clock.now
    var report = WorkReport()
    var steps = 0
    rounds: while true {
      if current == nil {
        let context: (UInt64) -> ReplicaContext = { [self] id in
          ReplicaContext(replica: id, key: key, group: group, shards: shardStore)
        }
        if !waiting.isEmpty {
          let state = waiting.removeFirst()
          current = (state.replica, try factory.begin(context(state.replica), state))
        } else if let id = next.next() {
          current = (id, try factory.begin(context(id), nil))
        } else {
          break
        }
      }
      let (id, replica) = current!
      let before = clock.now
      let count = min(batch, factory.steps - replica.step)
      try replica.advance(count)
      steps += count
      let now = clock.now
      // One word: a fault anywhere, a stop asked for anywhere, and the pace that the root measured.
      let pace: Int64 = now - before < .milliseconds(2) ? 4 : (now - before > .milliseconds(6) ? 8 : 0)
      var flags: Int64 = (replica.fault == nil ? 0 : 1) | (now - start >= deadline || stopRequested() ? 2 : 0)
      if group.isRoot { flags |= pace }
      if group.size > 1 { flags = try group.bitwiseOr([flags])[0] }
      if flags & 1 != 0 {
        report.fault = (id, replica.fault ?? Fault(step: .max, particle: 0))
        break
      }
      // Pieces of 2 to 6 ms.
      if flags & 4 != 0 && count == batch { batch *= 2 }
      if flags & 8 != 0 { batch = max(1, batch / 2) }
      if replica.step == factory.steps {
        let outcome = try replica.finish()
        if group.isRoot {
          finished.append((id, outcome))
          report.finished.append(id..<id + 1)
        }
        for (i, histogram) in outcome.marginals.enumerated() { marginals.folded[i].merge(histogram) }
        current = nil
      }
      if flags & 2 != 0 { break rounds }
    }
    deadline = .milliseconds(500)
    report.seconds = (clock.now - start).seconds
    if group.isRoot {
      report.units = Int64(steps)
      report.begun = waiting.map(\.replica) + (current.map { [$0.id] } ?? [])
      report.unitsBegun = Int64(waiting.reduce(0) { $0 + $1.step } + (current?.replica.step ?? 0))
    }
    return report
  }

  func abandon() { current = nil }

  func handIn(to state: inout LegState) throws {
    var encoder = StateEncoder()
    let keepsSeries = Series.stride(of: leg) != nil
    for (id, outcome) in finished {
      encoder.nest("\(id)") { encoder in
        encoder.add("row", outcome.row)
        if let series = outcome.series, keepsSeries { encoder.add("series", series) }
        if let trajectory = outcome.trajectory { encoder.nest("trajectory") { trajectory.encode(to: &$0) } }
      }
    }
    let rows = try world.gatherToRoot(encoder.bytes)
    let joined = try world.joinedOnRoot(marginals.folded)
    let suspended = try world.agree { try current?.replica.save() }
    let under = try world.gatherToRoot(
      Self.encode(group.isRoot ? waiting + (suspended.map { [$0] } ?? []) : []))
    finished = []
    marginals = Histograms(marginals: factory.facts.marginals.count)
    guard world.isRoot else { return }
    state.series.fit(leg)
    for bytes in rows {
      let decoder = StateDecoder(bytes: bytes)
      for name in decoder.names {
        let own = decoder.nested(name)
        state.rows.values[UInt64(name)!] = try own.doubles("row")
        if own.contains("series") { state.series.add(UInt64(name)!, try own.doubles("series"), of: leg) }
        if own.contains("trajectory") {
          state.trajectories.replicas[UInt64(name)!] = try Trajectory(from: own.nested("trajectory"))
        }
      }
    }
    for (i, histogram) in joined.enumerated() { state.histograms.folded[i].merge(histogram) }
    state.begun = try under.flatMap(Self.decode).sorted { $0.replica < $1.replica }
    state.tallyRows(leg, of: job)
  }
}
