import Engine
import Experiments
import Statistics
import Testing

/// Kept measurements of replicas: thinned by a rule that knows the job only, so that ranks, stops, parts and extensions leave the same bits.
@Suite struct SeriesTests {
  /// 20,000 measurements of two observables: 6 replicas keep every 8th, 60 every 16th.
  static func job(replicas: Int, steps: Int = 20_000) throws -> Job {
    try EngineTests.read(
      EngineTests.process,
      [
        "ornstein-uhlenbeck.replicas=\(replicas)", "ornstein-uhlenbeck.steps=\(steps)",
        "sweep={\"ornstein-uhlenbeck.step\"=[0.1]}",
      ]
    ).job
  }

  @Test func stride() throws {
    #expect(Series.stride(measurements: 4096, observables: 8, replicas: 8) == 1)
    #expect(Series.stride(measurements: 4097, observables: 8, replicas: 8) == 2)
    #expect(Series.stride(measurements: 4096, observables: 8, replicas: 9) == 2)
    #expect(Series.stride(measurements: 1_000_000_000, observables: 1, replicas: 1) == 1 << 18)
    // 2^18 values: 100 each would be too few, a short replica is kept whole.
    #expect(Series.stride(measurements: 1000, observables: 10, replicas: 262) == nil)
    #expect(Series.stride(measurements: 20, observables: 10, replicas: 1300) == 1)
    #expect(Series.stride(measurements: 20, observables: 10, replicas: 1400) == nil)
  }

  /// Values kept at a stride are the measurements themselves, with which the means over the run agree.
  @Test func whatIsKept() throws {
    let short = try Self.job(replicas: 3, steps: 400)
    let all = try LocalRun.run(short, ranks: 1).snapshot.states[0]
    let leg = short.sampledLegs[0].leg
    for (place, _) in leg.observables.enumerated() {
      for id in 0..<UInt64(3) {
        let values = try #require(all.series.values(of: place, replicas: [id]))
        #expect(values.count == 400)
        let half = values[..<200].reduce(0, +) / 200
        #expect((half - all.rows.values[id]![leg.schema.width + 4 * place + 1]).magnitude < 1e-12)
        // Frames are measurements too: every hundredth one.
        let frames = try #require(all.trajectories.replicas[id]).series
        #expect((0..<4).allSatisfy { frames[2 * $0 + place] == values[100 * $0 + 99] })
      }
    }
    let long = try LocalRun.run(try Self.job(replicas: 6), ranks: 1).snapshot.states[0]
    #expect(long.series.stride == 8)
    let kept = try #require(long.series.values(of: 0, replicas: [5]))
    let frames = try #require(long.trajectories.replicas[5]).series
    #expect(kept.count == 2500 && (0..<4).allSatisfy { frames[2 * $0] == kept[625 * $0 + 624] })
  }

  @Test func ranksStopsAndParts() throws {
    let job = try Self.job(replicas: 6)
    let whole = EngineTests.bytes(try LocalRun.run(job, ranks: 1).snapshot.states, job)
    for (ranks, shards) in [(2, 2), (3, nil), (7, nil)] as [(Int, Int?)] {
      var options = LocalRun.Options()
      options.shards = shards
      let states = try LocalRun.run(job, ranks: ranks, options: options).snapshot.states
      #expect(EngineTests.bytes(states, job) == whole)
    }
    var restored: [LegState]?
    var underWay = 0
    for (ranks, limit) in [(1, 4), (3, 9), (2, 5)] {
      let asked = EngineTests.Count()
      var options = LocalRun.Options()
      options.stopRequested = { asked.next() > limit }
      let (snapshot, _) = try LocalRun.run(job, ranks: ranks, restored: restored, options: options)
      underWay += snapshot.states[0].begun.count
      restored = try EngineTests.reread(snapshot.states, job)
    }
    let end = try LocalRun.run(job, ranks: 2, restored: restored).snapshot.states
    #expect(underWay > 0 && EngineTests.bytes(end, job) == whole)
  }

  /// Extended to replicas for which the stride is too small, from 2 to 4, and to so many that nothing is kept.
  @Test func extended() throws {
    for (few, many, stride) in [(6, 60, 16), (6, 1100, 0)] {
      let steps = many > 1000 ? 1000 : 20_000
      let (small, large) = (try Self.job(replicas: few, steps: steps), try Self.job(replicas: many, steps: steps))
      let begun = try LocalRun.run(small, ranks: 2).snapshot.states
      let restored = try EngineTests.reread(begun, large)
      let extended = try LocalRun.run(large, ranks: 2, restored: restored).snapshot.states
      let whole = try LocalRun.run(large, ranks: 1).snapshot.states
      #expect(EngineTests.bytes(extended, large) == EngineTests.bytes(whole, large))
      #expect(whole[0].series.stride == stride && begun[0].series.stride != stride)
      // Merged instead.
      var options = LocalRun.Options()
      options.part = DrawPart(first: 2, last: 2, count: 2)
      var part = try LocalRun.run(large, ranks: 1, options: options).snapshot.states[0]
      options.part = DrawPart(first: 1, last: 1, count: 2)
      part.formUnion(
        try LocalRun.run(large, ranks: 1, options: options).snapshot.states[0], large.sampledLegs[0].leg, of: large)
      #expect(EngineTests.bytes([part], large) == EngineTests.bytes(whole, large))
    }
  }

  /// A replica under way that has lost its series cannot end in the bits of an uninterrupted one.
  @Test func filesWithoutSeries() throws {
    let job = try Self.job(replicas: 6)
    let asked = EngineTests.Count()
    var options = LocalRun.Options()
    options.stopRequested = { asked.next() > 12 }
    let stopped = try LocalRun.run(job, ranks: 1, options: options).snapshot.states[0]
    try #require(!stopped.begun.isEmpty)
    var encoder = StateEncoder()
    stopped.encode(to: &encoder, job.sampledLegs[0].leg)
    let older = encoder.entries.filter { !$0.name.split(separator: "/").contains("series") || $0.name.contains("traj") }
    try #require(older.count < encoder.entries.count)
    let decoder = StateDecoder(
      Dictionary(uniqueKeysWithValues: older.map { ($0.name, $0.value) }), place: "old.h5")
    let restored = try LegState(from: decoder, path: stopped.path, job.sampledLegs[0].leg, of: job)
    let error = #expect(throws: Failure.self) { try LocalRun.run(job, ranks: 2, restored: [restored]) }
    #expect(error?.status == .badData && error?.message.contains("series") == true, "\(error?.message ?? "")")
  }
}
