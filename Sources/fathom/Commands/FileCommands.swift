import Archive
import ArgumentParser
import Foundation
import Jobs
import Results
import Experiments
import Statistics

struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Print the comparison and the verdict of a result file.",
    discussion: """
      With --json: a stable format (docs/json.md), the same numbers to all their digits. What the verdicts mean, and what to run \
      next, says fathom explain.
      """)

  @Argument(help: "A result file.") var file: String
  @Flag(help: "Print JSON.") var json = false
  @Flag(help: "Print every record, not only the last.") var all = false
  @Flag(help: "Print the job file that the result was made with, and nothing else.") var job = false

  func validate() throws {
    guard !job || !(json || all) else { throw ValidationError("--job goes with neither --json nor --all") }
  }

  func run() throws {
    if let gram = try GramFile.at(file) {
      guard !json else {
        throw Failure(.usage, "\(file) is a Gram matrix, which has no JSON; fathom.open_gram reads it in Python")
      }
      return try Console.print(job ? gram.text : gram.summary)
    }
    let snapshot = try ResultFile.load(file)
    if job {
      let (text, settings) = Advisor.split(snapshot.job.text)
      if !settings.isEmpty {
        Console.log("\(file) was made with " + settings.map { "--set \(Console.quoted($0))" }.joined(separator: " "))
      }
      return try Console.print(text.hasSuffix("\n") ? String(text.dropLast()) : text)
    }
    if snapshot.job.streamVersion != Job.streamVersion {
      Console.log(
        "\(file): version \(snapshot.job.streamVersion) of the random streams; this program makes version \(Job.streamVersion) and adds no draws to it"
      )
    }
    let report = try Report(snapshot, allLayers: all)
    try Console.print(json ? report.json() : report.text)
  }
}

struct DigestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "digest", abstract: "Print the SHA-256 of the results in a file.",
    discussion: """
      Equal digests mean results equal to the last bit. Times, hosts, titles and tolerances do not enter, so the digest of a \
      job does not depend on the number of ranks, on stops and resumes, or on the CPU.
      """)

  @Argument(help: "A result file.") var file: String

  func run() throws {
    if let gram = try GramFile.at(file) { return try Console.print(gram.digest()) }
    try Console.print(Digest.of(ResultFile.load(file).states))
  }
}

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check that a result file is whole and consistent.",
    discussion: """
      The seal (SHA-256 of every byte) is checked before the HDF5 library opens the file, then every table against the exact \
      state. The check runs in a child process, so that even a crash of the library becomes an error.
      """)

  @Argument(help: "A result file.") var file: String
  @Flag(help: .hidden) var inProcess = false

  func run() throws {
    if inProcess { return try verifyAnyGeneration() }
    let child = Process()
    child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    child.arguments = ["verify", "--in-process", file]
    do { try child.run() } catch { throw Failure(.bug, "cannot start the checking process: \(error)") }
    child.waitUntilExit()
    if child.terminationReason == .uncaughtSignal {
      throw Failure(
        .badData, "\(file): the checking process crashed (signal \(child.terminationStatus)); the file is damaged")
    }
    Foundation.exit(child.terminationStatus)
  }

  /// A run that is under way may remove the shards of a file that it has just replaced: then the new one is verified.
  private func verifyAnyGeneration() throws {
    for _ in 0..<9 {
      let generation = FileSystem.generation(file)
      do { return try verify() } catch  where FileSystem.generation(file) != generation {}
    }
    try verify()
  }

  private func verify() throws {
    if let gram = try GramFile.at(file) {
      try gram.verify(file)
      return try Console.print("\(file): whole and symmetric, digest \(try gram.digest())")
    }
    let snapshot = try ResultFile.verified(file)
    let shards = try ShardFolder(
      output: FileSystem.destination(of: file), threshold: 0, job: Digest.of(lines: snapshot.job.identity))
    for shard in snapshot.states.flatMap(\.shards) { _ = try shards.read(shard) }
    for (state, (_, leg)) in zip(snapshot.states, snapshot.job.sampledLegs) {
      try Console.print(
        "\(state.path): \(Words.count(state.done.count, leg.drawName)) in \(Words.count(state.done.intervals.count, "interval"))"
      )
    }
    try recheck(snapshot)
    try Console.print("\(file): whole, digest \(try Digest.of(snapshot.states))")
  }

  /// Claims are proved again from what the file holds.
  private func recheck(_ snapshot: Snapshot) throws {
    for (state, (path, leg)) in zip(snapshot.states, snapshot.job.sampledLegs) {
      guard let claim = leg.claim, let proof = Proof(leg, state) else { continue }
      guard let family = Registry.families.first(where: { $0.table == leg.name }),
        let sentence = try family.recheck(claim, proof)
      else { throw Failure(.badData, "\(file): \(path) claims what this program cannot check") }
      try Console.print("\(path): \(sentence)")
    }
  }
}

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Join result files of one job into one.",
    discussion: """
      The files must come from the same job (only the number of draws may differ) and share no draw, as the parts of a job \
      array do. The result has the same bits as one big run. Where parts made with --part are missing or not finished, merge \
      says which, and writes nothing unless --incomplete is given.

        fathom merge part1.h5 part2.h5 -o all.h5
      """)

  @Argument(help: "Result files.") var files: [String]
  @Flag(help: "Join what is there, although parts of the job are missing.") var incomplete = false
  @Option(name: .shortAndLong, help: "The file to write; must not exist.") var output: String

  func validate() throws {
    guard files.count >= 2 else { throw ValidationError("merge takes two files or more") }
  }

  func run() throws {
    guard !FileSystem.exists(output) else {
      throw Failure(.inputOutput, "\(output) exists already; merge does not overwrite")
    }
    let output = try Resume.destination(output)
    let first = try Resume.current(files[0])
    var states = first.states
    var job = first.job
    var divisions = [first.division]
    for file in files.dropFirst() {
      let next = try Resume.current(file)
      if let difference = next.job.firstDifference(from: job) {
        throw Failure(
          .badData, "\(file) holds another job than \(files[0]): there \(difference.mine), here \(difference.other)")
      }
      guard next.states.map(\.path) == states.map(\.path) else {
        throw Failure(.badData, "\(file) does not hold the same legs as \(files[0])")
      }
      for (i, (path, leg)) in job.sampledLegs.enumerated() {
        guard leg.process != nil || next.states[i].tally.layout == states[i].tally.layout else {
          throw Failure(.badData, "\(file): the tables of \(path) have another layout than in \(files[0])")
        }
        guard !states[i].done.overlaps(next.states[i].done) else {
          let others = divisions.contains(next.division) ? "" : ": they are parts of different divisions of the job"
          throw Failure(.badData, "\(file) and the files before it share draws of \(path)\(others)")
        }
        states[i].formUnion(next.states[i], leg, of: job)
      }
      // The job that asked for the most draws speaks for all.
      if next.job.sampledLegs.map(\.leg.draws).reduce(0, max) > job.sampledLegs.map(\.leg.draws).reduce(0, max) {
        job = next.job
      }
      divisions.append(next.division)
    }
    var snapshot = Snapshot(
      job: job, states: states,
      provenance: [
        ("version", programVersion), ("written", Date().ISO8601Format()), ("merged", files.joined(separator: ", ")),
      ])
    if let division = divisions.first(where: { $0 > 1 }), divisions.allSatisfy({ $0 == division }) {
      snapshot.division = division
      try noteMissingParts(&snapshot)
    }
    try ResultFile(path: output, creator: "fathom \(programVersion)").save(snapshot)
    Console.log("wrote \(output), \(Words.contents(snapshot))")
  }

  /// All parts together are the undivided job.
  private func noteMissingParts(_ snapshot: inout Snapshot) throws {
    let missing = snapshot.partsUnfinished
    guard !missing.isEmpty else { return snapshot.division = 1 }
    let sentence =
      missing.count == 1
      ? "part \(missing.list) of \(snapshot.division) is missing or not finished"
      : "parts \(missing.list) of \(snapshot.division) are missing or not finished"
    guard incomplete else {
      throw Failure(.badData, "\(sentence); run it and merge again, or join what is there with --incomplete")
    }
    Console.log(sentence)
  }
}
