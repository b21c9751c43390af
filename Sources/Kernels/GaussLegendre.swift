/// The Gauss-Legendre rule of 16 nodes, on panels: for functions that are smooth on each.
public enum GaussLegendre {
  /// On [-1, 1], ascending; to the last places.
  public static let nodes: [(x: Double, weight: Double)] = {
    let n = 16
    return (1...n).map { k in
      // Newton's method from Tricomi's estimate of the zero.
      var x = -Elementary.sinCosTurns((Double(k) - 0.25) / (2 * Double(n) + 1)).cos
      func slope() -> Double {
        let (value, before) = polynomial(n, x)
        return Double(n) * (before - x * value) / ((1 - x) * (1 + x))
      }
      for _ in 0..<8 { x -= polynomial(n, x).value / slope() }
      let s = slope()
      return (x, 2 / ((1 - x) * (1 + x) * s * s))
    }
  }()

  /// P_n and P_(n-1).
  private static func polynomial(_ n: Int, _ x: Double) -> (value: Double, before: Double) {
    var (last, value) = (1.0, x)
    for k in 2...n {
      (last, value) = (value, (Double(2 * k - 1) * x * value - Double(k - 1) * last) / Double(k))
    }
    return (value, last)
  }

  /// Calls `body` with the nodes and weights of panels of an interval.
  /// - Parameters:
  ///   - breaks: points where panels end, in any order; those outside do not count.
  ///   - panel: largest size of a panel before each is cut into `parts`.
  public static func forEachNode(
    in interval: ClosedRange<Double>, breaks: [Double], panel: Double, parts: Int = 1,
    _ body: (_ x: Double, _ weight: Double) -> Void
  ) {
    let inside = breaks.filter { interval.lowerBound < $0 && $0 < interval.upperBound }
    let borders = ([interval.lowerBound, interval.upperBound] + inside).sorted()
    for (low, high) in zip(borders, borders.dropFirst()) where low < high {
      let count = Int(((high - low) / panel).rounded(.up)) * parts
      let half = 0.5 * (high - low) / Double(count)
      for k in 0..<count {
        let middle = low + half * Double(2 * k + 1)
        for (x, weight) in nodes { body(middle + half * x, half * weight) }
      }
    }
  }
}
