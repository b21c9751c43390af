import Kernels
import Testing

/// The kernels of draws against plain loops, bit by bit: a draw's digest depends on them.
@Suite struct TriangularBitsTests {
  private struct Numbers {
    var state: UInt64 = 88172645463325252
    mutating func next() -> Double {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Double(Int64(bitPattern: state)) * 0x1p-63
    }
    mutating func many(_ count: Int) -> [Double] { (0..<count).map { _ in next() } }
  }

  /// In 32 lanes, which are added by halves.
  private func dot(_ a: ArraySlice<Double>, _ b: ArraySlice<Double>) -> Double {
    var lanes = [Double](repeating: 0, count: 32)
    for (i, (x, y)) in zip(a, b).enumerated() { lanes[i % 32].addProduct(x, y) }
    func add(_ a: ArraySlice<Double>, _ b: ArraySlice<Double>) -> [Double] { zip(a, b).map(+) }
    let (front, back) = (add(lanes[..<8], lanes[8..<16]), add(lanes[16..<24], lanes[24...]))
    var sums = add(front[...], back[...])
    while sums.count > 1 { sums = add(sums[..<(sums.count / 2)], sums[(sums.count / 2)...]) }
    return sums[0]
  }

  @Test(arguments: [1, 2, 3, 4, 5, 8, 11, 16, 33], [32, 96])
  func factorIsModifiedGramSchmidtInLanes(m: Int, n: Int) {
    var numbers = Numbers()
    var columns = numbers.many(m * n)
    // A column that vanishes.
    if m > 4 { for i in 0..<n { columns[2 * n + i] = 0 } }
    var (plain, r) = (columns, [Double](repeating: 0, count: m * m))
    func column(_ j: Int) -> ArraySlice<Double> { plain[j * n..<(j + 1) * n] }
    for j in 0..<m {
      let norm = dot(column(j), column(j))
      r[j * m + j] = norm.squareRoot()
      for k in j + 1..<max(m, j + 1) {
        let along = dot(column(j), column(k))
        r[j * m + k] = norm == 0 ? 0 : along / norm.squareRoot()
        let t = norm == 0 ? 0 : along / norm
        for i in 0..<n { plain[k * n + i].addProduct(-t, plain[j * n + i]) }
      }
    }
    for orthogonal in [true, false] {
      var (found, work) = ([Double](repeating: .nan, count: m * m), columns)
      Triangular.factor(columns: &work, stride: n, count: n, m: m, into: &found, orthogonal: orthogonal)
      #expect(found == r)
      #expect(!orthogonal || work == plain)
    }
  }

  @Test(arguments: [2, 8, 16, 17, 23, 32, 41])
  func factorsMergedTogetherAreThoseMergedOneByOne(m: Int) {
    var numbers = Numbers()
    let length = Triangular.rowLength(m)
    for count in [1, 2, 5] {
      var parts = [Double](repeating: 0, count: count * m * length)
      var (plain, together) = ([Double](repeating: 0, count: m * m), [Double](repeating: 0, count: m * m))
      for i in 0..<m {
        for j in i..<m {
          plain[i * m + j] = numbers.next()
          // Zeros turn nothing.
          for p in 0..<count { parts[(p * m + i) * length + j] = (i + j + p) % 5 == 0 ? 0 : numbers.next() }
        }
        plain[i * m + i] = i % 6 == 0 ? 0 : plain[i * m + i].magnitude
      }
      together = plain
      for p in 0..<count {
        var part = [Double](repeating: 0, count: m * m)
        for i in 0..<m { for j in i..<m { part[i * m + j] = parts[(p * m + i) * length + j] } }
        Triangular.merge(&part, into: &plain, m: m)
      }
      Triangular.merge(together: &parts, count: count, into: &together, m: m)
      #expect(together == plain)
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 8, 11], [1, 31, 32, 40, 64, 100])
  func lowerTimesRowsIsAChainOfMultiplyAdds(m: Int, count: Int) {
    var numbers = Numbers()
    // Products that are zeros of either sign.
    let (lower, rows) = (numbers.many(m * m), numbers.many(m * count).map { $0.magnitude < 0.2 ? $0 * 0 : $0 })
    let stride = count + 5
    let start = numbers.many(m * stride)
    for keep in [nil, 0.7] {
      var (plain, found) = (start, start)
      for a in 0..<m {
        for i in 0..<count {
          var sum = lower[a * m] * rows[i]
          if let keep { sum = (keep * start[a * stride + i]).addingProduct(lower[a * m], rows[i]) }
          for b in 1..<max(1, a + 1) { sum.addProduct(lower[a * m + b], rows[b * count + i]) }
          plain[a * stride + i] = sum
        }
      }
      Triangular.multiply(lower, m, rows, count, keep: keep, to: &found, stride: stride)
      #expect(found.map(\.bitPattern) == plain.map(\.bitPattern))
    }
  }
}
