/// The first four cumulants of a random number X as estimands: functions of the means of the powers of X - c, whatever X is and however its draws are made.
///
/// With $m_k = E (X - c)^k$, $\kappa_1 = c + m_1$, $\kappa_2 = m_2 - m_1^2$, $\kappa_3 = m_3 - 3 m_1 m_2 + 2 m_1^3$ and
/// $\kappa_4 = m_4 - 4 m_1 m_3 - 3 m_2^2 + 12 m_1^2 m_2 - 6 m_1^4$. They do not depend on c; rounding does, so it should be near the mean. Errors are those of estimands: by the delta method
/// (the jackknife of infinitely many folds) over independent draws, or over replicas, whose means over time of the powers are then the draws. The bias is of order 1/n.
public struct Cumulants: Sendable {
  public let centre: Double
  /// Order of the last one that is estimated.
  public let highest: Int

  public init(about centre: Double, highest: Int = 4) {
    precondition((1...4).contains(highest))
    (self.centre, self.highest) = (centre, highest)
  }

  public static let names = ["kappa_1", "kappa_2", "kappa_3", "kappa_4"]

  /// Their places are those of `write`.
  public let observables = (1...4).map { k in
    Observable("power_\(k)", role: .auxiliary, "(L - c)^\(k), what the cumulants of L are made of")
  }

  /// - Parameters:
  ///   - records: points of the axis.
  ///   - controls: names of observables whose expectation is exactly 0.
  public func estimands(records: Int, controls: [String] = []) -> [Estimand] {
    let (m, n, o, p) = ("power_1", "power_2", "power_3", "power_4")
    let formulas = [
      m, "\(n) - \(m)^2", "\(o) - 3*\(m)*\(n) + 2*\(m)^3",
      "\(p) - 4*\(m)*\(o) - 3*\(n)^2 + 12*\(m)^2*\(n) - 6*\(m)^4",
    ]
    return formulas.prefix(highest).enumerated().map { k, formula in
      Estimand(
        Self.names[k], formula, offsets: k == 0 ? Array(repeating: centre, count: records) : [], controls: controls,
        isRelative: true, "cumulant \(k + 1) of L")
    }
  }

  /// Writes the four powers.
  @inlinable
  public func write(_ x: Double, to values: UnsafeMutablePointer<Double>) {
    let d = x - centre
    values[0] = d
    values[1] = d * d
    values[2] = d * d * d
    values[3] = d * d * (d * d)
  }

  /// Predictions of the cumulants, on every record of an axis.
  /// - Parameters:
  ///   - values: of the estimands with these names; NaN where nothing is known.
  ///   - subject: the observable L.
  public static func predictions(
    _ values: [Double], of subject: Observable, on axis: Axis, names: [String] = Cumulants.names
  ) -> (schema: Schema, statistics: [PredictedStatistic]) {
    let found = axis.values.indices.flatMap { record in
      zip(names, values).filter { $0.1.isFinite }.map {
        PredictedStatistic(.estimand($0.0), record: record, observable: 0, value: $0.1 + 0)
      }
    }
    return (Schema(axis: axis, observables: [subject]), found)
  }
}
