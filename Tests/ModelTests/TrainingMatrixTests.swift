import Randomness
import Testing
import Training

/// Matrix factorisation (arXiv:2310.01769).
@Suite struct TrainingMatrixTests {
  private static var symmetric: [String: Any] {
    [
      "form": "symmetric", "rows": 20, "rank": 4, "target": [1.0, 1.0], "alpha": 0.5, "learning_rate": 0.05,
    ]
  }

  @Test func surplusColumnsEndSlowly() throws {
    let records = [500, 1000, 2000, 4000]
    let runs = try ProblemRuns(
      "matrix-factorisation", Self.symmetric.merging(["steps": 4000, "records": records]) { $1 })
    let rows = runs.rows(60)
    for (record, (printed, error)) in [
      (0.02549, 0.00011), (0.01339, 0.00003), (0.006877, 0.000008), (0.003486, 0.000002),
    ].enumerated() {
      let place = try runs.place("error", record: record)
      expectMean(rows.map { $0[place] }, printed, error, "after \(records[record])")
    }
    // 2 h t error / sqrt(k - r) -> 1 as 1 - 1/(2 h t s_0^2).
    let surplus = try runs.place("surplus")
    #expect(rows.allSatisfy { $0[surplus] < 1 && $0[surplus] > 0.9 })
    let exact = try ProblemRuns(
      "matrix-factorisation", Self.symmetric.merging(["rank": 2, "steps": 4000, "records": "last"]) { $1 })
    #expect(try exact.sample("error", 20).allSatisfy { $0 < 1e-6 })
  }

  @Test func aScalarFollowsItsClosedForm() throws {
    #expect((MatrixFactorisation.flow(f: 0.8, g: 0.5, time: 5) - 0.034956).magnitude < 5e-7)
    let runs = try ProblemRuns(
      "matrix-factorisation",
      [
        "form": "asymmetric", "rows": 1, "rank": 1, "start": [0.8, 0.5], "learning_rate": 0.001, "steps": 5000,
        "records": [0, 5000],
      ])
    #expect((try runs.value("product") - 0.034941).magnitude < 5e-7)
    #expect((try runs.value("flow_product") - 0.034956).magnitude < 5e-7)
    #expect((try runs.value("imbalance") - 0.39).magnitude < 1e-3)
    #expect((try runs.value("imbalance", record: 0) - 0.39).magnitude < 1e-14)
    // Nearly and wholly balanced starts, and a negative product, against small steps of the midpoint rule.
    for (f, g) in [(0.7, 0.7), (0.7, 0.7 + 1e-8), (-0.4, 0.9)] {
      var p = f * g
      let c = (f - g) * (f + g)
      func slope(_ p: Double) -> Double { -p * (c * c + 4 * p * p).squareRoot() }
      for _ in 0..<20_000 { p += 1e-4 * slope(p + 0.5e-4 * slope(p)) }
      #expect((MatrixFactorisation.flow(f: f, g: g, time: 2) - p).magnitude < 1e-8, "\(f) \(g)")
    }
  }

  /// A descent on |F G^T - M|^2/2 that keeps F^T F - G^T G up to the square of the steps.
  @Test func imbalanceIsKept() throws {
    let keys: [String: Any] = [
      "form": "asymmetric", "rows": 5, "columns": 4, "rank": 3, "target": [1.0, 0.5], "alpha": 0.8,
    ]
    func drift(_ rate: Double, _ steps: Int) throws -> Double {
      let runs = try ProblemRuns(
        "matrix-factorisation",
        keys.merging(["learning_rate": rate, "steps": steps, "records": [0, steps]]) { $1 })
      #expect(try runs.value("error") < 0.3 * runs.value("error", record: 0))
      return (try runs.value("imbalance") - runs.value("imbalance", record: 0)).magnitude
    }
    let (coarse, fine) = (try drift(0.02, 1000), try drift(0.002, 10_000))
    #expect(coarse < 0.02 && fine < 0.2 * coarse, "\(coarse) \(fine)")
  }

  /// The rows that M sees and the Gram matrix of the others, from the start of every entry.
  @Test func reducedFactorsAreThoseOfEveryEntry() throws {
    let problems = try ["weights", "reduced"].map { sampler in
      try #require(
        try ProblemRuns(
          "matrix-factorisation", Self.symmetric.merging(["steps": 1, "sampler": sampler]) { $1 }
        ).model.problem as? MatrixFactorisation)
    }
    let (plain, reduced) = (problems[0].makeState(), problems[1].makeState())
    var stream = Stream(key: 9)
    stream.start(draw: 2)
    problems[0].start(plain, &stream)
    problems[1].start(reduced, &stream)
    // A first loss makes the Gram matrix of the rows that M does not see.
    _ = problems[0].loss(plain, &stream, step: 1)
    reduced.left.update(from: plain.left, count: 2 * 4)
    reduced.rest.update(from: plain.rest, count: 4 * 4)
    for step in 1...200 {
      let a = problems[0].loss(plain, &stream, step: step)
      let b = problems[1].loss(reduced, &stream, step: step)
      #expect((a - b).magnitude < 1e-12 * a, "step \(step): \(a), \(b)")
      problems[0].step(plain, &stream, rate: 0.05)
      problems[1].step(reduced, &stream, rate: 0.05)
    }
    // |X X^T - M|^2 itself.
    var square = 0.0
    for i in 0..<20 {
      for j in 0..<20 {
        var entry = i == j && i < 2 ? -1.0 : 0
        for l in 0..<4 { entry += plain.left[i * 4 + l] * plain.left[j * 4 + l] }
        square += entry * entry
      }
    }
    #expect((problems[0].loss(plain, &stream, step: 201) - 0.25 * square).magnitude < 1e-12 * square)
  }

  @Test func factorsHaveOneLaw() throws {
    try expectOneLaw(
      "matrix-factorisation", Self.symmetric.merging(["rows": 7, "steps": 20, "records": "last"]) { $1 }, draws: 1000)
  }
}
