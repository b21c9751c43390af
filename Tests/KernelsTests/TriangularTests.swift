import Kernels
import Testing

@Suite struct TriangularTests {
  /// A deterministic matrix of columns, no statistics needed.
  private func columns(_ n: Int, _ m: Int, stride: Int) -> [Double] {
    var state: UInt64 = 88172645463325252
    var data = [Double](repeating: 0, count: m * stride)
    for a in 0..<m {
      for i in 0..<n {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        data[a * stride + i] = Double(Int64(bitPattern: state)) * 0x1p-63
      }
    }
    return data
  }

  private func factor(_ data: [Double], n: Int, m: Int, stride: Int) -> [Double] {
    var copy = data
    var r = [Double](repeating: 0, count: m * m)
    copy.withUnsafeMutableBufferPointer { c in
      r.withUnsafeMutableBufferPointer {
        Triangular.factor(
          columns: c.baseAddress!, stride: stride, count: Triangular.padded(n), m: m, into: $0.baseAddress!)
      }
    }
    return r
  }

  @Test(arguments: [1, 2, 3, 8, 16])
  func factorReproducesTheGramMatrix(m: Int) {
    let n = 100
    let stride = Triangular.padded(n)
    let data = columns(n, m, stride: stride)
    let r = factor(data, n: n, m: m, stride: stride)
    for a in 0..<m {
      #expect(r[a * m + a] >= 0)
      for b in 0..<m {
        let gram = (0..<n).reduce(0.0) { $0 + data[a * stride + $1] * data[b * stride + $1] }
        let back = (0..<m).reduce(0.0) { $0 + r[$1 * m + a] * r[$1 * m + b] }
        #expect(abs(gram - back) < 1e-12 * Double(n))
      }
    }
  }

  @Test func factorLeavesOrthogonalColumns() {
    let (n, m) = (100, 4)
    let stride = Triangular.padded(n)
    var data = columns(n, m, stride: stride)
    var r = [Double](repeating: 0, count: m * m)
    data.withUnsafeMutableBufferPointer { c in
      r.withUnsafeMutableBufferPointer {
        Triangular.factor(columns: c.baseAddress!, stride: stride, count: stride, m: m, into: $0.baseAddress!)
      }
      for a in 0..<m {
        for b in 0...a {
          let product = Triangular.dot(c.baseAddress! + a * stride, c.baseAddress! + b * stride, stride)
          #expect(abs(product - (a == b ? r[a * m + a] * r[a * m + a] : 0)) < 1e-12 * Double(n))
        }
      }
    }
  }

  @Test func mergingTilesEqualsOneFactor() {
    let (m, stride) = (5, 64)
    let data = columns(64, m, stride: stride)
    let whole = factor(data, n: 64, m: m, stride: stride)
    var first: [Double] = []
    var second: [Double] = []
    for a in 0..<m {
      first += data[a * stride..<a * stride + 32]
      second += data[a * stride + 32..<a * stride + 64]
    }
    var r = factor(first, n: 32, m: m, stride: 32)
    var s = factor(second, n: 32, m: m, stride: 32)
    r.withUnsafeMutableBufferPointer { r in
      s.withUnsafeMutableBufferPointer { Triangular.merge($0.baseAddress!, into: r.baseAddress!, m: m) }
    }
    for i in 0..<m * m { #expect(abs(r[i] - whole[i]) < 1e-13) }
  }

  @Test func smallDistancesKeepTheirDigits() {
    // Two columns that differ by 1e-9 in one entry: the Gram matrix would give 1 - rho = 0.
    let n = Triangular.lanes
    var data = [Double](repeating: 1, count: 2 * n)
    data[n + 3] += 1e-9
    let r = factor(data, n: n, m: 2, stride: n)
    let expected = 1e-9 * (1 - 1 / Double(n)).squareRoot()
    #expect(abs(r[3] / expected - 1) < 1e-6)
  }

  @Test func zeroColumnsGiveZeroRows() {
    let r = factor([Double](repeating: 0, count: 96), n: 32, m: 3, stride: 32)
    #expect(r.allSatisfy { $0 == 0 })
  }

  @Test func choleskyTakesSemiDefiniteAndRefusesIndefinite() {
    let ones = Triangular.cholesky([1, 1, 1, 1], m: 2)
    #expect(ones == [1, 0, 1, 0])
    #expect(Triangular.cholesky([1, 1.5, 1.5, 1], m: 2) == nil)
    #expect(Triangular.cholesky([0, 0.5, 0.5, 1], m: 2) == nil)
    #expect(Triangular.cholesky([1, -0.6, -0.6, -0.6, 1, -0.6, -0.6, -0.6, 1], m: 3) == nil)
    let l = Triangular.cholesky([4, 2, 2, 5], m: 2)!
    #expect(l == [2, 0, 1, 2])
  }
}

@Suite struct PanelTests {
  @Test("Products of panels against plain loops, at sizes around the blocks", arguments: [1, 3, 4, 5, 8, 11])
  func products(_ rows: Int) {
    let lanes = PanelProduct.lanes
    for (inner, octets) in [(1, 1), (4, 2), (7, 3), (9, 4), (97, 4), (200, 1)] {
      let a = (0..<rows * inner).map { Double(($0 * 37) % 19) - 9.25 }
      let b = (0..<inner * lanes).map { Double(($0 * 53) % 23) / 7 - 1.5 }
      let start = (0..<rows * lanes).map { Double($0 % 5) }
      var expected = start
      for r in 0..<rows {
        for i in 0..<8 * octets {
          for j in 0..<inner {
            expected[r * lanes + i] = expected[r * lanes + i].addingProduct(a[r * inner + j], b[j * lanes + i])
          }
        }
      }
      var straight = start
      PanelProduct.addProduct(
        &straight, rows: rows, a, rowStride: inner, columnStride: 1, inner: inner, b, octets: octets)
      #expect(straight == expected)
      // The same matrix stored by columns.
      let transposed = (0..<rows * inner).map { a[$0 % rows * inner + $0 / rows] }
      var turned = start
      PanelProduct.addProduct(
        &turned, rows: rows, transposed, rowStride: 1, columnStride: rows, inner: inner, b, octets: octets)
      #expect(turned == expected)
      // From zero, whatever is there.
      var (zero, fresh) = (start.map { _ in 0.0 }, start.map { _ in Double.nan })
      PanelProduct.addProduct(&zero, rows: rows, a, rowStride: inner, columnStride: 1, inner: inner, b, octets: octets)
      PanelProduct.addProduct(
        &fresh, fresh: true, rows: rows, a, rowStride: inner, columnStride: 1, inner: inner, b, octets: octets)
      for r in 0..<rows {
        let used = r * lanes..<r * lanes + 8 * octets
        #expect(zero[used] == fresh[used])
        for x in fresh[used.upperBound..<(r + 1) * lanes] { #expect(x.isNaN) }
      }
    }
  }

  @Test("Sums over the lanes, in eights", arguments: [1, 3, 4])
  func laneProducts(_ octets: Int) {
    let w = (0..<PanelProduct.lanes).map { Double($0) / 3 - 4 }
    let b = (0..<2 * PanelProduct.lanes).map { Double(($0 * 53) % 23) / 7 - 1.5 }
    let start = (0..<2 * PanelProduct.sums).map { Double($0 % 7) }
    var (found, expected) = (start, start)
    PanelProduct.addLaneProducts(&found, rows: 2, w, b, octets: octets)
    for r in 0..<2 {
      for i in 0..<8 * octets {
        let k = r * PanelProduct.sums + i % 8
        expected[k] = expected[k].addingProduct(w[i], b[r * PanelProduct.lanes + i])
      }
    }
    #expect(found == expected)
    #expect(abs(PanelProduct.total(expected) - expected[..<PanelProduct.sums].reduce(0, +)) < 1e-12)
  }

  /// Numbers of single precision, as those of double precision that they are.
  @Test func dotProductsOfFloatsAreThoseOfDoubles() {
    for count in [32, 64, 320] {
      let a = (0..<count).map { Float($0 * 37 % 101) / 7 - 5 }
      let b = (0..<count).map { Float($0 * 59 % 103) / 9 - 4 }
      #expect(Triangular.dot(a, b, count) == Triangular.dot(a.map(Double.init), b.map(Double.init), count))
    }
  }
}
