import Experiments
import Kernels

/// $(A + \delta) x = r$ for one symmetric A and a list of ridges.
package final class RidgeSystem {
  package let count, stride: Int
  /// The upper triangle of A, row by row.
  package let matrix: UnsafeMutablePointer<Double>
  private let factor: UnsafeMutablePointer<Double>
  /// x, once solved.
  package let solution: UnsafeMutablePointer<Double>

  /// Rows of strips of symmetric products: half of a strip's square is worked out in vain.
  static let strip = 24

  package init(_ count: Int) {
    self.count = count
    stride = MatrixProduct.padded(count + 1, Double.self)
    matrix = .allocateZeros(count * stride)
    factor = .allocateZeros(count * stride)
    solution = .allocateZeros(count)
  }

  deinit { for place in [matrix, factor, solution] { place.deallocate() } }

  /// A (+)= the Gram matrix of the columns of a matrix, `inner` rows of `count`.
  func addGram(_ rows: UnsafePointer<Double>, _ rowStride: Int, inner: Int, fresh: Bool, scale: Double? = nil) {
    for i in Swift.stride(from: 0, to: count, by: Self.strip) {
      MatrixProduct.add(
        matrix + i * (stride + 1), stride, fresh: fresh, scale: scale, rows: min(Self.strip, count - i),
        columns: count - i, rows + i, rowStride: 1, columnStride: rowStride, inner: inner, rows + i, rowStride)
    }
  }

  /// - Returns: whether A + ridge is positive definite to rounding; otherwise there is no solution.
  package func solve(_ right: UnsafePointer<Double>, ridge: Double) -> Bool {
    for i in 0..<count {
      let (from, to) = (matrix + i * stride, factor + i * stride)
      (to + i).update(from: from + i, count: count - i)
      to[i] += ridge
      to[count] = right[i]
    }
    guard Cholesky.factor(factor, stride: stride, count: count, columns: count + 1) == nil else { return false }
    for i in 0..<count { solution[i] = factor[i * stride + count] }
    Cholesky.backward(factor, stride: stride, count: count, solution)
    return true
  }
}

/// `y += s x`.
@inline(__always)
func add(_ s: Double, _ x: UnsafePointer<Double>, to y: UnsafeMutablePointer<Double>, _ count: Int) {
  for i in 0..<count { y[i] = y[i].addingProduct(s, x[i]) }
}

/// Both errors at a ridge.
struct RegressionErrors {
  let test, train: Double

  /// Writes the records of a draw: what is measured is test, train and log test.
  /// - Parameter errors: those at a ridge; nil where no factor was found, which leaves no numbers.
  static func write(
    _ ridges: [Double], _ schema: Schema, to values: UnsafeMutablePointer<Double>,
    _ errors: (_ ridge: Double) -> RegressionErrors?
  ) -> DrawEvents {
    var isFinite = true
    for (record, ridge) in ridges.enumerated() {
      let found = errors(ridge) ?? RegressionErrors(test: .nan, train: .nan)
      let place = values + record * schema.observables.count
      (place[0], place[1], place[2]) = (found.test, found.train, Elementary.log(found.test))
      if !found.test.isFinite || !found.train.isFinite { isFinite = false }
    }
    return isFinite ? [] : .overflowed
  }
}
