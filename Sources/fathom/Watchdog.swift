import Foundation
import Synchronization

/// Says which ranks have gone silent. Every process has a thread that touches a file of its own beside the result; a process
/// that is stopped, swapped out or lost no longer does. When rank 0 sees no progress for as long as the limit, it names those.
///
/// A file and not a message: a rank that hangs in a collective cannot answer one.
final class Watchdog: Sendable {
  private let folder: String
  private let rank: Int
  private let ranks: Int
  private let limit: Double
  /// Seconds of the monotonic clock at which the main thread was last seen at work.
  private let lastBeat = Atomic<UInt64>(0)
  /// Whether the watch has ended; files are touched under its lock, so none appears afterwards.
  private let finished = Mutex(false)

  init(output: String, rank: Int, ranks: Int, limit: Double) {
    folder = output + ".alive"
    self.rank = rank
    self.ranks = ranks
    self.limit = limit
    beat()
    guard limit > 0, ranks > 1 else { return }
    let thread = Thread { [self] in watch() }
    thread.stackSize = 1 << 19
    thread.start()
  }

  private static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec)
  }

  /// Called by the main thread while it works.
  func beat() { lastBeat.store(Self.now(), ordering: .relaxed) }

  /// Ends the watch and removes the files. Called on every rank.
  func finish() {
    finished.withLock { $0 = true }
    unlink(path(rank))
    guard rank == 0, limit > 0, ranks > 1 else { return }
    // The others are about to remove theirs.
    for _ in 0..<40 where rmdir(folder) != 0 && errno == ENOTEMPTY { usleep(50_000) }
  }

  private func path(_ rank: Int) -> String { "\(folder)/rank-\(rank)" }

  private func watch() {
    let identity = Data("process \(getpid()) on \(ProcessInfo.processInfo.hostName)".utf8)
    let pause = max(0.2, limit / 8)
    var reported = 0.0
    while true {
      let ended = finished.withLock { ended in
        if !ended {
          mkdir(folder, 0o755)
          _ = FileManager.default.createFile(atPath: path(rank), contents: identity)
        }
        return ended
      }
      if ended { return }
      usleep(UInt32(pause * 1e6))
      guard rank == 0 else { continue }
      let silent = Double(Self.now() - lastBeat.load(ordering: .relaxed))
      if silent < limit { reported = 0 }
      guard silent >= limit, silent >= reported + limit else { continue }
      reported = silent
      report(silent)
    }
  }

  private func touched(_ rank: Int) -> Date? {
    (try? FileManager.default.attributesOfItem(atPath: path(rank)))?[.modificationDate] as? Date
  }

  private func report(_ seconds: Double) {
    // Compared with the file of this rank, which was touched just now: a shared file system has a clock of its own.
    let now = touched(rank)
    let quiet = (0..<ranks).compactMap { other -> String? in
      // Opening it makes NFS ask for its times again.
      let who = FileManager.default.contents(atPath: path(other)).map { String(decoding: $0, as: UTF8.self) }
      if let now, let then = touched(other), now.timeIntervalSince(then) <= limit / 2 { return nil }
      return "rank \(other) (\(who ?? "no trace of it"))"
    }
    Console.log(
      "no progress for \(Console.duration(seconds)): "
        + (quiet.isEmpty
          ? "every rank is alive, but not all take part; a long step, a slow file system or a lost link"
          : quiet.joined(separator: ", ") + " stopped answering: stopped, swapped out or lost")
        + "; the last checkpoint is whole: end the job and rerun the command to resume")
  }
}
