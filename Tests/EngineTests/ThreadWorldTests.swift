import Engine
import Experiments
import Testing

/// Prefix sums and messages of every rank to every rank, among threads; those of MPI are in BindingTests.
@Suite struct ThreadWorldTests {
  @Test(arguments: [1, 2, 3, 7]) func everyRankToEveryRank(ranks: Int) throws {
    @Sendable func count(_ r: Int, _ q: Int) -> Int { (r + 2 * q) % 3 }
    @Sendable func numbers(from r: Int, to q: Int) -> [Int64] { (0..<count(r, q)).map { Int64(100 * r + 10 * q + $0) } }
    let all = try ThreadWorld.run(ranks: ranks) { group in
      let counts = (0..<ranks).map { count(group.rank, $0) }
      let expected = try group.expected(from: counts)
      let values = (0..<ranks).flatMap { numbers(from: group.rank, to: $0) }
      var received = Array(repeating: Int64(-1), count: expected.reduce(0, +) + 1)
      try received.withUnsafeMutableBufferPointer {
        try group.exchange(values + [0], counts: counts, expected: expected, into: $0.baseAddress!)
      }
      return (expected, received, try group.sumBefore([Int64(group.rank) + 1, .max]))
    }
    for (q, (expected, received, sums)) in all.enumerated() {
      #expect(expected == (0..<ranks).map { count($0, q) })
      let sent = (0..<ranks).flatMap { numbers(from: $0, to: q) }
      #expect(received == sent + [-1])
      #expect(sums == [Int64(q * (q + 1) / 2), Int64.max &* Int64(q)])
    }
  }
}
