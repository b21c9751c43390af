import ArgumentParser
import Engine
import Experiments
import Foundation
import Jobs
import Randomness
import Statistics

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Check a job and predict its time, memory and file size.",
    discussion: """
      Makes some draws of every leg to measure their speed, for a third of a second each or two in all; writes nothing.
      """)

  @OptionGroup var options: JobOptions
  @Option(help: "Number of ranks to predict for.") var ranks = 1
  @Option(help: "Ranks on a node, for the number of nodes and of node hours.") var perNode = 32

  func validate() throws {
    guard ranks >= 1 else { throw ValidationError("--ranks must be at least 1") }
    guard perNode >= 1 else { throw ValidationError("--per-node must be at least 1") }
  }

  func run() throws {
    let file = try options.read(options.text(), data: DataFiles(job: options.job))
    for note in Notes.take() { Console.log(note) }
    var total = 0.0
    var sharesReplicas = false
    var memory = 0.0
    var largest = 0.0
    var size = 64.0 * 1024
    print(
      "\(file.job.title): \(file.job.cases.count) case\(file.job.cases.count == 1 ? "" : "s"), seed \(file.job.seed), output \(file.output)"
    )
    // A sweep of many legs shares two seconds.
    let patience = min(0.3, 2 / Double(file.job.sampledLegs.count))
    for (path, leg) in file.job.sampledLegs {
      let key = Stream.key(seed: file.job.seed, path: path)
      guard let runner = leg.experiment?.makeRunner(key: key) else {
        let replicas = leg.experiment!.replicas!
        let (seconds, bytes) = try calibrate(replicas, key: key, patience)
        let groups = Engine.groups(file.shards, replicas: leg.draws, ranks: ranks)
        let rounds = (Int(leg.draws) + groups.count - 1) / groups.count
        let time = Double(rounds) * seconds / Double(min(groups.size, ranks, replicas.pieces))
        total += time
        // A rank works at one replica at a time; rank 0 gathers those of all groups for a checkpoint.
        memory += 2 * Double(ranks) * bytes
        largest = max(largest, 4 * bytes)
        size += Double(ranks) * bytes + Double(leg.draws) * Double((leg.axis.count + 4) * leg.observables.count * 8)
        print(
          "  \(path): \(leg.draws) replicas of \(replicas.steps) steps at \(Console.duration(seconds)) each, \(leg.axis.count) record\(leg.axis.count == 1 ? "" : "s") x \(leg.observables.count) observables: "
            + Console.duration(time))
        sharesReplicas = sharesReplicas || groups.size > 1
        continue
      }
      let layout = file.job.layout(of: leg, centres: runner.centres(leg.schema.width))
      let tally = Tally(layout: layout)
      let seconds = calibrate(runner, tally: tally, patience)
      let time = seconds * Double(leg.draws) / Double(ranks)
      total += time
      // Histograms are counted at three times the pages that the calibration touched.
      let bytes = Double(tally.wordCount * 8 + layout.observables * (BitHistogram.pageCount * 4 + 3 * 2048 * 8))
      memory += bytes
      largest = max(largest, bytes)
      size += Double(tally.wordCount * 8 + 3 * tally.pages.count * 2048) + Double(layout.observables * 4000)
      print(
        "  \(path): \(leg.draws) draws at \(Console.duration(seconds * 1e6)) a million, \(leg.axis.count) \(leg.axis.name)\(leg.axis.count == 1 ? "" : "s") x \(leg.observables.count) observables: "
          + Console.duration(time))
    }
    let nodes = (ranks + perNode - 1) / perNode
    print(
      "time on \(ranks) rank\(ranks == 1 ? "" : "s"): \(Console.duration(total)) on \(nodes) node\(nodes == 1 ? "" : "s") of \(perNode), \(Console.digits(total / 3600 * Double(nodes))) node hours"
    )
    if sharesReplicas { print("ranks share replicas: their collectives are not in this time (docs/scaling.md)") }
    print(
      "memory: \(Console.bytes(48 * 1048576 + 3 * largest)) a rank, \(Console.bytes(48 * 1048576 + memory + 3 * largest)) on rank 0"
    )
    print("file: about \(Console.bytes(size))")
  }

  /// Seconds a replica, and bytes of its state.
  private func calibrate(_ factory: ReplicaFactory, key: UInt64, _ patience: Double) throws -> (
    seconds: Double, bytes: Double
  ) {
    let clock = ContinuousClock()
    let replica = try factory.begin(ReplicaContext(replica: 0, key: key, group: SelfCommunicator()), nil)
    var best = Double.infinity
    var spent = 0.0
    var count = 1
    while spent < patience && replica.step < factory.steps && replica.fault == nil {
      let made = min(count, factory.steps - replica.step)
      let start = clock.now
      try replica.advance(made)
      let seconds = (clock.now - start).seconds
      spent += seconds
      best = min(best, seconds / Double(made))
      if seconds < patience / 6 { count *= 2 }
    }
    if let fault = replica.fault {
      throw Failure(.badData, "step \(fault.step): particle \(fault.particle) is not finite; \(factory.advice)")
    }
    let bytes = Double(try replica.save().encoded.bytes.count)
    return (best * Double(factory.steps), bytes)
  }

  /// Seconds a draw: the better of two batches, after the caches are warm.
  private func calibrate(_ runner: Runner, tally: Tally, _ patience: Double) -> Double {
    let clock = ContinuousClock()
    var count: UInt64 = 1
    var next: UInt64 = 0
    var best = Double.infinity
    var spent = 0.0
    repeat {
      let start = clock.now
      runner.run(next..<next + count, tally, nil)
      let seconds = (clock.now - start).seconds
      next += count
      spent += seconds
      best = min(best, seconds / Double(count))
      if seconds < patience / 6 { count *= 2 }
    } while spent < patience
    return best
  }
}
