import Testing

/// Logistic regression and the perceptrons that it becomes (arXiv:2412.08424).
@Suite struct TrainingLogisticTests {
  private static func worstCase(_ n: Int) -> [String: Any] {
    [
      "inputs": (0..<n).map { $0 < n - 1 ? [1.0, 0.1] : [-0.5, 0.1] } as [Any],
      "targets": Array(repeating: 1.0, count: n) as [Any],
    ]
  }

  /// n - 1 equal examples and one against them; the largest margin is .1, R^2 = 1.01.
  @Test(arguments: [
    ("batch-perceptron", [9, 94, 942]), ("normalised-perceptron", [18, 3, 3]), ("logistic", [10, 161, 2254]),
  ])
  func worstCasesTakeAsManySteps(rule: String, counts: [Int]) throws {
    for (n, count) in zip([10, 100, 1000], counts) {
      let runs = try ProblemRuns(
        "logistic-perceptron",
        ["rule": rule, "learning_rate": 100.0, "steps": 5000, "records": "last", "data": Self.worstCase(n)])
      #expect(try runs.value("steps") == Double(count), "n = \(n)")
      let (converged, error, margin) = (
        try runs.value("converged"), try runs.value("error"), try runs.value("margin")
      )
      #expect(converged == 1 && error == 0 && margin > 0 && margin < 0.1)
      let bound = rule == "batch-perceptron" ? 101 * Double(n) : rule == "logistic" ? .infinity : 101
      #expect(try runs.value("steps") <= bound)
    }
  }

  private static func separable(_ rule: String, _ rate: Double) throws -> ProblemRuns {
    try ProblemRuns(
      "logistic-perceptron",
      [
        "rule": rule, "learning_rate": rate, "steps": 200_000, "records": "last",
        "data": ["teacher": "sign", "features": 10, "samples": 40],
      ])
  }

  /// Mean steps until 40 Gaussian examples of a teacher are right, over 40 sets of examples before.
  @Test func meanStepsAreThoseOfThePage() throws {
    let draws = 120
    let printed: [(String, Double, Double, Double)] = [
      ("logistic", 0.1, 611, 157), ("logistic", 1, 61, 16), ("logistic", 10, 5.7, 1.3), ("logistic", 100, 6.5, 0.7),
      ("logistic", 1e4, 6.7, 0.7), ("batch-perceptron", 1, 6.8, 0.7), ("normalised-perceptron", 1, 19.2, 1.5),
    ]
    var steps: [[Double]] = []
    for (rule, rate, mean, error) in printed {
      steps.append(try Self.separable(rule, rate).sample("steps", draws))
      expectMean(steps.last!, mean, error, "\(rule) \(rate)")
    }
    // The same examples: large learning rates are the batch perceptron, in 95% of 40 sets before.
    let equal = Double(zip(steps[4], steps[5]).count { $0 == $1 }) / Double(draws)
    let error = (0.95 * 0.05 * (1 / 40 + 1 / Double(draws))).squareRoot()
    #expect((equal - 0.95).magnitude < 4 * error, "\(equal)")
  }

  /// The first step is half of the mean of the examples whatever the rule, and perceptrons do not see the learning rate.
  @Test func perceptronsHaveNoScale() throws {
    let one = try Self.separable("batch-perceptron", 1).sample("steps", 20)
    #expect(try Self.separable("batch-perceptron", 64).sample("steps", 20) == one)
    for rule in ["logistic", "batch-perceptron"] {
      let runs = try ProblemRuns(
        "logistic-perceptron",
        [
          "rule": rule, "steps": 1, "records": [0, 1], "learning_rate": 1.0,
          "data": ["inputs": [[3.0, 1.0], [1.0, 0.0]], "targets": [1.0, -1.0]],
        ])
      #expect((try runs.value("norm") - 0.25 * 5.0.squareRoot()).magnitude < 1e-15)
    }
  }
}
