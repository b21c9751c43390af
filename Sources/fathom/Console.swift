import Engine
import Experiments
import Foundation

/// Lines to the user: results on standard output, everything else on standard error.
enum Console {
  static func log(_ message: String) { write("fathom: \(message)\n") }
  static func error(_ message: String) { write("fathom: error: \(message)\n") }

  /// A log that cannot be written (a full disk, a closed pipe) must not end the run.
  static func write(_ text: String) {
    let bytes = Array(text.utf8)
    var done = 0
    while done < bytes.count {
      let put = bytes[done...].withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
      if put < 0 && errno == EINTR { continue }
      if put <= 0 { return }
      done += put
    }
  }

  /// A result, on standard output: what nobody gets to see is an error.
  static func print(_ text: String) throws {
    let bytes = Array((text + "\n").utf8)
    var done = 0
    while done < bytes.count {
      let put = bytes[done...].withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if put < 0 && errno == EINTR { continue }
      guard put > 0 else {
        throw Failure(.inputOutput, "standard output could not be written: \(String(cString: strerror(errno)))")
      }
      done += put
    }
  }

  /// A word of a command as a shell reads it.
  static func quoted(_ word: String) -> String {
    let isPlain = word.utf8.allSatisfy { byte in
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 32)
        || Array("_-./=,:+@%".utf8).contains(byte)
    }
    return isPlain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }

  /// Opens the standard streams that the caller closed, in a way that fails when they are written to: a result file that took the number
  /// of one would get the report.
  static func holdStandardStreams() {
    for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) < 0 {
      _ = open("/dev/null", O_RDONLY)
    }
  }

  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite else { return "?" }
    if seconds < 0.0005 { return "under 1 ms" }
    if seconds < 0.0995 { return String(format: "%.0f ms", seconds * 1000) }
    if seconds < 9.95 { return String(format: "%.1f s", seconds) }
    if seconds < 120 { return String(format: "%.0f s", seconds) }
    if seconds < 7200 { return String(format: "%.0f min", seconds / 60) }
    if seconds < 48 * 3600 { return String(format: "%.1f h", seconds / 3600) }
    return String(format: "%.1f days", seconds / 86400)
  }

  /// Two significant digits; small numbers of hours are not worth any.
  static func hours(_ x: Double) -> String {
    x < 0.01 ? "under 0.01" : x < 100 ? String(format: "%.2g", x) : String(format: "%.0f", x)
  }

  static func bytes(_ count: Double) -> String {
    for (unit, size) in [("GiB", 1073741824.0), ("MiB", 1048576.0), ("KiB", 1024.0)] where count >= size {
      return String(format: "%.1f %@", count / size, unit)
    }
    return String(format: "%.0f B", count)
  }
}

/// Numbers of things in sentences.
enum Words {
  /// `1 draw`, `2 draws`.
  static func count(_ number: some BinaryInteger, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }

  /// What a file holds: `2000 draws`, `11 replicas and 1 under way`.
  static func contents(_ snapshot: Snapshot) -> String {
    var totals: [(noun: String, count: Int)] = []
    for (state, entry) in zip(snapshot.states, snapshot.job.sampledLegs) {
      if let place = totals.firstIndex(where: { $0.noun == entry.leg.drawName }) {
        totals[place].count += Int(state.done.count)
      } else {
        totals.append((entry.leg.drawName, Int(state.done.count)))
      }
    }
    let begun = snapshot.states.reduce(0) { $0 + $1.begun.count }
    let parts = totals.map { count($0.count, $0.noun) } + (begun == 0 ? [] : ["\(begun) under way"])
    return parts.joined(separator: " and ")
  }
}

/// The progress of a run: a bar on a terminal, else a log line at most every ten seconds, or as often as a program that reads them asks for:
///
///     fathom: CASE/LEG: 37.5%, 5.1e+05 draws/s, 2.0 s left
final class Progress {
  /// Between lines; nil for the ten seconds of a log that people read.
  private let every: Duration?
  private let onTerminal = isatty(STDERR_FILENO) == 1
  private let clock = ContinuousClock()
  private var lastLine: ContinuousClock.Instant
  private var barShown = false
  let start: ContinuousClock.Instant
  private(set) var checkpoints = 0
  private(set) var checkpointSeconds = 0.0

  /// - Parameter every: seconds between lines, which come once a round at most, every half second; the end of a leg has one too.
  init(every: Double?) {
    self.every = every.map { .seconds($0) }
    start = clock.now
    lastLine = clock.now
  }

  func report(_ event: Engine.Event) {
    switch event {
    case .legStarted(let path, let done, let target, let unit):
      finishBar()
      let all = Words.count(target, unit)
      if done >= target {
        Console.log("\(path): nothing to do, the file has the \(all) asked for")
      } else if done > 0 {
        Console.log("\(path): \(done) of \(all) in the file, \(target - done) to go")
      } else {
        Console.log("\(path): \(all) to make")
      }
      lastLine = clock.now
    case .progress(let path, let done, let target, let rate, let unit):
      let left = rate > 0 ? Double(target - done) / rate : .infinity
      let facts = String(
        format: "%@: %.1f%%, %.4g %@/s, %@ left", path, 100 * Double(done) / Double(target), rate, unit,
        Console.duration(left))
      if onTerminal {
        let width = 30
        let filled = Int(Double(width) * Double(done) / Double(target))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        Console.write("\r\u{1B}[K[\(bar)] \(facts)")
        barShown = true
        if done == target { finishBar() }
      } else if clock.now - lastLine >= every ?? .seconds(10) || every != nil && done == target {
        Console.log(facts)
        lastLine = clock.now
      }
    case .checkpoint(let seconds):
      if !onTerminal && seconds > 1 { Console.log("checkpoint in \(Console.duration(seconds))") }
      checkpoints += 1
      checkpointSeconds += seconds
    }
  }

  private func finishBar() {
    if barShown { Console.write("\n") }
    barShown = false
  }

  var elapsed: Double { (clock.now - start).seconds }
}
