import Kernels
import Statistics
import Testing

/// The noise of stochastic gradient descent (arXiv:2301.13703).
@Suite struct TrainingPerceptronTests {
  private static func perceptron(_ keys: [String: Any]) throws -> ProblemRuns {
    try ProblemRuns("sgd-perceptron", ["features": 20].merging(keys) { $1 })
  }

  @Test(arguments: [
    (1, 0.5, (9.369, 0.005), 9.480, 0.886), (2, 2.0, (23.684, 0.011), 23.887, nil as Double?),
  ])
  func weightsGrowAsOnThePage(batch: Int, rate: Double, printed: (Double, Double), law: Double, rest: Double?) throws {
    let runs = try Self.perceptron([
      "batch": batch, "learning_rate": rate, "steps": 16_000, "records": [2000, 16_000],
    ])
    let rows = runs.rows(200)
    let place = try runs.place("w_1")
    expectMean(rows.map { $0[place] }, printed.0, printed.1, "w_1")
    // w_1^3 = 3 T^2 sqrt(d) t/(4 pi sqrt(2 pi)), |w_rest| = T sqrt(d/(2 pi)) late on.
    let (t, temperature, d) = (16_000 * rate, rate / Double(batch), 20.0)
    let cube = 3 * temperature * temperature * d.squareRoot() * t / (4 * Double.pi * (2 * Double.pi).squareRoot())
    let late = Elementary.exp(Elementary.log(cube) / 3)
    #expect((late - law).magnitude < 6e-4)
    let mean = Moments(values: rows.map { $0[place] }).mean
    #expect((mean / late - 1).magnitude < 0.02)
    let across = try runs.place("w_rest")
    // Within a percent of the law besides, as the printed value .886 is of .892.
    let plateau = temperature * (d / (2 * Double.pi)).squareRoot()
    expectMean(rows.map { $0[across] }, rest ?? plateau, rest == nil ? 0.01 * plateau : 0.0005, "w_rest")
    // Local slope over a factor of 8 in time, printed .336: within .005 and four errors of 200 runs, .0025 each.
    let early = try runs.place("log_w_1", record: 0)
    let end = try runs.place("log_w_1")
    let slope = Moments(values: rows.map { ($0[end] - $0[early]) / Elementary.log(8) })
    #expect((slope.mean - 1.0 / 3).magnitude < 0.015, "\(slope.mean) +- \(slope.meanError)")
  }

  @Test func rareBorderExamplesSlowIt() throws {
    let runs = try Self.perceptron(["chi": 1.0, "learning_rate": 0.5, "steps": 16_000, "records": [2000, 16_000]])
    let rows = runs.rows(200)
    let (early, late) = (try runs.place("log_w_1", record: 0), try runs.place("log_w_1"))
    let slope = Moments(values: rows.map { ($0[late] - $0[early]) / Elementary.log(8) }).mean
    #expect((slope - 0.25).magnitude < 0.015, "\(slope)")
  }

  @Test(arguments: [0.0, 1.5])
  func twoNumbersHaveTheLawOfEveryWeight(chi: Double) throws {
    try expectOneLaw(
      "sgd-perceptron",
      [
        "features": 5, "batch": 3, "chi": chi, "margin": 0.2, "learning_rate": 0.5, "steps": 25, "records": "last",
      ], draws: 3000)
    try expectOneLaw(
      "sgd-perceptron", ["features": 2, "batch": 2, "chi": chi, "learning_rate": 0.5, "steps": 10, "records": "last"],
      draws: 2000)
  }

  /// A fixed set ends once every example is right, and not before.
  @Test func fixedSetsAreFitted() throws {
    let runs = try Self.perceptron([
      "features": 5, "samples": 40, "learning_rate": 0.5, "steps": 100_000, "records": [1, 4, 100_000],
    ])
    for row in runs.rows(20) {
      func value(_ name: String, _ record: Int = 2) throws -> Double { row[try runs.place(name, record: record)] }
      let (error, converged, steps) = (try value("error"), try value("converged"), try value("steps"))
      #expect(error == 0 && converged == 1)
      #expect(try value("time") == 0.5 * steps)
      for (record, made) in [(0, 1.0), (1, 4)] {
        let early = try value("error", record)
        #expect((early > 0) == (steps > made))
      }
    }
  }
}
