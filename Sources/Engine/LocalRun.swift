import Experiments
import Statistics
import Synchronization

/// Runs a job inside this process, ranks as threads, without a file: for checks and tests.
package enum LocalRun {
  /// What a run needs of the outside, none of it by default.
  package struct Options: Sendable {
    package var part = DrawPart.whole
    package var shards: Int?
    package var shardStore: (any ShardStore)?
    package var checkpointInterval = Double.infinity
    /// Called on rank 0 with the number of each checkpoint, from 1; true asks for a stop.
    package var stopAtCheckpoint: (@Sendable (Int) -> Bool)?
    /// Asked often on every rank.
    package var stopRequested: @Sendable () -> Bool = { false }
    /// Whether a run with a rule for its end may end at a look; without, it makes all draws.
    package var isReached: (@Sendable (Snapshot) -> Bool)?

    package init() {}
  }

  private struct Sealed<T>: @unchecked Sendable { let value: T }

  package static func run(
    _ job: Job, ranks: Int, restored: [LegState]? = nil, options: Options = Options()
  ) throws -> (snapshot: Snapshot, outcome: Engine.Outcome) {
    let old = Sealed(value: restored)
    let stopped = Atomic<Bool>(false)
    let box = Box(stopped: stopped)
    let interval = options.checkpointInterval.isFinite ? options.checkpointInterval : 1e9
    let results = try ThreadWorld.run(ranks: ranks) { world -> Sealed<(Job, [LegState], Engine.Outcome)> in
      var checkpoints = 0
      func makeEngine(_ job: Job, _ restored: [LegState]?) throws -> Engine {
        try Engine(
          job: job, world: world, restored: restored, checkpointInterval: interval,
          part: options.part, shards: options.shards, shardStore: options.shardStore,
          save: { _ in
            checkpoints += 1
            if options.stopAtCheckpoint?(checkpoints) ?? false { box.stopped.store(true, ordering: .relaxed) }
          }, stopRequested: { box.stopped.load(ordering: .relaxed) || options.stopRequested() })
      }
      let restored = world.isRoot ? old.value : nil
      guard let isReached = options.isReached, job.stop != nil else {
        let engine = try makeEngine(job, restored)
        let outcome = try engine.run()
        return Sealed(value: (job, engine.states, outcome))
      }
      let (engine, outcome) = try Looks.run(job, world: world, restored: restored, makeEngine: makeEngine) {
        isReached(Snapshot(job: $0.job, states: $0.states, provenance: []))
      }
      return Sealed(value: (engine.job, engine.states, outcome))
    }
    let (made, states, outcome) = results[0].value
    return (Snapshot(job: made, states: states, provenance: []), outcome)
  }

  private final class Box: Sendable {
    let stopped: Atomic<Bool>
    init(stopped: consuming Atomic<Bool>) { self.stopped = stopped }
  }
}
