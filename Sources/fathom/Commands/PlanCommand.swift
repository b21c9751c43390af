import Analyses
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
      Makes some draws of every leg to measure their speed, on as many cores as the ranks would have here, and one checkpoint \
      in the folder for temporary files, which is removed. The range behind the time is that of the fastest and the slowest \
      batches; on a machine that others use, more --patience shows more of it.
      """)

  @OptionGroup var options: JobOptions
  @Option(help: "Number of ranks to predict for.") var ranks = 1
  @Option(help: "Seconds to spend on measuring all legs together, at most a seventh of it on one.") var patience = 2.0
  @Flag(help: "Plan the job at the sizes of its [check], which fathom check runs.") var check = false
  @Option(help: "Ranks on a node, for the number of nodes and of node hours.") var perNode = 32

  func validate() throws {
    guard ranks >= 1 else { throw ValidationError("--ranks must be at least 1") }
    guard patience > 0 && patience <= 3600 else { throw ValidationError("--patience must be in (0, 3600] seconds") }
    guard perNode >= 1 else { throw ValidationError("--per-node must be at least 1") }
  }

  func run() throws {
    let text = try options.text()
    if GramJob.isOne(text, name: options.job) {
      let job = try GramJob.read(
        text, name: options.job, settings: options.settings, output: options.output, check: check,
        data: DataFiles(job: options.job))
      for note in Notes.take() { Console.log(note) }
      return try Console.print(job.plan(ranks: ranks))
    }
    let clock = ContinuousClock()
    let start = clock.now
    let file = try options.read(text, data: DataFiles(job: options.job), check: check)
    let reading = (clock.now - start).seconds
    for note in Notes.take() { Console.log(note) }
    let job = file.job
    try file.refuseLargeReplicas(ranks: ranks)
    let calibration = Calibration(ranks: ranks, perNode: perNode, legs: job.sampledLegs.count, patience: patience)
    var total = Calibration.Pace()
    var sharesReplicas = false
    var memory = 0.0
    var largest = 0.0
    var size = 64.0 * 1024
    var tallies: [String: Tally] = [:]
    try Console.print("\(job.title): \(Words.count(job.cases.count, "case")), seed \(job.seed), output \(file.output)")
    for (path, leg) in job.sampledLegs {
      let experiment = leg.experiment!
      let key = Stream.key(seed: job.seed, path: path)
      let time: Calibration.Pace
      let work: String
      if let replicas = experiment.replicas {
        let one = try calibration.replica(replicas, key: key)
        let groups = Engine.groups(file.shards, replicas: leg.draws, ranks: ranks)
        let rounds = (Int(leg.draws) + groups.count - 1) / groups.count
        time = Double(rounds) / Double(min(groups.size, ranks, replicas.pieces)) * one.pace
        // A rank works at one replica at a time; rank 0 gathers those of all groups for a checkpoint.
        memory += 2 * Double(ranks) * one.bytes
        largest = max(largest, 4 * one.bytes)
        size += Double(ranks) * one.bytes + Double(leg.draws) * Double((leg.axis.count + 4) * leg.observables.count * 8)
        work =
          "\(Words.count(leg.draws, "replica")) of \(replicas.steps) steps at \(Console.duration(one.pace.mean)) each"
        sharesReplicas = sharesReplicas || groups.size > 1
      } else {
        let layout = job.layout(of: leg, centres: experiment.makeRunner(key: key)!.centres(leg.schema.width))
        let draws = try calibration.draws(experiment, key: key, layout: layout)
        tallies[path] = draws.tally
        time = Double(leg.draws) / Double(ranks) * draws.pace
        // Histograms are counted at three times the pages that the calibration touched.
        let bytes = Double(
          draws.tally.wordCount * 8 + layout.observables * (BitHistogram.pageCount * 4 + 3 * 2048 * 8))
        memory += bytes
        largest = max(largest, bytes)
        size +=
          Double(draws.tally.wordCount * 8 + 3 * draws.tally.pages.count * 2048) + Double(layout.observables * 4000)
        work = "\(leg.draws) draws at \(Console.duration(draws.pace.mean * 1e6)) a million"
      }
      total = total + time
      try Console.print(
        "  \(path): \(work), \(Words.count(leg.axis.count, experiment.replicas == nil ? leg.axis.name : "record")) x \(Words.count(leg.observables.count, "observable")): "
          + Console.duration(time.mean))
    }
    let last = try Calibration.checkpoint(job, tallies)
    let checkpoints = 1 + Int(min(total.mean / file.checkpointInterval, 1e9))
    let rest = Calibration.launch + reading + Double(checkpoints) * last.checkpoint + last.report
    total = total + Calibration.Pace(rest)
    try Console.print(
      "  start, reading, \(Words.count(checkpoints, "checkpoint")) and the report: \(Console.duration(rest))")
    if let rule = job.stop { try Console.print("  " + Self.end(rule, job, tallies)) }
    let nodes = (ranks + perNode - 1) / perNode
    try Console.print(
      "time on \(Words.count(ranks, "rank")): \(Self.words(total)) on \(Words.count(nodes, "node")) of \(perNode), \(Console.hours(total.mean / 3600 * Double(nodes))) node hours"
    )
    if sharesReplicas {
      try Console.print("ranks share replicas: their collectives are not in this time (docs/scaling.md)")
    }
    try Console.print(
      "memory: \(Console.bytes(48 * 1048576 + 3 * largest)) a rank, \(Console.bytes(48 * 1048576 + memory + 3 * largest)) on rank 0"
    )
    try Console.print("file: about \(Console.bytes(size))")
  }

  /// A time, and its range if that is another number.
  private static func words(_ time: Calibration.Pace) -> String {
    let (fastest, slowest) = (Console.duration(time.fastest), Console.duration(time.slowest))
    return Console.duration(time.mean) + (fastest == slowest ? "" : " (\(fastest) to \(slowest) as the speed varied)")
  }

  /// Where the run will end, as the draws of the calibration have it; the times are those of all draws.
  private static func end(_ rule: StopRule, _ job: Job, _ tallies: [String: Tally]) -> String {
    let states = job.sampledLegs.compactMap { path, _ in
      tallies[path].map { LegState(path: path, done: IntervalSet(0..<UInt64($0.counter(.draws))), tally: $0) }
    }
    guard states.count == job.sampledLegs.count,
      let draws = Decision.draws(from: Snapshot(job: job, states: states, provenance: []))
    else { return "stop: cannot be predicted; the times are those of all draws" }
    guard let look = job.looks.first(where: { $0.sampledLegs.contains { Double($0.leg.draws) >= draws } }) else {
      return "stop: about \(Int(draws.rounded(.up))) draws would be needed, more than at_most"
    }
    let made = look.sampledLegs.map(\.leg.draws).max()!
    return "stop: about \(Int(max(draws, 1).rounded(.up))) draws needed, so look \(look.look! + 1) of \(rule.looks), "
      + "\(made) draws; the times are those of all draws"
  }
}
