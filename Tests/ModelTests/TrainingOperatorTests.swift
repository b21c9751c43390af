import Experiments
import Randomness
import Statistics
import Testing
import Training

/// Operator networks (arXiv:1910.03193).
@Suite struct TrainingOperatorTests {
  private static let keys: [String: any Sendable] = [
    "functions": 5, "test": 20, "sensors": 4, "points": 4, "length": 0.3, "width": 8, "depth": 2, "latent": 3,
    "activation": "tanh", "steps": 100, "learning_rate": 0.05, "records": "last",
  ]

  private static func problem(_ more: [String: any Sendable] = [:]) throws -> OperatorNetwork {
    try #require(
      try ProblemRuns("operator-network", keys.merging(more) { $1 }).model.problem as? OperatorNetwork)
  }

  /// Every kind of weight of both networks, central differences of the loss; 150 functions are two blocks.
  @Test(arguments: [["functions": 150], ["depth": 1, "bias": 0.0, "activation": "erf"]] as [[String: any Sendable]])
  func gradients(more: [String: any Sendable]) throws {
    let problem = try Self.problem(more)
    let state = problem.makeState()
    var stream = Stream(key: 5)
    stream.start(draw: 0)
    problem.start(state, &stream)
    for stack in [state.branch, state.trunk] {
      for layer in stack.weights.indices {
        for place in [0, 1] {
          let weight = stack.weights[layer] + place
          _ = problem.loss(state, &stream, step: 1)
          let (gradient, was, h) = (stack.gradients[layer][place], weight.pointee, 1e-5)
          weight.pointee = was + h
          let above = problem.loss(state, &stream, step: 1)
          weight.pointee = was - h
          let below = problem.loss(state, &stream, step: 1)
          weight.pointee = was
          #expect(((above - below) / (2 * h) - gradient).magnitude < 1e-8, "layer \(layer), \(place): \(gradient)")
        }
      }
    }
  }

  private static let printed: [[(Double, Double)]] = [
    [(1.10812518, 0.02328), (2.18522994, 0.04284), (2.37990652, 0.01868), (3.27928673e4, 643)],
    [(0.0341260633, 0.0002775), (0.315104065, 0.00387), (0.974967028, 0.00475), (4.72864e3, 58.1)],
  ]

  /// Before and after 100 steps, against 6,000 runs of an independent program (NumPy; functions from their covariance on a grid). Eight means, 4 errors each: a false alarm in 2,000.
  @Test func meansOfAnotherProgram() throws {
    let runs = try ProblemRuns("operator-network", Self.keys.merging(["records": [0, 100]]) { $1 })
    for (record, printed) in Self.printed.enumerated() {
      for (name, value) in zip(["loss", "test_mse", "relative_error", "excess"], printed) {
        expectMean(try runs.sample(name, 4000, record: record), value.0, value.1, "\(name) of record \(record)")
      }
    }
  }

  /// What five sensors do not tell, by dense algebra on a grid; with more of them nearly nothing is left.
  @Test func bayesError() throws {
    #expect((try Self.problem().bayesError / 6.66374e-5 - 1).magnitude < 1e-4)
    let dense = try Self.problem(["sensors": 8]).bayesError
    #expect(dense > 0 && dense < 1e-7)
  }
}
