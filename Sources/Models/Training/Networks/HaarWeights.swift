import Kernels
import Randomness

/// Orthogonal weights: the shorter side of a matrix holds orthogonal vectors, uniform (Haar) on the Stiefel manifold, of such a length that every
/// entry has the variance asked for (arXiv:1312.6120; uniform by QR with a positive diagonal, arXiv:math-ph/0609050).
final class HaarWeights {
  /// The vectors, each padded with zeros, and R.
  private let vectors, factor: UnsafeMutablePointer<Double>

  init(_ shape: NetworkShape) {
    let sizes = [(shape.features, shape.width), (shape.width, shape.width)]
    vectors = .allocateZeros(sizes.map { min($0, $1) * Triangular.padded(max($0, $1)) }.max()!)
    factor = .allocateZeros(sizes.map { min($0, $1) * min($0, $1) }.max()!)
  }

  deinit {
    vectors.deallocate()
    factor.deallocate()
  }

  /// - Parameters:
  ///   - std: standard deviation of an entry.
  ///   - write: takes row, column and entry of a matrix of `rows` x `columns`.
  func draw(
    _ stream: inout Stream, rows: Int, columns: Int, std: Double, write: (Int, Int, Double) -> Void
  ) {
    let (count, length) = (min(rows, columns), max(rows, columns))
    let stride = Triangular.padded(length)
    for vector in 0..<count {
      let place = vectors + vector * stride
      for i in 0..<length { place[i] = stream.normal() }
      for i in length..<stride { place[i] = 0 }
    }
    Triangular.orthonormalise(columns: vectors, stride: stride, m: count, into: factor)
    let scale = std * Double(length).squareRoot()
    for vector in 0..<count {
      for i in 0..<length {
        let entry = scale * vectors[vector * stride + i]
        if rows <= columns { write(vector, i, entry) } else { write(i, vector, entry) }
      }
    }
  }
}
