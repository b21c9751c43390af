import Experiments
import Testing

/// Fluctuation and dissipation (arXiv:1810.00004).
@Suite struct TrainingFluctuationTests {
  private static func noisy(_ keys: [String: Any]) throws -> ProblemRuns {
    try ProblemRuns(
      "noisy-regression", ["spectrum": [1.0, 0.5, 0.1], "noise": 1.0, "learning_rate": 0.2].merging(keys) { $1 })
  }

  /// Exact means in the stationary state; with mu = 0 also S = s^2 Q/(1 - Q) in closed form.
  @Test(arguments: [(1, 0.0, 0.2, 0.235727, 5e-7), (4, 0.0, 0.2, 0.0465028, 5e-8), (2, 0.9, 0.05, 0.290075, 5e-7)])
  func stationaryMeansAreThoseOfThePage(batch: Int, mu: Double, rate: Double, printed: Double, tolerance: Double) throws
  {
    let runs = try Self.noisy([
      "batch": batch, "momentum": mu, "learning_rate": rate, "steps": 6000, "records": [4000, 6000],
    ])
    let known = try #require(runs.legs.first { $0.role == .exact }?.known)
    let excess = try #require(known.mean(of: "excess", record: 1))
    #expect((excess - printed).magnitude < tolerance, "\(excess)")
    #expect((try #require(known.mean(of: "right", record: 1)) - excess).magnitude < 1e-12)
    #expect((try #require(known.mean(of: "balance", record: 1))).magnitude < 1e-12)
    guard mu == 0 else { return }
    let share = 1 / Double(batch)
    let q = [1, 0.5, 0.1].reduce(0.0) { $0 + $1 * rate * share / (2 - rate * $1 * (1 + share)) }
    #expect((excess - q / (1 - q)).magnitude < 1e-12)
  }

  /// Runs against the exact means, from far off the stationary state: ten means, |z| < 4.
  @Test(arguments: [(1, 0.0, 0.2), (2, 0.9, 0.05)])
  func runsHaveTheExactMeans(batch: Int, mu: Double, rate: Double) throws {
    let runs = try Self.noisy([
      "batch": batch, "momentum": mu, "learning_rate": rate, "start": 0.7, "steps": 400, "records": [20, 400],
    ])
    let known = try #require(runs.legs.first { $0.role == .exact }?.known)
    let rows = runs.rows(1000)
    for record in 0...1 {
      for name in ["loss", "excess", "left", "right", "balance"] {
        let place = try runs.place(name, record: record)
        expectMean(
          rows.map { $0[place] }, try #require(known.mean(of: name, record: record)), 0, "\(name) at \(record)")
      }
    }
  }

  /// Run by run with mu = 0: left - right is what |theta|^2 has lost over 2 eta t. All variances are 1, so loss tells |theta|^2.
  @Test func balanceIsTheDrift() throws {
    let runs = try ProblemRuns(
      "noisy-regression",
      [
        "spectrum": [1.0, 1.0, 1.0], "noise": 0.5, "batch": 3, "start": 0.6, "steps": 50, "records": [0, 20, 50],
      ])
    for row in runs.rows(10) {
      func norm(_ record: Int) throws -> Double { 2 * row[try runs.place("loss", record: record)] - 0.5 }
      for (record, steps) in [(1, 20.0), (2, 30)] {
        let drift = (try norm(record - 1) - norm(record)) / (2 * 0.1 * steps)
        #expect((row[try runs.place("balance", record: record)] - drift).magnitude < 1e-12)
      }
    }
  }
}
