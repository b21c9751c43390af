/// Sums whose order does not depend on the CPU: sixteen running sums, added by halves.
package enum LaneSum {
  /// Counts must be multiples of this.
  package static let lanes = 16

  /// The least multiple of `lanes` that is at least `count`.
  package static func padded(_ count: Int) -> Int { (count + lanes - 1) / lanes * lanes }

  /// The sum of `count` numbers, a multiple of 16, in eight lanes twice.
  package static func of(_ p: UnsafePointer<Double>, _ count: Int) -> Double {
    var (a, b) = (Vector8(0), Vector8(0))
    for i in Swift.stride(from: 0, to: count, by: lanes) {
      a = a + Vector8(p + i)
      b = b + Vector8(p + i + 8)
    }
    return (a + b).total
  }

  /// The sum of `x[i] y[i]`, the products rounded.
  package static func ofProducts(_ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ count: Int) -> Double {
    var (a, b) = (Vector8(0), Vector8(0))
    for i in Swift.stride(from: 0, to: count, by: lanes) {
      a = a + Vector8(x + i) * Vector8(y + i)
      b = b + Vector8(x + i + 8) * Vector8(y + i + 8)
    }
    return (a + b).total
  }
}
