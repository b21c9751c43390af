import Archive
import Foundation
import Jobs
import Results
import Experiments

/// What to do about a result file that is already there.
enum Resume {
  /// Where a result goes: the target of a symbolic link, so that the link stays one.
  static func destination(_ output: String) throws -> String {
    do {
      let place = try FileSystem.destination(of: output)
      if place != output { Console.log("\(output) is a symbolic link: the result goes to \(place)") }
      return place
    } catch { throw Failure(.inputOutput, "\(error)") }
  }

  /// The state to resume from, nil for a new file. Throws if the file holds another job, part or division of it, or is damaged beyond
  /// its previous generation.
  static func prepare(_ file: JobFile, _ part: DrawPart, fresh: Bool) throws -> Snapshot? {
    let path = file.output
    guard FileSystem.exists(path) else { return nil }
    if fresh {
      try putAside(path)
      return nil
    }
    let snapshot: Snapshot
    do {
      snapshot = try ResultFile.load(path)
    } catch let failure as Failure where failure.status == .badData {
      snapshot = try recover(path, from: failure)
    }
    try refuseForeignStreams(
      snapshot, path, "; give another --output, or --fresh to start from scratch and keep that file")
    if let difference = file.job.firstDifference(from: snapshot.job) {
      throw Failure(
        .badData,
        "\(path) holds another job: there \(difference.other), here \(difference.mine); give another --output, or --fresh to start from scratch and keep that file"
      )
    }
    try refuseOtherDivision(snapshot, file, part)
    return snapshot
  }

  /// Parts of different divisions overlap, and so do those of one division of different numbers of draws: they could not be merged.
  /// Without `--part` a run makes all that is missing, whatever is there.
  private static func refuseOtherDivision(_ snapshot: Snapshot, _ file: JobFile, _ part: DrawPart) throws {
    guard part.count > 1 else { return }
    let asked = "--part \(part.text)"
    let advice = "give another --output, or --fresh to start from scratch and keep that file"
    guard snapshot.division == part.count else {
      let there =
        snapshot.division == 1
        ? "draws of the undivided job" : "part \(snapshot.partsBegun.list) of \(snapshot.division)"
      throw Failure(
        .badData,
        "\(asked): \(file.output) holds \(there), and draws of different divisions overlap; "
          + (snapshot.division == 1 ? "leave --part out, " : "ask for a part of \(snapshot.division), ") + advice)
    }
    for ((path, mine), (_, there)) in zip(file.job.sampledLegs, snapshot.job.sampledLegs)
    where mine.draws != there.draws {
      throw Failure(
        .badData,
        "\(asked): \(file.output) holds a part of \(there.draws) \(there.drawName)s of \(path), not of \(mine.draws); "
          + "merge the parts and let a run add draws to the merged file, or \(advice)")
    }
  }

  /// A file whose draws this program can add to.
  static func current(_ path: String) throws -> Snapshot {
    let snapshot = try ResultFile.load(path)
    try refuseForeignStreams(snapshot, path, "")
    return snapshot
  }

  private static func refuseForeignStreams(_ snapshot: Snapshot, _ path: String, _ advice: String) throws {
    let version = snapshot.job.streamVersion
    guard version != Job.streamVersion else { return }
    throw Failure(
      .badData,
      "\(path) holds draws of version \(version) of the random streams, this program makes version \(Job.streamVersion): they cannot be mixed\(advice)"
    )
  }

  /// The generation before a damaged file, if it is whole.
  private static func recover(_ path: String, from failure: Failure) throws -> Snapshot {
    let previous = ArchiveWriter.previousPath(for: path)
    guard FileSystem.exists(previous), let snapshot = try? ResultFile.load(previous) else {
      throw Failure(
        .badData,
        failure.message + "; there is no whole previous generation; --fresh starts from scratch and keeps this file")
    }
    let damaged = freeName(path + ".damaged")
    try move(path, to: damaged)
    Console.log("\(failure.message); it is kept as \(damaged), and the run resumes from \(previous)")
    return snapshot
  }

  /// Keeps a file under another name.
  static func putAside(_ path: String) throws {
    let aside = freeName(path + ".aside")
    try move(path, to: aside)
    Console.log("\(path): kept as \(aside)")
  }

  private static func move(_ path: String, to other: String) throws {
    do { try FileSystem.move(path, to: other) } catch { throw Failure(.inputOutput, "\(error)") }
  }

  private static func freeName(_ base: String) -> String {
    var index = 1
    while FileSystem.exists("\(base)-\(index)") { index += 1 }
    return "\(base)-\(index)"
  }
}

/// Keeps a second run from the same output. The lock ends with the process, however it ends.
final class OutputLock {
  private let path: String
  private var descriptor: FileSystem.Descriptor
  private var held = false

  /// Waits up to ten seconds: the ranks of a killed run live on for a few.
  init(_ output: String) throws {
    path = output + ".lock"
    do {
      descriptor = try FileSystem.Descriptor(path, O_RDWR | O_CREAT)
      var tries = 0
      // A holder that leaves removes the file: whoever then locks the one that is gone must try again.
      while try !descriptor.lock() || !descriptor.isStillAt(path) {
        guard FileSystem.exists(path) else {
          descriptor = try FileSystem.Descriptor(path, O_RDWR | O_CREAT)
          continue
        }
        let holder = String(decoding: try descriptor.read(256, at: 0).prefix { $0 != 10 }, as: UTF8.self)
        if tries == 0 { Console.log("\(output) is in use by \(holder); waiting up to 10 s") }
        tries += 1
        guard tries <= 100 else {
          throw Failure(.inputOutput, "\(output) is in use by \(holder); wait for it or give another --output")
        }
        usleep(100_000)
      }
      held = true
      // Holders remove their lock when they leave; one that is left behind, and not locked, is of a run that died.
      let left = String(decoding: try descriptor.read(256, at: 0).prefix { $0 != 10 && $0 != 0 }, as: UTF8.self)
      if !left.isEmpty { Console.log("\(output): taking over the lock of \(left), which no longer holds it") }
      try descriptor.write(Array("process \(getpid()) on \(ProcessInfo.processInfo.hostName)\n".utf8), at: 0)
    } catch let error as SystemError {
      throw Failure(.inputOutput, "the output folder cannot be written to: \(error)")
    }
  }

  func release() {
    if held { unlink(path) }
    held = false
  }

  deinit { release() }
}
