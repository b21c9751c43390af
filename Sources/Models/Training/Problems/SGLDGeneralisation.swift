import Experiments
import Kernels
import Randomness

/// Stochastic gradient Langevin dynamics on n examples, and on the same with the first one replaced, by the same noise and batches: how far training and
/// test loss are apart, and how much one example decides (arXiv:2102.06229). The loss is a mean over the examples, with batches of b with replacement,
///
///     w' = w - h grad f_B(w) + sqrt(2h/beta) xi.
///
/// - `mean`: $f_i = a (w - z_i)^2/2$, $z \sim N(0, s^2)$.
/// - `least-squares`: $f_i = a (x_i w - y_i)^2/2$, $x \sim N(0, 1)$, $y \sim N(0, s^2)$; the best weight is 0.
///
/// Both are parabolas, $f_i = A_i w^2/2 - B_i w + C_i$. The replaced example is new to the run on the other: by symmetry the difference of its two losses has the mean of the
/// generalisation gap. Of `mean` everything is known at every step, by recursions over the learning rates; with a constant one, $c_k = 1 - (1 - ha)^k$ and a start at
/// the mean,
///
///     E[F - F_S]    = a (s^2/n) c_k                                      (whatever beta and b),
///     E delta^2     = 2 s^2 [(c_k/n)^2 + (ha/(2 - ha)) c_2k (1 - 1/n)/(b n)],
///     E F - F*      = (a/2) [s^2 c_k^2/n + c_2k (2h/beta + (h a s)^2 (1 - 1/n)/b)/(h a (2 - h a))].
package struct SGLDGeneralisation: TrainingProblem {
  package enum Loss: String, CaseIterable, Sendable {
    case mean
    case leastSquares = "least-squares"
  }

  let loss: Loss
  let examples: Int
  /// nil for all examples, each once.
  let batch: Int?
  /// a, s^2 and 1/beta.
  let curvature, spread, temperature: Double
  let start: Double

  package final class State {
    /// A, B, C of the examples, one after the other; those of the replacement.
    let terms: UnsafeMutablePointer<Double>
    var other = (a: 0.0, b: 0.0, c: 0.0)
    /// Weights of the two runs.
    var weight = 0.0
    var neighbour = 0.0
    /// Means of A, B and C over the examples.
    var means = (a: 0.0, b: 0.0, c: 0.0)
    /// Mean gradients of the batch: A and B without the first example, and its share.
    var gradient = (a: 0.0, b: 0.0, first: 0.0)

    fileprivate init(_ count: Int) { terms = .allocateZeros(3 * count) }
    deinit { terms.deallocate() }
  }

  package var observables: [Observable] {
    [
      Observable("train_loss", "F_S, mean loss over the examples"),
      Observable("excess", "F - F*, mean loss over the law of the examples less its least value"),
      Observable("gap", "F - F_S, the generalisation gap"),
      Observable(
        "replaced_gap", "loss of the replacement where it is new less that where it is learned: the gap in the mean"),
      Observable("gap_difference", "gap - replaced_gap, 0 in the mean"),
      Observable("stability", "squared distance of the two weights"),
      Observable("w", "the weight; the best is 0"),
    ]
  }

  package func makeState() -> State { State(examples) }

  private func example(_ stream: inout Stream) -> (a: Double, b: Double, c: Double) {
    let s = spread.squareRoot()
    switch loss {
    case .mean:
      let z = s * stream.normal()
      return (curvature, curvature * z, 0.5 * curvature * z * z)
    case .leastSquares:
      let (x, y) = (stream.normal(), s * stream.normal())
      return (curvature * x * x, curvature * x * y, 0.5 * curvature * y * y)
    }
  }

  package func start(_ state: State, _ stream: inout Stream) {
    var sums = (a: 0.0, b: 0.0, c: 0.0)
    for i in 0..<examples {
      let own = example(&stream)
      (state.terms[3 * i], state.terms[3 * i + 1], state.terms[3 * i + 2]) = own
      sums = (sums.a + own.a, sums.b + own.b, sums.c + own.c)
    }
    state.other = example(&stream)
    let n = Double(examples)
    state.means = (sums.a / n, sums.b / n, sums.c / n)
    (state.weight, state.neighbour) = (start, start)
  }

  private func trainLoss(_ state: State) -> Double {
    let (w, m) = (state.weight, state.means)
    return w * (0.5 * m.a * w - m.b) + m.c
  }

  /// Draws the batch.
  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    guard let batch else {
      let share = 1 / Double(examples)
      let (m, t) = (state.means, state.terms)
      state.gradient = (m.a - share * t[0], m.b - share * t[1], share)
      return trainLoss(state)
    }
    var (a, b, first) = (0.0, 0.0, 0.0)
    for _ in 0..<batch {
      // Uniform below n to within n/2^64.
      let i = Int(stream.word().multipliedFullWidth(by: UInt64(examples)).high)
      if i == 0 {
        first += 1
      } else {
        a += state.terms[3 &* i]
        b += state.terms[3 &* i &+ 1]
      }
    }
    let scale = 1 / Double(batch)
    state.gradient = (scale * a, scale * b, scale * first)
    return trainLoss(state)
  }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    let (g, t, o) = (state.gradient, state.terms, state.other)
    let noise = (2 * rate * temperature).squareRoot() * stream.normal()
    let (w, v) = (state.weight, state.neighbour)
    state.weight = w - rate * ((g.a + g.first * t[0]) * w - (g.b + g.first * t[1])) + noise
    state.neighbour = v - rate * ((g.a + g.first * o.a) * v - (g.b + g.first * o.b)) + noise
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    let (w, v, o) = (state.weight, state.neighbour, state.other)
    let train = trainLoss(state)
    // Of both losses E A = a and E B = 0, and F* = E C = a s^2/2.
    let excess = 0.5 * curvature * w * w
    let gap = excess + 0.5 * curvature * spread - train
    let replaced = (w - v) * (0.5 * o.a * (w + v) - o.b)
    (values[0], values[1], values[2], values[3]) = (train, excess, gap, replaced)
    (values[4], values[5], values[6]) = (gap - replaced, (w - v) * (w - v), w)
  }
}

extension SGLDGeneralisation {
  /// Most steps of which the exact means are worked out.
  private static let mostKnown = 10_000_000

  /// Means at the records: all of them of `mean`, else that of the difference of the two gaps.
  package func means(_ settings: TrainingSettings) -> ReferenceValues {
    let (a, n) = (curvature, Double(examples))
    let share = batch.map { (1 - 1 / n) / Double($0) } ?? 0
    // What is left of the start; the variance of w given the examples, by the noise and by batches of unit spread.
    var (left, thermal, sampled) = (1.0, 0.0, 0.0)
    var values: [Double] = []
    var made = 0
    for step in settings.records {
      while made < step {
        made += 1
        let h = settings.rate(made)
        let factor = 1 - h * a
        left *= factor
        thermal = factor * factor * thermal + 2 * h * temperature
        sampled = factor * factor * sampled + h * h * a * a * share
      }
      guard loss == .mean else {
        values += [.nan, .nan, .nan, .nan, 0, .nan, .nan]
        continue
      }
      let learned = 1 - left
      let square = left * left * start * start + learned * learned * spread / n + thermal + spread * sampled
      let (excess, gap) = (0.5 * a * square, a * spread * learned / n)
      // A batch has the first example by Var = (1/b)(1/n)(1 - 1/n).
      let stability = 2 * spread * (learned * learned / (n * n) + sampled / n)
      values += [excess + 0.5 * a * spread - gap, excess, gap, gap, 0, stability, left * start]
    }
    return settings.known(observables, means: values)
  }

  /// Of `mean` steps beyond 2/a are refused; of `least-squares` this is the step limit of many examples: E A = a, Var A = 2 a^2.
  package var stabilityEdge: StabilityEdge? {
    guard loss == .leastSquares else { return nil }
    let noise = batch.map { 2 / Double($0) } ?? 0
    return StabilityEdge(2 / (curvature * (1 + noise)), "2A/(A^2 + var(A)/b) of many examples")
  }

  static let entry = ProblemEntry(
    name: "sgld-generalisation",
    summary:
      "stochastic gradient Langevin dynamics on two data sets that differ in one example: gap and stability, exactly",
    equation:
      "w' = w - learning_rate grad f_B(w) + sqrt(2 learning_rate / beta) xi, B of b examples with replacement; mean: f_i = a (w - z_i)^2/2, z ~ N(0, s^2); least-squares: f_i = a (x_i w - y_i)^2/2, x ~ N(0, 1), y ~ N(0, s^2)",
    reference: "arXiv:2102.06229; docs/sgld.md",
    observables: ["train_loss", "excess", "gap", "replaced_gap", "gap_difference", "stability", "w"],
    parameters: [
      Parameter(
        "loss", .choice(Loss.allCases.map(\.rawValue)), default: .text(Loss.mean.rawValue), "what is learned"),
      Parameter(
        "examples", .integer(2...1_000_000), small: .init(.inverse, "n", companions: ["draws"]),
        "n, examples of a data set"),
      Parameter(
        "batch", .integer(1...1_000_000), optional: true,
        "b, examples of a step, drawn with replacement; all of them, each once, unless given"),
      Parameter("curvature", .real(.above(0)), default: .real(1), "a"),
      Parameter("spread", .real(.init(0, .infinity, openAbove: true)), default: .real(1), "s^2"),
      Parameter("temperature", .real(.init(0, .infinity, openAbove: true)), default: .real(0), "1/beta"),
      Parameter("start", .real(.finite), default: .real(0), "w at the start; the best is 0"),
    ]
  ) { p, settings, _ in
    let loss = Loss(rawValue: p.text("loss"))!
    let edge = 2 / p.real("curvature")
    guard loss == .leastSquares || settings.learningRate.largest < edge else {
      throw p.invalid("learning_rate", "must be below 2 / curvature = \(edge): steps grow beyond all bounds")
    }
    let problem = SGLDGeneralisation(
      loss: loss, examples: p.integer("examples"), batch: p["batch"] == nil ? nil : p.integer("batch"),
      curvature: p.real("curvature"), spread: p.real("spread"), temperature: p.real("temperature"),
      start: p.real("start"))
    let isKnown =
      settings.learningRate.isFixed && settings.stopBelow == nil && settings.records.last! <= mostKnown
    return TrainingModel(problem, settings, p, known: isKnown ? problem.means(settings) : nil)
  }
}
