import Kernels
import Randomness
import Statistics
import Testing

@Suite struct JointMomentsTests {
  private func rows(_ count: Int, key: UInt64) -> [[Double]] {
    var s = Stream(key: key)
    return (0..<count).map { index in
      s.start(draw: UInt64(index))
      let g = s.normals(3)
      let (x, y, z) = (g[0], g[1], g[2])
      return [x + 3, z * z - 2, Elementary.exp(0.5 * x + 0.3 * y), y]
    }
  }

  private func tally(_ rows: [[Double]], pairs: [Tally.JointPair], covariances: Bool = false) -> Tally {
    let layout = Tally.Layout(
      perGroup: 2, groups: 2, covariances: covariances, centres: [2.8, -1.1, 1.2, 0.1], jointPairs: pairs)
    let tally = Tally(layout: layout)
    for row in rows { tally.record(row, overflowed: false, underflowed: false) }
    return tally
  }

  static let pairs = [Tally.JointPair(group: 0, i: 0, j: 1), Tally.JointPair(group: 1, i: 1, j: 0)]

  @Test("Tally, columns and the formulas written out agree, gaps left out pair by pair")
  func direct() throws {
    var rows = rows(5000, key: 31)
    rows[7][1] = .nan
    rows[8][0] = .infinity
    rows[9][3] = -.infinity
    let tally = tally(rows, pairs: Self.pairs)
    for (group, i, j) in [(0, 0, 1), (0, 1, 0), (1, 1, 0)] {
      let joint = try #require(tally.jointMoments(group: group, i: i, j: j))
      let used = rows.filter { $0[2 * group].isFinite && $0[2 * group + 1].isFinite }
      let n = Double(used.count)
      let (x, y) = (used.map { $0[2 * group + i] }, used.map { $0[2 * group + j] })
      let (a, b) = (x.reduce(0, +) / n, y.reduce(0, +) / n)
      func mu(_ p: Int, _ q: Int) -> Double {
        zip(x, y).reduce(0) { sum, row in
          sum + (0..<p).reduce(1) { v, _ in v * (row.0 - a) } * (0..<q).reduce(1) { v, _ in v * (row.1 - b) }
        } / n
      }
      #expect(joint.count == Int64(used.count) && joint.count == (group == 0 ? 4998 : 4999))
      #expect((joint.covariance - mu(1, 1) * n / (n - 1)).magnitude < 1e-11)
      #expect((joint.covarianceError - ((mu(2, 2) - mu(1, 1) * mu(1, 1)) / n).squareRoot()).magnitude < 1e-11)
      let (sx, sy) = (mu(2, 0).squareRoot(), mu(0, 2).squareRoot())
      let rho = mu(1, 1) / (sx * sy)
      #expect((joint.correlation - rho).magnitude < 1e-11)
      // The variance of the influence function, row by row.
      let influence = zip(x, y).map { row in
        let (u, v) = ((row.0 - a) / sx, (row.1 - b) / sy)
        return u * v - 0.5 * rho * (u * u + v * v)
      }
      let error = (influence.reduce(0) { $0 + $1 * $1 } / n / n).squareRoot()
      #expect((joint.correlationError / error - 1).magnitude < 1e-9)
      let columns = JointMoments(values: rows.map { $0[2 * group + i] }, rows.map { $0[2 * group + j] })
      #expect(columns.count == joint.count && (columns.correlation - joint.correlation).magnitude < 1e-12)
      #expect((columns.covarianceError / joint.covarianceError - 1).magnitude < 1e-9)
      #expect((columns.correlationError / joint.correlationError - 1).magnitude < 1e-9)
    }
    #expect(self.tally(rows, pairs: []).jointMoments(group: 0, i: 0, j: 1) == nil)
  }

  @Test("Joint sums come after all others: without pairs the words are those of before")
  func words() {
    let rows = rows(300, key: 32)
    for covariances in [false, true] {
      let plain = tally(rows, pairs: [], covariances: covariances)
      let joint = tally(rows, pairs: Self.pairs, covariances: covariances)
      let sums = (4 * 8 + (covariances ? 2 * 3 : 0)) * ExactSum.words
      #expect(plain.wordCount == sums + 4 + 2 + 3 && plain.words.count == plain.wordCount)
      #expect(joint.wordCount == plain.wordCount + 2 * (14 * ExactSum.words + 1))
      #expect(Array(joint.words[..<sums]) == Array(plain.words[..<sums]))
      #expect(Array(joint.words[(sums + 28 * ExactSum.words)..<(joint.wordCount - 2)]) == Array(plain.words[sums...]))
      #expect(plain.layout != joint.layout)
    }
  }

  @Test("Merging in any split is one tally, and words carry the state")
  func merging() {
    let rows = rows(900, key: 33) + [[.nan, 1, 2, 3], [1, 2, .infinity, .nan]]
    let whole = tally(rows, pairs: Self.pairs)
    let parts = (0..<3).map { part in
      tally(rows.enumerated().filter { $0.offset % 3 == part }.map(\.element), pairs: Self.pairs)
    }
    parts[2].merge(parts[0])
    parts[2].merge(parts[1])
    #expect(parts[2].words == whole.words)
    let copy = Tally(layout: whole.layout)
    copy.words = whole.words
    #expect(copy.words == whole.words)
    #expect(copy.jointMoments(group: 1, i: 0, j: 1) == whole.jointMoments(group: 1, i: 0, j: 1))
    #expect(copy.jointMoments(group: 1, i: 0, j: 1)?.count == 901)
  }

  @Test("Degenerate columns")
  func degenerate() {
    let line = JointMoments(values: [1, 2, 4, 8], [-2, -4, -8, -16])
    #expect((line.correlation + 1).magnitude < 1e-15 && line.correlationError < 1e-7)
    let flat = JointMoments(values: [1, 2, 3], [5, 5, 5])
    #expect(flat.covariance == 0 && flat.covarianceError == 0 && flat.correlation.isNaN)
    #expect(JointMoments(values: [1], [2]).covariance.isNaN && JointMoments(values: [], []).count == 0)
  }

  /// Bivariate Gaussian with unit variances: n var(covariance) = 1 + rho^2, n var(correlation) = (1 - rho^2)^2. One sample
  /// of 200,000: the estimated variances are certain to about 1%; 5% allowed, 3 x 2 tests.
  @Test(arguments: [0, 0.5, -0.9])
  func gaussianErrors(rho: Double) {
    var s = Stream(key: 34)
    s.start(draw: 0)
    let n = 200_000
    let other = (1 - rho * rho).squareRoot()
    var (x, y): ([Double], [Double]) = ([], [])
    for _ in 0..<n {
      let (a, b) = (s.normal(), s.normal())
      x.append(a)
      y.append(rho * a + other * b)
    }
    let joint = JointMoments(values: x, y)
    let scale = Double(n)
    #expect((joint.covarianceError * joint.covarianceError * scale / (1 + rho * rho) - 1).magnitude < 0.05)
    let known = (1 - rho * rho) * (1 - rho * rho)
    #expect((joint.correlationError * joint.correlationError * scale / known - 1).magnitude < 0.05)
  }
}

/// Errors against the scatter: the sum of z^2 over 300 samples is chi-square with 300 degrees of freedom, of standard deviation
/// 24.5. Bounds at five of them, so errors wrong by more than a fifth are found. Where an error is itself uncertain, the expected sum
/// is above 300: by 15% for quantiles, whose error rests on some 30 order statistics, by up to 30% for fourth moments of exponential tails.
@Suite struct CalibrationTests {
  static let samples = 300
  static let bounds = 177.0...423.0

  /// Statistics of one sample with their errors and true values.
  typealias Statistics = [(name: String, value: Double, error: Double, truth: Double)]

  private func check(_ sample: (Int) -> Statistics) {
    var totals: [String: Double] = [:]
    for index in 0..<Self.samples {
      for entry in sample(index) {
        let z = (entry.value - entry.truth) / entry.error
        totals[entry.name, default: 0] += z * z
      }
    }
    for (name, total) in totals { #expect(Self.bounds.contains(total), "\(name): \(total) for 300") }
  }

  private func univariate(_ m: Moments, mean: Double, variance: Double) -> Statistics {
    [
      ("mean", m.mean, m.meanError, mean), ("variance", m.variance, m.varianceError, variance),
      ("standard deviation", m.standardDeviation, m.standardDeviationError, variance.squareRoot()),
      ("second moment", m.secondMoment, m.secondMomentError, variance + mean * mean),
    ]
  }

  private static func tally(_ centres: [Double]) -> Tally {
    Tally(
      layout: .init(
        perGroup: 2, groups: 1, covariances: false, centres: centres, jointPairs: [.init(group: 0, i: 0, j: 1)]))
  }

  /// 10 tests.
  @Test("Gaussian, 2,000 draws, correlation 0.6")
  func gaussian() throws {
    var s = Stream(key: 35)
    check { sample in
      s.start(draw: UInt64(sample))
      let tally = Self.tally([1, 0])
      for _ in 0..<2000 {
        let (a, b) = (s.normal(), s.normal())
        tally.record([1 + 2 * a, 0.6 * a + 0.8 * b], overflowed: false, underflowed: false)
      }
      let m = tally.moments(0)
      let joint = tally.jointMoments(group: 0, i: 0, j: 1)!
      let quantiles = tally.histograms[0].quantiles([0.5, 0.9])
      return univariate(m, mean: 1, variance: 4) + [
        ("skewness", m.skewness, m.skewnessError, 0), ("kurtosis", m.kurtosis, m.kurtosisError, 0),
        ("covariance", joint.covariance, joint.covarianceError, 1.2),
        ("correlation", joint.correlation, joint.correlationError, 0.6),
        ("median", quantiles[0].value, quantiles[0].standardError, 1),
        ("90%", quantiles[1].value, quantiles[1].standardError, 1 + 2 * 1.2815515655),
      ]
    }
  }

  /// An exponential and its product with another one: covariance 1, variance of the product 3. 4,000 draws; for the fourth
  /// moments of these tails that is few, so skewness and kurtosis are left to the Gaussian. 8 tests.
  @Test("Exponential and product of exponentials, 4,000 draws")
  func skewed() throws {
    var s = Stream(key: 36)
    check { sample in
      s.start(draw: UInt64(sample))
      let tally = Self.tally([0.7, 0.5])
      for _ in 0..<4000 {
        let (a, b) = (-Elementary.log(s.uniform()), -Elementary.log(s.uniform()))
        tally.record([a, a * b], overflowed: false, underflowed: false)
      }
      let joint = tally.jointMoments(group: 0, i: 0, j: 1)!
      let quantiles = tally.histograms[0].quantiles([0.1, 0.9])
      return univariate(tally.moments(0), mean: 1, variance: 1) + [
        ("covariance", joint.covariance, joint.covarianceError, 1),
        ("correlation", joint.correlation, joint.correlationError, 1 / 3.0.squareRoot()),
        ("10%", quantiles[0].value, quantiles[0].standardError, 0.105360515657826),
        ("90%", quantiles[1].value, quantiles[1].standardError, 2.30258509299405),
      ]
    }
  }

  /// 600 rows of an exponential in 64 folds: a mean, the ratio of two moments, a correlation. 3 tests.
  @Test("Jackknife")
  func jackknife() {
    var s = Stream(key: 37)
    check { sample in
      s.start(draw: UInt64(sample))
      let rows = (0..<600).map { _ in [-Elementary.log(s.uniform()), -Elementary.log(s.uniform())] }
      func mean(_ rows: [[Double]]) -> Double { rows.reduce(0) { $0 + $1[0] } / Double(rows.count) }
      func ratio(_ rows: [[Double]]) -> Double {
        rows.reduce(0) { $0 + $1[0] } / rows.reduce(0) { $0 + $1[0] + $1[1] }
      }
      func correlation(_ rows: [[Double]]) -> Double {
        JointMoments(values: rows.map { $0[0] }, rows.map { $0[0] + $0[1] }).correlation
      }
      return [("mean", mean, 1), ("ratio", ratio, 0.5), ("correlation", correlation, 0.5.squareRoot())].map {
        let found = Jackknife(rows, $0.1)
        return ($0.0, found.corrected, found.error, $0.2)
      }
    }
  }
}

@Suite struct JackknifeTests {
  @Test("The error of a mean is the textbook's, row by row and with folds of different sizes near it")
  func mean() {
    var s = Stream(key: 38)
    s.start(draw: 0)
    let rows = (0..<50).map { _ in s.normal() }
    func mean(_ rows: [Double]) -> Double { rows.reduce(0, +) / Double(rows.count) }
    let one = Jackknife(rows, mean)
    let m = Moments(values: rows)
    #expect((one.error / m.meanError - 1).magnitude < 1e-12 && (one.corrected - m.mean).magnitude < 1e-12)
    let folds = Jackknife(rows, folds: 12, mean)
    #expect((folds.corrected - m.mean).magnitude < 1e-12 && (folds.error / one.error - 1).magnitude < 0.8)
    #expect(Jackknife([1.0], mean).error.isNaN && Jackknife([Double](), mean).value.isNaN)
  }

  @Test("The bias of the variance with n in its denominator is taken off exactly")
  func bias() {
    let rows = [1.0, 4, 4.5, 7, 11]
    func biased(_ rows: [Double]) -> Double {
      let mean = rows.reduce(0, +) / Double(rows.count)
      return rows.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rows.count)
    }
    #expect((Jackknife(rows, biased).corrected - Moments(values: rows).variance).magnitude < 1e-12)
  }

  @Test("Moments of plain values are those of a tally")
  func values() {
    var s = Stream(key: 39)
    s.start(draw: 0)
    let rows = (0..<3000).map { _ in 5 - Elementary.log(s.uniform()) }
    let tally = Tally(layout: .init(perGroup: 1, groups: 1, covariances: false, centres: [5.5]))
    for row in rows { tally.record([row], overflowed: false, underflowed: false) }
    let (plain, exact) = (Moments(values: rows + [.nan]), tally.moments(0))
    #expect(plain.count == 3000)
    for path: KeyPath<Moments, Double> in [
      \.mean, \.meanError, \.variance, \.varianceError, \.skewness, \.skewnessError, \.kurtosis, \.kurtosisError,
      \.secondMoment, \.secondMomentError, \.standardDeviationError,
    ] {
      #expect((plain[keyPath: path] / exact[keyPath: path] - 1).magnitude < 1e-8)
    }
    #expect(Moments(values: []).count == 0 && Moments(values: [2, 2]).standardDeviationError == 0)
  }
}
