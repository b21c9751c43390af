import Experiments

/// Runs the looks of a job one after another, to the first at which what was asked for is reached.
///
/// What a look decides is a function of the draws below its number and of nothing else. So a run that is killed and resumed, on any number of
/// ranks, ends at the same look: looks that it has left behind said no, or it would not have gone on.
package enum Looks {
  /// - Parameters:
  ///   - restored: states of an earlier run (on rank 0; other ranks give none).
  ///   - makeEngine: the engine that makes the draws of one look.
  ///   - isReached: whether the run ends at the look whose draws this engine has made; asked on rank 0 only, and never of the last look.
  /// - Returns: the engine of the look at which the run ended or was stopped.
  package static func run(
    _ job: Job, world: any Collectives, restored: [LegState]?, makeEngine: (Job, [LegState]?) throws -> Engine,
    isReached: (Engine) throws -> Bool
  ) throws -> (engine: Engine, outcome: Engine.Outcome) {
    let looks = job.looks
    var states = restored
    for (index, look) in looks.enumerated() {
      let engine = try makeEngine(look, states)
      states = world.isRoot ? engine.states : nil
      // Every rank knows how many draws are done.
      let isBehind = zip(look.sampledLegs, engine.states).contains { $1.done.count > $0.leg.draws }
      let isLast = index == looks.count - 1
      if isBehind && !isLast { continue }
      let outcome = try engine.run()
      states = world.isRoot ? engine.states : nil
      if outcome == .stopped || isLast { return (engine, outcome) }
      var answer: [UInt8] = []
      try world.onRoot { answer = [try isReached(engine) ? 1 : 0] }
      if try world.broadcast(answer) == [1] { return (engine, .finished) }
    }
    preconditionFailure("a job has a look")
  }
}
