import Archive
import Foundation
import Support
import Testing

/// A run of `fathom` that has no end within reach on any machine. A test waits until it has come to a state, never for seconds:
/// `Shell.patience` catches only what hangs.
final class RunUnderWay {
  /// Draws and steps that no machine comes to the end of, and the largest number of replicas that a job may ask for. Replicas are
  /// begun in order, so that a job can be cut to what was reached (`reached`); of draws each rank has a range of its own.
  static let draws = "network.draws=1000000000000"
  static let steps = "particles.steps=1000000000000"
  static let replicas = "particles.replicas=100000"
  /// A checkpoint at the end of every round of work.
  static let checkpoints = "run.checkpoint_every=0.05s"

  private static let tag = "under-way"
  let process: Process
  private let folder: String
  private let output: String
  private let begun = ContinuousClock.now
  private var generation: [Int]?
  private var partial: [Int]?
  /// Checkpoints that were seen; some may have passed unseen.
  private(set) var checkpoints = 0

  /// Starts `fathom run job.toml -o OUTPUT` on a number of ranks; 0 without mpirun.
  init(
    _ place: borrowing Workplace, _ output: String, _ options: [String], ranks: Int = 0,
    extra: [String: String] = [:]
  ) throws {
    folder = place.folder
    self.output = "\(place.folder)/\(output)"
    generation = FileSystem.generation(self.output)
    partial = FileSystem.generation(ArchiveWriter.temporaryPath(for: self.output))
    process = try Shell.start(
      Shell.launch("fathom", ranks: ranks, ["run", "job.toml", "-o", output] + options), in: folder, extra: extra,
      tag: Self.tag)
  }

  deinit { if process.isRunning { for one in processes() { Glibc.kill(one, SIGKILL) } } }

  var log: String { (try? String(contentsOfFile: "\(folder)/.\(Self.tag).err", encoding: .utf8)) ?? "" }
  var elapsed: Duration { ContinuousClock.now - begun }

  struct Missed: Error, CustomStringConvertible {
    let description: String
    /// The run came to its end: it was too short.
    var finished = false
  }

  /// Finds a size at which runs do not end before they have come to where a test wants them: tries four times the size until then.
  static func growing(_ first: Int, _ attempt: (_ size: Int) throws -> Void) throws -> Int {
    var size = first
    while true {
      do {
        try attempt(size)
        return size
      } catch let missed as Missed where missed.finished && size < 1000 * first { size *= 4 }
    }
  }

  /// Waits until a state is reached; throws if the run ends before.
  func wait(until state: String, _ reached: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(Shell.patience)
    while try !reached() {
      guard process.isRunning else {
        let status = process.terminationStatus
        throw Missed(description: "the run ended with \(status) before \(state): \(log)", finished: status == 0)
      }
      guard ContinuousClock.now < deadline else { throw Missed(description: "it never came to \(state): \(log)") }
      usleep(1000)
    }
  }

  func waitForLog(_ words: String) throws { try wait(until: "the log said: \(words)") { log.contains(words) } }

  /// All ranks are there, the output is locked, and signals are handled: what the first lines of the log say.
  func waitForStart() throws {
    try wait(until: "the start") { log.contains(": new, checkpoint every") || log.contains(": resuming from") }
  }

  /// Waits until this run has replaced its output a given number of times more.
  func waitForCheckpoints(_ more: Int = 1) throws {
    let wanted = checkpoints + more
    try wait(until: "checkpoint \(wanted)") {
      let now = FileSystem.generation(output)
      if let now, now != generation { (generation, checkpoints) = (now, checkpoints + 1) }
      return checkpoints >= wanted
    }
  }

  /// Waits until the file of a checkpoint is being written.
  func waitInsideACheckpoint() throws {
    let path = ArchiveWriter.temporaryPath(for: output)
    try wait(until: "a checkpoint that is being written") {
      guard let now = FileSystem.generation(path) else {
        partial = nil
        return false
      }
      return now != partial
    }
  }

  /// The start, a checkpoint, or the middle of one.
  func waitForRandomState(checkpoints most: Int) throws {
    try waitForStart()
    try waitForCheckpoints(Int.random(in: 0...most))
    if Bool.random() { try waitInsideACheckpoint() }
  }

  /// The ranks that run, by number; without mpirun the process itself.
  func ranks() -> [Int: Int32] {
    var result: [Int: Int32] = [:]
    for one in processes() {
      let words = (FileManager.default.contents(atPath: "/proc/\(one)/environ") ?? Data()).split(separator: 0)
      for word in words.map({ String(decoding: $0, as: UTF8.self) }) where word.hasPrefix("OMPI_COMM_WORLD_RANK=") {
        result[Int(word.split(separator: "=")[1])!] = one
      }
    }
    return result.isEmpty ? [0: process.processIdentifier] : result
  }

  /// The process that was started, and its children.
  private func processes() -> [Int32] {
    let parent = process.processIdentifier
    let all = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
    return [parent]
      + all.filter { one in
        // PID (NAME) STATE PARENT ...
        let text = String(decoding: FileManager.default.contents(atPath: "/proc/\(one)/stat") ?? Data(), as: UTF8.self)
        let words = text.split(separator: ")").last?.split(separator: " ") ?? []
        return words.count > 1 && Int32(words[1]) == parent
      }
  }

  func signal(_ number: Int32) { Glibc.kill(process.processIdentifier, number) }

  /// Something that takes a while, for which this run must be there and need not work.
  func whileStopped<T>(_ body: () throws -> T) rethrows -> T {
    signal(SIGSTOP)
    defer { signal(SIGCONT) }
    return try body()
  }

  /// The end of the run, after a signal.
  func finish() -> Shell.Result { Shell.finish(process, in: folder, tag: Self.tag) }

  /// A signal that asks for a checkpoint, and the end of the run; throws if it had come to its own end.
  func stop(_ number: Int32 = SIGUSR1) throws -> Shell.Result {
    signal(number)
    let result = finish()
    if result.status == 0 { throw Missed(description: "the run ended before the signal: \(log)", finished: true) }
    return result
  }

  enum Victim: CaseIterable { case rank, launcher }

  /// Kills a rank at random, or what was started, by -9; comes back when no rank is left.
  func kill(_ victim: Victim) {
    let ranks = ranks()
    Glibc.kill(victim == .rank ? ranks.values.randomElement()! : process.processIdentifier, SIGKILL)
    _ = finish()
    // Ranks that have lost their mpirun live on for some seconds.
    let deadline = ContinuousClock.now + .seconds(Shell.patience)
    while ContinuousClock.now < deadline && ranks.values.contains(where: { isRank($0) }) { usleep(10_000) }
  }

  private func isRank(_ one: Int32) -> Bool {
    let line = String(decoding: FileManager.default.contents(atPath: "/proc/\(one)/cmdline") ?? Data(), as: UTF8.self)
    return line.contains("fathom\0run\0")
  }
}

extension Workplace {
  /// Replicas that a job must at least ask for to hold all that a file has, finished or begun, of its first leg: with this number
  /// a run that had no end within reach comes to one.
  func reached(_ name: String = "out.h5") throws -> UInt64 {
    let path = "\(folder)/\(name)"
    guard FileSystem.exists(path) else { return 0 }
    let reader = try ArchiveReader(sealed: path)
    let done = try reader.read("/state/0/intervals", as: UInt64.self).values.max() ?? 0
    return max(done, try begun(reader).max().map { $0 + 1 } ?? 0)
  }

  /// The replicas under way in a file.
  func begun(_ reader: borrowing ArchiveReader) throws -> [UInt64] {
    let group = "/state/0/begun"
    guard reader.contains(group) else { return [] }
    return try reader.list(group).filter { $0 != "number" }.flatMap {
      try reader.read("\(group)/\($0)/replica", as: UInt64.self).values
    }
  }

  /// Runs a job and stops it by a signal after its first checkpoint, again and again until its file is as a test wants it.
  func stopped(
    _ name: String, _ options: [String], ranks: Int = 0, where isWanted: (borrowing ArchiveReader) throws -> Bool
  ) throws {
    for _ in 0..<1000 {
      let run = try RunUnderWay(self, name, options + settings([RunUnderWay.checkpoints]), ranks: ranks)
      try run.waitForCheckpoints()
      let result = try run.stop()
      try #require(result.status == 75, "\(result.status) \(result.error)")
      if try isWanted(ArchiveReader(sealed: "\(folder)/\(name)")) { return }
    }
    throw RunUnderWay.Missed(description: "\(name) was never as wanted")
  }

  /// The setting with which a job ends soon after what a file has.
  func soon(after name: String) throws -> [String] { settings(["particles.replicas=\(try reached(name) + 3)"]) }
}
