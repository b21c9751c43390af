import Analyses
import ArgumentParser
import Engine
import Experiments
import Foundation
import Jobs
import MessagePassing
import Results

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Make the draws of a job, alone or under mpirun.",
    discussion: """
      Starts the job, continues it if its result file is already there, and adds draws if the job now asks for more. The \
      result does not depend on the number of ranks, nor on stops in between.

        mpirun -n 64 fathom run job.toml
        fathom run job.toml --set network.width=64 --set network.draws=1000
        fathom run job.toml --part 2/5 -o part2.h5      (for job arrays; see fathom merge)

      SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 ask for a checkpoint and exit 75 on all ranks; a second one leaves at once. With \
      --walltime the run does the same by itself, in time for its last checkpoint.
      """)

  @OptionGroup var options: JobOptions

  @Flag(help: "Start from scratch; an existing result file is kept under another name.")
  var fresh = false

  @Option(help: "Make only these of K equal parts of the draws: I/K or I-J/K.")
  var part: String?

  @Option(
    help: "Stop with a checkpoint and exit 75 before this much time has passed: 90s, 4h, 1h30m, 04:00:00, 1-00:00:00.")
  var walltime: String?

  @Option(help: "Time from a signal to the kill; refused at the start if a checkpoint takes longer.")
  var grace: String?

  @Option(help: "Name the ranks that have gone silent after so long without progress; 0s for never.")
  var watchdog = "120s"

  @Option(
    help: "Without a terminal: time between the log lines that say how far the run is, 10s unless given; from 0.5s up.")
  var progressEvery: String?

  func run() throws {
    let part = try parsePart()
    // A reader of the log or of the report that went away must not end the run: what is written to it then fails with an error.
    signal(SIGPIPE, SIG_IGN)
    Signals.installEarly()
    let status = World.run { world in
      do {
        try Launch.refuseForeignLauncher(worldSize: world.size)
        return try run(world, part).rawValue
      } catch let failure as Failure {
        // Every rank has the same failure: it comes from the job's text or was agreed on.
        if world.isRoot { Console.error(failure.message) }
        return failure.status.rawValue
      }
    }
    Foundation.exit(status)
  }

  private func run(_ world: Communicator, _ part: DrawPart) throws -> ExitStatus {
    var wallTime = try WallTime(walltime: walltime, grace: grace)
    let limit = watchdog == "0s" ? 0 : try WallTime.seconds(watchdog, option: "--watchdog")
    let progressInterval = try progressEvery.map { try WallTime.seconds($0, option: "--progress-every") }
    // 1. Rank 0 reads the files; every rank checks the same text and comes to the same job.
    var source: [UInt8] = []
    try world.onRoot { source = Array(try options.text().utf8) }
    let text = String(decoding: try world.broadcast(source), as: UTF8.self)
    var file = try options.read(text, data: SharedData(DataFiles(job: options.job), world))
    let notes = Notes.take()
    if world.isRoot { for note in notes { Console.log(note) } }

    if file.job.stop != nil && part.count > 1 {
      throw Failure(
        .badData, "--part \(part.text): a job with [stop] looks at all its draws together, and cannot be made in parts")
    }

    try world.onRoot { try file.refuseLargeReplicas(ranks: world.size) }

    // 2. The result file: locked, and read if it is there.
    var destination: [UInt8] = []
    try world.onRoot { destination = Array(try Resume.destination(file.output).utf8) }
    file.output = String(decoding: try world.broadcast(destination), as: UTF8.self)
    var lock: OutputLock?
    var restored: Snapshot?
    try world.onRoot {
      lock = try OutputLock(file.output)
      restored = try Resume.prepare(file, part, fresh: fresh)
    }

    // 3. Draw.
    Signals.install()
    let dog = Watchdog(output: file.output, rank: world.rank, ranks: world.size, limit: limit)
    defer { dog.finish() }
    let hosts = try Launch.hosts(world)
    let started = Date()
    let progress = Progress(every: progressInterval)
    let jobHash = try Digest.of(lines: file.job.identity)
    if world.isRoot { banner(file, jobHash, world.size, hosts, restored, part) }
    let store = ResultFile(path: file.output, creator: "fathom \(programVersion)")
    func snapshot(_ job: Job, _ states: [LegState]) -> Snapshot {
      Snapshot(
        job: job, states: states,
        provenance: [
          ("version", programVersion), ("started", started.ISO8601Format()), ("written", Date().ISO8601Format()),
          ("ranks", String(world.size)), ("hosts", hosts.map { "\($0.name) x \($0.ranks)" }.joined(separator: ", ")),
          ("mpi", Implementation.current.name), ("vectors", Launch.vectors(hosts)),
          ("command", Launch.arguments.joined(separator: " ")), ("job_file", options.job),
          ("job_hash", jobHash),
        ], division: part.count)
    }
    var isChecked = !wallTime.isBounded
    func makeEngine(_ job: Job, _ restored: [LegState]?) throws -> Engine {
      let engine = try Engine(
        job: job, world: world, restored: restored, checkpointInterval: file.checkpointInterval, part: part,
        shards: file.shards,
        shardStore: ShardFolder(output: file.output, threshold: file.shardAbove, job: jobHash),
        save: { try store.save(snapshot(job, $0)) },
        stopRequested: {
          dog.beat()
          return Signals.stopRequested || wallTime.isOver
        },
        report: { event in
          if case .checkpoint(let seconds) = event { wallTime.add(checkpoint: seconds) }
          if world.isRoot { progress.report(event) }
        })
      // A limit is compared with a checkpoint that was really written, before any work is done; by rank 0, whose clock counts for all.
      if !isChecked {
        try engine.checkpoint()
        try world.onRoot { try wallTime.check() }
        isChecked = true
      }
      return engine
    }
    let (engine, outcome) = try Looks.run(file.job, world: world, restored: restored?.states, makeEngine: makeEngine) {
      let decision = Decision(snapshot($0.job, $0.states))
      let look = "look \(($0.job.look ?? 0) + 1) of \(file.job.looks.count)"
      Console.log(decision.isReached ? "\(look): decided" : "\(look): \(decision.missing.brief)")
      return decision.isReached
    }
    for note in Notes.take() { Console.log(note) }

    // 4. Say what came out.
    try world.onRoot {
      defer { lock?.release() }
      try summary(file, snapshot(engine.job, engine.states), progress, outcome)
    }
    return outcome == .finished ? .done : .resumable
  }

  private func parsePart() throws -> DrawPart {
    guard let part else { return .whole }
    guard let read = DrawPart(part) else {
      throw ValidationError("--part \(part): must be I/K or I-J/K with 1 <= I <= J <= K, as in 2/5 or 1-2/5")
    }
    return read
  }

  private func banner(
    _ file: JobFile, _ jobHash: String, _ ranks: Int, _ hosts: [Launch.Host], _ restored: Snapshot?,
    _ part: DrawPart
  ) {
    let job = file.job
    Console.log("version \(programVersion), \(job.title)")
    let places = hosts.map { "\($0.name) x \($0.ranks)" }.joined(separator: ", ")
    Console.log(
      "\(ranks) rank\(ranks == 1 ? "" : "s") on \(hosts.count) host\(hosts.count == 1 ? "" : "s") (\(places)), \(Launch.vectors(hosts)), seed \(job.seed), job \(jobHash.prefix(12))"
    )
    if part.count > 1 { Console.log("part \(part.text) of the draws") }
    if let restored {
      Console.log("\(file.output): resuming from \(Words.contents(restored))")
    } else {
      Console.log("\(file.output): new, checkpoint every \(Console.duration(file.checkpointInterval))")
    }
  }

  private func summary(_ file: JobFile, _ snapshot: Snapshot, _ progress: Progress, _ outcome: Engine.Outcome) throws {
    Console.log(
      String(
        format: "%@ after %@; %d checkpoint%@, %@ together", outcome == .finished ? "finished" : "stopped",
        Console.duration(progress.elapsed), progress.checkpoints, progress.checkpoints == 1 ? "" : "s",
        Console.duration(progress.checkpointSeconds)))
    if outcome == .stopped {
      if !Signals.stopRequested { Console.log("stopped in time for --walltime \(walltime ?? "")") }
      Console.log("rerun the command to resume from \(file.output)")
      return
    }
    do { try Console.print(Report(snapshot).text) } catch let failure as Failure {
      throw Failure(failure.status, failure.message + "; \(file.output) is complete, and fathom show prints its report")
    }
    Console.log("wrote \(file.output)")
  }
}
