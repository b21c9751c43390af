import ArgumentParser
import Archive
import Engine
import Experiments
import Foundation
import Jobs
import Limits
import MessagePassing
import Results

struct KernelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernel",
    abstract: "Write the Gram matrix of a kernel over a data file, alone or under mpirun.",
    discussion: """
      The job has a table [kernel], with the data file and which kernel, and [network] or [signature], what it is the kernel \
      of. Ranks share the rows; rows that are made stay in a folder beside the result until all are there, so a run that was \
      stopped or killed is resumed by the same command. The matrix has the same bits on any number of ranks.

        fathom plan gram.toml
        mpirun -n 8 fathom kernel gram.toml -o gram.h5
      """)

  @OptionGroup var options: JobOptions

  @Flag(help: "Start from scratch; an existing result file is kept under another name.")
  var fresh = false

  func run() throws {
    signal(SIGPIPE, SIG_IGN)
    Signals.installEarly()
    let status = World.run { world in
      do {
        try Launch.refuseForeignLauncher(worldSize: world.size)
        return try run(world).rawValue
      } catch let failure as Failure {
        if world.isRoot { Console.error(failure.message) }
        return failure.status.rawValue
      }
    }
    Foundation.exit(status)
  }

  private func run(_ world: Communicator) throws -> ExitStatus {
    // 1. Rank 0 reads the files; every rank comes to the same job.
    var source: [UInt8] = []
    try world.onRoot { source = Array(try options.text().utf8) }
    let text = String(decoding: try world.broadcast(source), as: UTF8.self)
    let job = try GramJob.read(
      text, name: options.job, settings: options.settings, output: options.output,
      data: SharedData(DataFiles(job: options.job), world))
    for note in Notes.take() where world.isRoot { Console.log(note) }

    // 2. The result file.
    var lock: OutputLock?
    var place: [UInt8] = []
    try world.onRoot {
      let path = try Resume.destination(job.output)
      lock = try OutputLock(path)
      let isThere = try Self.isThere(job, path, fresh: fresh)
      place = [isThere ? 1 : 0] + Array(path.utf8)
    }
    place = try world.broadcast(place)
    let path = String(decoding: place.dropFirst(), as: UTF8.self)
    defer { lock?.release() }
    if place[0] == 1 { return .done }

    // 3. Bands of rows, the longest first, each on one rank.
    Signals.install()
    let hash = try Digest.of(lines: job.identity)
    let store = ShardFolder(output: path, threshold: 0, job: hash)
    if world.isRoot {
      Console.log(
        "version \(programVersion), \(job.title): kernel \(job.of) of \(job.count) points on \(Words.count(world.size, "rank"))"
      )
    }
    let started = Date()
    // Rank 0 says which are there, for all.
    var marks: [UInt8] = []
    try world.onRoot { marks = job.bands.map { Self.band($0, store) == nil ? 0 : 1 } }
    marks = try world.broadcast(marks)
    let missing = zip(job.bands, marks).filter { $0.1 == 0 }.map(\.0).reversed()
    if world.isRoot, missing.count < job.bands.count {
      Console.log("\(path): \(job.bands.count - missing.count) of \(job.bands.count) bands are there already")
    }
    try world.agree {
      let kernel = missing.isEmpty ? nil : try job.make()
      for (number, rows) in missing.enumerated() where number % world.size == world.rank {
        if Signals.stopRequested { break }
        try store.write(Self.made(rows, kernel!), name: Self.name(rows))
      }
    }
    guard try world.bitwiseOr([Signals.stopRequested ? 1 : 0])[0] == 0 else {
      if world.isRoot { Console.log("stopped; rerun the command to resume") }
      return .resumable
    }

    // 4. The whole of it.
    try world.onRoot {
      let gram = try Self.assembled(job, store)
      try gram.save(
        path, creator: "fathom \(programVersion)",
        provenance: [
          ("version", programVersion), ("started", started.ISO8601Format()), ("written", Date().ISO8601Format()),
          ("ranks", String(world.size)), ("command", Launch.arguments.joined(separator: " ")),
          ("job_file", options.job), ("job_hash", hash),
        ])
      store.prune(keeping: [])
      Console.log("finished after \(Console.duration(Date().timeIntervalSince(started)))")
      try Console.print(gram.summary)
      Console.log("wrote \(path)")
    }
    return .done
  }

  /// Whether the file holds this very matrix; throws if it holds another thing.
  private static func isThere(_ job: GramJob, _ path: String, fresh: Bool) throws -> Bool {
    guard FileSystem.exists(path) else { return false }
    if fresh {
      try Resume.putAside(path)
      return false
    }
    guard let found = try GramFile.load(path) else {
      throw Failure(.badData, "\(path) holds no Gram matrix; give another --output, or --fresh to keep that file")
    }
    guard found.identity == job.identity else {
      let other =
        zip(found.identity, job.identity).first { $0 != $1 } ?? (
          "\(found.identity.count) lines", "\(job.identity.count)"
        )
      throw Failure(
        .badData,
        "\(path) holds another matrix: there \(other.0), here \(other.1); give another --output, or --fresh to keep that file"
      )
    }
    Console.log("\(path): is complete")
    try Console.print(found.summary)
    return true
  }

  private static func name(_ rows: Range<Int>) -> String { "rows-\(rows.lowerBound)-\(rows.upperBound)" }

  /// A band as it was kept; nil if it is not there, or not whole.
  private static func band(_ rows: Range<Int>, _ store: ShardFolder) -> [Double]? {
    guard let values = try? store.read(name(rows)).doubles("values"), values.count == rows.count * rows.upperBound
    else {
      return nil
    }
    return values
  }

  private static func made(_ rows: Range<Int>, _ kernel: any GramRows) throws -> StateEncoder {
    var encoder = StateEncoder()
    encoder.add("values", try GramJob.rows(rows, of: kernel))
    return encoder
  }

  private static func assembled(_ job: GramJob, _ store: ShardFolder) throws -> GramFile {
    let found = try job.matrix { rows in
      guard let values = band(rows, store) else {
        throw Failure(.inputOutput, "\(name(rows)) of the Gram matrix does not read back: rerun the command to resume")
      }
      return values
    }
    return GramFile(
      title: job.title, of: job.of, matrix: found.values, rows: job.rows, labels: job.labels, jitter: job.jitter,
      largest: found.largest, least: found.least, equalRows: job.equalRows, prediction: found.prediction,
      identity: job.identity, text: job.text)
  }
}

extension GramJob {
  /// What `plan` says: a band of the middle is made to measure the speed.
  func plan(ranks: Int) throws -> String {
    let clock = ContinuousClock()
    let start = clock.now
    let kernel = try make()
    let ready = clock.now
    let rows = bands[bands.count / 2]
    _ = try Self.rows(rows, of: kernel)
    let seconds = (clock.now - ready).seconds / Double(rows.count * rows.upperBound) * Double(count) * Double(count) / 2
    let prepared = (ready - start).seconds
    return """
      \(title): kernel \(of) of \(count) points, output \(output)
      time on \(Words.count(ranks, "rank")): \(Console.duration(prepared + seconds / Double(min(ranks, bands.count)))), and the condition number on rank 0
      memory: \(Console.bytes(48 * 1048576 + kernel.bytes)) a rank, \(Console.bytes(48 * 1048576 + kernel.bytes + bytes)) on rank 0
      file: about \(Console.bytes(bytes / 2))
      """
  }
}
