import Kernels

/// A matrix W of independent normals, n x n, over the root of n, that training moves: known only where it has been applied.
///
/// Rows and columns are vectors over n units with the mean over units as their product. On the right W is known on an orthonormal basis $q_i$, by its images
/// $W q_i$; on the left on $p_j$, by $W^T p_j$. A vector leaves the basis by a direction u of its own, on which W is normal given all that is known (the conditioning of
/// arXiv:1201.2891),
///
/// $$ W u = \sum_j p_j \langle W^T p_j, u \rangle + \epsilon - \sum_j p_j \langle p_j, \epsilon \rangle, $$
///
/// and likewise on the left. Gradient descent adds outer products of vectors that have been seen, $\sum_{ji} p_j \Delta_{ji} q_i^T$, so that a step moves the small matrix
/// Delta: the law is that of every weight, at a cost linear in n.
final class RevealedMatrix {
  enum Side: Int { case right, left }

  /// What is known of one side: columns of `length`.
  private struct Known {
    let basis, images: UnsafeMutablePointer<Double>
    let most: Int
    var count = 0

    init(length: Int, most: Int) {
      (basis, images) = (.allocateZeros(most * length), .allocateZeros(most * length))
      self.most = most
    }
  }

  private let units, length: Int
  private var right, left: Known
  /// Delta, a row a direction of the left.
  private let learned: UnsafeMutablePointer<Double>
  private let rest, direction: UnsafeMutablePointer<Double>
  private let sums: UnsafeMutablePointer<Double>
  /// What must be left of a vector, of its length, to be a direction of its own.
  private static let leastLength = 0x1p-40

  /// - Parameters:
  ///   - length: padded number of units; what lies beyond them is 0 in every vector.
  ///   - right, left: most vectors that it is applied to on each side.
  init(units: Int, length: Int, right: Int, left: Int) {
    (self.units, self.length) = (units, length)
    (self.right, self.left) = (Known(length: length, most: right), Known(length: length, most: left))
    learned = .allocateZeros(right * left)
    (rest, direction, sums) = (.allocateZeros(length), .allocateZeros(length), .allocateZeros(max(right, left)))
  }

  deinit {
    for place in [right.basis, right.images, left.basis, left.images, learned, rest, direction, sums] {
      place.deallocate()
    }
  }

  /// Forgets all that is known of it.
  func start() {
    (right.count, left.count) = (0, 0)
    learned.update(repeating: 0, count: right.most * left.most)
  }

  /// Writes W x, or W^T x from the left.
  /// - Parameters:
  ///   - coordinates: receives x in the basis of its side; room for as many as it is applied to.
  ///   - normals: normals of the units, used where x leaves what is known.
  func apply(
    _ side: Side, _ x: UnsafePointer<Double>, to out: UnsafeMutablePointer<Double>,
    coordinates: UnsafeMutablePointer<Double>, normals: () -> UnsafePointer<Double>
  ) {
    var own = side == .right ? right : left
    let other = side == .right ? left : right
    let n = Double(units)
    coordinates.update(repeating: 0, count: own.most)
    rest.update(from: x, count: length)
    let whole = Triangular.dot(x, x, length)
    for _ in 0..<2 {
      project(rest, on: own)
      for i in 0..<own.count {
        coordinates[i] += sums[i]
        sums[i] = -sums[i]
      }
      Triangular.combine(own.basis, stride: length, sums, count: own.count, into: rest, keep: 1)
    }
    let left = Triangular.dot(rest, rest, length)
    if left > whole * (Self.leastLength * Self.leastLength) {
      let size = (left / n).squareRoot()
      let (u, image) = (own.basis + own.count * length, own.images + own.count * length)
      for i in 0..<length { u[i] = rest[i] / size }
      direction.update(from: normals(), count: length)
      project(direction, on: other)
      for j in 0..<other.count {
        sums[j] = Triangular.dot(other.images + j * length, u, length) / n - sums[j]
      }
      Triangular.combine(other.basis, stride: length, sums, count: other.count, into: direction, keep: 1)
      image.update(from: direction, count: length)
      coordinates[own.count] = size
      own.count += 1
      if side == .right { right = own } else { self.left = own }
    }
    Triangular.combine(own.images, stride: length, coordinates, count: own.count, into: out)
    let (rowStride, columnStride) = side == .right ? (right.most, 1) : (1, right.most)
    for j in 0..<other.count {
      var sum = 0.0
      for i in 0..<own.count { sum += learned[j * rowStride + i * columnStride] * coordinates[i] }
      sums[j] = sum
    }
    Triangular.combine(other.basis, stride: length, sums, count: other.count, into: out, keep: 1)
  }

  /// Products with the basis of a side, in `sums`.
  private func project(_ x: UnsafePointer<Double>, on known: Known) {
    for i in 0..<known.count { sums[i] = Triangular.dot(known.basis + i * length, x, length) / Double(units) }
  }

  /// Adds `scale` times the outer product of two vectors, given by their coordinates: W x moves by `scale` g <y, x>.
  func add(_ scale: Double, left g: UnsafePointer<Double>, right y: UnsafePointer<Double>) {
    for j in 0..<left.count { for i in 0..<right.count { learned[j * right.most + i] += scale * g[j] * y[i] } }
  }
}
