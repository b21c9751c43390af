import Experiments
import Statistics
import Testing

/// Generalisation and stability of stochastic gradient Langevin dynamics on data sets that differ in one example.
@Suite struct TrainingSGLDTests {
  private static var keys: [String: Any] {
    [
      "examples": 10, "batch": 2, "temperature": 0.05, "learning_rate": 0.1, "steps": 30, "records": [1, 5, 30],
    ]
  }

  /// Printed: gap .09576, stability .023069, E F - F* .08394 of n = 10, a = s = 1, h = .1, b = 2, k = 30, beta = 20; and in closed form for other numbers.
  @Test func recursionsAreTheClosedForms() throws {
    let known = try #require(
      try ProblemRuns("sgld-generalisation", Self.keys).legs.first { $0.role == .exact }?.known)
    for (name, value, digits) in [("gap", 0.09576, 5e-6), ("stability", 0.023069, 5e-7), ("excess", 0.08394, 5e-6)] {
      let found = try #require(known.mean(of: name, record: 2))
      #expect((found - value).magnitude < digits, "\(name): \(found)")
    }
    let (n, b, a, s2, h, t, k) = (7.0, 3.0, 1.7, 0.6, 0.3, 0.2, 5)
    let runs = try ProblemRuns(
      "sgld-generalisation",
      [
        "examples": 7, "batch": 3, "curvature": a, "spread": s2, "temperature": t, "learning_rate": h, "steps": k,
        "records": "last",
      ])
    let exact = try #require(runs.legs.first { $0.role == .exact }?.known)
    func c(_ k: Int) -> Double { 1 - (0..<k).reduce(1.0) { value, _ in value * (1 - h * a) } }
    let ha = h * a
    for (name, value) in [
      ("gap", a * s2 / n * c(k)),
      ("stability", 2 * s2 * (c(k) * c(k) / (n * n) + ha / (2 - ha) * c(2 * k) / (b * n) * (1 - 1 / n))),
      (
        "excess",
        0.5 * a * (s2 * c(k) * c(k) / n + c(2 * k) * (2 * h * t + ha * ha * s2 * (1 - 1 / n) / b) / (ha * (2 - ha)))
      ),
    ] { #expect((try #require(exact.mean(of: name, record: 0)) - value).magnitude < 1e-14, "\(name)") }
  }

  /// Runs against what is known: 4 jobs, 3 records and 7 means each, |z| < 4.5 of 84; heavy or light steps, schedules, starts and full batches.
  @Test func runsHaveTheExactMeans() throws {
    let cases: [[String: Any]] = [
      [:], ["batch": 1, "start": 0.7, "curvature": 1.5], ["schedule": ["name": "cosine"], "spread": 2.5],
      ["loss": "least-squares", "batch": 5, "learning_rate": 0.05],
    ]
    for (i, more) in cases.enumerated() {
      let runs = try ProblemRuns("sgld-generalisation", Self.keys.merging(more) { $1 })
      let known = try #require(runs.legs.first { $0.role == .exact }?.known)
      let rows = runs.rows(20_000, path: "sgld/\(i)")
      var tested = 0
      for record in 0..<3 {
        for observable in known.observables.map(\.name) {
          guard let value = known.mean(of: observable, record: record) else { continue }
          let place = try runs.place(observable, record: record)
          let found = Moments(values: rows.map { $0[place] })
          tested += 1
          #expect(
            (found.mean - value).magnitude < 4.5 * found.meanError,
            "\(more) \(observable) at \(record): \(found.mean) +- \(found.meanError), \(value)")
        }
      }
      #expect(tested == (more["loss"] == nil ? 21 : 3))
    }
  }

  /// All examples, each once, are no batch: the two runs part by 1/n of the difference of one example, and nothing else.
  @Test func fullBatches() throws {
    var keys = Self.keys
    keys["batch"] = nil
    let runs = try ProblemRuns("sgld-generalisation", keys)
    let known = try #require(runs.legs.first { $0.role == .exact }?.known)
    let c = 1 - (0..<30).reduce(1.0) { value, _ in value * 0.9 }
    let exact = 2 * (c / 10) * (c / 10)
    #expect((try #require(known.mean(of: "stability", record: 2)) - exact).magnitude < 1e-15)
    expectMean(try runs.sample("stability", 20_000), exact, 0)
    expectMean(try runs.sample("gap", 20_000), c / 10, 0)
  }

  /// Steps beyond 2/a are refused, those beyond 2A/(A^2 + var(A)/b) of least squares said.
  @Test func stepLimits() throws {
    let failure = #expect(throws: Failure.self) {
      _ = try ProblemRuns("sgld-generalisation", Self.keys.merging(["learning_rate": 1.0, "curvature": 2.0]) { $1 })
    }
    #expect(failure?.message.contains("training.learning_rate = 1.0: must be below 2 / curvature = 1.0") ?? false)
    let squares = try ProblemRuns("sgld-generalisation", Self.keys.merging(["loss": "least-squares"]) { $1 })
    #expect(squares.model.problem.stabilityEdge?.rate == 1)
  }
}
