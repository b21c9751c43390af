import Kernels
import Networks

/// The tangent kernel of one drawn network between many points:
/// $\Theta_{ab} = \sum_l (D^l_a \cdot D^l_b)(\lambda_b + \lambda_W \phi^{l}_a \cdot \phi^{l}_b / n)$, by products of matrices.
final class FiniteGram: GramRows {
  let count: Int
  private let features: TangentFeatures

  init(_ features: TangentFeatures) {
    self.features = features
    count = features.count
  }

  func write(_ rows: Range<Int>, to band: UnsafeMutablePointer<Double>, stride length: Int) throws {
    let (columns, size) = (rows.upperBound, rows.count * length)
    let room = UnsafeMutablePointer<Double>.allocateAligned(capacity: 2 * size)
    defer { room.deallocate() }
    let (posts, gradients) = (room, room + size)
    for i in 0..<rows.count { for b in 0..<columns { band[i * length + b] = 0 } }
    for layer in 0...features.depth {
      product(features.posts[layer], rows, columns, to: posts, length)
      if layer < features.depth { product(features.gradients[layer], rows, columns, to: gradients, length) }
      for i in 0..<rows.count {
        let (row, post, gradient) = (band + i * length, posts + i * length, gradients + i * length)
        for b in 0..<columns { post[b] = features.increment(layer, post[b]) }
        if layer == features.depth {
          for b in 0..<columns { row[b] += post[b] }
        } else {
          for b in 0..<columns { row[b] += gradient[b] * post[b] }
        }
      }
    }
  }

  private func product(
    _ matrix: TangentFeatures.Matrix, _ rows: Range<Int>, _ columns: Int, to result: UnsafeMutablePointer<Double>,
    _ length: Int
  ) {
    // Both sides are the transposed matrix: an entry and its mirror are the same sum.
    MatrixProduct.add(
      result, length, fresh: true, rows: rows.count, columns: columns, matrix.data + rows.lowerBound, rowStride: 1,
      columnStride: matrix.stride, inner: matrix.rows, matrix.data, matrix.stride)
  }

  var bytes: Double { features.bytes }
}
