import Analyses
import Engine
import Experiments
import Jobs
import Randomness
import Statistics
import Synchronization
import Testing

/// No data files.
struct NoData: DataSource {
  func table(_ request: TableRequest) throws -> DataTable { throw Failure(.badData, "\(request.file): no such file") }
}

/// The one engine on ranks that are threads of this process: a process and a draw of the tests' own, on 1, 2, 3 and 7 ranks, in parts, stopped
/// and resumed, swept and compared with a limit.
@Suite struct EngineTests {
  static let families = [
    RegisteredFamily(OrnsteinUhlenbeckFamily.self, limits: [OrnsteinUhlenbeckFamily.limit]),
    RegisteredFamily(UniformSumFamily.self, limits: []),
  ]
  static let process = """
    seed = 4
    [ornstein-uhlenbeck]
    step = 0.1
    [limit]
    equation = "stationary"
    [sweep]
    "ornstein-uhlenbeck.step" = [0.1, 0.2]
    """
  static let sums = """
    seed = 4
    [uniform-sum]
    terms = 12
    draws = 4000
    [run]
    keep = 7
    """

  static func read(_ text: String, _ settings: [String] = []) throws -> JobFile {
    try JobReader(families: families, data: NoData()).read(text, name: "job.toml", settings: settings)
  }

  /// All that was kept, as bytes: equal bytes are equal bits.
  static func bytes(_ states: [LegState], _ job: Job) -> [[UInt8]] {
    zip(states, job.sampledLegs).map { state, entry in
      var encoder = StateEncoder()
      state.encode(to: &encoder, entry.leg)
      return encoder.bytes
    }
  }

  /// The states as the next run finds them in a file.
  static func reread(_ states: [LegState], _ job: Job) throws -> [LegState] {
    try zip(zip(states, job.sampledLegs), bytes(states, job)).map { entry, bytes in
      try LegState(from: StateDecoder(bytes: bytes), path: entry.0.path, entry.1.leg, of: job)
    }
  }

  final class Count: Sendable {
    private let value = Atomic<Int>(0)
    func next() -> Int { value.add(1, ordering: .relaxed).newValue }
  }

  @Test(arguments: [process, sums])
  func theBitsDoNotDependOnTheRanks(text: String) throws {
    let job = try Self.read(text).job
    let whole = Self.bytes(try LocalRun.run(job, ranks: 1).snapshot.states, job)
    for ranks in [2, 3, 7] {
      for shards in [nil, 2] {
        var options = LocalRun.Options()
        options.shards = shards
        let (snapshot, outcome) = try LocalRun.run(job, ranks: ranks, options: options)
        #expect(outcome == .finished && snapshot.isFinished)
        #expect(Self.bytes(snapshot.states, job) == whole, "\(ranks) ranks, shards \(String(describing: shards))")
      }
    }
    // Another seed is another result: the bytes can tell.
    let other = try Self.read(text, ["seed=5"]).job
    #expect(Self.bytes(try LocalRun.run(other, ranks: 1).snapshot.states, other) != whole)
  }

  /// Stopped again and again on changing numbers of ranks, each time resumed from the coded state.
  @Test(arguments: [process, sums])
  func theBitsDoNotDependOnStops(text: String) throws {
    let job = try Self.read(text).job
    let whole = Self.bytes(try LocalRun.run(job, ranks: 2).snapshot.states, job)
    var restored: [LegState]?
    var (stops, underWay) = (0, 0)
    for (ranks, limit) in [(1, 3), (3, 6), (2, 5), (7, 12), (1, 8)] {
      let asked = Count()
      var options = LocalRun.Options()
      options.stopRequested = { asked.next() > limit }
      let (snapshot, outcome) = try LocalRun.run(job, ranks: ranks, restored: restored, options: options)
      stops += outcome == .stopped ? 1 : 0
      underWay += snapshot.states.reduce(0) { $0 + $1.begun.count }
      restored = try Self.reread(snapshot.states, job)
    }
    #expect(stops >= 2 && (job.sampledLegs[0].leg.process == nil || underWay > 0))
    let end = try LocalRun.run(job, ranks: 3, restored: restored).snapshot
    #expect(Self.bytes(end.states, job) == whole)
  }

  @Test(arguments: [process, sums])
  func partsMergeToOneRun(text: String) throws {
    let job = try Self.read(text).job
    let whole = Self.bytes(try LocalRun.run(job, ranks: 2).snapshot.states, job)
    var parts: [[LegState]] = []
    for (first, last) in [(1, 1), (2, 3)] {
      var options = LocalRun.Options()
      options.part = DrawPart(first: first, last: last, count: 3)
      parts.append(try LocalRun.run(job, ranks: 2, options: options).snapshot.states)
    }
    for (i, entry) in job.sampledLegs.enumerated() { parts[0][i].formUnion(parts[1][i], entry.leg, of: job) }
    #expect(Self.bytes(parts[0], job) == whole)
  }

  /// Rows, batch means, frames, limit, sweep and tables of a process that says nothing of them.
  @Test func aProcessGetsAllOfIt() throws {
    let file = try Self.read(Self.process, ["ornstein-uhlenbeck.replicas=40", "ornstein-uhlenbeck.steps=4000"])
    let job = file.job
    #expect(job.cases.map(\.label) == ["ornstein-uhlenbeck.step=0.1", "ornstein-uhlenbeck.step=0.2"])
    #expect(job.smallParameters.map(\.key) == ["ornstein-uhlenbeck.step"])
    let snapshot = try LocalRun.run(job, ranks: 2).snapshot
    // 2 cases, 2 records, 2 means: |z| < 4 fails one true family in 2,000.
    for (item, h) in zip(job.cases, [0.1, 0.2]) {
      let leg = try #require(item.finite)
      let state = try #require(snapshot.state(item.path(of: leg)))
      for record in 0..<2 {
        for (i, known) in [0, 1 / (1 - h / 2)].enumerated() {
          let m = state.tally.moments(leg.schema.index(record, i))
          #expect(((m.mean - known) / m.meanError).magnitude < 4, "h = \(h): \(m.mean) +- \(m.meanError), \(known)")
        }
      }
      #expect(state.rows.values.count == 40 && state.trajectories.replicas.count == 40)
      #expect(state.trajectories.replicas[0]?.steps == [1020, 2020, 3020, 4020])
      let names = leg.tables(state, group: "x").flatMap { ($0.axes + $0.columns).map(\.name) }
      for name in ["step", "observable", "family", "mean", "quantile", "replica_value", "batch_means_error"] {
        #expect(names.contains(name), "no \(name)")
      }
      // A batch-means error is that of the spread of the replicas, to a factor of 1.5.
      let batch = state.rows.values.values.map { $0[leg.schema.width] }
      let size = (batch.reduce(0) { $0 + $1 * $1 } / 40).squareRoot()
      let spread = (0..<40).map { id in 0.5 * (state.rows.values[id]![0] + state.rows.values[id]![2]) }
      let deviation = (spread.reduce(0) { $0 + $1 * $1 } / 40).squareRoot()
      #expect((2.0 / 3...1.5).contains(size / deviation), "\(size) \(deviation)")
      let limit = try #require(item.legs.first { $0.role == .limit })
      #expect(limit.known?.mean(of: "x^2", record: 1) == 1 && limit.known?.remainder == [Remainder("step", order: 1)])
    }
  }

  /// R-hat, a verdict of its limit, and the orders of a sweep over its step, from the analyses that serve every family.
  @Test func aProcessGetsItsAnalyses() throws {
    let job = try Self.read(
      Self.process,
      [
        "ornstein-uhlenbeck.replicas=16", "ornstein-uhlenbeck.steps=4000",
        "sweep={\"ornstein-uhlenbeck.step\"=[0.1,0.2,0.4,0.8]}",
      ]
    ).job
    let tables = Analyses.all(try LocalRun.run(job, ranks: 2).snapshot).flatMap(\.tables)
    func column(_ group: String, _ name: String) -> [Table.Column] {
      tables.filter { $0.group.hasPrefix(group) }.compactMap { $0[column: name] }
    }
    let mixing = column("diagnostics", "split_r_hat")
    #expect(mixing.count == 4)
    for case .numbers(let values) in mixing.map(\.values) { #expect(values.allSatisfy { (0.99...1.05).contains($0) }) }
    #expect(column("comparison", "z").count == 4)
    // 1/(1 - h/2) - 1 is h/2 + h^2/4: between 1 and 2 over these steps, and nearer to 1.
    let orders = column("scaling", "order").compactMap { column -> [Double]? in
      if case .numbers(let values) = column.values { values } else { nil }
    }.joined()
    #expect(orders.contains { (0.8...1.6).contains($0) }, "\(Array(orders))")
  }

  /// Sums of 12 uniforms: mean 6, variance 1; the first seven draws are kept as they are.
  @Test func aDrawGetsAllOfIt() throws {
    let job = try Self.read(Self.sums).job
    let leg = job.cases[0].legs[0]
    let state = try LocalRun.run(job, ranks: 3).snapshot.states[0]
    let m = state.tally.moments(1)
    #expect(((m.mean - 6) / m.meanError).magnitude < 4 && ((m.variance - 1) / m.varianceError).magnitude < 4)
    #expect(state.rows.draws == Array(0..<7))
    let runner = leg.experiment!.makeRunner(key: Stream.key(seed: 4, path: "main/uniform-sum"))!
    for draw in 0..<UInt64(7) { #expect(state.rows.values[draw]! == runner.values(draw)) }
    #expect(leg.tables(state, group: "x").contains { $0[column: "draw_value"] != nil })
  }

  /// A state that does not fit is refused by name, whatever is wrong with it.
  @Test(arguments: [process, sums])
  func foreignStatesAreRefused(text: String) throws {
    let job = try Self.read(text).job
    let leg = job.sampledLegs[0].leg
    var encoder = StateEncoder()
    try LocalRun.run(job, ranks: 1).snapshot.states[0].encode(to: &encoder, leg)
    for victim in encoder.entries.map(\.name) {
      for value in [nil, .texts(["x"]), .doubles([.nan]), .integers([-1]), .words([.max])] as [StateValue?] {
        var values = Dictionary(uniqueKeysWithValues: encoder.entries.map { ($0.name, $0.value) })
        guard values[victim] != value else { continue }
        values[victim] = value
        #expect(throws: Failure.self, "\(victim) = \(String(describing: value))") {
          _ = try LegState(from: StateDecoder(values, place: "x.h5"), path: "p", leg, of: job)
        }
      }
    }
  }

  /// A failure of one rank ends all, as that failure.
  @Test func aFailingRankEndsAll() {
    #expect(throws: Failure.self) {
      try ThreadWorld.run(ranks: 3) { world in
        if world.rank == 1 { throw Failure(.badData, "rank 1") }
        _ = try world.gatherAllVarying([1])
      }
    }
  }

  @Test func collectives() throws {
    let results = try ThreadWorld.run(ranks: 5) { world -> [Int64] in
      let group = try world.group(color: world.rank % 2)
      var words = [Int64(world.rank), 1]
      try words.withUnsafeMutableBufferPointer { try group.sumInPlace($0.baseAddress!, count: 2) }
      let everyone = try world.gatherAllVarying(Array(repeating: Int64(world.rank), count: world.rank))
      return words + [Int64(everyone.joined().reduce(0, +)), try world.bitwiseOr([1 << Int64(world.rank)])[0]]
    }
    #expect(results == [[6, 3, 30, 31], [4, 2, 30, 31], [6, 3, 30, 31], [4, 2, 30, 31], [6, 3, 30, 31]])
  }
}
