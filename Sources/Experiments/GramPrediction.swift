/// What kernel ridge regression with a Gram matrix says of its rows.
package struct GramPrediction: Sendable {
  package static let words =
    "{ from = rows, on = rows, ridge = 0.001, positive = [0, 2, 4] }, rows as of the key rows, by their numbers in the file"

  /// A number a row.
  package let values: [Double]
  package let isTrained: [Bool]
  package let ridge: Double
  /// Mean square error on the rows that it is judged on.
  package let error: Double

  package init(values: [Double], isTrained: [Bool], ridge: Double, error: Double) {
    (self.values, self.isTrained, self.ridge, self.error) = (values, isTrained, ridge, error)
  }
}
