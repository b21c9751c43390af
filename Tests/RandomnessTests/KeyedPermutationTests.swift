import Randomness
import Statistics
import Testing

/// Keyed permutations: bijections, and the law of the pairings that they make. Seeds are fixed; eleven statistics are tested, at |z| < 4 each (a false alarm in 1,400 suites).
@Suite struct KeyedPermutationTests {
  let words = KeyedWords(key: 17)

  @Test func itIsABijectionWithItsInverse() {
    for n in Array(1...70) + [255, 256, 257, 1_000, 1_023, 1_024, 1_025, 4_097, 65_535, 65_536, 65_537, 100_003] {
      let p = KeyedPermutation(n, by: words, replica: 3, step: n, use: 1)
      var seen = Array(repeating: false, count: n)
      for i in 0..<n {
        let image = p[i]
        #expect(image >= 0 && image < n && !seen[image] && p.place(of: image) == i)
        seen[image] = true
      }
    }
    // The largest: places and images near both ends.
    let most = KeyedPermutation(KeyedPermutation.mostPlaces, by: words, replica: 0, step: 0, use: 0)
    for i in [0, 1, 2, 1 << 20, KeyedPermutation.mostPlaces - 1] {
      #expect(most.place(of: most[i]) == i && most[most.place(of: i)] == i)
    }
  }

  @Test func fillsAreTheSameInAnyParts() {
    for n in [7, 300, 10_001] {
      let p = KeyedPermutation(n, by: words, replica: 1, step: 5, use: 2)
      let (images, places) = ((0..<n).map { p[$0] }, (0..<n).map { p.place(of: $0) })
      for part in [1, 3, 64, 1_000, n] {
        var filled = Array(repeating: UInt32(0), count: n)
        var inverse = filled
        for first in stride(from: 0, to: n, by: part) {
          let count = min(part, n - first)
          filled.withUnsafeMutableBufferPointer { p.fill(images: $0.baseAddress! + first, from: first, count: count) }
          inverse.withUnsafeMutableBufferPointer { p.fill(places: $0.baseAddress! + first, from: first, count: count) }
        }
        #expect(filled.map(Int.init) == images && inverse.map(Int.init) == places)
      }
    }
  }

  @Test func partnersMeetEachOther() {
    for n in [2, 9, 64, 501] {
      let p = KeyedPermutation(n, by: words, replica: 0, step: 1, use: 0)
      let alone = (0..<n).filter { p.partner(of: $0) == nil }
      #expect(alone.count == n % 2)
      for i in 0..<n { if let j = p.partner(of: i) { #expect(j != i && p.partner(of: j) == i) } }
    }
  }

  @Test func keysAreApart() {
    func images(_ replica: UInt64, _ step: Int, _ use: Int, key: UInt64 = 17) -> [Int] {
      let p = KeyedPermutation(50, by: KeyedWords(key: key), replica: replica, step: step, use: use)
      return (0..<50).map { p[$0] }
    }
    let all = [
      images(0, 0, 0), images(1, 0, 0), images(1 << 33, 0, 0), images(0, 1, 0), images(0, 0, 1),
      images(0, 0, 0, key: 18),
    ]
    #expect(Set(all).count == all.count)
  }

  /// Number of a pairing of 2m particles among all (2m - 1)!!.
  private func pairing(_ n: Int, _ p: KeyedPermutation) -> Int {
    var left = Array(0..<n)
    var number = 0
    while !left.isEmpty {
      let partner = p.partner(of: left.removeFirst())!
      let place = left.firstIndex(of: partner)!
      number = number * left.count + place
      left.remove(at: place)
    }
    return number
  }

  private func z(_ counts: [Int]) -> Double {
    let expected = Double(counts.reduce(0, +)) / Double(counts.count)
    let chi = counts.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    let freedom = Double(counts.count - 1)
    return (chi - freedom) / (2 * freedom).squareRoot()
  }

  /// Whole pairings of few particles: 3, 15, 105 and 945 of them.
  @Test(arguments: [(4, 3), (6, 15), (8, 105), (10, 945)])
  func everyPairingIsEquallyLikely(_ n: Int, _ pairings: Int) {
    var counts = Array(repeating: 0, count: pairings)
    for step in 0..<30_000 {
      counts[pairing(n, KeyedPermutation(n, by: words, replica: 2, step: step, use: 0))] += 1
    }
    #expect(z(counts).magnitude < 4, "N = \(n): z = \(z(counts))")
  }

  /// The pairs of many: every pair of 64, 100 and 1,100 particles; of 100,003, by the distance of the partner on the ring and by the images of two neighbours.
  @Test func everyPairIsEquallyLikely() {
    for (n, steps) in [(64, 4_000), (100, 4_000), (1_100, 4_000)] {
      var counts = Array(repeating: 0, count: n * (n - 1) / 2)
      for step in 0..<steps {
        let p = KeyedPermutation(n, by: words, replica: 4, step: step, use: 0)
        for i in 0..<n {
          let j = p.partner(of: i)!
          if i < j { counts[j * (j - 1) / 2 + i] += 1 }
        }
      }
      // Pairs of one pairing exclude each other, which makes the variance of a count 1 - 1/(N - 1) of that of a multinomial law: no more than that.
      #expect(z(counts).magnitude < 4, "N = \(n): z = \(z(counts))")
    }
    let n = 100_003
    var distances = Array(repeating: 0, count: 97)
    for step in 0..<3 {
      let p = KeyedPermutation(n, by: words, replica: 5, step: step, use: 0)
      for i in 0..<n { if let j = p.partner(of: i), i < j { distances[(j - i) * 97 / n] += 1 } }
    }
    // |i - j| of two of n: density 2 (1 - x).
    let total = Double(distances.reduce(0, +))
    let chi = distances.enumerated().reduce(0.0) { sum, entry in
      let (a, b) = (Double(entry.offset) / 97, Double(entry.offset + 1) / 97)
      let expected = total * (2 * (b - a) - (b * b - a * a))
      return sum + (Double(entry.element) - expected) * (Double(entry.element) - expected) / expected
    }
    #expect(((chi - 96) / (2.0 * 96).squareRoot()).magnitude < 4, "distances: chi-square \(chi) of 96")
    var cells = Array(repeating: 0, count: 100)
    for step in 0..<30_000 {
      let p = KeyedPermutation(n, by: words, replica: 6, step: step, use: 0)
      cells[p[2 * step] * 10 / n * 10 + p[2 * step + 1] * 10 / n] += 1
    }
    #expect(z(cells).magnitude < 4, "neighbours: z = \(z(cells))")
  }

  /// What a sum of pairs sees: the images of four places, twice two neighbours, have the correlation -1/(N - 1) of draws without replacement, whatever the distance of the pairs.
  @Test func pairsOfPairsAreUncorrelated() {
    let (n, steps) = (1_000, 20_000)
    for distance in [2, 500] {
      var sum = 0.0
      for step in 0..<steps {
        let p = KeyedPermutation(n, by: words, replica: 7, step: step, use: 0)
        func centred(_ i: Int) -> Double { Double(p[i]) - 0.5 * Double(n - 1) }
        sum += (centred(0) * centred(1)) * (centred(distance) * centred(distance + 1))
      }
      let variance = Double(n * n - 1) / 12
      let z = sum / Double(steps).squareRoot() / (variance * variance)
      #expect(z.magnitude < 4, "distance \(distance): z = \(z)")
    }
  }

  @Test func wordsOfItemsAreThoseOfTheirBlocks() {
    let set = words.set(replica: 9, step: 4, use: 3)
    let items: [UInt32] = [5, 0, 77, 1, 1_000_000, 2, 3, 4, 5, 6, 7]
    var (a, b) = (Array(repeating: UInt64(0), count: 11), Array(repeating: UInt64(0), count: 11))
    set.fill(&a, &b, of: items, count: 11)
    for (i, item) in items.enumerated() { #expect((a[i], b[i]) == set.words(of: item)) }
    set.fill(&a, &b, from: 3, count: 11)
    for i in 0..<11 { #expect((a[i], b[i]) == set.words(of: UInt32(3 + i))) }
  }

  @Test func wordsInBlocksAreThoseOfTheStream() {
    var s = Stream(key: 8)
    var t = Stream(key: 8)
    s.start(draw: 2)
    t.start(draw: 2)
    var words = Array(repeating: UInt64(0), count: 26)
    for _ in 0..<3 {
      s.fill(words: &words, blocks: 13)
      #expect(words == (0..<26).map { _ in t.word() })
    }
  }
}
