import Foundation

/// What the seeds of one kind say of its words.
package struct Finding: Sendable {
  package enum Judgement: String, Sendable {
    case calibrated
    /// Fewer false alarms than alpha allows, or more power than is printed: safe, and not exact.
    case conservative
    /// More false alarms, or less power.
    case wrong = "NOT calibrated"
  }

  package let kind: Kind
  package let seeds: Int
  /// Seeds that contradict the true statement, and how many may.
  package let alarms: Int
  package let allowed: ClosedRange<Int>
  /// Seeds that print a power for the false statement, and the mean of it; how many of them find the statement to be false, and how many may.
  package let promising: Int
  package let power: Double
  package let detected: Int
  package let expected: ClosedRange<Int>

  package var ofAlarms: Judgement {
    alarms > allowed.upperBound ? .wrong : alarms < allowed.lowerBound ? .conservative : .calibrated
  }
  package var ofPower: Judgement {
    detected < expected.lowerBound ? .wrong : detected > expected.upperBound ? .conservative : .calibrated
  }
  package var isWrong: Bool { ofAlarms == .wrong || ofPower == .wrong }

  /// Probability that any count of a calibrated program is out of its range, shared by the two counts of every kind.
  package static let level = 1e-3

  /// - Parameter kinds: how many share the level.
  package init(_ kind: Kind, truth: [Outcome], falsehood: [Outcome], kinds: Int) {
    let level = Self.level / Double(2 * kinds)
    self.kind = kind
    seeds = truth.count
    alarms = truth.count { kind.isAlarm($0.word) }
    allowed = Binomial.range(truth.count, kind.alpha, level: level)
    let judged = falsehood.filter { $0.power != nil }
    promising = judged.count
    power = judged.reduce(0) { $0 + $1.power! } / Double(judged.count)
    detected = judged.count { $0.word == .differs }
    expected = Binomial.range(judged.count, power, level: level)
  }

  package static let header = [
    "kind", "summary", "seeds", "alpha", "alarms", "alarms_from", "alarms_to", "alarms_finding", "promising", "power",
    "detected", "detected_from", "detected_to", "detected_finding",
  ].joined(separator: "\t")

  /// Fields as in `header`.
  package var line: String {
    let words: [String] = [
      kind.name, kind.summary, "\(seeds)", "\(kind.alpha)", "\(alarms)", "\(allowed.lowerBound)",
      "\(allowed.upperBound)", ofAlarms.rawValue, "\(promising)", "\(power)", "\(detected)", "\(expected.lowerBound)",
      "\(expected.upperBound)", ofPower.rawValue,
    ]
    return words.joined(separator: "\t")
  }

  package var sentence: String {
    let share = String(format: "%.3f", power)
    return "\(kind.name): \(alarms) false alarms in \(seeds) seeds at alpha \(kind.alpha), \(allowed.lowerBound) to "
      + "\(allowed.upperBound) allowed: \(ofAlarms.rawValue); \(detected) of \(promising) detected at a printed power of \(share), "
      + "\(expected.lowerBound) to \(expected.upperBound) expected: \(ofPower.rawValue)"
  }
}
