import Experiments
import Kernels

/// Kernel ridge regression with a Gram matrix, $f = K_{\cdot s} (K_{ss} + r)^{-1} y_s$.
package struct GramRegression: Sendable {
  /// Places of the rows that are trained on, and of those that the error is taken on.
  private let train, test: [Int]
  private let targets: [Double]
  private let ridge: Double

  private static let parameters: [Parameter] = [
    Parameter("from", .structured(RowChoice.words), "rows whose labels are known"),
    Parameter("on", .structured(RowChoice.words), optional: true, "rows whose error is taken; all unless given"),
    Parameter("ridge", .real(.above(0)), "r, not divided by the number of rows"),
    Parameter(
      "positive", .structured("an array of labels"), optional: true,
      "labels whose target is +1, all others are -1; the label itself is the target unless given"),
  ]

  /// - Returns: nil where nothing is asked for.
  init?(_ p: Parameters, _ points: GramData) throws {
    guard p["predict"] != nil else { return nil }
    let own = try Parameters(p["predict"], path: "\(p.path).predict", allowed: Self.parameters, isSwept: false)
    guard let labels = points.labels else { throw p.invalid("label", "must be given with predict") }
    let last = points.numbers.max() ?? 0
    let places = Dictionary(uniqueKeysWithValues: points.numbers.enumerated().map { ($1, $0) })
    func rows(_ key: String) throws -> [Int] {
      guard own[key] != nil else { return Array(points.numbers.indices) }
      return try RowChoice.read(own, key, of: last + 1).map { number in
        guard let place = places[number] else {
          throw own.invalid(key, "has row \(number), which is none of kernel.rows")
        }
        return place
      }
    }
    (train, test, ridge) = (try rows("from"), try rows("on"), own.real("ridge"))
    var positive: [Double]?
    if let value = own["positive"] {
      guard case .list(let items) = value else {
        throw own.invalid("positive", "must be an array of labels, as in [0, 2, 4]")
      }
      positive = items.compactMap(\.number)
      guard positive?.count == items.count else {
        throw own.invalid("positive", "must be an array of labels, as in [0, 2, 4]")
      }
    }
    targets = labels.map { label in positive.map { $0.contains(label) ? 1 : -1 } ?? label }
    guard targets.allSatisfy(\.isFinite) else { throw p.invalid("label", "must be finite with predict") }
  }

  /// - Throws: `Failure` where the matrix with its ridge is not positive definite in double precision.
  func predict(_ matrix: [Double], _ count: Int) throws -> GramPrediction {
    let (n, stride) = (train.count, train.count + 1)
    var factor = Array(repeating: 0.0, count: n * stride)
    for (i, a) in train.enumerated() {
      for (j, b) in train.enumerated() { factor[i * stride + j] = matrix[a * count + b] + (i == j ? ridge : 0) }
      factor[i * stride + n] = targets[a]
    }
    if let failed = Cholesky.factor(&factor, stride: stride, count: n, columns: stride) {
      throw Failure.invalid(
        key: "kernel.predict.ridge", value: "\(ridge)",
        allowed:
          "leaves the matrix of the \(n) rows singular in double precision at row \(failed) of them: must be larger")
    }
    var weights = (0..<n).map { factor[$0 * stride + n] }
    Cholesky.backward(factor, stride: stride, count: n, &weights)
    let values = (0..<count).map { a in
      zip(train, weights).reduce(0.0) { $0.addingProduct(matrix[a * count + $1.0], $1.1) }
    }
    let error = test.reduce(0.0) { $0 + (values[$1] - targets[$1]) * (values[$1] - targets[$1]) }
    let trained = Set(train)
    return GramPrediction(
      values: values, isTrained: (0..<count).map(trained.contains), ridge: ridge, error: error / Double(test.count))
  }
}
