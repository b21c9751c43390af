/// A sparse symmetric matrix apart from its diagonal, row by row: every entry is there twice, as (i, j) and as (j, i).
public struct SparseSymmetric: Sendable {
  public let count: Int
  /// Entries of row i are those from `offsets[i]` to `offsets[i + 1]`, by ascending column.
  public let offsets: [Int]
  public let columns: [Int32]
  public let values: [Double]

  /// - Parameters:
  ///   - first, second, values: entries (i, j) with i < j, each once, sorted by i and then by j.
  ///   - scale: every entry is multiplied by it.
  public init(count: Int, first: [Int32], second: [Int32], values: [Double], scale: Double = 1) {
    self.count = count
    var offsets = [Int](repeating: 0, count: count + 1)
    for (i, j) in zip(first, second) {
      offsets[Int(i) + 1] += 1
      offsets[Int(j) + 1] += 1
    }
    for i in 0..<count { offsets[i + 1] += offsets[i] }
    var next = offsets
    var columns = [Int32](repeating: 0, count: offsets[count])
    var all = [Double](repeating: 0, count: offsets[count])
    func put(_ i: Int32, _ j: Int32, _ value: Double) {
      columns[next[Int(i)]] = j
      all[next[Int(i)]] = scale * value
      next[Int(i)] += 1
    }
    // The entries left of the diagonal, then those right of it: rows come out sorted.
    for e in values.indices { put(second[e], first[e], values[e]) }
    for e in values.indices { put(first[e], second[e], values[e]) }
    (self.offsets, self.columns, self.values) = (offsets, columns, all)
  }

  public func entries(of row: Int) -> Range<Int> { offsets[row]..<offsets[row + 1] }

  /// `x_i <- sum_j a_ij`, of magnitudes: with the diagonal the radius of Gershgorin's circles.
  public var rowSums: [Double] {
    (0..<count).map { row in entries(of: row).reduce(0) { $0 + values[$1].magnitude } }
  }
}
