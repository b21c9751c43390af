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
    for i in 0..<q * q { result[i] = 0 }
    for row in rows {
      let own = x + row * q
      for i in 0..<q { for j in 0..<q { result[i * q + j] += own[i] * own[j] } }
    }
  }

  /// Replaces M by C M C, C symmetric; C M stays in the room.
  static func map(
    _ m: UnsafeMutablePointer<Double>, by c: UnsafePointer<Double>, _ q: Int, room: UnsafeMutablePointer<Double>
  ) {
    multiply(c, m, q, to: room)
    multiply(room, c, q, to: m)
  }

  private static func multiply(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ q: Int, to c: UnsafeMutablePointer<Double>
  ) {
    for i in 0..<q {
      for j in 0..<q { c[i * q + j] = 0 }
      for l in 0..<q {
        let s = a[i * q + l]
        for j in 0..<q { c[i * q + j] += s * b[l * q + j] }
      }
    }
  }
}
