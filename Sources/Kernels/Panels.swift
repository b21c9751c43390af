/// Products of a small matrix with a panel of lanes: the matrix work of systems whose particles are networks or regressions.
///
/// `C[r][i] += sum_j A[r][j] B[j][i]`, i over the lanes. Four rows by four columns of A at a time: 16 fused steps for eight
/// loads and four stores, which keeps the FMA units busy from plain loops. Every element of C adds its terms in the order
/// of j, so the blocks do not show in the bits.
public enum Panels {
  /// Lanes worked on together.
  static let block = 64
  /// Rows of B worked on together: with the block above, half of the first-level cache.
  static let depth = 32

  /// - Parameters:
  ///   - coefficients: A, element (r, j) at `r * rowStride + j * columnStride`.
  ///   - lanes: distance of the rows of B and of C; the first `count` lanes are used.
  public static func addProduct(
    _ c: UnsafeMutablePointer<Double>, rows: Int, _ coefficients: UnsafePointer<Double>, rowStride: Int,
    columnStride: Int,
    inner: Int, _ b: UnsafePointer<Double>, lanes: Int, count: Int
  ) {
    // Room of its own, where nothing else points, so that the loops need no checks for overlap: sums of four rows, and the
    // rows of B packed, because rows 2 KiB apart would share a few sets of the cache.
    withAlignedRoom((4 &+ depth) &* block) { sums in
      let packed = sums + 4 &* block
      var start = 0
      while start < count {
        let width = min(block, count &- start)
        var first = 0
        while first < inner {
          let part = min(depth, inner &- first)
          for j in 0..<part {
            let (source, target) = (b + (first &+ j) &* lanes + start, packed + j &* block)
            for i in 0..<width { target[i] = source[i] }
          }
          let column = coefficients + first &* columnStride
          var r = 0
          while r &+ 4 <= rows {
            let (target, row) = (c + r &* lanes + start, column + r &* rowStride)
            if width == block {
              panel(target, row, rowStride, columnStride, part, packed, lanes, block, sums)
            } else {
              panel(target, row, rowStride, columnStride, part, packed, lanes, width, sums)
            }
            r &+= 4
          }
          while r < rows {
            let (target, row) = (c + r &* lanes + start, column + r &* rowStride)
            for j in 0..<part {
              let (a, source) = (row[j &* columnStride], packed + j &* block)
              for i in 0..<width { target[i] = target[i].addingProduct(a, source[i]) }
            }
            r &+= 1
          }
          first &+= part
        }
        start &+= width
      }
    }
  }

  @inline(__always)
  private static func panel(
    _ c: UnsafeMutablePointer<Double>, _ a: UnsafePointer<Double>, _ rs: Int, _ cs: Int, _ inner: Int,
    _ b: UnsafePointer<Double>, _ lanes: Int, _ width: Int, _ sums: UnsafeMutablePointer<Double>
  ) {
    let (c0, c1, c2, c3) = (sums, sums + block, sums + 2 &* block, sums + 3 &* block)
    for i in 0..<width {
      c0[i] = c[i]
      c1[i] = (c + lanes)[i]
      c2[i] = (c + 2 &* lanes)[i]
      c3[i] = (c + 3 &* lanes)[i]
    }
    var j = 0
    while j &+ 4 <= inner {
      let p = a + j &* cs
      let (a00, a01, a02, a03) = (p[0], p[cs], p[2 &* cs], p[3 &* cs])
      let (a10, a11, a12, a13) = (p[rs], p[rs &+ cs], p[rs &+ 2 &* cs], p[rs &+ 3 &* cs])
      let q = p + 2 &* rs
      let (a20, a21, a22, a23) = (q[0], q[cs], q[2 &* cs], q[3 &* cs])
      let (a30, a31, a32, a33) = (q[rs], q[rs &+ cs], q[rs &+ 2 &* cs], q[rs &+ 3 &* cs])
      let b0 = b + j &* block
      let (b1, b2, b3) = (b0 + block, b0 + 2 &* block, b0 + 3 &* block)
      for i in 0..<width {
        let (x0, x1, x2, x3) = (b0[i], b1[i], b2[i], b3[i])
        c0[i] = c0[i].addingProduct(a00, x0).addingProduct(a01, x1).addingProduct(a02, x2).addingProduct(a03, x3)
        c1[i] = c1[i].addingProduct(a10, x0).addingProduct(a11, x1).addingProduct(a12, x2).addingProduct(a13, x3)
        c2[i] = c2[i].addingProduct(a20, x0).addingProduct(a21, x1).addingProduct(a22, x2).addingProduct(a23, x3)
        c3[i] = c3[i].addingProduct(a30, x0).addingProduct(a31, x1).addingProduct(a32, x2).addingProduct(a33, x3)
      }
      j &+= 4
    }
    while j < inner {
      let p = a + j &* cs
      let (a0, a1, a2, a3) = (p[0], p[rs], p[2 &* rs], p[3 &* rs])
      let source = b + j &* block
      for i in 0..<width {
        let x = source[i]
        c0[i] = c0[i].addingProduct(a0, x)
        c1[i] = c1[i].addingProduct(a1, x)
        c2[i] = c2[i].addingProduct(a2, x)
        c3[i] = c3[i].addingProduct(a3, x)
      }
      j &+= 1
    }
    for i in 0..<width {
      c[i] = c0[i]
      (c + lanes)[i] = c1[i]
      (c + 2 &* lanes)[i] = c2[i]
      (c + 3 &* lanes)[i] = c3[i]
    }
  }
}
