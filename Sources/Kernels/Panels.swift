import CTarget

/// Products of a small matrix with a panel of lanes: the matrix work of systems whose particles are networks or regressions.
///
/// `C[r][i] += sum_j A[r][j] B[j][i]`, i over the lanes. Four rows of C by as many lanes as the registers hold stay there through the
/// whole sum. Every element of C adds its terms in the order of j, so the blocks do not show in the bits.
public enum Panels {
  /// Octets of a row that are summed together: 16 sums in the 32 registers of AVX-512, 8 of two registers in the 16 of AVX2.
  static let octets = CTARGET_WIDE == 1 ? 4 : 1
  /// Most rows of B worked on together: with 32 lanes, less than the first-level cache.
  static let depth = 96

  /// - Parameters:
  ///   - coefficients: A, element (r, j) at `r * rowStride + j * columnStride`.
  ///   - lanes: distance of the rows of B and of C; the first `count` lanes are used.
  ///   - fresh: C begins at zero, whatever is there.
  public static func addProduct(
    _ c: UnsafeMutablePointer<Double>, fresh: Bool = false, rows: Int, _ coefficients: UnsafePointer<Double>,
    rowStride: Int,
    columnStride: Int,
    inner: Int, _ b: UnsafePointer<Double>, lanes: Int, count: Int
  ) {
    guard inner > 0 else { return }
    let block = 8 &* octets
    let depth = (inner &- 1) / ((inner &+ Self.depth &- 1) / Self.depth) &+ 1
    // Rows of B are packed, because rows 2 KiB apart would share a few sets of the cache.
    withAlignedRoom(depth &* block) { packed in
      var start = 0
      while start < count {
        let left = count &- start
        let width = left >= block ? block : (left >= 8 ? 8 : left)
        var first = 0
        while first < inner {
          let part = min(depth, inner &- first)
          for j in 0..<part {
            let (source, target) = (b + (first &+ j) &* lanes + start, packed + j &* width)
            // Written out: the compiler would call memmove for every row.
            if width == 32 {
              FourOctets(source).store(target)
            } else {
              for i in 0..<width { target[i] = source[i] }
            }
          }
          let panel = Panel(
            a: coefficients + first &* columnStride, rowStride: rowStride, columnStride: columnStride, inner: part,
            b: UnsafePointer(packed), c: c + start, lanes: lanes, fresh: fresh && first == 0)
          if width < 8 {
            panel.addSingly(rows: rows, width: width)
          } else {
            panel.add(rows: rows, octets: width &>> 3)
          }
          first &+= part
        }
        start &+= width
      }
    }
  }
}

/// A part of the sum over j for a few lanes: rows of B without gaps.
private struct Panel {
  let a: UnsafePointer<Double>
  let rowStride, columnStride, inner: Int
  let b: UnsafePointer<Double>
  let c: UnsafeMutablePointer<Double>
  let lanes: Int
  let fresh: Bool

  @inline(__always)
  func add(rows: Int, octets: Int) {
    var r = 0
    while r &+ 4 <= rows {
      if octets == 4 { addFourByThirtyTwo(r) } else { addFourByEight(r) }
      r &+= 4
    }
    while r < rows {
      if octets == 4 { addOneByThirtyTwo(r) } else { addOneByEight(r) }
      r &+= 1
    }
  }

  /// Rows r to r + 3 by 8 or 32 lanes.
  @inline(__always)
  func addFour<L: Lanes>(_ r: Int, _: L.Type) {
    let (c0, s) = (c + r &* lanes, rowStride)
    let (c1, c2, c3) = (c0 + lanes, c0 + 2 &* lanes, c0 + 3 &* lanes)
    var (p, q, u, v) = fresh ? (L(0), L(0), L(0), L(0)) : (L(c0), L(c1), L(c2), L(c3))
    var (row, column) = (b, a + r &* s)
    for _ in 0..<inner {
      let x = L(row)
      p.add(column[0], x)
      q.add(column[s], x)
      u.add(column[2 &* s], x)
      v.add(column[3 &* s], x)
      row += L.count
      column += columnStride
    }
    p.store(c0)
    q.store(c1)
    u.store(c2)
    v.store(c3)
  }

  @inline(__always)
  func addOne<L: Lanes>(_ r: Int, _: L.Type) {
    let target = c + r &* lanes
    var sum = fresh ? L(0) : L(target)
    var (row, column) = (b, a + r &* rowStride)
    for _ in 0..<inner {
      sum.add(column[0], L(row))
      row += L.count
      column += columnStride
    }
    sum.store(target)
  }

  // Of their own, so that the registers hold nothing else.
  @inline(never)
  func addFourByEight(_ r: Int) { addFour(r, Octet.self) }
  @inline(never)
  func addFourByThirtyTwo(_ r: Int) { addFour(r, FourOctets.self) }
  @inline(never)
  func addOneByEight(_ r: Int) { addOne(r, Octet.self) }
  @inline(never)
  func addOneByThirtyTwo(_ r: Int) { addOne(r, FourOctets.self) }

  /// Fewer than eight lanes.
  func addSingly(rows: Int, width: Int) {
    for r in 0..<rows {
      let (target, row) = (c + r &* lanes, a + r &* rowStride)
      if fresh { target.update(repeating: 0, count: width) }
      for j in 0..<inner {
        let (s, source) = (row[j &* columnStride], b + j &* width)
        for i in 0..<width { target[i] = target[i].addingProduct(s, source[i]) }
      }
    }
  }
}
