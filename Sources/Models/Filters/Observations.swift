import Experiments
import Formulas
import Randomness

/// What was seen: rows of numbers, NaN where one is missing.
package struct Observations: Sendable {
  /// Numbers of an observation.
  package let dimension: Int
  /// Row by row.
  package private(set) var values: [Double]

  package init(_ rows: [[Double]]) {
    dimension = rows.first?.count ?? 1
    values = rows.flatMap { $0 }
  }

  /// Of one number each.
  package init(_ values: [Double]) { (dimension, self.values) = (1, values) }

  package var count: Int { values.count / dimension }

  @inline(__always)
  package subscript(_ t: Int, _ c: Int) -> Double {
    get { values[t &* dimension &+ c] }
    set { values[t &* dimension &+ c] = newValue }
  }

  /// Whether observation t is missing. One that is missing in part is missing.
  package func isMissing(_ t: Int) -> Bool { (0..<dimension).contains { self[t, $0].isNaN } }
}
