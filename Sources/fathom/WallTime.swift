import Foundation
import Experiments

/// How long a run may last, and what it must leave for its last checkpoint.
struct WallTime {
  /// When the run must have left; nil for no limit.
  private let end: ContinuousClock.Instant?
  private let length: Double
  private let grace: Double?
  private let clock = ContinuousClock()
  /// Seconds of the longest checkpoint so far.
  private var longest = 0.0

  /// - Parameters:
  ///   - walltime: from now on; `grace`: seconds from a signal to the kill.
  init(walltime: String?, grace: String?) throws {
    length = try walltime.map { try Self.seconds($0, option: "--walltime") } ?? .infinity
    end = length.isFinite ? clock.now + .seconds(length) : nil
    self.grace = try grace.map { try Self.seconds($0, option: "--grace") }
  }

  var isBounded: Bool { end != nil || grace != nil }

  /// Seconds kept for the last checkpoint: half as much again as the longest, and two rounds of work.
  private var reserve: Double { 1.5 * longest + 2 }

  /// Whether it is time to write the last checkpoint.
  var isOver: Bool { end.map { clock.now + .seconds(reserve) >= $0 } ?? false }

  mutating func add(checkpoint seconds: Double) { longest = max(longest, seconds) }

  /// Refuses limits in which no checkpoint could be written. Call once a checkpoint has been measured.
  func check() throws {
    let needed = String(format: "%.1f s", reserve)
    if reserve >= length {
      throw Failure(
        .usage,
        "--walltime \(Console.duration(length)): must be longer than \(needed); a checkpoint takes \(Console.duration(longest))"
      )
    }
    if let grace, grace < reserve {
      throw Failure(
        .usage,
        "--grace \(Console.duration(grace)): must be at least \(needed); a checkpoint takes \(Console.duration(longest)), and a kill before it is written would lose the work since the last one"
      )
    }
  }

  /// Seconds from 90s, 30m, 4h, 1h30m, or Slurm's minutes, minutes:seconds, hours:minutes:seconds, days-hours:minutes:seconds.
  static func seconds(_ text: String, option: String) throws -> Double {
    func fail() -> Failure {
      Failure(.usage, "\(option) \(text): must be a time like 90s, 30m, 4h, 1h30m, 04:00:00 or 1-00:00:00")
    }
    if text.last.map({ "smhd".contains($0) }) ?? false {
      var total = 0.0
      var digits = ""
      for character in text {
        if let unit = ["s": 1.0, "m": 60, "h": 3600, "d": 86400][String(character)] {
          guard let number = Double(digits), number >= 0, number.isFinite else { throw fail() }
          total += number * unit
          digits = ""
        } else {
          digits.append(character)
        }
      }
      guard total > 0 else { throw fail() }
      return total
    }
    let days = text.split(separator: "-", omittingEmptySubsequences: false)
    let clock = days.last!.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) ?? -1 }
    guard (1...2).contains(days.count), (1...3).contains(clock.count), clock.allSatisfy({ $0 >= 0 && $0.isFinite })
    else {
      throw fail()
    }
    // Slurm reads 90 as minutes, 1:30 as minutes and seconds; after days the first number is hours.
    let day = days.count == 2 ? Double(days[0]) ?? -1 : 0
    let units = days.count == 2 ? [3600.0, 60, 1] : (clock.count == 3 ? [3600, 60, 1] : [60, 1])
    let total = day * 86400 + zip(clock, units).reduce(0) { $0 + $1.0 * $1.1 }
    guard day >= 0, total > 0 else { throw fail() }
    return total
  }
}
