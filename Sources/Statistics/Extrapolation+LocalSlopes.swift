import Kernels

/// The order between two neighbouring values of s, without a fit.
public struct LocalSlope: Sendable, Equatable {
  /// The two values of s, ascending.
  public let from, to: Double
  /// $\log(d_2/d_1) / \log(s_2/s_1)$ of the distances d from the limit, with its standard error; NaN where a distance is within
  /// two errors of 0, or where they have different signs.
  public let slope, error: Double

  package init(from: Double, to: Double, slope: Double, error: Double) {
    (self.from, self.to, self.slope, self.error) = (from, to, slope, error)
  }
}

extension Extrapolation {
  /// Local slopes between neighbouring values of s. Of one power alone all are equal; a trend among them is what "no single power"
  /// means, and where they tend to is the leading order.
  ///
  /// - Parameter limit: taken without its error.
  /// - Returns: one fewer than there are values of s, each of which must occur once.
  public static func localSlopes(_ points: [Point], limit: Double) -> [LocalSlope] {
    let sorted = points.filter(\.isUsable).sorted { $0.small < $1.small }
    return zip(sorted, sorted.dropFirst()).map { a, b in
      let (near, far) = (a.value - limit, b.value - limit)
      let isSeen = near.magnitude > 2 * a.error && far.magnitude > 2 * b.error && near * far > 0
      guard isSeen, a.small < b.small else { return LocalSlope(from: a.small, to: b.small, slope: .nan, error: .nan) }
      let width = Elementary.log(b.small / a.small)
      let (p, q) = (a.error / near, b.error / far)
      return LocalSlope(
        from: a.small, to: b.small, slope: Elementary.log(far / near) / width,
        error: (p * p + q * q).squareRoot() / width)
    }
  }
}
