import Kernels
import Networks
import Randomness

/// Matrices q x q of second moments of weights, which reduced problems keep in the place of the weights.
enum SecondMoments {
  /// Writes $G^T G$ of `degrees` x q standard normals in its law, by Bartlett's factor.
  static func drawWishart(
    _ stream: inout Stream, _ q: Int, degrees: Int, room: UnsafeMutablePointer<Double>,
    to result: UnsafeMutablePointer<Double>
  ) {
    Bartlett.write(&stream, q, degrees: Double(degrees), to: room)
    for i in 0..<q {
      for j in 0...i {
        var sum = 0.0
        for l in 0...j { sum += room[i * q + l] * room[j * q + l] }
        result[i * q + j] = sum
        result[j * q + i] = sum
      }
    }
  }

  /// Writes $X^T X$ of some rows of X, each of q numbers.
  static func take(_ x: UnsafePointer<Double>, rows: Range<Int>, _ q: Int, to result: UnsafeMutablePointer<Double>) {
    let first = x + rows.lowerBound * q
    multiply(first, rowStride: 1, columnStride: q, inner: rows.count, first, q, to: result)
  }

  /// Replaces M by C M C, C symmetric; C M stays in the room.
  static func map(
    _ m: UnsafeMutablePointer<Double>, by c: UnsafePointer<Double>, _ q: Int, room: UnsafeMutablePointer<Double>
  ) {
    multiply(c, rowStride: q, columnStride: 1, inner: q, m, q, to: room)
    multiply(room, rowStride: q, columnStride: 1, inner: q, c, q, to: m)
  }

  /// A B, by the same chains of multiply-adds whatever q.
  @inline(__always)
  private static func multiply(
    _ a: UnsafePointer<Double>, rowStride: Int, columnStride: Int, inner: Int, _ b: UnsafePointer<Double>, _ q: Int,
    to c: UnsafeMutablePointer<Double>
  ) {
    // Small ones are done before a product by tiles has begun.
    guard q < 12 else {
      return MatrixProduct.add(
        c, q, fresh: true, rows: q, columns: q, a, rowStride: rowStride, columnStride: columnStride, inner: inner, b, q)
    }
    for i in 0..<q {
      for j in 0..<q {
        var sum = 0.0
        for l in 0..<inner { sum = sum.addingProduct(a[i &* rowStride &+ l &* columnStride], b[l &* q &+ j]) }
        c[i &* q &+ j] = sum
      }
    }
  }
}
