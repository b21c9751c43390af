import Experiments
import Statistics

/// Works on the draws of one leg, on one rank: round by round, until it hands in what it has. `DrawWorker` makes independent draws,
/// `ReplicaWorker` advances replicas, alone or with other ranks.
protocol Worker: AnyObject {
  /// What it counts: draws or steps.
  var unit: String { get }
  var unitsPerDraw: UInt64 { get }
  /// Draws that are begun, but not finished, on all ranks, before the first round.
  var begun: Set<UInt64> { get }
  /// One round: makes what it can of its share of `left`.
  func work(_ left: IntervalSet, _ shared: SharedKnowledge) throws -> WorkReport
  /// Brings all that the ranks have to rank 0. Collective.
  func handIn(to state: inout LegState) throws
  /// Gives up the replica under way.
  func abandon()
}

/// What all ranks know alike at the start of a round.
struct SharedKnowledge {
  /// Units a second of every rank; 0 where unknown.
  var speeds: [Double]
  var begun: Set<UInt64>

  mutating func take(_ reports: [WorkReport]) {
    for (rank, report) in reports.enumerated() where report.units > 0 {
      speeds[rank] = Double(report.units) / max(report.seconds, 1e-9)
    }
    begun = Set(reports.flatMap(\.begun))
  }
}

/// What a rank tells the others after a round.
struct WorkReport {
  /// Units made in the round, and in draws that are begun but not finished.
  var units: Int64 = 0
  var unitsBegun: Int64 = 0
  var seconds = 0.0
  var finished: [Range<UInt64>] = []
  var begun: [UInt64] = []
  var fault: (replica: UInt64, fault: Fault)?
  var failure: Failure?
  var stop = false
  var due = false

  init() {}

  var words: [Int64] {
    let message = failure.map { [Int64($0.status.rawValue)] + $0.message.utf8.map { Int64($0) } } ?? []
    let flags: Int64 = (stop ? 1 : 0) | (due ? 2 : 0) | (fault != nil ? 4 : 0)
    var result: [Int64] = [flags, units, unitsBegun, Int64(seconds * 1e9)]
    result += [
      Int64(bitPattern: fault?.replica ?? 0), Int64(fault?.fault.step ?? 0), Int64(fault?.fault.particle ?? 0),
    ]
    result += [Int64(finished.count), Int64(begun.count), Int64(message.count)]
    result += finished.flatMap { [Int64(bitPattern: $0.lowerBound), Int64(bitPattern: $0.upperBound)] }
    return result + begun.map { Int64(bitPattern: $0) } + message
  }

  init(words: [Int64]) {
    (stop, due) = (words[0] & 1 != 0, words[0] & 2 != 0)
    (units, unitsBegun, seconds) = (words[1], words[2], Double(words[3]) * 1e-9)
    if words[0] & 4 != 0 {
      fault = (UInt64(bitPattern: words[4]), Fault(step: Int(words[5]), particle: Int(words[6])))
    }
    var rest = words[10...]
    func take(_ count: Int64) -> [Int64] {
      defer { rest = rest.dropFirst(Int(count)) }
      return Array(rest.prefix(Int(count)))
    }
    finished = take(2 * words[7]).chunked(2).map { UInt64(bitPattern: $0[0])..<UInt64(bitPattern: $0[1]) }
    begun = take(words[8]).map { UInt64(bitPattern: $0) }
    let message = take(words[9])
    if let status = message.first {
      failure = Failure(
        ExitStatus(rawValue: Int32(status)) ?? .bug,
        String(decoding: message.dropFirst().map { UInt8($0) }, as: UTF8.self))
    }
  }
}

/// The shares of one round of independent draws.
struct Round {
  let shares: [[Range<UInt64>]]
  let deadline: Duration

  /// Seconds of a round. Shares are made for half as long again, so that it is the clock that ends a round, on all ranks at
  /// once, and none waits for another; only in the last round do the shares run out.
  static let length = 0.5

  init(left: IntervalSet, speeds: [Double]) {
    var rest = left
    let total = left.count
    let known = speeds.allSatisfy { $0 > 0 }
    let sum = known ? speeds.reduce(0, +) : Double(speeds.count)
    // The first round measures speeds, so it is short whatever its shares are.
    let wanted =
      known ? min(Double(total), max(1.5 * sum * Self.length, Double(speeds.count))) : Double(total)
    var given: UInt64 = 0
    var cumulative = 0.0
    shares = speeds.enumerated().map { rank, speed in
      cumulative += known ? speed : 1
      let border =
        rank == speeds.count - 1 && wanted >= Double(total)
        ? total : min(total, max(given, UInt64((wanted * (cumulative / sum)).rounded(.up))))
      defer { given = border }
      return rest.takeFirst(border - given)
    }
    deadline = .milliseconds(known ? Int(Self.length * 1000) : 50)
  }
}
