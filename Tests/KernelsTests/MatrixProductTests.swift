import Kernels
import Testing

@Suite struct MatrixProductTests {
  private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
  }

  private struct Shape: CustomStringConvertible {
    var rows, columns, inner: Int
    /// What rows of A, B and C have beyond their elements.
    var gaps = (0, 0, 0)
    /// Between the neighbours in a row of what A is in memory.
    var step = 1
    var transposed = false
    var fresh = false
    var scaled = false

    var description: String {
      "\(rows) x \(columns), inner \(inner), gaps \(gaps), step \(step), transposed \(transposed), fresh \(fresh), scaled \(scaled)"
    }
  }

  /// Numbers of a matrix with room around and between its rows.
  private struct Matrix<T: MatrixScalar> {
    static var guardZone: Int { 40 }
    let rows, columns, stride: Int
    var elements: [T]

    /// Random elements, one in eight a zero of either sign; `outside` everywhere else.
    init(_ rows: Int, _ columns: Int, gap: Int, outside: T, _ random: inout SplitMix) {
      (self.rows, self.columns, stride) = (rows, columns, columns + gap)
      elements = Array(repeating: outside, count: rows * stride + 2 * Self.guardZone)
      for r in 0..<rows {
        for k in 0..<columns {
          let bits = random.next()
          let x = T(Int64(bitPattern: bits) >> 12) * 0x1p-51
          elements[Self.guardZone + r * stride + k] = bits & 7 == 0 ? x * 0 : x
        }
      }
    }

    subscript(r: Int, k: Int) -> T {
      get { elements[Self.guardZone + r * stride + k] }
      set { elements[Self.guardZone + r * stride + k] = newValue }
    }
  }

  /// The first element, room included, that differs in its bits from a plain loop over i, j and k.
  private func difference<T: MatrixScalar>(_: T.Type, _ shape: Shape, _ random: inout SplitMix) -> String? {
    let a =
      shape.transposed
      ? Matrix<T>(shape.inner, shape.rows * shape.step, gap: shape.gaps.0, outside: .nan, &random)
      : Matrix<T>(shape.rows, shape.inner * shape.step, gap: shape.gaps.0, outside: .nan, &random)
    let b = Matrix<T>(shape.inner, shape.columns, gap: shape.gaps.1, outside: .nan, &random)
    var c = Matrix<T>(shape.rows, shape.columns, gap: shape.gaps.2, outside: 77, &random)
    let scale: T = -0.3
    var plain = c
    for i in 0..<shape.rows {
      for j in 0..<shape.columns {
        var sum = shape.fresh ? 0 : c[i, j]
        for k in 0..<shape.inner {
          let x = shape.transposed ? a[k, i * shape.step] : a[i, k * shape.step]
          sum.addProduct(shape.scaled ? scale * x : x, b[k, j])
        }
        plain[i, j] = sum
      }
    }
    let (rowStride, columnStride) = shape.transposed ? (shape.step, a.stride) : (a.stride, shape.step)
    let (aZone, bZone) = (Matrix<T>.guardZone, Matrix<T>.guardZone)
    let cStride = c.stride
    c.elements.withUnsafeMutableBufferPointer { c in
      a.elements.withUnsafeBufferPointer { a in
        b.elements.withUnsafeBufferPointer { pointer in
          let (c, a, b, bStride) = (
            c.baseAddress! + aZone, a.baseAddress! + aZone, pointer.baseAddress! + bZone, b.stride
          )
          MatrixProduct.add(
            c, cStride, fresh: shape.fresh, scale: shape.scaled ? scale : nil, rows: shape.rows, columns: shape.columns,
            a, rowStride: rowStride, columnStride: columnStride, inner: shape.inner, b, bStride)
        }
      }
    }
    for (i, (x, y)) in zip(c.elements, plain.elements).enumerated() where x != y || x.sign != y.sign {
      return "\(T.self), \(shape): \(x) instead of \(y) at \(i - Matrix<T>.guardZone) of C, rows \(c.stride) apart"
    }
    return nil
  }

  private func expectEqual(_ shape: Shape, _ random: inout SplitMix) {
    let differences = [difference(Double.self, shape, &random), difference(Float.self, shape, &random)]
    #expect(differences == [nil, nil])
  }

  @Test func productsAreChainsOfFusedMultiplyAdds() {
    var random = SplitMix(state: 1)
    for _ in 0..<500 {
      var shape = Shape(
        rows: .random(in: 1...40, using: &random), columns: .random(in: 1...40, using: &random),
        inner: .random(in: 0...40, using: &random))
      func gap() -> Int { Bool.random(using: &random) ? 0 : .random(in: 1...9, using: &random) }
      shape.gaps = (gap(), gap(), gap())
      shape.step = .random(in: 1...2, using: &random)
      shape.transposed = .random(using: &random)
      shape.fresh = .random(using: &random)
      shape.scaled = .random(using: &random)
      expectEqual(shape, &random)
    }
  }

  /// Every height and width of a tile, with and without a copy of B.
  @Test func tilesOfEverySizeAgree() {
    var random = SplitMix(state: 2)
    for rows in Array(1...12) + Array(24...30) {
      for columns in stride(from: 8, through: 80, by: 8) {
        expectEqual(Shape(rows: rows, columns: columns, inner: 5, fresh: rows % 2 == 0), &random)
      }
    }
  }

  /// Sums and rows of several blocks.
  @Test(arguments: [false, true], [false, true])
  func blocksDoNotChangeABit(transposed: Bool, scaled: Bool) {
    var random = SplitMix(state: 3)
    for (rows, columns, inner) in [(7, 70, 129), (241, 9, 130), (481, 33, 65), (5, 16, 513), (64, 64, 256)] {
      for fresh in [false, true] {
        expectEqual(
          Shape(rows: rows, columns: columns, inner: inner, transposed: transposed, fresh: fresh, scaled: scaled),
          &random)
      }
    }
  }

  @Test func nothingToAdd() {
    var random = SplitMix(state: 4)
    for fresh in [false, true] {
      expectEqual(Shape(rows: 3, columns: 11, inner: 0, fresh: fresh), &random)
      expectEqual(Shape(rows: 0, columns: 11, inner: 4, fresh: fresh), &random)
      expectEqual(Shape(rows: 3, columns: 0, inner: 4, fresh: fresh), &random)
    }
  }

  @Test func rowsArePaddedToVectors() {
    #expect([0, 1, 8, 9].map { MatrixProduct.padded($0, Double.self) } == [0, 8, 8, 16])
    #expect([0, 1, 16, 17].map { MatrixProduct.padded($0, Float.self) } == [0, 16, 16, 32])
  }
}
