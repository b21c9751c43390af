import Engine
import Experiments
import Foundation
import Results
import Statistics
import Synchronization

/// How long the work of a job takes here, measured by doing some of it, on as many threads at once as ranks would share this machine: side by
/// side they are slower than one alone.
struct Calibration {
  let threads: Int
  /// Seconds to spend on one leg.
  let patience: Double

  /// Start and end of mpirun and of MPI in its processes, on one node: 0.34 to 0.36 s on 1, 2 and 4 ranks where it was measured.
  static let launch = 0.35

  /// - Parameter patience: seconds to spend on all legs together.
  init(ranks: Int, perNode: Int, legs: Int, patience: Double) {
    threads = max(1, min(ranks, perNode, ProcessInfo.processInfo.activeProcessorCount))
    self.patience = patience / Double(max(legs, 7))
  }

  /// Seconds a unit of work: the mean, and those of the fastest and the slowest batch.
  struct Pace {
    var (mean, fastest, slowest) = (0.0, 0.0, 0.0)

    init() {}
    init(_ seconds: Double) { (mean, fastest, slowest) = (seconds, seconds, seconds) }
    init(_ batches: [(units: Int, seconds: Double)]) {
      let units = batches.reduce(0) { $0 + $1.units }
      mean = batches.reduce(0) { $0 + $1.seconds } / Double(units)
      fastest = batches.map { $0.seconds / Double($0.units) }.min()!
      slowest = batches.map { $0.seconds / Double($0.units) }.max()!
    }

    static func + (a: Pace, b: Pace) -> Pace {
      var sum = a
      sum.mean += b.mean
      sum.fastest += b.fastest
      sum.slowest += b.slowest
      return sum
    }

    static func * (factor: Double, a: Pace) -> Pace {
      var product = a
      product.mean *= factor
      product.fastest *= factor
      product.slowest *= factor
      return product
    }

    static func mean(_ all: [Pace]) -> Pace { 1 / Double(all.count) * all.reduce(Pace(), +) }
  }

  struct Draws {
    /// Seconds a draw.
    let pace: Pace
    /// Of the draws that were made.
    let tally: Tally
  }

  /// The mean over batches of draws, once they are long enough for the clock and the caches are warm.
  func draws(_ experiment: Experiment, key: UInt64, layout: Tally.Layout) throws -> Draws {
    let patience = patience
    let all = try onThreads { _ in
      let runner = experiment.makeRunner(key: key)!
      let tally = Tally(layout: layout)
      var next: UInt64 = 0
      let pace = try Self.pace(patience, batches: .max) { count in
        runner.run(next..<next + UInt64(count), tally, nil)
        next += UInt64(count)
      }
      return Draws(pace: pace, tally: tally)
    }
    return Draws(pace: .mean(all.map(\.pace)), tally: all[0].tally)
  }

  struct Replica {
    /// Seconds of a whole replica.
    let pace: Pace
    /// Bytes of its state.
    let bytes: Double
  }

  /// Half of the time for the warm-up, half for measured steps, which do more. Those begin before the warm-up has ended if it is long.
  func replica(_ factory: ReplicaFactory, key: UInt64) throws -> Replica {
    let patience = patience
    let all = try onThreads { thread in
      let context = ReplicaContext(replica: UInt64(thread), key: key, group: SelfCommunicator())
      let clock = ContinuousClock()
      let start = clock.now
      var replica = try factory.begin(context, nil)
      let beginning = (clock.now - start).seconds
      func pace(_ end: Int) throws -> Pace {
        guard replica.step < end else { return Pace() }
        return try Self.pace(patience / 2, batches: end - replica.step) { count in
          try replica.advance(count)
          if let fault = replica.fault {
            throw Failure(.badData, "step \(fault.step): particle \(fault.particle) is not finite; \(factory.advice)")
          }
        }
      }
      let schedule = factory.facts.schedule
      let warmUp = try pace(schedule.warmUp)
      let state = try replica.save()
      replica = try factory.begin(
        context, ReplicaState(replica: context.replica, step: schedule.warmUp, encoded: state.encoded))
      let measured = try pace(schedule.total)
      return Replica(
        pace: Pace(beginning) + Double(schedule.warmUp) * warmUp + Double(schedule.steps) * measured,
        bytes: Double(try replica.save().encoded.bytes.count))
    }
    return Replica(pace: .mean(all.map(\.pace)), bytes: all[0].bytes)
  }

  /// Seconds of a checkpoint, and of the report at the end: both are made once, of a file in the folder for temporary files, with the tallies
  /// of the calibration in place of those of all draws.
  static func checkpoint(_ job: Job, _ tallies: [String: Tally]) throws -> (checkpoint: Double, report: Double) {
    let states = job.sampledLegs.map { path, leg in
      let tally =
        tallies[path] ?? Tally(layout: job.layout(of: leg, centres: Array(repeating: 0, count: leg.schema.width)))
      var done = IntervalSet()
      if tallies[path] != nil { done.insert(0..<leg.draws) }
      return LegState(
        path: path, done: done, tally: tally, histograms: Histograms(marginals: leg.process?.marginals.count ?? 0))
    }
    let snapshot = Snapshot(job: job, states: states, provenance: [])
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fathom-plan-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let clock = ContinuousClock()
    let start = clock.now
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch { throw Failure(.inputOutput, "\(folder.path): \(error)") }
    try ResultFile(path: folder.appendingPathComponent("plan.h5").path, creator: "fathom \(programVersion)").save(
      snapshot)
    let middle = clock.now
    _ = try Report(snapshot).text
    return ((middle - start).seconds, (clock.now - middle).seconds)
  }

  /// Batches are doubled until they take a sixth of the time, and those from then on count. Makes at most `most` units.
  private static func pace(_ patience: Double, batches most: Int, _ make: (Int) throws -> Void) throws -> Pace {
    let clock = ContinuousClock()
    var (count, made) = (1, 0)
    var (spent, last) = (0.0, 0.0)
    var batches: [(units: Int, seconds: Double)] = []
    while spent < patience && made < most {
      count = min(count, most - made)
      let start = clock.now
      try make(count)
      last = (clock.now - start).seconds
      spent += last
      made += count
      if last < patience / 6 && made < most {
        count *= 2
      } else {
        batches.append((count, last))
      }
    }
    return batches.isEmpty ? Pace(spent / Double(made)) : Pace(batches)
  }

  private struct Box<T>: @unchecked Sendable { let value: T }

  /// What each thread made, in order.
  private func onThreads<T>(_ body: @escaping @Sendable (Int) throws -> T) throws -> [T] {
    let results = Mutex<[Int: Box<Result<T, any Error>>]>([:])
    DispatchQueue.concurrentPerform(iterations: threads) { thread in
      let result = Box(value: Result { try body(thread) })
      results.withLock { $0[thread] = result }
    }
    let all = results.withLock { $0 }
    return try (0..<threads).map { try all[$0]!.value.get() }
  }
}
