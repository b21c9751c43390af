import Kernels
import Randomness
import Statistics
import Testing

/// Selection by integer weights: the same ancestors however particles are split, and the laws of the offspring.
///
/// Statistical tests: four schemes, 5 particles, mean and variance each: 40 tests, 4.5 standard errors (a false alarm has probability below 3e-4).
@Suite struct SelectionTests {
  private static func weights(_ n: Int, _ key: UInt64) -> [Double] {
    var stream = Stream(key: key)
    stream.start(draw: 0)
    return (0..<n).map { _ in 1.5 * stream.normal() }
  }

  private static func words(_ n: Int, _ key: UInt64) -> [UInt64] {
    var stream = Stream(key: key)
    stream.start(draw: 1)
    return (0..<n).map { _ in stream.word() }
  }

  /// Ancestors as parts find them, each from its own weights and the sums of the others.
  private static func select(
    _ scheme: Selection.Scheme, _ logWeights: [Double], _ words: [UInt64], children: Int, parts: Int
  ) -> [Int32] {
    let n = logWeights.count
    let bounds = (0...parts).map { n * $0 / parts }
    var pieces: [[Double]] = []
    for p in 0..<parts { pieces.append(Array(logWeights[bounds[p]..<bounds[p + 1]])) }
    var maximum = -Double.infinity
    for piece in pieces { maximum = max(maximum, Selection.maximum(piece, piece.count)) }
    var own: [[UInt64]] = []
    var sums: [UInt64] = []
    for piece in pieces {
      var integers = Array(repeating: UInt64(0), count: piece.count)
      sums.append(Selection.weigh(piece, piece.count, maximum: maximum, into: &integers))
      own.append(integers)
    }
    func shares(_ sums: [UInt64]) -> [Selection.Share] {
      sums.indices.map {
        Selection.Share(before: sums[..<$0].reduce(0, +), own: sums[$0], total: sums.reduce(0, +))
      }
    }
    let share = shares(sums)
    let total = sums.reduce(0, +)
    var result = Array(repeating: Int32(-1), count: children)
    var extra = Array(repeating: UInt64(0), count: n)
    switch scheme {
    case .pivotal:
      Selection.pivotal(
        own.flatMap { $0 }, n, total: total, children: children, words: words, extra: &extra, into: &result)
    case .systematic:
      for p in 0..<parts {
        Selection.systematic(
          own[p], own[p].count, first: bounds[p], share[p], children: children, word: words[0], into: &result)
      }
    case .multinomial:
      for p in 0..<parts {
        let table = SelectionTable(capacity: own[p].count)
        table.fill(own[p], own[p].count)
        Selection.multinomial(
          table, first: bounds[p], share[p], children: 0..<children, words: words, into: &result)
      }
    case .residual:
      var fractions = own
      let split = (0..<parts).map {
        Selection.split(own[$0], own[$0].count, total: total, children: children, into: &fractions[$0])
      }
      let (copies, rests) = (shares(split.map(\.copies)), shares(split.map(\.fractions)))
      for p in 0..<parts {
        let table = SelectionTable(capacity: own[p].count)
        table.fill(fractions[p], own[p].count)
        Selection.residual(
          own[p], own[p].count, first: bounds[p], total: total, copies: copies[p], table: table, fractions: rests[p],
          children: children, words: words, into: &result)
      }
    }
    return result
  }

  @Test(arguments: Selection.Scheme.allCases, [1, 2, 5, 64, 1000, 4099])
  func partsFindTheSameAncestors(scheme: Selection.Scheme, n: Int) {
    for children in [n, n / 2 + 1, 3 * n] {
      let (logWeights, words) = (Self.weights(n, UInt64(n)), Self.words(max(n, children), 7))
      let whole = Self.select(scheme, logWeights, words, children: children, parts: 1)
      #expect(whole.allSatisfy { $0 >= 0 && Int($0) < n })
      for parts in [2, 3, 7] {
        #expect(Self.select(scheme, logWeights, words, children: children, parts: parts) == whole, "\(parts) parts")
      }
    }
  }

  /// Plain laws that need no table: who is chosen is who a cumulative sum of integers says, one after another.
  @Test func systematicAndMultinomialArePlainSearches() {
    let n = 300
    let (logWeights, words) = (Self.weights(n, 3), Self.words(n, 4))
    var integers = Array(repeating: UInt64(0), count: n)
    let total = Selection.weigh(logWeights, n, maximum: logWeights.max() ?? 0, into: &integers)
    func owner(_ pointer: UInt64) -> Int32 {
      var rest = pointer
      for i in 0..<n {
        if rest < integers[i] { return Int32(i) }
        rest -= integers[i]
      }
      return -1
    }
    let multinomial = Self.select(.multinomial, logWeights, words, children: n, parts: 1)
    for k in 0..<n { #expect(multinomial[k] == owner(words[k].multipliedFullWidth(by: total).high)) }
    let systematic = Self.select(.systematic, logWeights, words, children: n, parts: 1)
    let u = UInt128(words[0] >> 32)
    for k in 0..<n {
      let place: UInt128 = UInt128(k) << 32 + u
      let pointer: UInt128 = place * UInt128(total) / (UInt128(n) << 32)
      #expect(systematic[k] == owner(UInt64(pointer)))
    }
  }

  /// Why weights are integers: of equal weights and with u = 0 pointers lie on borders, and a floating-point cumulative sum says who is chosen by where the parts begin.
  @Test func floatingPointSumsDependOnParts() {
    let n = 1000
    let weights = Array(repeating: 0.1, count: n)
    func select(parts: Int) -> [Int] {
      let bounds = (0...parts).map { n * $0 / parts }
      let sums = (0..<parts).map { weights[bounds[$0]..<bounds[$0 + 1]].reduce(0, +) }
      let total = sums.reduce(0, +)
      var result = Array(repeating: -1, count: n)
      for p in 0..<parts {
        var reached = sums[..<p].reduce(0, +)
        for i in bounds[p]..<bounds[p + 1] {
          let before = reached
          reached += weights[i]
          for k in 0..<n where (before..<reached).contains(Double(k) * total / Double(n)) { result[k] = i }
        }
      }
      return result
    }
    let whole = select(parts: 1)
    #expect([2, 3, 7].contains { select(parts: $0) != whole })
    let logs = weights.map { Elementary.log($0) }
    let zeros = Array(repeating: UInt64(0), count: n)
    let exact = Self.select(.systematic, logs, zeros, children: n, parts: 1)
    for parts in [2, 3, 7] { #expect(Self.select(.systematic, logs, zeros, children: n, parts: parts) == exact) }
  }

  /// Means N w of every scheme; variances N w (1 - w), or f (1 - f) where each particle has one of two numbers of children; of residual the multinomial variance of the rest.
  @Test(arguments: Selection.Scheme.allCases)
  func offspringHaveTheirLaw(scheme: Selection.Scheme) {
    let w = [0.05, 0.4, 0.25, 0.17, 0.13]
    let (n, draws) = (w.count, 40_000)
    var stream = Stream(key: Stream.key(seed: 2026, path: "selection"))
    var offspring = Array(repeating: [Double](), count: n)
    for draw in 0..<draws {
      stream.start(draw: UInt64(draw))
      let words = (0..<n).map { _ in stream.word() }
      let chosen = Self.select(scheme, w.map { Elementary.log($0) }, words, children: n, parts: 1)
      for i in 0..<n { offspring[i].append(Double(chosen.filter { Int($0) == i }.count)) }
    }
    let fractions = w.map { (Double(n) * $0).truncatingRemainder(dividingBy: 1) }
    let rest = fractions.reduce(0, +)
    for i in 0..<n {
      let found = Moments(values: offspring[i])
      let mean = Double(n) * w[i]
      let variance =
        switch scheme {
        case .multinomial: mean * (1 - w[i])
        case .systematic, .pivotal: fractions[i] * (1 - fractions[i])
        case .residual: fractions[i] * (1 - fractions[i] / rest)
        }
      #expect((found.mean - mean).magnitude < 4.5 * (variance / Double(draws)).squareRoot() + 1e-9, "\(scheme) \(i)")
      let squares = Moments(values: offspring[i].map { ($0 - mean) * ($0 - mean) })
      #expect(
        (squares.mean - variance).magnitude < 4.5 * squares.meanError + 1e-9,
        "\(scheme) \(i): \(squares.mean), \(variance)")
      if scheme != .multinomial { #expect(offspring[i].allSatisfy { $0 >= mean.rounded(.down) }) }
      if scheme == .systematic || scheme == .pivotal { #expect(offspring[i].allSatisfy { $0 <= mean.rounded(.up) }) }
    }
  }

  @Test func weightsOfZeroHaveNoChildren() {
    let logWeights = [-Double.infinity, 0, .nan, -1, -Double.infinity]
    let words = Self.words(5, 9)
    for scheme in Selection.Scheme.allCases {
      for child in Self.select(scheme, logWeights, words, children: 5, parts: 1) { #expect(child == 1 || child == 3) }
    }
    #expect(Selection.maximum([-.infinity, -.infinity], 2) == -.infinity)
  }

  @Test func theEffectiveSizeIsThatOfTheWeights() {
    var integers = Array(repeating: UInt64(0), count: 4)
    let total = Selection.weigh([0, 0, -Double.infinity, 0], 4, maximum: 0, into: &integers)
    #expect(Selection.effectiveSize(integers, 4, total: total) == 3)
  }

  // MARK: Loops in vectors against plain ones

  /// Logarithms of weights of several kinds: usual ones, a few that have nearly all children, equal ones, a row of zeros at both ends.
  private static func kinds(_ n: Int) -> [[Double]] {
    let usual = weights(n, 11)
    return [
      usual, usual.map { 12 * $0 }, Array(repeating: -0.7, count: n),
      usual.enumerated().map { $0 < n / 3 || $0 > n - n / 4 ? -.infinity : $1 }, usual.map { $0 + 700 },
    ]
  }

  /// Integer weights, their largest and the sum of their squares, number by number.
  @Test(arguments: [1, 2, 31, 256, 1000]) func weightsArePlainOnes(n: Int) {
    for logs in Self.kinds(n) + [[.nan] + Self.weights(n, 5), Self.weights(n, 6) + [.nan, -0.0]] {
      let maximum = Selection.maximum(logs, logs.count)
      let plain = logs.reduce(-Double.infinity) { $1 > $0 ? $1 : $0 }
      #expect(maximum == plain)
      guard maximum.isFinite else { continue }
      var integers = Array(repeating: UInt64(7), count: logs.count)
      let total = Selection.weigh(logs, logs.count, maximum: maximum, into: &integers)
      for (log, integer) in zip(logs, integers) {
        let expected = log - maximum > -28 ? UInt64(0x1p40 * Elementary.exp(log - maximum)) : 0
        #expect(integer == expected)
      }
      #expect(total == integers.reduce(0, +))
      let squares = integers.reduce(UInt128(0)) { $0 + UInt128($1) * UInt128($1) }
      #expect(
        Selection.effectiveSize(integers, integers.count, total: total) == Double(total) / Double(squares)
          * Double(total))
    }
    #expect(Selection.maximum([-5, -2, -9], 3) == -2 && Selection.maximum([-5, 3, -9], 3) == 3)
  }

  /// Systematic selection by one comparison of 128 bits for each child, at pointers in the middle and on the borders of intervals, in one part and in several.
  @Test(arguments: [1, 3, 64, 257, 1000]) func systematicIsExact(n: Int) {
    for (kind, logs) in Self.kinds(n).enumerated() {
      let maximum = Selection.maximum(logs, n)
      guard maximum.isFinite else { continue }
      var integers = Array(repeating: UInt64(0), count: n)
      let total = Selection.weigh(logs, n, maximum: maximum, into: &integers)
      for children in [n, 3 * n + 1] {
        for u: UInt64 in [0, 1, 1 << 31, 1 << 32 - 1, 987_654_321] {
          var expected: [Int32] = []
          var (i, reached) = (0, UInt128(integers[0]))
          for k in 0..<children {
            let pointer = (UInt128(k) << 32 + UInt128(u)) * UInt128(total)
            while pointer >= reached * (UInt128(children) << 32) {
              i += 1
              reached += UInt128(integers[i])
            }
            expected.append(Int32(i))
          }
          for parts in [1, 3] {
            let found = Self.select(.systematic, logs, [u << 32], children: children, parts: parts)
            #expect(found == expected, "kind \(kind), \(children) children, u = \(u), \(parts) parts")
          }
        }
      }
    }
  }

  /// Pointers on the ends of intervals, and particles without weight before and behind.
  @Test(arguments: [1, 2, 50, 1000]) func tablesFindBorders(n: Int) {
    for logs in Self.kinds(n) {
      let maximum = Selection.maximum(logs, n)
      guard maximum.isFinite else { continue }
      var integers = Array(repeating: UInt64(0), count: n)
      let total = Selection.weigh(logs, n, maximum: maximum, into: &integers)
      let table = SelectionTable(capacity: n)
      table.fill(integers, n)
      #expect(table.total == total)
      var end: UInt64 = 0
      for i in 0..<n where integers[i] > 0 {
        #expect(table.find(end) == i)
        end += integers[i]
        #expect(table.find(end - 1) == i)
      }
    }
  }

  /// The rest of residual selection is drawn by the fractions, with words of the children's own, however many particles there are: the sum of fractions of 20,000 would not fit into 64 bits without their shift.
  @Test(arguments: [1, 5, 300, 20_000]) func residualIsPlain(n: Int) {
    for logs in Self.kinds(n) {
      let maximum = Selection.maximum(logs, n)
      guard maximum.isFinite else { continue }
      var integers = Array(repeating: UInt64(0), count: n)
      let total = Selection.weigh(logs, n, maximum: maximum, into: &integers)
      let words = Self.words(n, 21)
      var expected: [Int32] = []
      for i in 0..<n {
        for _ in 0..<Int(UInt128(integers[i]) * UInt128(n) / UInt128(total)) { expected.append(Int32(i)) }
      }
      let shift = Int.bitWidth - (n - 1).leadingZeroBitCount
      let rests = integers.map { (UInt128($0) * UInt128(n) % UInt128(total)) >> UInt128(shift) }
      let sum = rests.reduce(0, +)
      for k in expected.count..<n {
        var pointer = sum == 0 ? 0 : (UInt128(words[k]) * sum) >> 64
        var i = 0
        while sum > 0 && pointer >= rests[i] {
          pointer -= rests[i]
          i += 1
        }
        expected.append(Int32(i))
      }
      #expect(Self.select(.residual, logs, words, children: n, parts: 1) == expected)
      #expect(Self.select(.residual, logs, words, children: n, parts: 3) == expected)
    }
  }
}
