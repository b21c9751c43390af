import Statistics

/// By which factor the draws of all legs must grow until a comparison is decided.
///
/// Errors fall as the root of the number of draws. The difference that will then be measured is not the one that is measured now: its
/// standard deviation, given today's, is s sqrt(1 - 1/f) for today's error s and f times the draws. So f is such that the interval leaves the
/// tolerance with probability ``probability``, shared among the rows that are open.
enum Growth {
  static let probability = 0.9

  /// Nil where it is decided, and where no number of draws decides with that probability: a difference as large as the tolerance.
  static func factor(_ comparison: Comparison) -> Double? {
    guard comparison.verdict == .undecided else { return nil }
    let open = comparison.rows.filter { $0.verdict == .undecided }
    guard !open.isEmpty, open.allSatisfy({ $0.reason == .noPower }) else { return nil }
    if comparison.isJudgedExactly {
      // A difference of the tolerance will be seen, or is not there. A few more for the errors of the errors.
      return open.map { 1.05 * square($0.smallestEffect / $0.tolerance) }.max()
    }
    // One row beyond the tolerance decides for all.
    let beyond = open.filter { $0.size > $0.tolerance }
    if !beyond.isEmpty { return beyond.compactMap { factor($0, among: 1) }.min() }
    let each = open.map { factor($0, among: open.count) }
    return each.contains { $0 == nil } ? nil : each.compactMap { $0 }.max()
  }

  private static func square(_ x: Double) -> Double { x * x }

  static func factor(_ row: Comparison.Row, among count: Int) -> Double? {
    // The power of the judgement is that of one error.
    factor(
      gap: (row.size - row.tolerance).magnitude, margin: row.margin,
      error: (row.smallestEffect - row.margin) / Judgement.powerQuantile, among: count)
  }

  /// Of a report in which one failure above the threshold decides for all.
  static func factor(_ health: Health, level: Double) -> Double? {
    let open = health.rows.filter { $0.lower <= health.threshold && $0.upper >= health.threshold }
    guard health.verdict == .undecided, health.rows.allSatisfy({ $0.defined > 0 }) else { return nil }
    func each(_ row: Health.Row, among count: Int) -> Double? {
      let (p, t, n) = (row.probability, health.threshold, Double(row.defined))
      // Wilson's interval leaves t out where p is further from it than z errors of t.
      return factor(
        gap: (p - t).magnitude, margin: Gaussian.critical(level) * (t * (1 - t) / n).squareRoot(),
        error: (max(p * (1 - p), 1 / n) / n).squareRoot(), among: count)
    }
    let above = open.filter { $0.probability > health.threshold }
    if !above.isEmpty { return above.compactMap { each($0, among: 1) }.min() }
    let factors = open.map { each($0, among: open.count) }
    return factors.contains { $0 == nil } ? nil : factors.compactMap { $0 }.max()
  }

  private static func factor(gap: Double, margin: Double, error: Double, among count: Int) -> Double? {
    let quantile = Gaussian.critical(2 * (1 - probability) / Double(count))
    guard margin > gap, error > 0, gap > quantile * error else { return nil }
    /// Whether it is enough, of u = 1/sqrt(f).
    func isEnough(_ u: Double) -> Bool { gap - quantile * error * (1 - u * u).squareRoot() >= margin * u }
    var (low, high) = (0.0, 1.0)
    for _ in 0..<60 {
      let middle = 0.5 * (low + high)
      if isEnough(middle) { low = middle } else { high = middle }
    }
    let factor = 1 / (low * low)
    return factor.isFinite && factor < 1e9 ? factor : nil
  }

  /// Two significant digits, not below.
  static func rounded(_ x: Double) -> Double {
    var unit = 1.0
    while x / unit >= 100 { unit *= 10 }
    return (x / unit - 1e-9).rounded(.up) * unit
  }
}

extension Comparison {
  /// Whether it is judged by z-scores, as an exact value is.
  var isJudgedExactly: Bool { role == .exact && kind != .sampled }
}
