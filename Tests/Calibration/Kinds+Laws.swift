import Experiments
import Foundation
import Statistics

/// Whole laws.
extension Calibration {
  private static let width = 16
  /// The law of log V after one layer: that of log(chi^2_n/n).
  private static let law = TabulatedLaw(name: "log chi-square", from: -6, to: 3) {
    exp(0.5 * Double(width) * ($0 - exp($0)))
  }
  private static let exactLaw = network("log_V", width: width, comparisonTable)
  /// Whether V is above its median: two laws on two points differ at one place, where the error of a share is largest.
  private static let halves = network(
    "above", width: width, "level = \(exp(law.quantile(TabulatedLaw.levels / 2)))\n" + noTolerance)

  /// Kolmogorov-Smirnov distance between the law and the same moved by `shift`.
  private static func distance(_ shift: Double) -> Double {
    (1..<TabulatedLaw.levels).map { level in
      let moved = law.probability(below: law.quantile(level) - shift).upperBound
      return (moved - Double(level) / Double(TabulatedLaw.levels)).magnitude
    }.max()!
  }

  /// How much less is below the median once the law is moved by `shift`.
  private static func below(_ shift: Double) -> Double {
    0.5 - law.probability(below: law.quantile(TabulatedLaw.levels / 2) - shift).upperBound
  }

  /// The exact law, moved, as one more reference.
  private static func known(moved shift: Double) -> @Sendable (Job) -> Job {
    let moved = TabulatedLaw(name: law.name, from: -6 + shift, to: 3 + shift) {
      exp(0.5 * Double(width) * ($0 - shift - exp($0 - shift)))
    }
    return {
      $0.adding { finite in
        let entry = PredictedStatistic(.law, record: 0, observable: 0, value: .nan, law: moved)
        return Leg(
          name: "law", role: .exact, content: .known(ReferenceValues(schema: finite.schema, statistics: [entry])),
          attributes: [:])
      }
    }
  }

  /// The finite leg once more, with draws of its own, as a limit that is sampled.
  private static let sampled: @Sendable (Job) -> Job = {
    $0.adding {
      Leg(name: "copy", role: .limit, content: .sampled($0.experiment!, draws: $0.draws), attributes: [:])
    }
  }

  static let laws: [Kind] = [
    Kind(
      name: "KS", summary: "law of log V against its density; the density moved by 0.05", alpha: alpha,
      truth: Statement(exactLaw, edit: known(moved: 0)),
      falsehood: Statement(exactLaw, effect: distance(0.05), edit: known(moved: 0.05)), read: comparison("law")),
    Kind(
      name: "KS (two samples)",
      summary:
        "whether V is above its median, in two samples, no tolerance; log V of one moved by 0.1 through its inputs",
      alpha: alpha, truth: Statement(halves, edit: sampled),
      falsehood: Statement(
        halves, finite: ["network.inputs={ gram = [[\(exp(0.1))]] }"], effect: below(0.1), edit: sampled),
      read: comparison("copy")),
  ]
}
