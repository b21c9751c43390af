import Experiments
import Randomness
import Statistics
import Testing
import Training

/// Gradients of single examples, and margins.
@Suite struct TrainingGradientTests {
  private static let inputs = [[1.0, 0.5, -0.2], [-0.5, 1.0, 0.4], [0.3, -1.2, 0.9]]

  private static func runs(_ keys: [String: Any], examples: [Int], targets: [Any], rate: Double = 1e-6) throws
    -> ProblemRuns
  {
    try ProblemRuns(
      keys["depth"] as? Int == 3 ? "resnet" : "mlp",
      [
        "width": 7, "activation": "tanh", "learning_rate": rate, "steps": 1, "records": [0, 1],
        "observables": ["loss", "gradient_norm", "gradient_noise"],
        "data": ["inputs": examples.map { inputs[$0] }, "targets": examples.map { targets[$0] }],
      ].merging(keys) { $1 })
  }

  /// The loss falls by eta times the rate's scale times |g|^2 in a small step; the mean of the squares of examples trained on alone is that of all and
  /// the noise. Perceptrons, residual networks, biases, parametrisations, losses and several outputs.
  @Test(
    arguments: [
      ["depth": 2], ["depth": 3, "bias": 0.4], ["parametrisation": "ntk", "gamma": 0.5],
      ["parametrisation": "standard", "loss": "logistic"],
      ["outputs": 2],
    ] as [[String: any Sendable]])
  func gradientsOfExamples(keys: [String: any Sendable]) throws {
    var keys = keys as [String: Any]
    let isDouble = keys.removeValue(forKey: "outputs") != nil
    let targets: [Any] = isDouble ? [[1.0, 0.0], [-0.5, 1.0], [0.2, 0.4]] : [1.0, -1.0, 1.0]
    let all = try Self.runs(keys, examples: [0, 1, 2], targets: targets)
    let (norm, noise) = (try all.value("gradient_norm", record: 0), try all.value("gradient_noise", record: 0))
    let scale = try #require(all.model.problem as? TrainedMLP).rateScale
    let fall = (try all.value("loss", record: 0) - all.value("loss", record: 1)) / (1e-6 * scale)
    #expect((fall - norm).magnitude < 1e-3 * norm, "\(fall), \(norm)")
    let squares = try (0..<3).map { a -> Double in
      let one = try Self.runs(keys, examples: [a], targets: targets)
      #expect(try one.value("gradient_noise", record: 0).magnitude < 1e-12)
      return try one.value("gradient_norm", record: 0)
    }
    let mean = squares.reduce(0, +) / 3
    #expect((mean - norm - noise).magnitude < 1e-12 * mean && noise > 0.01 * mean, "\(mean), \(norm), \(noise)")
  }

  /// The least y f, and the least lead over the other classes.
  @Test func margins() throws {
    let two = try Self.runs(
      ["observables": ["margin", "f", "error"]], examples: [0, 1, 2], targets: [1.0, -1.0, 1.0])
    let f = try (0..<3).map { try two.value("f[\($0)]") }
    #expect(try two.value("margin") == min(f[0], -f[1], f[2]))
    let classes: [Any] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    let three = try Self.runs(
      ["observables": ["margin", "f", "error"], "loss": "cross-entropy"], examples: [0, 1, 2], targets: classes)
    let leads = try (0..<3).map { a -> Double in
      let f = try (0..<3).map { try three.value("f[\(a),\($0)]") }
      return f[a] - f.indices.filter { $0 != a }.map { f[$0] }.max()!
    }
    #expect(try three.value("margin") == leads.min())
    #expect(try three.value("error") == Double(leads.count { $0 <= 0 }) / 3)
  }

  private static func noisy(_ optimiser: [String: Any], _ more: [String: Any]) throws -> ProblemRuns {
    try ProblemRuns(
      "mlp",
      [
        "width": 4, "activation": "tanh", "parametrisation": "ntk", "observables": ["fdr_left", "fdr_right"],
        "optimiser": ["batch": 4, "weight_decay": 0.01].merging(optimiser) { $1 },
        "data": ["teacher": "quadratic", "features": 3, "samples": 40],
      ].merging(more) { $1 })
  }

  /// Without momentum the two sides differ by exactly what |w|^2 loses a step over 2 eta, in every run.
  @Test func sidesDifferByTheDrift() throws {
    let problem = try #require(
      try Self.noisy(["name": "descent"], ["learning_rate": 0.3, "steps": 5]).model.problem as? TrainedMLP)
    let state = problem.makeState()
    var stream = Stream(key: 8)
    stream.start(draw: 0)
    problem.start(state, &stream)
    func square() -> Double {
      (0..<2).reduce(0) { sum, layer in
        let scale = problem.scales[layer].multiplier
        return (0..<problem.shape.room(layer + 1)).reduce(sum) {
          let w = state.stack.weights[layer][$1] / scale
          return $0 + w * w
        }
      }
    }
    let before = square()
    for step in 1...5 {
      _ = problem.loss(state, &stream, step: step)
      problem.step(state, &stream, rate: 0.3)
    }
    var values = [Double](repeating: 0, count: problem.observables.count)
    problem.measure(state, into: &values)
    let place = try #require(problem.observables.firstIndex { $0.name == "fdr_left" })
    let drift = (before - square()) / (2 * 0.3 * problem.rateScale * 5)
    #expect((values[place] - values[place + 1] - drift).magnitude < 1e-12 * drift.magnitude, "\(values[place...])")
  }

  /// With momentum, in both conventions, they are equal in the stationary state: means over 4,000 steps of 40 runs, within 4 standard errors of the difference,
  /// which are a hundredth of them at most. Four tests.
  @Test(arguments: [(0.8, false), (0.8, true), (0.5, false), (0.0, false)])
  func sidesAreEqualInTheEnd(mu: Double, averaged: Bool) throws {
    let runs = try Self.noisy(
      ["name": "momentum", "mu": mu, "averaged": averaged],
      ["learning_rate": averaged ? 0.2 : 0.2 * (1 - mu), "steps": 8000, "records": [4000, 8000]])
    let (left, right) = (try runs.place("fdr_left"), try runs.place("fdr_right"))
    let rows = runs.rows(40)
    let difference = Moments(values: rows.map { $0[left] - $0[right] })
    let size = Moments(values: rows.map { $0[right] }).mean
    #expect(difference.mean.magnitude < 4 * difference.meanError, "\(difference.mean) +- \(difference.meanError)")
    #expect(difference.meanError < 0.02 * size, "\(difference.meanError), \(size)")
  }
}
