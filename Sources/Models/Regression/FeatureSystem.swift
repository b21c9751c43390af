import Experiments
import Kernels

/// Ridge regression on one matrix of features P, n x k: $b = (P^T P + \delta)^{-1} P^T y$ at many ridges, by the smaller of both systems, $b = P^T (P P^T + \delta)^{-1} y$ where there are fewer
/// examples.
final class FeatureSystem {
  let samples, features: Int
  /// P, row by row; y.
  let rows, targets: UnsafeMutablePointer<Double>
  /// b, once solved.
  let coefficients: UnsafeMutablePointer<Double>
  /// P^T where there are fewer examples; P^T y.
  private let turned, right: UnsafeMutablePointer<Double>
  private let system: RidgeSystem

  private var isPrimal: Bool { features < samples }

  /// Numbers that it keeps.
  static func size(samples n: Double, features k: Double) -> Double { 2 * n * k + 2 * min(n, k) * min(n, k) }

  init(samples: Int, features: Int) {
    (self.samples, self.features) = (samples, features)
    (rows, turned) = (
      .allocateZeros(samples * features), .allocateZeros(features < samples ? 0 : samples * features)
    )
    (targets, coefficients, right) = (.allocateZeros(samples), .allocateZeros(features), .allocateZeros(features))
    system = RidgeSystem(min(samples, features))
  }

  deinit { for place in [rows, targets, coefficients, turned, right] { place.deallocate() } }

  /// Once P and y are there.
  func prepare() {
    let (n, k) = (samples, features)
    if isPrimal {
      system.addGram(rows, k, inner: n, fresh: true)
      right.update(repeating: 0, count: k)
      for i in 0..<n { add(targets[i], rows + i * k, to: right, k) }
    } else {
      for i in 0..<n { for j in 0..<k { turned[j * n + i] = rows[i * k + j] } }
      system.addGram(turned, n, inner: k, fresh: true)
    }
  }

  /// - Returns: whether there is a solution.
  func solve(ridge: Double) -> Bool {
    guard system.solve(isPrimal ? right : targets, ridge: ridge) else { return false }
    if isPrimal {
      coefficients.update(from: system.solution, count: features)
    } else {
      coefficients.update(repeating: 0, count: features)
      for i in 0..<samples { add(system.solution[i], rows + i * features, to: coefficients, features) }
    }
    return true
  }

  /// |y - P b|^2.
  var residual: Double {
    var sum = 0.0
    for i in 0..<samples {
      let rest = targets[i] - Cholesky.dot(rows + i * features, coefficients, features)
      sum += rest * rest
    }
    return sum
  }
}
