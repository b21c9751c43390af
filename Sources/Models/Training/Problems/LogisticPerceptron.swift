import Experiments
import Kernels
import Randomness

/// Logistic regression by full-batch gradient descent from 0, until every example is right, and what it becomes at large learning rates: the batch
/// perceptron (arXiv:2412.08424). With $a_i = y_i x_i$, y = ±1,
///
///     theta' = theta + (gamma/n) sum_i w_i a_i,
///
/// $w_i = \sigma(-a_i \cdot \theta)$; as gamma grows theta/gamma follows $w_i = 1[a_i \cdot \theta < 0]$, 1/2 at 0, which ends within $n R^2/\mu^2$ steps
/// (R the largest |a_i|, mu the largest margin); divided by the sum of the w_i and not by n, within $R^2/\mu^2$.
package struct LogisticPerceptron: TrainingProblem {
  package enum Rule: String, CaseIterable, Sendable {
    case logistic
    case batch = "batch-perceptron"
    case normalised = "normalised-perceptron"
  }

  let rule: Rule
  let data: TrainingData

  package final class State {
    let examples: Examples
    package let theta: UnsafeMutablePointer<Double>
    /// Sum of w_i a_i.
    let force: UnsafeMutablePointer<Double>
    /// a_i . theta.
    let margins: UnsafeMutablePointer<Double>
    var isSolved = false

    init(_ data: TrainingData) {
      examples = data.makeExamples()
      theta = .allocateZeros(data.features)
      force = .allocateZeros(data.features)
      margins = .allocateZeros(examples.count)
    }

    deinit {
      theta.deallocate()
      force.deallocate()
      margins.deallocate()
    }
  }

  package var observables: [Observable] {
    var found = [
      Observable("loss", "training loss: mean of log(1 + e^-z), z = a.theta; of perceptrons of max(0, -z)"),
      Observable("error", "share of the examples with z <= 0"),
    ]
    if data.test > 0 { found.append(Observable("test_error", "the same of the test examples")) }
    found.append(Observable("margin", "smallest z of training over |theta|; 0 at the start"))
    found.append(Observable("norm", "|theta|"))
    return found
  }

  package func makeState() -> State { State(data) }

  package func start(_ state: State, _ stream: inout Stream) {
    data.draw(state.examples, &stream)
    for i in 0..<data.features { state.theta[i] = 0 }
    state.isSolved = false
  }

  /// z of some examples.
  /// - Returns: the loss, and how many are not right.
  private func evaluate(_ state: State, _ range: Range<Int>) -> (loss: Double, wrong: Int) {
    let d = data.features
    var (sum, wrong) = (0.0, 0)
    for a in range {
      let x = state.examples.inputs + a * d
      var z = 0.0
      for i in 0..<d { z += x[i] * state.theta[i] }
      z *= state.examples.targets[a]
      state.margins[a] = z
      if !(z > 0) { wrong += 1 }
      sum += rule == .logistic ? Elementary.softplus(-z) : max(0, -z)
    }
    return (sum / Double(range.count), wrong)
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    let found = evaluate(state, 0..<data.train)
    state.isSolved = found.wrong == 0
    return found.loss
  }

  package var mayEnd: Bool { true }
  package func hasEnded(_ state: State) -> Bool { state.isSolved }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    let d = data.features
    for i in 0..<d { state.force[i] = 0 }
    var total = 0.0
    for a in 0..<data.train {
      let z = state.margins[a]
      let weight: Double
      switch rule {
      case .logistic: weight = Elementary.sigmoid(-z)
      case .batch, .normalised: weight = z < 0 ? 1 : z == 0 ? 0.5 : 0
      }
      guard weight > 0 else { continue }
      total += weight
      let signed = weight * state.examples.targets[a]
      let x = state.examples.inputs + a * d
      for i in 0..<d { state.force[i] += signed * x[i] }
    }
    let scale = rate / (rule == .normalised ? total : Double(data.train))
    for i in 0..<d { state.theta[i] += scale * state.force[i] }
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    let (loss, wrong) = evaluate(state, 0..<data.train)
    (values[0], values[1]) = (loss, Double(wrong) / Double(data.train))
    var (square, least) = (0.0, Double.infinity)
    for i in 0..<data.features { square += state.theta[i] * state.theta[i] }
    for a in 0..<data.train { least = min(least, state.margins[a]) }
    let norm = square.squareRoot()
    var place = values + 2
    if data.test > 0 {
      let total = data.train + data.test
      place[0] = Double(evaluate(state, data.train..<total).wrong) / Double(data.test)
      place += 1
    }
    (place[0], place[1]) = (norm > 0 ? least / norm : 0, norm)
  }
}

extension LogisticPerceptron {
  static let entry = ProblemEntry(
    name: "logistic-perceptron",
    summary:
      "logistic regression until every example is right, and the perceptrons that large learning rates make of it",
    equation:
      "theta' = theta + (learning_rate/n) sum_i w_i a_i from 0 until all a_i.theta > 0, a_i = y_i x_i; logistic: w_i = sigma(-a_i.theta), batch-perceptron: 1[a_i.theta < 0], 1/2 at 0, normalised-perceptron: over sum_i w_i in the place of n",
    reference: "arXiv:2412.08424; docs/training-problems.md",
    observables: ["loss", "error", "test_error", "margin", "norm"],
    parameters: [
      Parameter(
        "rule", .choice(Rule.allCases.map(\.rawValue)), default: .text(Rule.logistic.rawValue),
        "weights of the examples in a step; those of the perceptrons do not depend on learning_rate"),
      Parameter("data", .structured(TrainingData.words), "the examples, with targets -1 and 1"),
    ]
  ) { p, settings, source in
    let data = try TrainingData.read(p["data"], path: "\(p.path).data", data: source)
    let rule = Rule(rawValue: p.text("rule"))!
    guard data.outputs == 1, data.law == nil || data.law?.teacher == .sign,
      data.targets.allSatisfy({ $0.magnitude == 1 }), !data.isNoisy
    else {
      throw p.invalid("data", "must have one target of -1 or 1 for each input; of teachers, teacher = \"sign\"")
    }
    guard rule == .logistic || settings.stopBelow == nil else {
      throw p.invalid("stop_below", "is for rule = \"logistic\": a perceptron has no loss at the start")
    }
    return TrainingModel(LogisticPerceptron(rule: rule, data: data), settings, p)
  }
}
