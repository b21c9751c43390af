import Kernels
import Networks
import Testing

@Suite struct FactorSumTests {
  /// Many columns wait for each other and are merged together; the bits are those of one merge after the other.
  @Test(arguments: [3, 16, 21], [1, 2, 9, 20])
  func tilesAreMergedInTheirOrder(m: Int, tiles: Int) {
    let n = Triangular.lanes
    let sum = FactorSum(m)
    for pass in 0..<2 {
      var (factor, part) = ([Double](repeating: 0, count: m * m), [Double](repeating: 0, count: m * m))
      sum.reset()
      for tile in 0..<tiles {
        // Full rank: no column is a multiple of another.
        var columns = (0..<m * n).map { (i: Int) -> Double in
          let residue = (i * i * (2 * tile + 3) + 7 * i + pass) % 1009
          return Double(residue) / 1009 - 0.4
        }
        var copy = columns
        sum.add(&columns, stride: n, count: n)
        Triangular.factor(columns: &copy, stride: n, count: n, m: m, into: &part, orthogonal: false)
        if tile == 0 { factor = part } else { Triangular.merge(&part, into: &factor, m: m) }
      }
      if pass == 1 {
        sum.addConstantRow(0.5)
        var row = [Double](repeating: 0.5, count: m)
        Triangular.addRow(&row, from: 0, to: &factor, m: m)
      }
      var lower = [Double](repeating: .nan, count: m * m)
      sum.write(lower: &lower, scale: 2)
      var expected = [Double](repeating: 0, count: m * m)
      for a in 0..<m { for b in 0...a { expected[a * m + b] = 2 * factor[b * m + a] } }
      #expect(lower == expected)
    }
  }
}
