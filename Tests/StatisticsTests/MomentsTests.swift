import Kernels
import Randomness
import Statistics
import Testing

@Suite struct TallyTests {
  private func layout(covariances: Bool = true, centres: [Double] = [0, 0, 0, 0]) -> Tally.Layout {
    .init(perGroup: 2, groups: 2, covariances: covariances, centres: centres)
  }

  /// Two correlated observables in each of two layers; exponential and squared normal shapes.
  private func draws(_ range: Range<UInt64>) -> [[Double]] {
    var s = Stream(key: 12)
    return range.map { index in
      s.start(draw: index)
      let g = s.normals(3)
      let (x, y, z) = (g[0], g[1], g[2])
      return [x, x + 0.5 * y, z * z + 100, Elementary.exp(y)]
    }
  }

  @Test func momentsAgreeWithDirectFormulas() {
    let values = draws(0..<20_000)
    let tally = Tally(layout: layout(centres: [0.1, 0, 101, 1]))
    for v in values { tally.record(v, overflowed: false, underflowed: false) }
    let n = Double(values.count)
    for k in 0..<4 {
      let x = values.map { $0[k] }
      let mean = x.reduce(0, +) / n
      func central(_ p: Int) -> Double {
        x.reduce(0) { total, v in total + (0..<p).reduce(1.0) { product, _ in product * (v - mean) } } / n
      }
      let m = tally.moments(k)
      #expect(abs(m.mean - mean) < 1e-12 * max(1, abs(mean)))
      #expect(abs(m.variance / (central(2) * n / (n - 1)) - 1) < 1e-10)
      #expect(abs(m.skewness - central(3) / (central(2) * central(2).squareRoot())) < 1e-7)
      #expect(abs(m.kurtosis - (central(4) / (central(2) * central(2)) - 3)) < 1e-6)
      #expect(abs(m.secondMoment / (x.reduce(0) { $0 + $1 * $1 } / n) - 1) < 1e-12)
    }
    let c = tally.covariance(group: 0)
    let (a, b) = (tally.moments(0).mean, tally.moments(1).mean)
    let direct = values.reduce(0) { $0 + ($1[0] - a) * ($1[1] - b) } / (n - 1)
    #expect(abs(c[1] - direct) < 1e-10 && c[1] == c[2] && c[0] == tally.moments(0).variance)
  }

  @Test func standardErrorsCoverTheScatterOfRepeatedSamples() {
    // 400 samples of 2,000 unit exponentials: the scatter of each statistic against its mean standard error. The scatter of
    // 400 has a relative error of 3.5%, doubled for the heavy tails of the fourth moment; bounds at five of those.
    var s = Stream(key: 13)
    var estimates: [[Double]] = [[], [], [], []]
    var errors: [[Double]] = [[], [], [], []]
    for sample in 0..<400 {
      s.start(draw: UInt64(sample))
      let tally = Tally(layout: .init(perGroup: 1, groups: 1, covariances: false, centres: [0.7]))
      for _ in 0..<2000 {
        var x = -Elementary.log(s.uniform())
        x = min(x, 5)
        tally.record(&x, overflowed: false, underflowed: false)
      }
      let m = tally.moments(0)
      for (k, pair) in [
        (m.mean, m.meanError), (m.variance, m.varianceError), (m.skewness, m.skewnessError),
        (m.kurtosis, m.kurtosisError),
      ].enumerated() {
        estimates[k].append(pair.0)
        errors[k].append(pair.1)
      }
    }
    for k in 0..<4 {
      let mean = estimates[k].reduce(0, +) / 400
      let scatter = (estimates[k].reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 399).squareRoot()
      let stated = errors[k].reduce(0, +) / 400
      #expect(abs(scatter / stated - 1) < (k < 3 ? 0.18 : 0.36), "statistic \(k): scatter \(scatter), stated \(stated)")
    }
  }

  @Test func mergingEqualsOneTally() {
    let values = draws(0..<3000)
    let whole = Tally(layout: layout())
    let first = Tally(layout: layout())
    let second = Tally(layout: layout())
    for (i, v) in values.enumerated() {
      whole.record(v, overflowed: i % 7 == 0, underflowed: false)
      (i % 3 == 0 ? first : second).record(v, overflowed: i % 7 == 0, underflowed: false)
    }
    second.merge(first)
    #expect(second.words == whole.words)
    #expect(second.counts(of: second.pages) == whole.counts(of: whole.pages))
    let copy = Tally(layout: layout())
    copy.words = whole.words
    #expect(copy.words == whole.words && copy.counter(.overflowed) == 429)
  }

  @Test func valuesThatAreNotFiniteAreCountedAndLeftOut() {
    let tally = Tally(layout: layout())
    for v in [[1.0, 2, 3, 4], [.nan, 3, 5, .infinity], [3, 5, 7, 6]] {
      tally.record(v, overflowed: false, underflowed: false)
    }
    #expect(tally.notFiniteCount(0) == 1 && tally.notFiniteCount(3) == 1 && tally.notFiniteCount(1) == 0)
    #expect(tally.moments(0).count == 2 && tally.moments(0).mean == 2)
    #expect(tally.moments(1).count == 3)
    // Pairs come from the draws in which both are finite.
    #expect(abs(tally.covariance(group: 0)[1] - 3) < 1e-12)
  }
}

@Suite struct HistogramTests {
  @Test func bucketsAreOrderedAndQuantilesRight() {
    var h = BitHistogram()
    for i in -5000...5000 { h.add(Double(i) / 1000) }
    h.add(.infinity)
    h.add(.nan)
    let buckets = h.buckets()
    #expect(zip(buckets, buckets.dropFirst()).allSatisfy { $0.upper <= $1.lower && $0.lower < $0.upper })
    #expect(buckets.reduce(0) { $0 + $1.count } == 10001)
    for level in [0.01, 0.25, 0.5, 0.9] {
      #expect(abs(h.quantile(level).value - (-5 + 10 * level)) < 0.03)
    }
    var zero = BitHistogram()
    zero.add(-0.0)
    zero.add(0.0)
    #expect(zero.buckets().count == 1 && zero.buckets()[0].count == 2)
    #expect(BitHistogram().quantile(0.5).value.isNaN)
  }

  @Test func kolmogorovSmirnov() {
    var a = BitHistogram()
    var b = BitHistogram()
    for i in 0..<1000 { a.add(Double(i)) }
    for i in 0..<1000 { b.add(Double(i + 100)) }
    let shifted = KolmogorovSmirnov(a, b)
    #expect(abs(shifted.distance - 0.1) < 0.01 && shifted.pValue < 1e-3)
    #expect(KolmogorovSmirnov(a, a).distance == 0 && KolmogorovSmirnov(a, a).pValue == 1)
    // Kolmogorov's law: Q(1.3581) = 0.05, Q(1.6276) = 0.01.
    #expect(abs(KolmogorovSmirnov.tail(1.3581) - 0.05) < 1e-4 && abs(KolmogorovSmirnov.tail(1.6276) - 0.01) < 1e-4)
  }

  @Test func equivalence() {
    #expect(Equivalence(difference: 0.004, margin: 0.003, tolerance: 0.01) == .agrees)
    #expect(Equivalence(difference: -0.02, margin: 0.003, tolerance: 0.01) == .differs)
    #expect(Equivalence(difference: 0.009, margin: 0.003, tolerance: 0.01) == .undecided)
    #expect(abs(Gaussian.critical(0.05) - 1.959964) < 1e-5)
    #expect(KolmogorovSmirnov.band(1000, 1000, alpha: 0.01) > KolmogorovSmirnov.band(4000, 4000, alpha: 0.01))
  }
}
