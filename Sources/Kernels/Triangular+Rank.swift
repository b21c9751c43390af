/// The rank of columns, decided from their triangular factor.
extension Triangular {
  /// Bound of the relative error of the columns of a factor: R is the exact factor of columns a_j + e_j with |e_j| <= this |a_j|.
  ///
  /// Modified Gram-Schmidt takes m - 1 multiples of other columns from a column, each found from dot products that are summed in 32
  /// lanes; a Givens rotation adds six roundings to what it mixes, and the entries of the columns have m of their own.
  /// - Parameters:
  ///   - rows: most rows that were factored at once.
  ///   - merges: factors that were merged with the first.
  package static func rounding(m: Int, rows: Int, merges: Int) -> Double {
    0x1p-53 * Double(m) * (Double(2 * rows / lanes) + 16 + 6 * Double(merges))
  }

  /// Makes columns exactly dependent on those before them where they are so to rounding: R_jj and its row become 0, what the row
  /// held of later columns goes to the rows below it, and `R^T R` keeps its entries to rounding. So the rank of R is the number of its diagonal
  /// entries that are not 0. A factor of independent columns keeps every bit.
  ///
  /// Column j is dependent if R_jj is within what errors e_k of all columns can make of 0: with a_j = sum_{k<j} x_k a_k,
  /// R_jj <= rounding (|a_j| + sum_k |x_k| |a_k|).
  /// - Parameters:
  ///   - rounding: bound of the relative error of the columns.
  ///   - scratch: room for 2 m numbers.
  package static func clearDependent(
    _ factor: UnsafeMutablePointer<Double>, m: Int, rounding: Double, scratch: UnsafeMutablePointer<Double>
  ) {
    let (x, norms) = (scratch, scratch + m)
    // Where all diagonal entries are well above rounding, no coefficient x_k is large enough to matter.
    var isClear = true
    for j in 0..<m {
      var square = 0.0
      for i in 0...j { square += factor[i &* m &+ j] * factor[i &* m &+ j] }
      norms[j] = square.squareRoot()
      let diagonal = factor[j &* m &+ j]
      if j == 0 || !norms[j].isFinite { continue }
      isClear = isClear && diagonal > 0x1p-13 * norms[j]
      if isClear { continue }
      var size = norms[j]
      for k in (0..<j).reversed() {
        let pivot = factor[k &* m &+ k]
        var rest = factor[k &* m &+ j]
        for i in k &+ 1..<max(j, k &+ 1) { rest -= factor[k &* m &+ i] * x[i] }
        x[k] = pivot == 0 ? 0 : rest / pivot
        size += x[k].magnitude * norms[k]
      }
      let bound = rounding * size
      guard diagonal <= bound, size.isFinite else { continue }
      // A coefficient that may be 0, 1 or -1 is: parallel and equal columns become exactly so, and no rounding tells them apart that grows
      // from layer to layer.
      var isRounded = false
      for k in 0..<j {
        func isWithin(_ whole: Double) -> Bool { (x[k] - whole).magnitude * norms[k] <= bound }
        let whole = isWithin(0) ? 0 : isWithin(1) ? 1 : isWithin(-1) ? -1 : x[k]
        if x[k] != whole {
          x[k] = whole
          isRounded = true
        }
      }
      for i in 0..<j where isRounded {
        var sum = 0.0
        for k in i..<j { sum += factor[i &* m &+ k] * x[k] }
        factor[i &* m &+ j] = sum
      }
      for k in 0..<m {
        x[k] = k > j ? factor[j &* m &+ k] : 0
        factor[j &* m &+ k] = 0
      }
      addRow(x, from: j &+ 1, to: factor, m: m)
    }
  }
}
