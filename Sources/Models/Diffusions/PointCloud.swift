import Experiments
import Kernels
import Randomness

/// Data that are points, or a mixture of normal laws of one width around them: conditional means by a softmax over all points, for a block of samples at once.
///
/// With $Y = t x + W_t$ and bandwidth b the weight of point i is that of $N(Y; t x_i, t + t^2 b^2)$, and $\mathbb E[x|Y] = (\sum_i w_i x_i + b^2 Y)/(1 + t b^2)$, as $\sum_i w_i = 1$.
package struct PointCloud: Sendable {
  package let dimension, count: Int
  package let bandwidth: Double
  /// Points, a row each; their squares.
  private let points, squares: [Double]

  package init(_ rows: [[Double]], bandwidth: Double = 0) {
    (dimension, count, self.bandwidth) = (rows[0].count, rows.count, bandwidth)
    points = rows.flatMap { $0 }
    squares = rows.map { $0.reduce(0) { $0 + $1 * $1 } }
  }

  package final class Room {
    /// Weights of all points, a column a sample; the samples, a column each.
    fileprivate let weights, columns: UnsafeMutablePointer<Double>
    fileprivate init(points: Int, dimension: Int, block: Int) {
      (weights, columns) = (.allocateZeros(points * block), .allocateZeros(dimension * block))
    }
    deinit { for place in [weights, columns] { place.deallocate() } }
  }

  package func makeRoom(block: Int) -> Room { Room(points: count, dimension: dimension, block: block) }

  func point(_ i: Int, _ body: (UnsafePointer<Double>) -> Void) {
    points.withUnsafeBufferPointer { body($0.baseAddress! + i * dimension) }
  }

  /// A sample of the data.
  package func draw(_ stream: inout Stream, into x: UnsafeMutablePointer<Double>) -> Int {
    let i = min(Int(stream.uniform() * Double(count)), count - 1)
    point(i) { row in
      for j in 0..<dimension { x[j] = row[j] + (bandwidth > 0 ? bandwidth * stream.normal() : 0) }
    }
    return i
  }

  /// E[x | Y, t] of a block.
  /// - Parameters:
  ///   - y: rows of samples. - means: receives as many.
  package func means(
    _ y: UnsafePointer<Double>, rows: Int, signal t: Double, into means: UnsafeMutablePointer<Double>, _ room: Room
  ) {
    let (w, d) = (room.weights, dimension)
    for a in 0..<rows { for j in 0..<d { room.columns[j * rows + a] = y[a * d + j] } }
    let spread = 1 / (1 + t * bandwidth * bandwidth)
    points.withUnsafeBufferPointer { points in
      let x = points.baseAddress!
      MatrixProduct.add(
        w, rows, fresh: true, rows: count, columns: rows, x, rowStride: d, columnStride: 1, inner: d, room.columns, rows
      )
      withAlignedRoom(2 * rows) { most in
        let sums = most + rows
        for a in 0..<rows { (most[a], sums[a]) = (-.infinity, 0) }
        for i in 0..<count {
          let (row, own) = (w + i * rows, 0.5 * t * squares[i])
          for a in 0..<rows {
            row[a] = spread * (row[a] - own)
            most[a] = max(most[a], row[a])
          }
        }
        for i in 0..<count {
          let row = w + i * rows
          for a in 0..<rows {
            row[a] = Elementary.exp(max(row[a] - most[a], -740))
            sums[a] += row[a]
          }
        }
        MatrixProduct.add(
          means, d, fresh: true, rows: rows, columns: d, w, rowStride: 1, columnStride: rows, inner: count, x, d)
        for a in 0..<rows {
          let scale = spread / sums[a]
          let own = bandwidth * bandwidth * spread
          for j in 0..<d { means[a * d + j] = scale * means[a * d + j] + own * y[a * d + j] }
        }
      }
    }
  }
}

/// The tables of a data file that these problems read.
enum CloudData {
  static let parameters = TableRequest.parameters

  /// Rows of numbers, and what is said of them in the file.
  /// - Throws: what is wrong with the file or its key.
  static func read(_ p: Parameters, _ data: any DataSource) throws -> DataTable {
    guard p["file"] != nil else { throw p.invalid("file", "must be given for these data") }
    let table = try data.table(TableRequest(p))
    guard let first = table.rows.first, !first.isEmpty else { throw p.invalid("file", "has no rows") }
    return table
  }
}
