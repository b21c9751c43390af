import Kernels

/// A kernel between many points, a band of rows at a time, each entry a pure function of its two points: how rows are shared among ranks, and what a run
/// made before it stopped, changes no bit.
package protocol GramRows: AnyObject {
  /// P.
  var count: Int { get }
  /// Memory of what a rank keeps.
  var bytes: Double { get }
  /// Writes the entries 0 ... a of each row a.
  /// - Parameter band: row `rows.lowerBound + i` at `band + i * stride`.
  func write(_ rows: Range<Int>, to band: UnsafeMutablePointer<Double>, stride: Int) throws
}

/// Points in R^f, for their inner products.
package final class GramPoints: Sendable {
  package let count, features: Int
  /// A point a row; the transposed matrix, whose rows have a stride of full lanes.
  package let rows: [Double]
  private let columns: [Double]
  private let stride: Int
  /// |x|^2, as `products` has it; exactly 1 where all points were scaled to it.
  package let squares: [Double]

  package init(_ points: [[Double]], areNormalised: Bool) {
    (count, features) = (points.count, points[0].count)
    let (count, features) = (count, features)
    let stride = MatrixProduct.padded(count, Double.self)
    self.stride = stride
    rows = points.flatMap { $0 }
    var columns = Array(repeating: 0.0, count: features * stride)
    for a in 0..<count { for f in 0..<features { columns[f * stride + a] = points[a][f] } }
    self.columns = columns
    squares = points.map { x in areNormalised ? 1 : x.reduce(0.0) { $0.addingProduct($1, $1) } }
  }

  /// Inner products of some rows with all points up to the last of them.
  package func products(_ range: Range<Int>, to band: UnsafeMutablePointer<Double>, stride length: Int) {
    rows.withUnsafeBufferPointer { rows in
      columns.withUnsafeBufferPointer { columns in
        MatrixProduct.add(
          band, length, fresh: true, rows: range.count, columns: range.upperBound,
          rows.baseAddress! + range.lowerBound * features, rowStride: features, columnStride: 1, inner: features,
          columns.baseAddress!, stride)
      }
    }
  }

  package var bytes: Double { Double(8 * (rows.count + columns.count)) }
}
