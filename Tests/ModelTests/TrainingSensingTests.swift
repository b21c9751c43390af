import Randomness
import Statistics
import Testing
import Training

/// Low-rank matrices from random measurements (arXiv:2310.01769).
@Suite struct TrainingSensingTests {
  private static func keys(_ form: String, _ more: [String: Any] = [:]) -> [String: Any] {
    [
      "form": form, "rows": 5, "rank": 3, "target": [1.0, 0.5], "alpha": 0.8, "measurements": 40, "noise": 0.1,
      "learning_rate": 0.05, "steps": 1, "records": [0, 1],
    ].merging(more) { $1 }
  }

  /// A step is the gradient of the loss, entry by entry, by central differences.
  @Test(arguments: ["symmetric", "asymmetric"]) func stepsAreGradients(form: String) throws {
    let problem = try #require(
      try ProblemRuns("low-rank-sensing", Self.keys(form)).model.problem as? LowRankSensing)
    let state = problem.makeState()
    var stream = Stream(key: 3)
    stream.start(draw: 1)
    problem.start(state, &stream)
    let factors = form == "symmetric" ? [state.left] : [state.left, state.right]
    let slopes = factors.map { factor in
      (0..<15).map { i -> Double in
        let (x, h) = (factor[i], 1e-5)
        factor[i] = x + h
        let up = problem.loss(state, &stream, step: 1)
        factor[i] = x - h
        let down = problem.loss(state, &stream, step: 1)
        factor[i] = x
        return (up - down) / (2 * h)
      }
    }
    let before = factors.map { factor in (0..<15).map { factor[$0] } }
    _ = problem.loss(state, &stream, step: 1)
    problem.step(state, &stream, rate: 0.05)
    for (f, factor) in factors.enumerated() {
      for i in 0..<15 {
        let move = (factor[i] - before[f][i]) / -0.05
        #expect((move - slopes[f][i]).magnitude < 1e-8 * max(1, move.magnitude), "\(form) \(f) \(i)")
      }
    }
  }

  /// Given the start, r_i are independent N(0, |Z|^2 + s^2): so the loss over its mean is chi-square_m/m, of mean 1 and variance 2/m. Four tests,
  /// each within 4 standard errors.
  @Test(arguments: [("symmetric", 4.0), ("asymmetric", 2.0)]) func residualsAtTheStart(form: String, part: Double)
    throws
  {
    let runs = try ProblemRuns("low-rank-sensing", Self.keys(form))
    let (loss, error) = (try runs.place("loss", record: 0), try runs.place("error", record: 0))
    let ratios = runs.rows(4000).map { part * $0[loss] / ($0[error] * $0[error] + 0.1) }
    let found = Moments(values: ratios)
    #expect((found.mean - 1).magnitude < 4 * found.meanError, "\(found.mean) +- \(found.meanError)")
    #expect((found.variance - 0.05).magnitude < 4 * found.varianceError, "\(found.variance) +- \(found.varianceError)")
  }

  /// With many measurements runs are those that see every entry: E log |Z| after 60 steps, at m = 500 and 2,000, meets that of `matrix-factorisation`
  /// as 1/m, within 4.5 standard errors of the extrapolated value.
  @Test(arguments: ["symmetric", "asymmetric"]) func manyMeasurementsSeeEveryEntry(form: String) throws {
    let shared: [String: Any] = ["measurements": 500, "noise": 0.0, "steps": 60, "records": "last"]
    func mean(_ keys: [String: Any]) throws -> Moments {
      Moments(
        values: try ProblemRuns("low-rank-sensing", Self.keys(form, shared.merging(keys) { $1 })).sample(
          "log_error", 400))
    }
    let (few, many) = (try mean([:]), try mean(["measurements": 2000]))
    var every = Self.keys(form, ["steps": 60, "records": "last"])
    for key in ["measurements", "noise"] { every[key] = nil }
    let all = Moments(values: try ProblemRuns("matrix-factorisation", every).sample("log_error", 4000))
    let value = (4 * many.mean - few.mean) / 3
    let error = (16 * many.meanError * many.meanError + few.meanError * few.meanError).squareRoot() / 3
    let both = (error * error + all.meanError * all.meanError).squareRoot()
    #expect(
      (value - all.mean).magnitude < 4.5 * both, "\(form): \(value) +- \(error), all \(all.mean) +- \(all.meanError)")
  }
}
