import Kernels

/// The largest and the least eigenvalue of a large symmetric positive definite matrix, by the method of Lanczos with itself and with its inverse.
package enum GramSpectrum {
  /// - Parameters:
  ///   - matrix: P x P, row by row, both triangles.
  ///   - jitter: what is added to its diagonal.
  /// - Returns: the largest eigenvalue, and the least one: nil where the matrix is not positive definite in double precision.
  package static func ends(_ matrix: [Double], _ count: Int, jitter: Double) -> (largest: Double, least: Double?) {
    let stride = Triangular.padded(count)
    let rows = UnsafeMutablePointer<Double>.allocateZeros(count * stride)
    defer { rows.deallocate() }
    for i in 0..<count {
      for j in 0..<count { rows[i * stride + j] = matrix[i * count + j] + (i == j ? jitter : 0) }
    }
    let largest = lanczos(count, stride) { x, y in
      for i in 0..<count { y[i] = Triangular.dot(rows + i * stride, x, stride) }
    }
    guard factor(rows, count, stride) else { return (largest, nil) }
    let inverse = lanczos(count, stride) { x, y in
      y.update(from: x, count: stride)
      solve(rows, count, stride, y)
    }
    return (largest, 1 / inverse)
  }

  /// Most steps; the relative change at which the eigenvalue has settled.
  private static let steps = 120
  private static let settled = 1e-12

  /// The largest eigenvalue, each new vector made orthogonal to all before it, twice.
  private static func lanczos(
    _ count: Int, _ stride: Int,
    _ multiply: (_ x: UnsafePointer<Double>, _ y: UnsafeMutablePointer<Double>) -> Void
  ) -> Double {
    let most = min(count, steps)
    let basis = UnsafeMutablePointer<Double>.allocateZeros((most + 1) * stride)
    defer { basis.deallocate() }
    // A start that no matrix is made for: signs by bits of a multiple of the golden ratio.
    for i in 0..<count {
      let word = UInt64(i &+ 1) &* 0x9e37_79b9_7f4a_7c15
      basis[i] = (word >> 40) & 1 == 0 ? 1 : -1 + 0x1p-24 * Double((word >> 20) & 0xffff)
    }
    func normalise(_ x: UnsafeMutablePointer<Double>) -> Double {
      let length = Triangular.dot(x, x, stride).squareRoot()
      if length > 0 { for i in 0..<stride { x[i] /= length } }
      return length
    }
    _ = normalise(basis)
    var (diagonal, beside): ([Double], [Double]) = ([], [])
    var found = 0.0
    for k in 0..<most {
      let next = basis + (k + 1) * stride
      multiply(basis + k * stride, next)
      for i in count..<stride { next[i] = 0 }
      diagonal.append(Triangular.dot(basis + k * stride, next, stride))
      for _ in 0..<2 {
        for j in 0...k {
          let (q, along) = (basis + j * stride, Triangular.dot(basis + j * stride, next, stride))
          for i in 0..<stride { next[i] = next[i].addingProduct(-along, q[i]) }
        }
      }
      var (d, e) = (diagonal, beside + [0])
      d.withUnsafeMutableBufferPointer { d in
        e.withUnsafeMutableBufferPointer { e in
          Tridiagonal.eigenvalues(diagonal: d.baseAddress!, beside: e.baseAddress!, count: k + 1)
        }
      }
      let value = d.max()!
      let length = normalise(next)
      if (value - found).magnitude <= settled * value && k > 2 || length <= 0x1p-50 * value { return value }
      found = value
      beside.append(length)
    }
    return found
  }

  /// Rows that are eliminated together.
  private static let block = 64

  /// The factor L in the lower triangle, block by block; its upper triangle is left as it was.
  /// - Returns: whether all pivots are positive.
  private static func factor(_ a: UnsafeMutablePointer<Double>, _ count: Int, _ stride: Int) -> Bool {
    let room = UnsafeMutablePointer<Double>.allocateZeros(block * Triangular.padded(count))
    defer { room.deallocate() }
    for first in Swift.stride(from: 0, to: count, by: block) {
      let last = min(first + block, count)
      // The columns of the block: those before are already taken off.
      for j in first..<last {
        for i in j..<count {
          let (row, other) = (a + i * stride, a + j * stride)
          var sum = row[j]
          for k in first..<j { sum = sum.addingProduct(-row[k], other[k]) }
          if i == j {
            guard sum > 0 else { return false }
            row[j] = sum.squareRoot()
          } else {
            row[j] = sum / other[j]
          }
        }
      }
      guard last < count else { break }
      // What is left: A -= L L^T, with the negative of L^T as rows.
      let (width, rest) = (last - first, count - last)
      let length = MatrixProduct.padded(rest, Double.self)
      for i in 0..<rest { for k in 0..<width { room[k * length + i] = -a[(last + i) * stride + first + k] } }
      // Some rows at a time, each to the end of its diagonal block.
      for top in Swift.stride(from: 0, to: rest, by: 4 * block) {
        let rows = min(4 * block, rest - top)
        MatrixProduct.add(
          a + (last + top) * stride + last, stride, rows: rows, columns: top + rows, a + (last + top) * stride + first,
          rowStride: stride, columnStride: 1, inner: width, room, length)
      }
    }
    return true
  }

  /// $L L^\top y = x$ in place.
  private static func solve(_ l: UnsafePointer<Double>, _ count: Int, _ stride: Int, _ y: UnsafeMutablePointer<Double>)
  {
    for i in 0..<count {
      let row = l + i * stride
      // Full lanes, then the rest one by one.
      let full = i & ~(Triangular.lanes - 1)
      var sum = y[i] - Triangular.dot(row, y, full)
      for k in full..<i { sum -= row[k] * y[k] }
      y[i] = sum / row[i]
    }
    for i in (0..<count).reversed() {
      let row = l + i * stride
      y[i] /= row[i]
      let x = y[i]
      for k in 0..<i { y[k] = y[k].addingProduct(-x, row[k]) }
    }
  }
}
