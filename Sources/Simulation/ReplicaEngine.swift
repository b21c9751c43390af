import Randomness
import Statistics

/// The replicas of one leg: what this rank works at, and what it has not handed in yet.
private struct ReplicaWork {
  /// Started by another run, or before the last stop, and waiting.
  var waiting: [ReplicaState] = []
  var current: (id: UInt64, replica: any Replica)?
  /// On the root of a group.
  var finished: [(id: UInt64, outcome: ReplicaOutcome)] = []
  /// Parts of this rank of the marginals of finished replicas.
  var marginals: [BitHistogram]
  /// Steps in one piece of work.
  var batch = 1

  /// Replicas that are begun but not finished.
  var begun: [UInt64] { waiting.map(\.replica) + (current.map { [$0.id] } ?? []) }
}

extension Engine {
  /// Ranks that share a replica: as many as the job says, or one as long as there are replicas enough; and the groups so made.
  public static func groups(_ shards: Int?, replicas: UInt64, ranks: Int) -> (size: Int, count: Int) {
    let size = shards ?? (replicas >= UInt64(ranks) ? 1 : (ranks + Int(replicas) - 1) / Int(replicas))
    return (size, max(1, ranks / size))
  }

  /// Runs the replicas of a leg: groups of ranks, each with a replica at a time.
  ///
  /// As with independent draws the work goes in rounds: at the start of one all ranks know which replicas are finished or begun,
  /// so all know the shares of the rest. Begun replicas stay where they are; a checkpoint holds them whole.
  func run(_ index: Int, _ leg: Leg, replicas experiment: any ReplicaExperiment, target: Range<UInt64>) throws
    -> Outcome
  {
    let path = states[index].path
    let key = Stream.key(seed: job.seed, path: path)
    let saved = try agreedInFlight(index, experiment)
    let total = UInt64(target.count)
    let unfinished = total - states[index].done.count(in: target)
    report(.legStarted(path: path, done: total - unfinished, target: total))
    guard unfinished > 0 else { return .finished }

    let (groupSize, groupCount) = Self.groups(shards, replicas: unfinished, ranks: world.size)
    let groupIndex = min(world.rank / groupSize, groupCount - 1)
    let group = try groups[groupCount] ?? world.group(color: groupIndex)
    groups[groupCount] = group
    var work = ReplicaWork(marginals: ReplicaRecord(marginals: leg.marginals.count).marginals)
    work.waiting = saved.enumerated().filter { $0.offset % groupCount == groupIndex }.map(\.element)
    var begun = Set(saved.map(\.replica))
    var length = Duration.milliseconds(100)
    while true {
      var free = states[index].done.complement(upTo: target.upperBound)
      _ = free.takeFirst(free.count(below: target.lowerBound))
      let pool = free.intervals.lazy.flatMap { $0 }.filter { !begun.contains($0) }
      let share = Self.share(of: pool, group: groupIndex, of: groupCount)
      let start = clock.now
      var (steps, fault): (Int, ReplicaFault?) = (0, nil)
      try agree {
        (steps, fault) = try self.work(&work, share: share, experiment, key: key, group: group, until: length)
      }
      let seconds = (clock.now - start).seconds
      length = .milliseconds(500)

      let isGroupRoot = group.isRoot
      let due = clock.now - lastCheckpoint >= .seconds(checkpointInterval)
      let reports = try world.gatherAll([
        isGroupRoot ? Int64(steps) : 0, stopRequested() ? 1 : 0, due ? 1 : 0, Int64(fault?.step ?? 0),
        Int64(fault?.particle ?? 0), Int64(bitPattern: work.current?.id ?? 0),
        isGroupRoot ? Int64(work.begunSteps) : 0,
      ]).chunked(7)
      for id in try world.gatherAllVarying(isGroupRoot ? work.finished.map { Int64(bitPattern: $0.id) } : []).joined() {
        states[index].done.insert(UInt64(bitPattern: id)..<UInt64(bitPattern: id) + 1)
      }
      begun = Set(
        try world.gatherAllVarying(isGroupRoot ? work.begun.map { Int64(bitPattern: $0) } : []).joined()
          .map { UInt64(bitPattern: $0) })
      let rate = Double(reports.reduce(0) { $0 + $1[0] }) / max(seconds, 1e-9)
      let finished = states[index].done.count(in: target)
      let made = finished * UInt64(experiment.steps) + UInt64(reports.reduce(0) { $0 + $1[6] })
      report(
        .progress(path: path, done: made, target: total * UInt64(experiment.steps), rate: rate, unit: "steps"))

      let failed = reports.filter { $0[3] != 0 }.min { $0[3] < $1[3] }
      let stop = reports.contains { $0[1] != 0 }
      guard finished == total || stop || failed != nil || reports[0][2] != 0 else { continue }
      if failed != nil, fault != nil { work.current = nil }
      try handIn(&work, index, leg, group: group)
      if let failed {
        try checkpoint()
        throw Failure(
          .badData,
          "\(path): replica \(UInt64(bitPattern: failed[5])), step \(failed[3]): particle \(failed[4]) is not finite; \(experiment.advice) (what was finished before is kept)"
        )
      }
      if finished == total { return stop ? .stopped : .finished }
      if stop { return .stopped }
      try checkpoint()
    }
  }

  /// Runs what may fail on some ranks only; all ranks return, or all throw the same failure, that of the first rank that has one.
  private func agree(_ body: () throws -> Void) throws {
    var report: [Int64] = []
    do {
      try body()
    } catch {
      let failure = error as? Failure ?? Failure(.bug, String(describing: error))
      report = [Int64(failure.status.rawValue)] + failure.message.utf8.map { Int64($0) }
    }
    guard let first = try world.gatherAllVarying(report).first(where: { !$0.isEmpty }) else { return }
    throw Failure(
      ExitStatus(rawValue: Int32(first[0])) ?? .bug,
      String(decoding: first.dropFirst().map { UInt8($0) }, as: UTF8.self))
  }

  /// Replicas that this group may begin in this round: an equal part of the pool, at most a thousand.
  private static func share(of pool: some Sequence<UInt64>, group: Int, of count: Int) -> [UInt64] {
    pool.prefix(1024 * count).enumerated().filter { $0.offset % count == group }.map(\.element)
  }

  /// States that rank 0 has read, on every rank.
  private func agreedInFlight(_ index: Int, _ experiment: any ReplicaExperiment) throws -> [ReplicaState] {
    var writer = ByteWriter()
    if world.isRoot { for state in states[index].replicas!.inFlight { writer.add(state) } }
    var reader = ByteReader(try world.broadcast(writer.bytes))
    var result: [ReplicaState] = []
    while !reader.isAtEnd { result.append(reader.state()) }
    if let late = result.first(where: { $0.step >= experiment.steps }) {
      throw Failure(
        .badData,
        "\(states[index].path): replica \(late.replica) under way is at step \(late.step) of \(experiment.steps)")
    }
    return result.sorted { $0.replica < $1.replica }
  }

  /// Advances replicas until the time is over. All ranks of a group see the same clock, that of its root.
  private func work(
    _ work: inout ReplicaWork, share: [UInt64], _ experiment: any ReplicaExperiment, key: UInt64,
    group: any Communicator, until deadline: Duration
  ) throws -> (steps: Int, fault: ReplicaFault?) {
    let start = clock.now
    var next = share.makeIterator()
    var steps = 0
    while true {
      if work.current == nil {
        if !work.waiting.isEmpty {
          let state = work.waiting.removeFirst()
          work.current = (
            state.replica, try experiment.begin(state.replica, key: key, group: group, from: state, shards: shardStore)
          )
        } else if let id = next.next() {
          work.current = (id, try experiment.begin(id, key: key, group: group, from: nil, shards: shardStore))
        } else {
          return (steps, nil)
        }
      }
      let (id, replica) = work.current!
      let before = clock.now
      let count = min(work.batch, experiment.steps - replica.step)
      try replica.advance(count)
      steps += count
      let now = clock.now
      // One word: a fault anywhere, a stop asked for anywhere, and the pace that the root measured.
      let pace: Int64 = now - before < .milliseconds(2) ? 4 : (now - before > .milliseconds(6) ? 8 : 0)
      var facts: Int64 = (replica.fault == nil ? 0 : 1) | (now - start >= deadline || stopRequested() ? 2 : 0)
      if group.isRoot { facts |= pace }
      if group.size > 1 { facts = try group.unite([facts])[0] }
      if facts & 1 != 0 { return (steps, replica.fault ?? ReplicaFault(step: 0, particle: 0)) }
      // Pieces of 2 to 6 ms.
      if facts & 4 != 0 && count == work.batch { work.batch *= 2 }
      if facts & 8 != 0 { work.batch = max(1, work.batch / 2) }
      if replica.step == experiment.steps {
        let outcome = try replica.finish()
        if group.isRoot { work.finished.append((id, outcome)) }
        for (i, histogram) in outcome.marginals.enumerated() {
          for page in histogram.pages { work.marginals[i].add(page: page, counts: histogram.page(page)) }
        }
        work.current = nil
      }
      if facts & 2 != 0 { return (steps, nil) }
    }
  }

  /// Brings everything that the ranks have to rank 0.
  private func handIn(_ work: inout ReplicaWork, _ index: Int, _ leg: Leg, group: any Communicator) throws {
    var writer = ByteWriter()
    for (id, outcome) in work.finished {
      writer.add(id)
      writer.add(outcome.values + outcome.diagnostics)
      writer.add(outcome.trajectory)
    }
    let rows = try world.gatherToRoot(writer.bytes)
    let marginals = try world.joinedOnRoot(work.marginals)
    writer = ByteWriter()
    var current: ReplicaState?
    try agree { current = try work.current?.replica.save() }
    if group.isRoot { for state in work.waiting + (current.map { [$0] } ?? []) { writer.add(state) } }
    let begun = try world.gatherToRoot(writer.bytes)
    work.finished = []
    work.marginals = ReplicaRecord(marginals: leg.marginals.count).marginals
    guard world.isRoot else { return }
    var record = states[index].replicas!
    for bytes in rows {
      var reader = ByteReader(bytes)
      while !reader.isAtEnd {
        let id = reader.word()
        record.rows[id] = reader.doubles()
        record.trajectories[id] = reader.trajectory()
      }
    }
    record.add(marginals: marginals)
    record.inFlight = begun.flatMap { bytes -> [ReplicaState] in
      var reader = ByteReader(bytes)
      var result: [ReplicaState] = []
      while !reader.isAtEnd { result.append(reader.state()) }
      return result
    }.sorted { $0.replica < $1.replica }
    states[index].replicas = record
    states[index].tally = record.tally(leg, of: job)
  }
}

extension ReplicaWork {
  /// Steps made in replicas that are not finished.
  fileprivate var begunSteps: Int { waiting.reduce(0) { $0 + $1.step } + (current?.replica.step ?? 0) }
}

extension IntervalSet {
  /// How many members are in a range.
  func count(in range: Range<UInt64>) -> UInt64 { count(below: range.upperBound) - count(below: range.lowerBound) }
}
