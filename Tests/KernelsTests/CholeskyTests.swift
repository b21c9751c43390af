import Kernels
import Testing

/// Factors and solves against plain loops bit by bit, and against what they solve.
@Suite struct CholeskyTests {
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

  static let counts = [1, 2, 3, 7, 8, 9, 15, 16, 17, 24, 31, 40, 63, 100, 129]

  /// A^T A with a little on the diagonal, `gap` numbers behind each row.
  private func positive(_ n: Int, gap: Int, _ numbers: inout Numbers) -> [Double] {
    let a = numbers.many(n * n)
    var found = [Double](repeating: .nan, count: n * (n + gap))
    for i in 0..<n {
      for j in i..<n {
        found[i * (n + gap) + j] = (0..<n).reduce(i == j ? 0.01 : 0) { $0 + a[$1 * n + i] * a[$1 * n + j] }
      }
    }
    return found
  }

  /// One chain an element, as the documentation says.
  private func plain(_ a: [Double], _ n: Int, stride: Int, columns: Int) -> [Double] {
    var u = a
    for i in 0..<n {
      for j in i..<columns {
        var x = u[i * stride + j]
        for l in 0..<i { x = x.addingProduct(-u[l * stride + i], u[l * stride + j]) }
        u[i * stride + j] = j == i ? x.squareRoot() : x * (1 / u[i * stride + i])
      }
      for j in 0..<i { u[i * stride + j] = 0 }
    }
    return u
  }

  @Test(arguments: counts)
  func factorAndRightSidesHaveTheBitsOfPlainLoops(n: Int) {
    var numbers = Numbers()
    for sides in [0, 1, 5, 16] {
      let stride = n + sides
      var a = positive(n, gap: sides, &numbers)
      for i in 0..<n { for j in n..<stride { a[i * stride + j] = numbers.next() } }
      let expected = plain(a, n, stride: stride, columns: stride)
      #expect(Cholesky.factor(&a, stride: stride, count: n, columns: stride) == nil)
      #expect(a == expected, "\(n) rows, \(sides) right sides")
    }
  }

  @Test(arguments: counts)
  func solvesWhatItSays(n: Int) {
    var numbers = Numbers()
    let a = positive(n, gap: 3, &numbers)
    var u = a
    #expect(Cholesky.factor(&u, stride: n + 3, count: n) == nil)
    func entry(_ i: Int, _ j: Int) -> Double { a[min(i, j) * (n + 3) + max(i, j)] }
    let exact = numbers.many(n * 9)
    var b = [Double](repeating: 0, count: n * 9)
    for i in 0..<n { for c in 0..<9 { b[i * 9 + c] = (0..<n).reduce(0) { $0 + entry(i, $1) * exact[$1 * 9 + c] } } }
    var one = (0..<n).map { b[$0 * 9 + 8] }
    Cholesky.forward(u, stride: n + 3, count: n, &b, bStride: 9, columns: 9)
    Cholesky.forward(u, stride: n + 3, count: n, &one)
    // One right side and many are the same chains.
    #expect((0..<n).allSatisfy { (one[$0] - b[$0 * 9 + 8]).magnitude <= 1e-12 * (1 + one[$0].magnitude) })
    Cholesky.backward(u, stride: n + 3, count: n, &b, bStride: 9, columns: 9)
    Cholesky.backward(u, stride: n + 3, count: n, &one)
    let worst = zip(b, exact).map { ($0 - $1).magnitude }.max()!
    #expect(worst < 1e-8, "\(n): \(worst)")
    #expect((0..<n).allSatisfy { (one[$0] - exact[$0 * 9 + 8]).magnitude < 1e-8 })
  }

  @Test func refusesWhatIsNotPositiveDefinite() {
    for (n, bad) in [(1, 0), (20, 13), (60, 41)] {
      var a = [Double](repeating: 0, count: n * n)
      for i in 0..<n { a[i * n + i] = i == bad ? -1 : 1 }
      #expect(Cholesky.factor(&a, stride: n, count: n) == bad)
      for i in 0..<n { a[i * n + i] = i == bad ? .nan : 1 }
      #expect(Cholesky.factor(&a, stride: n, count: n) == bad)
    }
  }

  /// Of T_ij = min(i, j): eigenvalues $1/(2 - 2 \cos \frac{(2k - 1) \pi}{2n + 1})$, eigenvectors proportional to $\sin(j (2k - 1) \pi/(2n + 1))$.
  @Test(arguments: [1, 2, 3, 10, 37])
  func eigenvaluesAndSquaresAreThoseOfTheDiscreteGreenFunction(n: Int) {
    var numbers = Numbers()
    for vector in [numbers.many(n), (0..<n).map { $0 == n - 1 ? 2.0 : 0 }, (0..<n).map { $0 == 0 ? -1.0 : 0 }] {
      var a = (0..<n * n).map { Double(min($0 / n, $0 % n) + 1) }
      var (values, squares) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
      SymmetricEigenvalues.find(&a, count: n, along: vector, into: &values, squares: &squares)
      let found = zip(values, squares).sorted { $0.0 > $1.0 }
      for (k, (value, square)) in found.enumerated() {
        let turn = (2 * Double(k) + 1) / Double(2 * (2 * n + 1))
        let exact = 1 / (2 - 2 * Elementary.sinCosTurns(turn).cos)
        #expect((value - exact).magnitude < 1e-12 * found[0].0)
        let u = (1...n).map { j in Elementary.sinCosTurns((turn * Double(j)).truncatingRemainder(dividingBy: 1)).sin }
        let along = zip(u, vector).reduce(0) { $0 + $1.0 * $1.1 }
        #expect((square - along * along / u.reduce(0) { $0 + $1 * $1 }).magnitude < 1e-11 * (1 + square))
      }
    }
  }
}
