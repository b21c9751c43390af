import Experiments
import Foundation
import Statistics

/// Moments and shares of independent draws.
extension Calibration {
  /// Standard deviation of V after one layer of width 32.
  private static let deviation = (2.0 / 32).squareRoot()
  private static let one = network("V", width: 32, comparisonTable)
  private static let two = network(
    "V\", \"log_det", width: 32, inputs: "{ correlation = 0.3, count = 2 }", comparisonTable)
  private static let wide = network(
    "V", width: 32, comparisonTable + "mean = 0.1\n[[limit]]\nequation = \"infinite-width\"\n")

  /// The mean of V against infinite width, a number of standard deviations off.
  private static func off(_ effect: Double) -> Statement {
    let moved = only(.mean, of: "V[0,0]", shift: effect * deviation)
    return Statement(wide, effect: effect) { moved($0.without(.exact)) }
  }

  /// P(V < 1/10) after one layer of width 2, where V is exponential of mean 1.
  private static let vanishing = 0.09516258196404048
  private static func failures(threshold: Double) -> Statement {
    Statement(
      network("V", width: 2, "[health]\nthreshold = \(threshold)\n"), effect: vanishing - threshold)
  }

  /// One layer of width 32 and one target, 1.5.
  private static let posterior = network(
    "V", width: 32,
    noTolerance
      + "[posterior]\ntrain = [0]\ntargets = [1.5]\nnoise = 0.1\ntest = [0]\n[[limit]]\nequation = \"infinite-width\"\n"
  )

  /// Log evidence of the posterior and the standard deviation of its linear part: integrals over V, gamma of shape 16 and mean 1.
  private static let evidence: (value: Double, deviation: Double) = {
    var (total, first, second) = (0.0, 0.0, 0.0)
    for i in 1...6000 {
      let v = 0.001 * Double(i)
      let p = exp(15 * log(v) - 16 * v)
      let w = exp(-1.125 / (v + 0.1)) / (2 * Double.pi * (v + 0.1)).squareRoot()
      total += p
      first += p * w
      second += p * w * w
    }
    let mean = first / total
    return (log(mean), (second / total - mean * mean).squareRoot() / mean)
  }()

  /// Log evidence against its exact value, a number of standard deviations off.
  private static func evidence(off effect: Double) -> Statement {
    Statement(posterior, effect: effect) {
      $0.without(.exact).predicting { entry, _ in
        entry.statistic == .estimand("log_evidence") ? entry.with(evidence.value - effect * evidence.deviation) : nil
      }
    }
  }

  static let draws: [Kind] = [
    Kind(
      name: "z", summary: "mean of V against its exact value; moved by 0.09 standard deviations", alpha: alpha,
      truth: Statement(one, edit: only(.mean, of: "V[0,0]")),
      falsehood: Statement(one, effect: 0.09, edit: only(.mean, of: "V[0,0]", shift: 0.09 * deviation)),
      read: comparison("exact")),
    Kind(
      name: "second moments", summary: "E V^2 against its exact value; 4.4% off", alpha: alpha,
      truth: Statement(one, edit: only(.secondMoment, of: "V[0,0]")),
      falsehood: Statement(one, effect: 0.044, edit: only(.secondMoment, of: "V[0,0]", share: 0.044)),
      read: comparison("exact")),
    Kind(
      name: "exact",
      summary: "all exact moments of V and log det V of two inputs together; E V_00 moved by 0.113 standard deviations",
      alpha: alpha, truth: Statement(two),
      falsehood: Statement(two, effect: 0.113) {
        $0.predicting { entry, observable in
          let isMoved = entry.statistic == .mean && observable.name == "V[0,0]"
          return isMoved ? entry.with(entry.value - 0.113 * deviation) : entry
        }
      }, read: comparison("exact") { $0.statistic == .mean && $0.observable == "V[0,0]" }),
    Kind(
      name: "equivalence",
      summary:
        "mean of V against infinite width, tolerance 0.1 standard deviations; true: off by just that, where either word is wrong; false: off by 0.19",
      alpha: alpha, isAlarm: { $0 != .undecided }, truth: off(0.1), falsehood: off(0.19),
      read: comparison("infinite-width")),
    Kind(
      name: "estimands",
      summary:
        "log evidence of a posterior against its exact value, with control variates; moved by 0.031 standard deviations",
      alpha: alpha, truth: evidence(off: 0), falsehood: evidence(off: 0.031), read: comparison("infinite-width")),
    Kind(
      name: "health",
      summary:
        "share of V < 1/10, 9.5%; true: just that is the threshold, where either word is wrong; false: the threshold is 7%",
      alpha: alpha, isAlarm: { $0 != .undecided }, truth: failures(threshold: vanishing),
      falsehood: failures(threshold: 0.07), read: health("vanished", alpha: alpha)),
  ]
}
