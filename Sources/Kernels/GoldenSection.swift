/// Where a function of one variable with one minimum has it, by golden sections: the interval shrinks by .618 a value.
public enum GoldenSection {
  private static let ratio = 0x1.3c6ef372fe950p-1

  /// - Parameters:
  ///   - range: it is looked for there.
  ///   - sections: how often the interval shrinks. After 40 its width is 4e-9 of the range, and values no longer differ near a minimum.
  /// - Returns: the middle of the last interval.
  public static func minimum(in range: ClosedRange<Double>, sections: Int, of value: (Double) -> Double) -> Double {
    var (low, high) = (range.lowerBound, range.upperBound)
    var (left, right) = (high - ratio * (high - low), low + ratio * (high - low))
    var (atLeft, atRight) = (value(left), value(right))
    for _ in 0..<sections {
      if atLeft < atRight {
        (high, right, atRight) = (right, left, atLeft)
        left = high - ratio * (high - low)
        atLeft = value(left)
      } else {
        (low, left, atLeft) = (left, right, atRight)
        right = low + ratio * (high - low)
        atRight = value(right)
      }
    }
    return 0.5 * (low + high)
  }
}
