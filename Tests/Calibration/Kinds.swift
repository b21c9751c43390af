import Experiments

/// Every kind of verdict, an entry each: what is true, what is false and by how much, where the word stands.
///
/// A false statement is wrong by an effect that is known exactly: a reference is moved by it, or the finite system starts elsewhere or takes other
/// steps. The size of an effect is such that the printed power is between 0.5 and 0.95.
///
/// alpha is 0.05 where a job has the key: 300 seeds then hold fifteen false alarms. With the default, 0.01, they would hold three.
package enum Calibration {
  package static let kinds: [Kind] = draws + laws + replicas + extrapolations + slopes + families

  static let alpha = 0.05
  static let comparisonTable = "[comparison]\nalpha = 0.05\n"
  /// For limits that hold exactly: "differs" is then a significance test, "agrees" is never said.
  static let noTolerance = comparisonTable + "mean = 1e-6\nks = 1e-6\n"

  /// Linear networks, of which everything is known: V of one layer is chi^2_n/n.
  static func network(
    _ observables: String, width: Int, depth: Int = 1, inputs: String = "{ count = 1 }", draws: Int = 1000,
    _ more: String
  ) -> String {
    """
    [network]
    architecture = "linear-mlp"
    width = \(width)
    depth = \(depth)
    inputs = \(inputs)
    observables = ["\(observables)"]
    draws = \(draws)
    \(more)
    """
  }

  /// Keeps one statistic of one observable, and moves it: divided by 1 + `share`, less `shift`.
  static func only(
    _ statistic: Statistic, of name: String, shift: Double = 0, share: Double = 0
  ) -> @Sendable (Job) -> Job {
    {
      $0.predicting { entry, observable in
        guard entry.statistic == statistic && observable.name == name else { return nil }
        return entry.with(entry.value / (1 + share) - shift)
      }
    }
  }
}
