import Experiments
import Kernels
import Randomness
import Statistics
import Testing
import Training

/// Quadratic committees (arXiv:2310.06110). Printed values are those of two routes before: the recursion, and units trained one by one.
@Suite struct TrainingCommitteeTests {
  private static var keys: [String: Any] {
    ["features": 20, "epsilon": 0.5, "learning_rate": 0.1, "width": 100]
  }

  private static func runs(_ keys: [String: Any]) throws -> ProblemRuns {
    try ProblemRuns("committee", Self.keys.merging(keys) { $1 })
  }

  /// All inputs, infinitely many units: twice test_loss after 100 and 300 steps, and the alignment at the end.
  @Test(arguments: [
    (0.25, [9e-5, 0], 0.89444, 0.5e-5), (1.0, [0.00207, 0], 0.68333, 0.5e-5),
    (4.0, [0.07087, 0.00020], 0.36667, 0.5e-5),
  ])
  func infiniteWidthIsThatOfThePage(alpha: Double, losses: [Double], alignment: Double, tolerance: Double) throws {
    let model = try Self.runs(["alpha": alpha, "steps": 1800, "records": [0, 100, 300, 1800]]).model
    let finite = try #require(model.problem as? any HasInfiniteWidth)
    #expect(!finite.isRandomAtInfiniteWidth)
    let problem = try #require(finite.infiniteWidth { _ in Failure(.badData, "") } as? Committee)
    let run = TrainingRun(problem, model.settings)
    var values = Array(repeating: 0.0, count: run.schema.width)
    var stream = Stream(key: 0)
    stream.start(draw: 0)
    values.withUnsafeMutableBufferPointer {
      _ = run.draw(using: &stream, scratch: run.makeScratch(), into: $0.baseAddress!)
    }
    let (loss, aligned) = (run.schema.place(of: "test_loss")!, run.schema.place(of: "alignment")!)
    #expect((2 * values[run.schema.index(0, loss)] - 0.75).magnitude < 1e-13)
    #expect((values[run.schema.index(0, aligned)] - 0.05).magnitude < 1e-15)
    for (i, printed) in losses.enumerated() where printed > 0 {
      let found = 2 * values[run.schema.index(i + 1, loss)]
      #expect((found - printed).magnitude < tolerance, "\(found)")
    }
    // The end is M = 1 + b b^T/(alpha epsilon).
    let end = values[run.schema.index(3, aligned)]
    #expect((end - alignment).magnitude < tolerance, "\(end)")
    #expect((end - (1 + 40 / alpha) / (20 + 40 / alpha)).magnitude < 1e-9)
  }

  @Test func finiteWidthsAreThoseOfThePage() throws {
    for (width, printed, error) in [(20, 0.00195, 0.00004), (80, 0.00197, 0.00002), (320, 0.00204, 0.00001)] {
      let runs = try Self.runs(["width": width, "steps": 100, "records": "last"])
      expectMean(try runs.sample("test_loss", 50).map { 2 * $0 }, printed, error, "width \(width)")
    }
  }

  /// Medians of the times to levels, over 60 sets of examples before: half of the runs are below within 4 errors of both shares.
  @Test func timesAreThoseOfThePage() throws {
    let draws = 30
    func median(_ values: [Double], _ printed: Double, _ what: String) {
      let error = (0.25 / Double(draws) + 0.25 / 60).squareRoot()
      let below = Double(values.count { $0 < printed }) / Double(draws)
      let upTo = Double(values.count { $0 <= printed }) / Double(draws)
      #expect(below < 0.5 + 4 * error && upTo > 0.5 - 4 * error, "\(what): \(values.sorted()[draws / 2])")
    }
    for (level, printed) in [(0.15, 11.0), (0.05, 30)] {
      let runs = try Self.runs([
        "epsilon": 0.3, "alpha": 0.1, "samples": 120, "width": 1_000_000, "test_level": level, "steps": 120,
        "records": "last",
      ])
      let rows = runs.rows(draws)
      let (train, test) = (try runs.place("train_time"), try runs.place("test_time"))
      median(rows.map { $0[train] }, 34, "train")
      median(rows.map { $0[test] }, printed, "test below \(level)")
      let delay = try runs.place("log_delay")
      let fitted = try runs.place("fitted")
      for row in rows where row[fitted] == 1 {
        #expect((row[delay] - Elementary.log((1 + row[test]) / (1 + row[train]))).magnitude < 1e-14)
      }
    }
  }

  /// Every weight and the moments from the same start, step by step: all inputs, and examples.
  @Test(arguments: [nil, 30])
  func momentsAreThoseOfEveryWeight(samples: Int?) throws {
    var keys: [String: Any] = ["width": 9, "features": 6, "alpha": 0.7, "steps": 40, "records": "all"]
    keys["samples"] = samples
    let problems = try ["weights", "reduced"].map { sampler in
      try #require(try Self.runs(keys.merging(["sampler": sampler]) { $1 }).model.problem as? Committee)
    }
    let (plain, reduced) = (problems[0].makeState(), problems[1].makeState())
    var stream = Stream(key: 5)
    stream.start(draw: 3)
    problems[0].start(plain, &stream)
    problems[1].start(reduced, &stream)
    let d = 6
    for (to, from) in [(reduced.mean, plain.mean), (reduced.firstMean, plain.firstMean)] {
      to.update(from: from, count: d)
    }
    for (to, from) in [(reduced.second, plain.second), (reduced.firstSecond, plain.firstSecond)] {
      to.update(from: from, count: d * d)
    }
    reduced.inputs.update(from: plain.inputs, count: (samples ?? 0) * d)
    problems[1].transposeInputs(reduced)
    for step in 1...40 {
      let a = problems[0].loss(plain, &stream, step: step)
      let b = problems[1].loss(reduced, &stream, step: step)
      #expect((a - b).magnitude < 1e-12 * max(a, 1e-3), "step \(step): \(a), \(b)")
      problems[0].step(plain, &stream, rate: 0.2)
      problems[1].step(reduced, &stream, rate: 0.2)
    }
    // It has learned something: not two runs that stand still.
    #expect(problems[0].loss(plain, &stream, step: 41) < 0.25)
  }

  /// Gradients of explicit weights by differences of the loss of the examples.
  @Test func stepsAreGradients() throws {
    let (n, d, p, alpha, epsilon, rate) = (3, 2, 4, 0.8, 0.5, 0.1)
    let problem = try #require(
      try Self.runs([
        "width": n, "features": d, "samples": p, "alpha": alpha, "epsilon": epsilon, "sampler": "weights", "steps": 1,
      ]).model.problem as? Committee)
    let state = problem.makeState()
    var stream = Stream(key: 8)
    stream.start(draw: 1)
    problem.start(state, &stream)
    let first = (0..<n * d).map { state.weights![$0] }
    func phi(_ h: Double) -> Double { h + 0.5 * epsilon * h * h }
    func loss(_ w: [Double]) -> Double {
      var sum = 0.0
      for a in 0..<p {
        let x = (0..<d).map { state.inputs[a * d + $0] }
        func output(_ w: [Double]) -> Double {
          (0..<n).reduce(0) { s, i in s + phi((0..<d).reduce(0) { $0 + w[i * d + $1] * x[$1] }) }
        }
        let r = alpha / Double(n) * (output(w) - output(first)) - 0.5 * Double(d) * x[0] * x[0]
        sum += r * r
      }
      return 0.5 * sum / Double(p)
    }
    let found = problem.loss(state, &stream, step: 1)
    #expect((found - loss(first)).magnitude < 1e-14)
    problem.step(state, &stream, rate: rate)
    for i in first.indices {
      var (up, down) = (first, first)
      up[i] += 1e-5
      down[i] -= 1e-5
      let gradient = (loss(up) - loss(down)) / 2e-5
      let move = -rate * Double(d * n) / (alpha * alpha) * gradient
      #expect((state.weights![i] - first[i] - move).magnitude < 1e-9)
    }
  }

  @Test func samplersHaveOneLaw() throws {
    try expectOneLaw(
      "committee", ["width": 12, "features": 4, "steps": 15, "records": "last", "learning_rate": 0.1], draws: 1000)
    try expectOneLaw(
      "committee", ["width": 3, "features": 4, "samples": 9, "steps": 15, "records": "last", "learning_rate": 0.05],
      draws: 1000)
  }
}
