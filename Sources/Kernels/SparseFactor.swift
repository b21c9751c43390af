/// Cholesky factors \(R^T R\) of sparse symmetric matrices of one pattern, in an order that keeps them sparse: multifrontal, so that nearly all
/// of the work is products of dense matrices, and a dense matrix is the case of one front.
///
/// Every entry is \(r_{kj} = (a_{kj} - \sum_{i<k} r_{ki} r_{ij})/r_{kk}\), each term rounded as a fused multiply-add, its sum in the order of a tree that
/// the pattern determines: the same bits on every CPU, and Higham's bound for sums in any order (`SparseFactor.margin`) holds.
public final class SparseFactor {
  /// Columns of a factor that have the same rows, and the dense matrix that they are eliminated in.
  struct Front {
    /// Its columns, in the order of elimination.
    let columns: Range<Int>
    /// Rows of the front: its columns, then what they touch, ascending.
    let rows: [Int32]
    let children: [Int]
    /// Where its rows of R start: `columns.count` rows of `rows.count` numbers.
    let place: Int
  }

  public let count: Int
  /// Entries of R that are kept, with the zeros that whole fronts have.
  public let entries: Int
  /// Most numbers other than zero in a column of R.
  public let longestColumn: Int
  /// Multiplications of a factorisation.
  public let work: Double
  let fronts: [Front]
  /// The row of the matrix that is eliminated at each place, and the place of each row.
  let order, place: [Int32]
  private let matrix: SparseSymmetric
  private let factor: UnsafeMutablePointer<Double>

  /// The pattern and the entries apart from the diagonal; memory for the factor is taken here.
  public init(_ matrix: SparseSymmetric) {
    let symbolic = SymbolicFactor(matrix)
    self.matrix = matrix
    (count, fronts, order, place) = (matrix.count, symbolic.fronts, symbolic.order, symbolic.place)
    longestColumn = symbolic.longestColumn
    entries = symbolic.entries
    work = fronts.reduce(0) { sum, front in
      front.columns.indices.reduce(sum) {
        let left = Double(front.rows.count - ($1 - front.columns.lowerBound))
        return $0 + 0.5 * left * left
      }
    }
    factor = .allocateAligned(capacity: symbolic.entries)
  }

  deinit { factor.deallocate() }

  /// A shift c such that A + c I is positive semidefinite if the factorisation of A in floating point ran to its end.
  ///
  /// Then \(R^T R = A + \Delta\) exactly, with \(|\Delta_{ij}| \le \gamma \sqrt{a_{ii} a_{jj}}/(1 - \gamma)\), \(\gamma = m u/(1 - m u)\) for sums of fewer than m terms
  /// (Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, theorem 10.3 and (10.7), after Demmel; in any order of the sums, lemma 8.4),
  /// so \(\|\Delta\|_2 \le \gamma/(1 - \gamma) \operatorname{tr} A\): the corollary that Rump's verification of positive definiteness (BIT 46, 2006) rests on.
  /// Twice that covers the rounding of the bound itself, and underflow wherever the trace is above \(n^2 2^{-900}\).
  public func margin(trace: Double) -> Double { 2 * Double(longestColumn + 2) * 0x1p-53 * trace }

  /// Factorises the matrix with this diagonal.
  /// - Returns: whether all pivots were positive; nothing is solved otherwise.
  public func factorise(diagonal: UnsafePointer<Double>) -> Bool {
    var updates: [UnsafeMutablePointer<Double>?] = Array(repeating: nil, count: fronts.count)
    defer { for update in updates { update?.deallocate() } }
    var local = [Int32](repeating: 0, count: count)
    for (number, front) in fronts.enumerated() {
      let (size, width) = (front.rows.count, front.columns.count)
      let room = UnsafeMutablePointer<Double>.allocateZeros(size * size)
      for (at, row) in front.rows.enumerated() { local[Int(row)] = Int32(at) }
      assemble(front, diagonal, local, into: room)
      for child in front.children {
        extend(room, size, by: updates[child]!, fronts[child], local)
        updates[child]!.deallocate()
        updates[child] = nil
      }
      guard DenseFront(room, size: size).eliminate(width) else {
        room.deallocate()
        return false
      }
      (factor + front.place).update(from: room, count: width * size)
      updates[number] = room
    }
    return true
  }

  /// The rows of A that belong to the columns of a front.
  private func assemble(
    _ front: Front, _ diagonal: UnsafePointer<Double>, _ local: [Int32], into room: UnsafeMutablePointer<Double>
  ) {
    let size = front.rows.count
    for (k, column) in front.columns.enumerated() {
      let row = Int(order[column])
      room[k * size + k] = diagonal[row]
      for e in matrix.entries(of: row) {
        let other = Int(place[Int(matrix.columns[e])])
        if other > column { room[k * size + Int(local[other])] += matrix.values[e] }
      }
    }
  }

  /// Adds what a child leaves.
  private func extend(
    _ room: UnsafeMutablePointer<Double>, _ size: Int, by update: UnsafePointer<Double>, _ child: Front,
    _ local: [Int32]
  ) {
    let (childSize, first) = (child.rows.count, child.columns.count)
    let targets = child.rows[first...].map { Int(local[Int($0)]) }
    targets.withUnsafeBufferPointer { targets in
      for i in targets.indices {
        let (from, to) = (update + (first + i) * childSize + first, room + targets[i] * size)
        for j in i..<targets.count { to[targets[j]] += from[j] }
      }
    }
  }

  /// Solves \(R^T R x = b\) in place.
  public func solve(_ b: UnsafeMutablePointer<Double>) {
    withAlignedRoom(count) { x in
      for i in 0..<count { x[i] = b[Int(order[i])] }
      for front in fronts {
        let size = front.rows.count
        for (k, column) in front.columns.enumerated() {
          let row = factor + front.place + k * size
          let value = x[column] / row[k]
          x[column] = value
          for j in k + 1..<size { x[Int(front.rows[j])] = x[Int(front.rows[j])].addingProduct(-value, row[j]) }
        }
      }
      for front in fronts.reversed() {
        let size = front.rows.count
        for (k, column) in front.columns.enumerated().reversed() {
          let row = factor + front.place + k * size
          var value = x[column]
          for j in k + 1..<size { value = value.addingProduct(-row[j], x[Int(front.rows[j])]) }
          x[column] = value / row[k]
        }
      }
      for i in 0..<count { b[Int(order[i])] = x[i] }
    }
  }
}

/// The upper triangle of a dense symmetric matrix, row by row.
private struct DenseFront {
  let base: UnsafeMutablePointer<Double>
  let size: Int
  /// Rows eliminated together, and rows of a strip of what is left.
  private static let block = 48
  private static let strip = 192

  init(_ base: UnsafeMutablePointer<Double>, size: Int) {
    self.base = base
    self.size = size
  }

  /// Eliminates the first columns: their rows become those of R, the rest the Schur complement.
  func eliminate(_ width: Int) -> Bool {
    for first in stride(from: 0, to: width, by: Self.block) {
      let end = min(first + Self.block, width)
      for k in first..<end { guard eliminate(k, end) else { return false } }
      for top in stride(from: end, to: size, by: Self.strip) {
        let rows = min(Self.strip, size - top)
        MatrixProduct.add(
          base + top * size + top, size, scale: -1, rows: rows, columns: size - top, base + first * size + top,
          rowStride: 1, columnStride: size, inner: end - first, base + first * size + top, size)
      }
    }
    return true
  }

  /// Row k of R, and what it takes from the rows below it in its block.
  private func eliminate(_ k: Int, _ end: Int) -> Bool {
    let row = base + k * size
    guard row[k] > 0, row[k].isFinite else { return false }
    let pivot = row[k].squareRoot()
    row[k] = pivot
    for j in k + 1..<size { row[j] /= pivot }
    for i in k + 1..<max(end, k + 1) {
      let (s, below) = (-row[i], base + i * size)
      for j in i..<size { below[j] = below[j].addingProduct(s, row[j]) }
    }
    return true
  }
}
