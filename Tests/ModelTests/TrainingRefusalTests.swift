import Experiments
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
  ]

  @Test(arguments: all)
  func areNamed(refused: Refused) {
    do {
      _ = try ProblemRuns(refused.problem, refused.keys().merging(["steps": 10]) { $1 })
      Issue.record("it was taken")
    } catch let failure as Failure {
      #expect(failure.status == .badData)
      for word in refused.words { #expect(failure.message.contains(word), "\(failure.message)") }
    } catch {
      Issue.record("\(error)")
    }
  }
}
