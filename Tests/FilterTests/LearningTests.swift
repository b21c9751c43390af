import Experiments
import Filters
import Kernels
import Statistics
import Testing

/// Learning of several parameters: exact statistics against derivatives of log Z, exact steps of EM, and particles against EM with exact statistics.
///
/// Statistical tests: 18 in all, 5 standard errors each.
@Suite struct LearningTests {
  private static let hidden = Known.hidden
  private static let gaps = HiddenMarkov(
    initial: [0.5, 0.25, 0.25], transition: [[0.7, 0.2, 0.1], [0.3, 0.5, 0.2], [0.2, 0.3, 0.5]],
    emission: [[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.2, 0.7]],
    observations: Observations([0, 0, .nan, 2, 2, 1, 0, 2, .nan, 0]))

  private static func volatility(_ phi: Double, _ s: Double, _ b: Double) -> StochasticVolatility {
    StochasticVolatility(
      persistence: phi, noise: s, scale: b, observations: Observations([0.5, -0.3, 1.2, .nan, -0.5, -1.1, 0.2]))
  }

  /// Fisher's identity: the derivative of log Z is that of the expected log density of the complete data.
  @Test func statisticsOfVolatilityGiveTheScore() throws {
    let (phi, s, b) = (0.8, 0.4, 0.7)
    let known = try #require(Self.volatility(phi, s, b).exactStatistics)
    let (h, steps, present) = (1e-5, 7.0, 6.0)
    func complete(_ phi: Double, _ s: Double, _ b: Double) -> Double {
      let q = known.functionals
      let rest = q[0] * (1 - phi * phi) + q[3] - 2 * phi * q[2] + phi * phi * q[1]
      return 0.5 * Elementary.log(1 - phi * phi) - steps * Elementary.log(s) - rest / (2 * s * s)
        - present * Elementary.log(b) - q[4] / (2 * b * b)
    }
    func evidence(_ phi: Double, _ s: Double, _ b: Double) throws -> Double {
      try #require(Self.volatility(phi, s, b).exactStatistics).logEvidence
    }
    // Fewer points than the 1001 of the evidence.
    #expect((try #require(Self.volatility(phi, s, b).exact).logEvidence - known.logEvidence).magnitude < 1e-11)
    for (u, v, w) in [(h, 0, 0), (0, h, 0), (0, 0, h)] {
      let score = (try evidence(phi + u, s + v, b + w) - evidence(phi - u, s - v, b - w)) / (2 * h)
      let found = (complete(phi + u, s + v, b + w) - complete(phi - u, s - v, b - w)) / (2 * h)
      #expect((score - found).magnitude < 1e-7, "\(score), \(found)")
    }
    // The step of EM maximises it.
    var model = Self.volatility(phi, s, b)
    model.maximise(known.functionals)
    let top = complete(model.persistence, model.noise, model.scale)
    for (u, v, w) in [(1e-3, 0, 0), (0, 1e-3, 0), (0, 0, 1e-3), (1e-3, 1e-3, -1e-3)] {
      for sign in [-1.0, 1] {
        #expect(
          complete(model.persistence + sign * u, model.noise + sign * v, model.scale + sign * w) < top - 1e-9)
      }
    }
  }

  /// The same of tables: probability moves from one column of a row to another.
  @Test func statisticsOfTablesGiveTheScore() throws {
    for model in [Self.hidden, Self.gaps] {
      let known = try #require(model.exactStatistics)
      let (initial, rows) = ([0.5, 0.25, 0.25], [[0.7, 0.2, 0.1], [0.3, 0.5, 0.2], [0.2, 0.3, 0.5]])
      let symbols = [[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.2, 0.7]]
      let h = 1e-5
      func evidence(_ initial: [Double], _ rows: [[Double]], _ symbols: [[Double]]) throws -> Double {
        try #require(
          HiddenMarkov(initial: initial, transition: rows, emission: symbols, observations: model.observations).exact
        ).logEvidence
      }
      func moved(_ row: [Double], _ c: Int, _ h: Double) -> [Double] {
        row.enumerated().map { $0 == c ? $1 + h : $0 == (c + 1) % 3 ? $1 - h : $1 }
      }
      func check(_ first: Int, _ row: [Double], _ c: Int, _ evidence: (Double) throws -> Double) throws {
        let score = (try evidence(h) - evidence(-h)) / (2 * h)
        let q = known.functionals
        let found = q[first + c] / row[c] - q[first + (c + 1) % 3] / row[(c + 1) % 3]
        #expect((score - found).magnitude < 1e-6, "\(first), \(c): \(score), \(found)")
      }
      for c in 0..<3 {
        try check(0, initial, c) { try evidence(moved(initial, c, $0), rows, symbols) }
        for r in 0..<3 {
          try check(3 + 3 * r, rows[r], c) { h in
            var other = rows
            other[r] = moved(rows[r], c, h)
            return try evidence(initial, other, symbols)
          }
          try check(12 + 3 * r, symbols[r], c) { h in
            var other = symbols
            other[r] = moved(symbols[r], c, h)
            return try evidence(initial, rows, other)
          }
        }
      }
    }
  }

  /// A step of EM never lowers log Z.
  @Test func stepsRaiseTheEvidence() throws {
    func check(_ model: some LearnableModel, _ iterations: Int) throws {
      var (model, last) = (model, -Double.infinity)
      for _ in 0..<iterations {
        let known = try #require(model.exactStatistics)
        #expect(known.logEvidence > last - 1e-12)
        last = known.logEvidence
        model.maximise(known.functionals)
      }
    }
    try check(Self.hidden, 60)
    try check(Self.gaps, 60)
    try check(Self.volatility(0.8, 0.4, 0.7), 8)
    try check(Known.waves(0.5), 20)
  }

  /// Particles follow EM with exact statistics, iteration by iteration, but for a bias of order 1/N, here at most .01.
  @Test func particlesFollowExactSteps() throws {
    func check(_ model: some LearnableModel, _ draws: Int, isGibbs: Bool, _ records: [Int]) throws {
      let problem = Learning(
        model, FilterPlan(particles: 300, backward: 2, isTraced: isGibbs), iterations: 6, constant: 3, exponent: 0.7,
        isGibbs: isGibbs)
      let exact = try #require(problem.exactIterations)
      let sample = Sample(problem, draws, key: "exact em")
      for record in records {
        for (name, value) in zip(problem.learnedNames, exact[record]) where value > 0.02 {
          let found = sample.moments(name, record: record)
          #expect(
            (found.mean - value).magnitude < 5 * found.meanError + 0.01,
            "\(name) at \(record): \(found.mean) +- \(found.meanError), \(value)")
        }
      }
    }
    try check(Self.volatility(0.8, 0.4, 0.7), 100, isGibbs: false, [0, 5])
    try check(Self.gaps, 60, isGibbs: true, [0, 5])
    try check(Known.linear, 60, isGibbs: true, [0, 5])
  }
}
