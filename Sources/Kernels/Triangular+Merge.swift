/// Factors that wait to be merged into one.
extension Triangular {
  /// From this number of columns on, several factors are merged faster together than one by one.
  public static let leastTogether = 16

  /// Length of a row of `merge(together:)`, zeros at its end.
  public static func rowLength(_ m: Int) -> Int { (m &+ 7) & ~7 }

  /// Adds the rows of several factors, in their order: the bits of `merge` one after the other.
  ///
  /// A rotation of row i of part p with column j needs those of the same row with the columns before, and those of the rows before with the
  /// same column. So all with `p m + i + j = t` are independent, and are done side by side, t = 0, 1, ...; they are of two parts at most.
  /// - Parameters:
  ///   - parts: each m rows of `rowLength(m)`, upper triangular; overwritten.
  ///   - count: number of parts.
  ///   - factor: m x m.
  public static func merge(
    together parts: UnsafeMutablePointer<Double>, count: Int, into factor: UnsafeMutablePointer<Double>, m: Int
  ) {
    let length = rowLength(m)
    withAlignedRoom(m &* length &+ 4 &* (length &+ 8)) { targets in
      withUnsafeTemporaryAllocation(of: Int.self, capacity: 2 &* (length &+ 8)) { places in
        targets.update(repeating: 0, count: m &* length)
        for i in 0..<m { (targets + i &* length).update(from: factor + i &* m, count: m) }
        let rotations = Rotations(
          m: m, length: length, targets: targets, parts: parts, numbers: targets + m &* length,
          places: places.baseAddress!)
        for t in 0..<(count &+ 1) &* m &- 1 {
          let part = t / m
          var n = 0
          if part > 0 { n = rotations.gather(part &- 1, t &- (part &- 1) &* m, from: n) }
          if part < count { n = rotations.gather(part, t &- part &* m, from: n) }
          rotations.apply(n)
        }
        for i in 0..<m { (factor + i &* m).update(from: targets + i &* length, count: m) }
      }
    }
  }
}

/// Rotations side by side.
private struct Rotations {
  let m, length: Int
  let targets, parts: UnsafeMutablePointer<Double>
  /// Of every rotation the diagonal entry, later the new one, the entry of the row, cosine and sine.
  let diagonals, pivots, cosines, sines: UnsafeMutablePointer<Double>
  /// Their columns, and where their rows begin.
  let columns, rows: UnsafeMutablePointer<Int>

  init(
    m: Int, length: Int, targets: UnsafeMutablePointer<Double>, parts: UnsafeMutablePointer<Double>,
    numbers: UnsafeMutablePointer<Double>, places: UnsafeMutablePointer<Int>
  ) {
    (self.m, self.length, self.targets, self.parts) = (m, length, targets, parts)
    let room = length &+ 8
    (diagonals, pivots, cosines, sines) = (numbers, numbers + room, numbers + 2 &* room, numbers + 3 &* room)
    (columns, rows) = (places, places + room)
    numbers.update(repeating: 1, count: 4 &* room)
  }

  /// Those of a part with i + j = front; returns the number of all.
  @inline(__always)
  func gather(_ part: Int, _ front: Int, from n: Int) -> Int {
    var n = n
    for i in max(0, front &- m &+ 1)..<front / 2 &+ 1 {
      let (j, row) = (front &- i, (part &* m &+ i) &* length)
      diagonals[n] = targets[j &* (length &+ 1)]
      pivots[n] = parts[row &+ j]
      (columns[n], rows[n]) = (j, row)
      n &+= 1
    }
    return n
  }

  @inline(__always)
  func apply(_ n: Int) {
    for k in stride(from: 0, to: n, by: 8) {
      let (a, b) = (Vector8(diagonals + k), Vector8(pivots + k))
      let r = (a * a + b * b).squareRoot
      (a / r).store(cosines + k)
      (b / r).store(sines + k)
      r.store(diagonals + k)
    }
    for k in 0..<n where pivots[k] != 0 {
      let (c, s, j) = (Vector8(cosines[k]), Vector8(sines[k]), columns[k])
      let (target, row) = (targets + j &* length, parts + rows[k])
      // Whole vectors from the borders of vectors on: what was stored last is soon loaded again.
      let first = j & ~7
      let (x, y) = (Vector8(target + first), Vector8(row + first))
      (c * x + s * y).from(j & 7, diagonals[k], before: x).store(target + first)
      (c * y - s * x).store(row + first)
      for i in stride(from: first &+ 8, to: m, by: 8) {
        let (x, y) = (Vector8(target + i), Vector8(row + i))
        (c * x + s * y).store(target + i)
        (c * y - s * x).store(row + i)
      }
    }
  }
}
