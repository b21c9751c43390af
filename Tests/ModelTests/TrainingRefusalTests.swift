import Experiments
import Support
import Testing

/// Keys of problems in training that are refused before any run: the key, the value and what is allowed.
@Suite struct TrainingRefusalTests {
  struct Refused: Sendable, CustomTestStringConvertible {
    let problem: String
    let keys: @Sendable () -> [String: Any]
    let words: [String]
    var testDescription: String { "\(problem): \(words[0])" }

    init(_ problem: String, _ words: [String], _ keys: @escaping @Sendable () -> [String: Any]) {
      (self.problem, self.words, self.keys) = (problem, words, keys)
    }
  }

  static let all = [
    Refused("committee", ["training.features = 0", "[1, 512]"]) { ["width": 3, "features": 0] },
    Refused("committee", ["training.observables", "loss"]) { ["width": 3, "features": 4, "observables": ["fitted"]] },
    Refused("committee", ["training.width", "at most"]) {
      ["width": 1_000_000_000, "features": 400, "sampler": "weights"]
    },
    Refused("committee", ["training.samples", "at most"]) { ["width": 3, "features": 500, "samples": 1_000_000] },
    Refused("logistic-perceptron", ["training.data", "-1 or 1"]) { ["data": ["inputs": [[1.0]], "targets": [0.5]]] },
    Refused("logistic-perceptron", ["training.data", "sign"]) { ["data": ["teacher": "linear"]] },
    Refused("logistic-perceptron", ["training.stop_below", "logistic"]) {
      ["rule": "batch-perceptron", "stop_below": 0.1, "data": ["teacher": "sign"]]
    },
    Refused("logistic-perceptron", ["training.rule", "batch-perceptron"]) {
      ["rule": "batch-percepton", "data": ["teacher": "sign"]]
    },
    Refused("matrix-factorisation", ["training.columns", "asymmetric"]) { ["rows": 3, "rank": 1, "columns": 2] },
    Refused("matrix-factorisation", ["training.target", "at most 2 positive"]) {
      ["rows": 2, "rank": 1, "target": [1.0, -1.0]]
    },
    Refused("matrix-factorisation", ["training.start", "one entry"]) { ["rows": 2, "rank": 1, "start": [1.0, 0.5]] },
    Refused("matrix-factorisation", ["training.rows", "at most"]) {
      ["form": "asymmetric", "rows": 1_000_000, "rank": 1]
    },
    Refused("low-rank-sensing", ["training.measurements", "at most"]) {
      ["rows": 1000, "rank": 1, "measurements": 1000]
    },
    Refused("low-rank-sensing", ["training.columns", "asymmetric"]) {
      ["rows": 3, "rank": 1, "columns": 2, "measurements": 9]
    },
    Refused("two-mode", ["training.weak_signal = 2.0", "below signal = 1.0"]) { ["weak_signal": 2.0] },
    Refused("patches", ["training.weak_signal = 2.0", "below signal = 1.0"]) { ["weak_signal": 2.0] },
    Refused("patches", ["training.width = 3", "even"]) { ["width": 3] },
    Refused("patches", ["training.features", "at most"]) { ["features": 100_000_000, "sampler": "weights"] },
    Refused("least-squares", ["training.ratio", "at most"]) {
      ["dimension": 100_000, "ratio": 10.0, "sampler": "weights"]
    },
    Refused("noisy-regression", ["training.spectrum", "positive"]) { ["spectrum": [1.0, 0.0]] },
    Refused("noisy-regression", ["training.momentum = 1.0", "[0.0, 1.0)"]) { ["spectrum": [1.0], "momentum": 1.0] },
    Refused("sgd-perceptron", ["training.stop_below", "no meaning"]) { ["features": 4, "stop_below": 0.1] },
    Refused("sgd-perceptron", ["training.samples", "at most"]) { ["features": 100_000, "samples": 1_000_000] },
    Refused("scale-invariant", ["training.weight_decay = 10.0", "below 1/learning_rate = 10.0"]) {
      ["dimension": 9, "weight_decay": 10.0]
    },
    Refused("scale-invariant", ["training.dimension = 2", "[3, "]) { ["dimension": 2] },
    Refused("scale-invariant", ["training.stop_below", "no loss"]) { ["dimension": 9, "stop_below": 0.1] },
    Refused("heavy-tailed-sgd", ["training.learning_rate = 3.0", "no stationary law"]) { ["learning_rate": 3.0] },
    Refused("heavy-tailed-sgd", ["training.learning_rate", "tail index above"]) { ["learning_rate": 1e-5] },
    Refused("heavy-tailed-sgd", ["training.memory", "recursion = \"acd\""]) { ["memory": 0.5] },
    Refused("heavy-tailed-sgd", ["training.batch", "recursion = \"sgd\""]) { ["recursion": "acd", "batch": 2] },
    Refused("heavy-tailed-sgd", ["training.thresholds", "ascending"]) { ["thresholds": [2.0, 1.0]] },
    Refused("heavy-tailed-sgd", ["training.schedule", "constant"]) { ["schedule": ["name": "cosine"]] },
    Refused("parallel-branches", ["training.target", "positive"]) { ["weight_decay": 0.1, "target": [1.0, -1.0]] },
    Refused("parallel-branches", ["training.width", "at most"]) {
      ["weight_decay": 0.1, "target": [1.0], "branches": 1000, "depth": 1000, "width": 4000]
    },
    Refused("parallel-branches", ["training.penalty", "squares"]) {
      ["weight_decay": 0.1, "target": [1.0], "penalty": "square"]
    },
    Refused("langevin-quadratic", ["training.learning_rate = 0.5", "below 2 / (largest of spectrum) = 0.4"]) {
      ["spectrum": [1.0, 5.0], "learning_rate": 0.5]
    },
    Refused("deep-linear", ["training.start", "balanced"]) { ["target": [1.0], "start": "balance"] },
  ]

  @Test(arguments: all)
  func areNamed(refused: Refused) {
    #expect(
      complaint(refused.problem, says: refused.words) {
        _ = try ProblemRuns(refused.problem, refused.keys().merging(["steps": 10]) { $1 })
      } == nil)
  }

  /// Runs end below the edge that is said, and none does above it. The mean squares of noisy regression (B = 1) are finite below only: exact means fall or
  /// grow. Of least squares the eigenvalues of one draw end near those of large X; of two modes only an end by the weak feature alone is stable up to the edge.
  @Test(
    arguments: [
      ("least-squares", ["dimension": 200, "ratio": 0.5], 0.6862915, 0.05),
      ("two-mode", ["a": 0.1, "b": 0.05, "weak_signal": 0.5], 1, 0.5),
      ("matrix-factorisation", ["rows": 6, "rank": 2, "target": [2.0, 0.5], "alpha": 0.1], 0.5, 0.05),
      ("noisy-regression", ["spectrum": [1.0, 0.5], "noise": 0.0, "start": 1.0], 0.6096118, 0.02),
    ] as [(String, [String: any Sendable], Double, Double)])
  func edgesOfStability(problem: String, keys: [String: any Sendable], edge: Double, width: Double) throws {
    func runs(_ share: Double) throws -> ProblemRuns {
      let more: [String: Any] = ["learning_rate": share * edge, "steps": 2000, "records": [1999, 2000]]
      return try ProblemRuns(problem, (keys as [String: Any]).merging(more) { $1 })
    }
    let (below, above) = (try runs(1 - width), try runs(1 + width))
    let said = try #require(below.model.problem.stabilityEdge)
    #expect((said.rate - edge).magnitude < 1e-6 * edge, "\(said.rate)")
    if problem == "noisy-regression" {
      func excess(_ runs: ProblemRuns) throws -> Double {
        let known = try #require(runs.legs.first { $0.role == .exact }?.known)
        let place = try #require(known.schema.place(of: "excess"))
        return try #require(known.statistics.last { $0.observable == place && $0.statistic == .mean }).value
      }
      let found = (try excess(below), try excess(above))
      #expect(found.0 < 1e-3 && found.1 > 1e3, "\(found)")
    } else {
      // Beyond the edge a run may go on for ever without an end instead of diverging.
      func hasEnded(_ runs: ProblemRuns) throws -> Bool {
        let change = try runs.value("loss") - runs.value("loss", record: 0)
        return try runs.value("diverged") == 0 && change.magnitude < 1e-6
      }
      let found = (try hasEnded(below), try hasEnded(above))
      #expect(found == (true, false), "\(found)")
    }
  }
}
