import Randomness
import Statistics
import Testing

@Suite struct ExactSumTests {
  private func sum(_ values: [Double]) -> [Int64] {
    var words = [Int64](repeating: 0, count: ExactSum.words)
    words.withUnsafeMutableBufferPointer { buffer in
      for x in values { ExactSum.add(x, to: buffer.baseAddress!) }
      ExactSum.carry(buffer.baseAddress!)
    }
    return words
  }

  private func value(_ values: [Double]) -> Double {
    sum(values).withUnsafeBufferPointer { ExactSum.value($0.baseAddress!) }
  }

  /// Values over the whole range of Doubles.
  private func wild(_ count: Int) -> [Double] {
    var s = Stream(key: 11)
    s.start(draw: 0)
    return (0..<count).map { _ in
      while true {
        let x = Double(bitPattern: s.word())
        if x.isFinite { return x }
      }
    }
  }

  @Test func cancellationIsExact() {
    #expect(value([1e308, 1, -1e308]) == 1)
    #expect(value([0x1p-1064, 1e300, -1e300]) == 0x1p-1064)
    #expect(value([0.1, 0.2, -0.3]) == 0x1p-55 - 0)
    #expect(value([-1, -2, -3.5]) == -6.5)
    #expect(value([]) == 0)
    #expect(value([.leastNonzeroMagnitude, .leastNonzeroMagnitude]) == 2 * .leastNonzeroMagnitude)
    #expect(value([.greatestFiniteMagnitude, -.greatestFiniteMagnitude]) == 0)
  }

  @Test func orderAndGroupingDoNotMatter() {
    let values = wild(5000)
    let forwards = sum(values)
    #expect(sum(values.reversed()) == forwards)
    let half = values.count / 3
    var parts = zip(sum(Array(values[..<half])), sum(Array(values[half...]))).map { $0 &+ $1 }
    parts.withUnsafeMutableBufferPointer { ExactSum.carry($0.baseAddress!) }
    #expect(parts == forwards)
    // What is added and taken away again leaves nothing.
    #expect(sum(values + values.map { -$0 }) == [Int64](repeating: 0, count: ExactSum.words))
  }

  @Test func notFiniteValuesAreCounted() {
    let words = sum([1, .nan, .infinity, -.infinity])
    #expect(words[ExactSum.words - 1] == 3)
    #expect(value([1, .nan]).isNaN)
  }

  @Test func sumsOfIntegersAreRight() {
    let n = 100_000
    #expect(value((1...n).map(Double.init)) == Double(n) * Double(n + 1) / 2)
    #expect(value((1...n).map { -Double($0) * 0x1p-500 }) == -Double(n) * Double(n + 1) / 2 * 0x1p-500)
  }
}

@Suite struct IntervalSetTests {
  @Test func unionsAndComplements() {
    var set = IntervalSet()
    for range in [10..<20, 30..<40, 20..<25, 5..<11] as [Range<UInt64>] { set.insert(range) }
    #expect(set.intervals == [5..<25, 30..<40] && set.count == 30)
    #expect(set.complement(upTo: 35).intervals == [0..<5, 25..<30])
    #expect(set.complement(upTo: 50).intervals == [0..<5, 25..<30, 40..<50])
    var rest = set.complement(upTo: 50)
    #expect(rest.takeFirst(7) == [0..<5, 25..<27] && rest.intervals == [27..<30, 40..<50])
    #expect(IntervalSet(disjoint: [3..<5, 0..<2])?.intervals == [0..<2, 3..<5])
    #expect(IntervalSet(disjoint: [0..<3, 2..<5]) == nil && IntervalSet(disjoint: [2..<2]) == nil)
    #expect(set.overlaps(IntervalSet(24..<26)) && !set.overlaps(IntervalSet(25..<30)))
  }
}
