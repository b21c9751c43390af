/// A statistic of independent rows and its standard error, by leaving out one fold of the rows at a time: one row each, or
/// folds of consecutive rows if there are more rows than folds.
///
/// Folds may differ in size by one row. With n rows, m_j in fold j, $h_j = n / m_j$, $\theta$ the statistic of all rows and
/// $\theta_{(j)}$ that without fold j (Busing, Meijer and van der Leeden, Stat. Comput. 9 (1999) 3),
///
/// $$ \theta_J = k\,\theta - \sum_j \Bigl(1 - \frac{1}{h_j}\Bigr) \theta_{(j)}, \qquad
///    \sigma^2 = \frac1k \sum_j \frac{\bigl(h_j \theta - (h_j - 1)\, \theta_{(j)} - \theta_J\bigr)^2}{h_j - 1} . $$
///
/// It holds for smooth functions of means (moments, correlations, ratios). Quantiles are not: leaving out one row at a
/// time says nothing of their error, leaving out folds only roughly.
public struct Jackknife: Sendable, Equatable {
  /// The statistic of all rows.
  public let value: Double
  /// NaN with fewer than two rows, or where a fold's statistic is not finite.
  public let error: Double
  /// The statistic with its bias of order 1/n taken off.
  public let corrected: Double

  /// - Parameters:
  ///   - rows: independent of each other.
  ///   - folds: their largest number, at least 2.
  public init<Row>(_ rows: [Row], folds: Int = 64, _ statistic: ([Row]) -> Double) {
    precondition(folds >= 2)
    value = statistic(rows)
    guard rows.count >= 2 else {
      (error, corrected) = (.nan, .nan)
      return
    }
    let count = min(folds, rows.count)
    let n = Double(rows.count)
    let parts = (0..<count).map { fold -> (share: Double, value: Double) in
      let (start, end) = (fold * rows.count / count, (fold + 1) * rows.count / count)
      return (n / Double(end - start), statistic(Array(rows[..<start] + rows[end...])))
    }
    let k = Double(count)
    let whole = value
    let centre = k * whole - parts.reduce(0) { $0 + (1 - 1 / $1.share) * $1.value }
    corrected = centre
    let variance = parts.reduce(0.0) { sum, part in
      let pseudo = part.share * whole - (part.share - 1) * part.value - centre
      return sum + pseudo * pseudo / (part.share - 1)
    }
    let result = (variance / k).squareRoot()
    error = result.isFinite ? result : .nan
  }
}
