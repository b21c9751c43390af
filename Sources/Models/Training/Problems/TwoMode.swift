import Experiments
import Kernels
import Randomness

/// Large steps learn weak features (arXiv:2310.17074), in the smallest model that does: $f = a^2 + b^2$ is to be 1, a is the strong feature of signal V,
/// b the weak one of signal U < V,
///
///     a' = a (1 + 2 eta V (1 - f)),   b' = b (1 + 2 eta U (1 - f)).
///
/// Small steps end at $b^2 \approx b_0^2 (a/a_0)^{2 U/V}$. An end is stable only if $2 \eta (V a^2 + U b^2) \le 1$, so above $\eta = 1/(2 V)$ steps go on
/// until $b^2 \ge (V - 1/(2 \eta))/(V - U)$.
package struct TwoMode: TrainingProblem {
  let strong, weak: Double
  let start: (a: Double, b: Double)
  /// Standard deviation of the logarithms at the start.
  let spread: Double

  package final class State {
    var a = 0.0, b = 0.0
    var first = (a: 0.0, b: 0.0)
    /// The learning rate of the steps made last; the first one before any.
    var rate: Double

    init(rate: Double) { self.rate = rate }
  }

  let learningRate: Double

  package var observables: [Observable] {
    [
      Observable("loss", "(1 - f)^2 / 2"),
      Observable("strong", "a^2, what the strong feature explains"),
      Observable("weak", "b^2, what the weak feature explains"),
      Observable("flow_weak", "b_0^2 (a^2 / a_0^2)^(U/V), b^2 after steps of size 0"),
      Observable("edge", "(V - 1/(2 eta)) / (V - U), the least b^2 of a stable end; 0 where every end is stable"),
      Observable("sharpness", "2 eta (V a^2 + U b^2), at most 1 at a stable end"),
    ]
  }

  package func makeState() -> State { State(rate: learningRate) }

  package func start(_ state: State, _ stream: inout Stream) {
    (state.a, state.b) = start
    if spread > 0 {
      state.a *= Elementary.exp(spread * stream.normal())
      state.b *= Elementary.exp(spread * stream.normal())
    }
    state.first = (state.a, state.b)
    state.rate = learningRate
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    let r = 1 - (state.a * state.a + state.b * state.b)
    return 0.5 * r * r
  }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    let r = 1 - (state.a * state.a + state.b * state.b)
    state.a *= 1 + 2 * rate * strong * r
    state.b *= 1 + 2 * rate * weak * r
    state.rate = rate
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    let (a, b) = (state.a * state.a, state.b * state.b)
    let r = 1 - (a + b)
    (values[0], values[1], values[2]) = (0.5 * r * r, a, b)
    let first = (a: state.first.a * state.first.a, b: state.first.b * state.first.b)
    values[3] = a > 0 ? first.b * Elementary.exp(weak / strong * Elementary.log(a / first.a)) : 0
    values[4] = max(0, (strong - 1 / (2 * state.rate)) / (strong - weak))
    values[5] = 2 * state.rate * (strong * a + weak * b)
  }
}

extension TwoMode {
  static let entry = ProblemEntry(
    name: "two-mode", summary: "a strong and a weak feature of one target: large steps learn the weak one",
    equation: "a' = a (1 + 2 learning_rate V (1 - f)), b' = b (1 + 2 learning_rate U (1 - f)), f = a^2 + b^2",
    reference: "arXiv:2310.17074; docs/training-problems.md",
    observables: ["loss", "strong", "weak", "flow_weak", "edge", "sharpness"],
    parameters: [
      Parameter("signal", .real(.above(0)), default: .real(1), "V, signal of the strong feature"),
      Parameter("weak_signal", .real(.above(0)), default: .real(0.1), "U, signal of the weak feature, below V"),
      Parameter("a", .real(.above(0)), default: .real(0.1), "a at the start"),
      Parameter("b", .real(.above(0)), default: .real(0.05), "b at the start"),
      Parameter(
        "spread", .real(.init(0, 10)), default: .real(0),
        "standard deviation of log a and log b at the start; 0: all runs are the same"),
    ]
  ) { p, settings, _ in
    try settings.requireOneRate(p, "learning_rate")
    let (strong, weak) = (p.real("signal"), p.real("weak_signal"))
    guard weak < strong else { throw p.invalid("weak_signal", "must be below signal = \(strong)") }
    let problem = TwoMode(
      strong: strong, weak: weak, start: (p.real("a"), p.real("b")), spread: p.real("spread"),
      learningRate: settings.rate(1))
    return TrainingModel(problem, settings, p)
  }
}
