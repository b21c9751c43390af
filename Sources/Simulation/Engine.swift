import Randomness
import Statistics

/// A share of the draws of every leg: parts `first ... last` of `count` equal parts.
public struct DrawPart: Sendable {
  public let first, last, count: Int

  public static let whole = DrawPart(first: 1, last: 1, count: 1)

  public init(first: Int, last: Int, count: Int) {
    self.first = first
    self.last = last
    self.count = count
  }

  public func range(of draws: UInt64) -> Range<UInt64> {
    func border(_ k: Int) -> UInt64 {
      let (high, low) = draws.multipliedFullWidth(by: UInt64(k))
      return UInt64(count).dividingFullWidth((high, low)).quotient
    }
    return border(first - 1)..<border(last)
  }
}

/// Makes the draws of a job on all ranks.
///
/// The work goes in rounds of about half a second. At the start of a round every rank knows the set of
/// finished draws and the speeds of all ranks, so all compute the same shares of what is left, without a
/// message. A rank works through its share until it is done or the round's time is over; what it could
/// not do is at the front of what is left, and goes out again in the next round. Which draws were
/// finished is all that matters: the tallies do not depend on who made them, nor on the order.
public final class Engine {
  public enum Outcome { case finished, stopped }

  /// What the user hears of.
  public enum Event {
    case legStarted(path: String, done: UInt64, target: UInt64)
    /// What is done of this leg, in draws or steps; the rate is that of all ranks together, a second.
    case progress(path: String, done: UInt64, target: UInt64, rate: Double, unit: String)
    case checkpoint(seconds: Double)
  }

  let job: Job
  let checkpointInterval: Double
  let world: any Communicator
  /// On rank 0 the tallies are those of all ranks; elsewhere they stay empty.
  public internal(set) var states: [LegState]
  let part: DrawPart
  let save: ([LegState]) throws -> Void
  let stopRequested: () -> Bool
  let report: (Event) -> Void
  let clock = ContinuousClock()
  var lastCheckpoint: ContinuousClock.Instant
  /// Draws a second of every rank in the current leg; 0 where unknown.
  private var speeds: [Double]
  /// Ranks that share a replica of a particle system; nil to choose by the number of replicas.
  let shards: Int?
  let shardStore: (any ShardStore)?
  /// Shards of the checkpoint before the last: a file of that generation may still be asked for.
  private var formerShards: Set<String> = []
  /// Communicators of groups, by the number of groups.
  var groups: [Int: any Communicator] = [:]

  /// - Parameters:
  ///   - restored: states of an earlier run (on rank 0; other ranks give none).
  ///   - save: writes a checkpoint; called on rank 0 only.
  ///   - stopRequested: whether this process was asked to stop.
  public init(
    job: Job, world: any Communicator, restored: [LegState]?, checkpointInterval: Double, part: DrawPart = .whole,
    shards: Int? = nil, shardStore: (any ShardStore)? = nil, save: @escaping ([LegState]) throws -> Void,
    stopRequested: @escaping () -> Bool,
    report: @escaping (Event) -> Void
  ) throws {
    self.job = job
    self.checkpointInterval = checkpointInterval
    self.world = world
    self.part = part
    self.shards = shards
    self.shardStore = shardStore
    formerShards = Set((restored ?? []).flatMap { $0.replicas?.inFlight ?? [] }.flatMap { $0.shards.map(\.name) })
    self.save = save
    self.stopRequested = stopRequested
    self.report = report
    lastCheckpoint = clock.now
    speeds = Array(repeating: 0, count: world.size)
    states = try Self.agreedStates(job: job, world: world, restored: restored)
  }

  /// Centres and finished draws as rank 0 has them, on every rank.
  private static func agreedStates(job: Job, world: any Communicator, restored: [LegState]?) throws -> [LegState] {
    var result: [LegState] = []
    for (path, leg) in job.sampledLegs {
      let old = restored?.first { $0.path == path }
      var words: [UInt64] = []
      var foreign = false
      let count = leg.observables.count * leg.layers.count
      if world.isRoot {
        // The tally of replicas is made from their rows, which bring their own centres.
        let own = leg.experiment?.centres(key: Stream.key(seed: job.seed, path: path))
        let centres = own ?? old?.tally.layout.centres ?? Array(repeating: 0, count: count)
        foreign = old.map { $0.tally.layout.centres != centres } ?? false
        words = centres.map(\.bitPattern)
        words += (old?.done.intervals ?? []).flatMap { [$0.lowerBound, $0.upperBound] }
      }
      try world.onRoot {
        if foreign {
          throw Failure(.badData, "\(path): the centres of its sums are not those of this job; --fresh starts anew")
        }
      }
      words = try world.broadcast(words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } })
        .chunked(8).map { bytes in bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
      var done = IntervalSet()
      for pair in Array(words[count...]).chunked(2) { done.insert(pair[0]..<pair[1]) }
      let layout = Tally.Layout(
        perGroup: leg.observables.count, groups: leg.layers.count,
        covariances: leg.observables.count <= job.covarianceLimit,
        centres: words[..<count].map(Double.init(bitPattern:)))
      result.append(
        LegState(
          path: path, tally: old?.tally ?? Tally(layout: layout), done: done,
          replicas: leg.isReplicated ? old?.replicas ?? ReplicaRecord(marginals: leg.marginals.count) : nil))
    }
    return result
  }

  /// Makes all draws that are left; checkpoints on the way and at the end.
  public func run() throws -> Outcome {
    for (index, (_, leg)) in job.sampledLegs.enumerated() {
      let target = part.range(of: leg.draws)
      let outcome =
        try leg.replicas.map { try run(index, leg, replicas: $0, target: target) }
        ?? run(index, leg.experiment!, target: target)
      if outcome == .stopped {
        try checkpoint()
        return .stopped
      }
    }
    try checkpoint()
    return .finished
  }

  private func run(_ index: Int, _ experiment: AnyExperiment, target: Range<UInt64>) throws -> Outcome {
    let path = states[index].path
    var left = states[index].done.complement(upTo: target.upperBound)
    _ = left.takeFirst(left.count(below: target.lowerBound))
    let total = UInt64(target.count)
    report(.legStarted(path: path, done: total - left.count, target: total))
    guard !left.isEmpty else { return .finished }
    let runner = experiment.makeRunner(Stream.key(seed: job.seed, path: path))
    var local = Tally(layout: states[index].tally.layout)
    speeds = Array(repeating: 0, count: world.size)
    while true {
      let round = Round(left: left, speeds: speeds)
      let mine = round.shares[world.rank]
      let result = work(runner, mine, tally: local, until: round.deadline)
      let due = clock.now - lastCheckpoint >= .seconds(checkpointInterval)
      let reports = try world.gatherAll([
        Int64(bitPattern: result.made), Int64(result.seconds * 1e9), stopRequested() ? 1 : 0, due ? 1 : 0,
      ]).chunked(4)
      for (rank, report) in reports.enumerated() {
        let made = UInt64(bitPattern: report[0])
        for range in round.shares[rank].prefix(draws: made) { states[index].done.insert(range) }
        if made > 0 { speeds[rank] = Double(made) / max(Double(report[1]) * 1e-9, 1e-9) }
      }
      left = states[index].done.complement(upTo: target.upperBound)
      _ = left.takeFirst(left.count(below: target.lowerBound))
      report(
        .progress(
          path: path, done: total - left.count, target: total, rate: speeds.reduce(0, +), unit: "draws"))
      let stop = reports.contains { $0[2] != 0 }
      if left.isEmpty || stop || reports[0][3] != 0 {
        try reduce(local, into: states[index].tally)
        local = Tally(layout: states[index].tally.layout)
        if left.isEmpty && !stop { return .finished }
        if stop { return .stopped }
        try checkpoint()
      }
    }
  }

  /// Works through a share until it is done, the time is over or a stop was asked for.
  private func work(
    _ runner: Runner, _ share: [Range<UInt64>], tally: Tally, until deadline: Duration
  ) -> (made: UInt64, seconds: Double) {
    let start = clock.now
    var made: UInt64 = 0
    var chunk: UInt64 = 1
    outer: for range in share {
      var cursor = range.lowerBound
      while cursor < range.upperBound {
        if stopRequested() { break outer }
        let end = min(cursor + chunk, range.upperBound)
        let before = clock.now
        runner.run(cursor..<end, tally)
        made += end - cursor
        cursor = end
        let now = clock.now
        // Chunks of 1 to 3 ms: short against a round and a signal, long against a look at the clock.
        if now - before < .milliseconds(1) {
          chunk *= 2
        } else if now - before > .milliseconds(3) {
          chunk = max(1, chunk / 2)
        }
        if now - start >= deadline { break outer }
      }
    }
    return (made, (clock.now - start).seconds)
  }

  /// Adds the local tallies of all ranks to the one of rank 0.
  private func reduce(_ local: Tally, into total: Tally) throws {
    let words = try world.sumToRoot(local.words)
    let pages = try world.unite(pages: local.pages, of: local.layout.observables)
    let counts = try world.sumToRoot(local.counts(of: pages))
    if world.isRoot {
      total.words = zip(total.words, words).map { $0 &+ $1 }
      total.add(counts: counts, to: pages)
    }
  }

  /// Writes a checkpoint of what rank 0 has. Collective; every rank hears how long it took.
  public func checkpoint() throws {
    let start = clock.now
    try world.onRoot {
      try save(states)
      let named = Set(states.flatMap { $0.replicas?.inFlight ?? [] }.flatMap { $0.shards.map(\.name) })
      let finished = zip(job.sampledLegs, states).allSatisfy { $1.done.count >= $0.leg.draws }
      shardStore?.prune(keeping: finished ? [] : named.union(formerShards))
      formerShards = named
    }
    lastCheckpoint = clock.now
    report(.checkpoint(seconds: (lastCheckpoint - start).seconds))
  }
}

extension Communicator {
  /// Pages of histograms that any rank has, so that all lay out the same ones.
  func unite(pages: [(observable: Int, page: Int)], of histograms: Int) throws -> [(observable: Int, page: Int)] {
    var present = Array(repeating: Int64(0), count: histograms * BitHistogram.pageCount / 64)
    for entry in pages {
      let bit = entry.observable * BitHistogram.pageCount + entry.page
      present[bit / 64] |= 1 << Int64(bit % 64)
    }
    present = try unite(present)
    var result: [(observable: Int, page: Int)] = []
    for (index, word) in present.enumerated() where word != 0 {
      for bit in 0..<64 where word >> Int64(bit) & 1 == 1 {
        let position = index * 64 + bit
        result.append((position / BitHistogram.pageCount, position % BitHistogram.pageCount))
      }
    }
    return result
  }

  /// The sums of the histograms of all ranks, on rank 0; elsewhere their content is undefined.
  public func joinedOnRoot(_ histograms: [BitHistogram]) throws -> [BitHistogram] {
    let mine = histograms.enumerated().flatMap { entry in
      entry.element.pages.map { (observable: entry.offset, page: $0) }
    }
    let pages = try unite(pages: mine, of: histograms.count)
    let counts = try sumToRoot(pages.flatMap { histograms[$0.observable].page($0.page) })
    var result = Array(repeating: BitHistogram(), count: histograms.count)
    for (i, entry) in pages.enumerated() {
      let start = i * BitHistogram.pageSize
      result[entry.observable].add(page: entry.page, counts: counts[start..<start + BitHistogram.pageSize])
    }
    return result
  }
}

/// The shares of one round.
struct Round {
  let shares: [[Range<UInt64>]]
  let deadline: Duration

  /// Seconds of a round. Shares are made for half as long again, so that it is the clock that ends a round, on all ranks at
  /// once, and none waits for another; only in the last round do the shares run out.
  static let length = 0.5

  init(left: IntervalSet, speeds: [Double]) {
    var rest = left
    let total = left.count
    let known = speeds.allSatisfy { $0 > 0 }
    let sum = known ? speeds.reduce(0, +) : Double(speeds.count)
    // The first round measures speeds, so it is short whatever its shares are.
    let wanted =
      known ? min(Double(total), max(1.5 * sum * Self.length, Double(speeds.count))) : Double(total)
    var given: UInt64 = 0
    var cumulative = 0.0
    shares = speeds.enumerated().map { rank, speed in
      cumulative += known ? speed : 1
      let border =
        rank == speeds.count - 1 && wanted >= Double(total)
        ? total : min(total, max(given, UInt64((wanted * (cumulative / sum)).rounded(.up))))
      defer { given = border }
      return rest.takeFirst(border - given)
    }
    deadline = .milliseconds(known ? Int(Self.length * 1000) : 50)
  }
}

extension [Range<UInt64>] {
  /// The first `draws` indices.
  func prefix(draws: UInt64) -> [Range<UInt64>] {
    var left = draws
    return compactMap { range in
      let size = Swift.min(left, UInt64(range.count))
      left -= size
      return size == 0 ? nil : range.lowerBound..<range.lowerBound + size
    }
  }
}

extension IntervalSet {
  /// How many members are below `bound`.
  func count(below bound: UInt64) -> UInt64 {
    intervals.reduce(0) { $0 + ($1.lowerBound < bound ? min($1.upperBound, bound) - $1.lowerBound : 0) }
  }
}

extension Duration {
  /// The duration as a number of seconds.
  public var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}

extension Array {
  /// Consecutive pieces of `size` elements.
  func chunked(_ size: Int) -> [[Element]] {
    stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
  }
}
