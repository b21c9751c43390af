import CTarget

/// Products of a small matrix with a panel, 32 lanes of many rows: the matrix work of systems whose particles are networks or
/// regressions. Rows of a panel follow each other without gaps: rows of a whole tile, 2 KiB apart, would share a few sets of the cache.
public enum PanelProduct {
  /// Lanes of a panel.
  public static let lanes = 32
  /// Running sums of `addLaneProducts` for a row.
  public static let sums = 8
  /// Most rows of B worked on together: less than the first-level cache.
  private static let depth = 96

  /// `C[r][i] += sum_j A[r][j] B[j][i]`, i over the lanes. Every element of C adds its terms in the order of j, one by one.
  /// - Parameters:
  ///   - c: rows x 32.
  ///   - fresh: C begins at zero, whatever is there.
  ///   - coefficients: A, element (r, j) at `r * rowStride + j * columnStride`.
  ///   - b: inner x 32.
  ///   - octets: number of eights of the lanes, from the first, 1 to 4.
  public static func addProduct(
    _ c: UnsafeMutablePointer<Double>, fresh: Bool = false, rows: Int, _ coefficients: UnsafePointer<Double>,
    rowStride: Int, columnStride: Int, inner: Int, _ b: UnsafePointer<Double>, octets: Int = 4
  ) {
    guard inner > 0 else { return }
    // In equal parts.
    let depth = (inner &- 1) / ((inner &+ Self.depth &- 1) / Self.depth) &+ 1
    for first in stride(from: 0, to: inner, by: depth) {
      Product(
        a: coefficients + first &* columnStride, rowStride: rowStride, columnStride: columnStride,
        inner: min(depth, inner &- first), b: b + first &* lanes, c: c, fresh: fresh && first == 0
      ).add(rows: rows, octets: octets)
    }
  }

  /// Adds `sum_i w[i] B[r][i]` over the lanes to eight running sums of every row r, lane i to sum i mod 8.
  public static func addLaneProducts(
    _ results: UnsafeMutablePointer<Double>, rows: Int, _ w: UnsafePointer<Double>, _ b: UnsafePointer<Double>,
    octets: Int = 4
  ) {
    for r in 0..<rows {
      var sum = Vector8(results + r &* sums)
      for k in 0..<octets { sum.add(Vector8(w + 8 &* k), Vector8(b + r &* lanes + 8 &* k)) }
      sum.store(results + r &* sums)
    }
  }

  /// The total of eight running sums.
  public static func total(_ results: UnsafePointer<Double>) -> Double { Vector8(results).total }
}

/// A part of the sum over j.
private struct Product {
  let a: UnsafePointer<Double>
  let rowStride, columnStride, inner: Int
  let b: UnsafePointer<Double>
  let c: UnsafeMutablePointer<Double>
  let fresh: Bool

  /// Four rows of C by as many lanes as the registers hold stay there through the whole sum: 16 sums in the 32 registers of AVX-512,
  /// 8 of two registers in the 16 of AVX2.
  @inline(__always)
  func add(rows: Int, octets: Int) {
    let whole = CTARGET_WIDE == 1 && octets == 4
    for r in stride(from: 0, to: rows & ~3, by: 4) {
      if whole { addFourByThirtyTwo(r) } else { for k in 0..<octets { addFourByEight(r, 8 &* k) } }
    }
    for r in rows & ~3..<rows {
      if whole { addOneByThirtyTwo(r) } else { for k in 0..<octets { addOneByEight(r, 8 &* k) } }
    }
  }

  /// Rows r to r + 3 by 8 or 32 lanes.
  @inline(__always)
  func addFour<L: Lanes>(_ r: Int, _ lane: Int, _: L.Type) where L.Scalar == Double {
    let (c0, s) = (c + r &* PanelProduct.lanes + lane, rowStride)
    let (c1, c2, c3) = (c0 + PanelProduct.lanes, c0 + 2 &* PanelProduct.lanes, c0 + 3 &* PanelProduct.lanes)
    var (p, q, u, v) = fresh ? (L(0), L(0), L(0), L(0)) : (L(c0), L(c1), L(c2), L(c3))
    var (row, column) = (b + lane, a + r &* s)
    for _ in 0..<inner {
      let x = L(row)
      p.add(column[0], x)
      q.add(column[s], x)
      u.add(column[2 &* s], x)
      v.add(column[3 &* s], x)
      row += PanelProduct.lanes
      column += columnStride
    }
    p.store(c0)
    q.store(c1)
    u.store(c2)
    v.store(c3)
  }

  @inline(__always)
  func addOne<L: Lanes>(_ r: Int, _ lane: Int, _: L.Type) where L.Scalar == Double {
    let target = c + r &* PanelProduct.lanes + lane
    var sum = fresh ? L(0) : L(target)
    var (row, column) = (b + lane, a + r &* rowStride)
    for _ in 0..<inner {
      sum.add(column[0], L(row))
      row += PanelProduct.lanes
      column += columnStride
    }
    sum.store(target)
  }

  // Of their own, so that the registers hold nothing else.
  @inline(never)
  func addFourByEight(_ r: Int, _ lane: Int) { addFour(r, lane, Vector8.self) }
  @inline(never)
  func addFourByThirtyTwo(_ r: Int) { addFour(r, 0, Vector32.self) }
  @inline(never)
  func addOneByEight(_ r: Int, _ lane: Int) { addOne(r, lane, Vector8.self) }
  @inline(never)
  func addOneByThirtyTwo(_ r: Int) { addOne(r, 0, Vector32.self) }
}
