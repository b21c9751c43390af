import Experiments
import Kernels
import Randomness

/// Recursions $w' = A w + N$ with independent random factors, whose stationary law has a power tail though nothing in them has one (Kesten's theorem; of
/// stochastic gradient descent arXiv:2006.04740). Least squares of one feature with B new examples in each step, $x \sim N(0, 1)$, $y = s \epsilon$ (the best weight is 0):
///
///     sgd:   w' = (1 - (eta/B) sum x^2) w + (eta/B) sum x y,
///     acd:   w' = omega + (eta e + b) w,   e ~ Exp(1)   (autoregressive conditional durations).
///
/// $P(|w| > u) \sim C u^{-k}$ with $E |A|^k = 1$ (`TailIndex`). Given $S = \sum x^2 \sim \chi^2_B$ the noise is $N(0, (\eta s/B)^2 S)$: O(1) a step whatever B.
///
/// Estimators of k come from counts at thresholds that are given beforehand, so they are functions of means with errors: Hill's, the share above u over the
/// mean of $\log^+(|w|/u)$, and the slope of the share between neighbouring thresholds.
package struct HeavyTailedSGD: TrainingProblem {
  package enum Recursion: String, CaseIterable, Sendable { case sgd, acd }

  let recursion: Recursion
  let batch: Int
  /// Standard deviation of the labels, s.
  let noise: Double
  /// omega and b.
  let intercept, memory: Double
  let start: Double
  let rate: Double
  let thresholds: [Double]
  package let tail: TailIndex
  let isReduced: Bool

  package final class State {
    package var weight = 0.0
    /// A and N of the step that follows.
    var factor = 0.0
    var kick = 0.0
    /// Sum of |A|^k over the steps since the record before, and the mean that was measured last.
    var powers = 0.0
    var steps = 0
    var kept = 1.0
  }

  package var observables: [Observable] {
    [
      Observable("log_size", "log |w|, at least log 1e-300"),
      Observable("w", role: tail.index > 2 ? .quantity : .heavyTailed, "the weight"),
      Observable("w_squared", role: tail.index > 4 ? .quantity : .heavyTailed, "w^2"),
      Observable("w_fourth", role: tail.index > 8 ? .quantity : .heavyTailed, "w^4"),
      Observable(
        "factor_power", role: isPowerMeasured ? .quantity : .heavyTailed,
        "|A|^k, mean over the steps since the record before; 1 at the right k"),
      Observable("exponent", "k, the tail index: E |A|^k = 1"),
    ]
      + thresholds.indices.flatMap { i in
        [
          Observable("over", [i], role: .event, "1 where |w| > threshold \(i), else 0"),
          Observable("log_excess", [i], "log |w| - log of threshold \(i) where positive, else 0"),
        ]
      }
  }

  /// Whether runs measure E |A|^k = 1: where its second moment is large no run meets the factors that make up the mean.
  private var isPowerMeasured: Bool { tail.secondMoment < 1000 }

  /// The weights are the runs above a threshold: with few of them nothing is concluded.
  package var estimands: [Estimand] {
    thresholds.indices.map { i in
      Estimand(
        "tail_index[\(i)]", "over[\(i)] / log_excess[\(i)]", weight: "over[\(i)]",
        "Hill's estimate of k above threshold \(i)")
    }
      + zip(thresholds.indices, thresholds.indices.dropFirst()).map { i, j in
        let distance = Elementary.log(thresholds[j] / thresholds[i])
        return Estimand(
          "survival_slope[\(i)]", "log(over[\(i)] / over[\(j)]) / \(distance)", weight: "over[\(j)]",
          "k from the shares above thresholds \(i) and \(j)")
      }
  }

  package func makeState() -> State { State() }

  package func start(_ state: State, _ stream: inout Stream) {
    (state.weight, state.powers, state.steps, state.kept) = (start, 0, 0, 1)
  }

  /// Draws the factor and the noise. The logarithm of |w|, as heavy tails are no divergence.
  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    switch recursion {
    case .acd:
      state.factor = memory - rate * Elementary.log(stream.uniform())
      state.kick = intercept
    case .sgd:
      let scale = rate / Double(batch)
      var (square, kick) = (0.0, 0.0)
      if isReduced {
        square = stream.chiSquare(batch)
        kick = square.squareRoot() * stream.normal()
      } else {
        for _ in 0..<batch {
          let x = stream.normal()
          square += x * x
          kick += x * stream.normal()
        }
      }
      state.factor = 1 - scale * square
      state.kick = scale * noise * kick
    }
    return logSize(state)
  }

  private func logSize(_ state: State) -> Double { Elementary.log(max(state.weight.magnitude, 1e-300)) }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    let size = max(state.factor.magnitude, .leastNormalMagnitude)
    state.powers += Elementary.exp(tail.index * Elementary.log(size))
    state.steps += 1
    state.weight = state.factor * state.weight + state.kick
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    if state.steps > 0 {
      state.kept = state.powers / Double(state.steps)
      (state.powers, state.steps) = (0, 0)
    }
    let (w, log) = (state.weight, logSize(state))
    (values[0], values[1], values[2], values[3]) = (log, w, w * w, w * w * w * w)
    (values[4], values[5]) = (state.kept, tail.index)
    for (i, threshold) in thresholds.enumerated() {
      let excess = log - Elementary.log(threshold)
      values[6 + 2 * i] = excess > 0 ? 1 : 0
      values[7 + 2 * i] = max(0, excess)
    }
  }
}

/// Exact means, step by step.
extension HeavyTailedSGD {
  /// E A^i N^p; N^p for p = 0, 1, 2, ... of acd is omega^p.
  private func product(_ i: Int, _ p: Int) -> Double {
    func power(_ x: Double, _ n: Int) -> Double { (0..<n).reduce(1) { value, _ in value * x } }
    func choose(_ n: Int, _ r: Int) -> Double { (0..<r).reduce(1) { $0 * Double(n - $1) / Double($1 + 1) } }
    switch recursion {
    case .acd:
      // E e^r = r!
      let factor = (0...i).reduce(0.0) { sum, r in
        sum + choose(i, r) * power(rate, r) * power(memory, i - r) * (0..<r).reduce(1) { $0 * Double($1 + 1) }
      }
      return factor * power(intercept, p)
    case .sgd:
      guard p % 2 == 0 else { return 0 }
      let (half, scale) = (p / 2, rate / Double(batch))
      // E N^p given S is (p - 1)!! (scale s)^p S^{p/2}, and E S^q = B (B + 2) ... (B + 2q - 2).
      let odd = (0..<half).reduce(1.0) { $0 * Double(2 * $1 + 1) }
      let factor = (0...i).reduce(0.0) { sum, r in
        sum + choose(i, r) * power(-scale, r) * (0..<r + half).reduce(1.0) { $0 * Double(batch + 2 * $1) }
      }
      return odd * power(scale * noise, p) * factor
    }
  }

  /// Means whose estimates have a variance in the stationary law, k > 2p for E w^p: E w'^j = sum_i (j over i) E A^i N^{j-i} E w^i.
  package func means(_ settings: TrainingSettings) -> ReferenceValues {
    let binomials = [[1.0], [1, 1], [1, 2, 1], [1, 3, 3, 1], [1, 4, 6, 4, 1]]
    let map = (0...4).map { j in (0...j).map { i in binomials[j][i] * product(i, j - i) } }
    var moments = (0..<5).reduce(into: [1.0]) { list, _ in list.append(list.last! * start) }
    var values: [Double] = []
    var made = 0
    let shown = observables
    for step in settings.records {
      while made < step {
        made += 1
        moments = (0...4).map { j in (0...j).reduce(0) { $0 + map[j][$1] * moments[$1] } }
      }
      values += [
        .nan, tail.index > 2 ? moments[1] : .nan, tail.index > 4 ? moments[2] : .nan,
        tail.index > 8 ? moments[4] : .nan, isPowerMeasured ? 1 : .nan,
      ]
      values += Array(repeating: .nan, count: shown.count - 5)
    }
    return settings.known(shown, means: values)
  }
}

extension HeavyTailedSGD {
  /// Most steps of which the exact means are worked out.
  private static let mostKnown = 1_000_000

  static let entry = ProblemEntry(
    name: "heavy-tailed-sgd", summary: "stochastic gradient descent of one weight: a power tail, and its index exactly",
    equation:
      "sgd: w' = (1 - (learning_rate/B) sum x^2) w + (learning_rate/B) sum x s e, x, e ~ N(0, 1); acd: w' = omega + (learning_rate e + b) w, e ~ Exp(1); E |A|^k = 1 of the factor A of w",
    reference: "arXiv:2006.04740; Kesten, Acta Math. 131, 207 (1973); docs/training-problems.md",
    samplers: [
      ("reduced", "the sum of squares of a batch and its noise, O(1) a step whatever B"), ("weights", "every example"),
    ],
    observables: [
      "log_size", "w", "w_squared", "w_fourth", "factor_power", "exponent", "over", "log_excess",
    ],
    parameters: [
      Parameter(
        "recursion", .choice(Recursion.allCases.map(\.rawValue)), default: .text(Recursion.sgd.rawValue),
        "sgd: least squares; acd: autoregressive conditional durations"),
      Parameter("batch", .integer(1...10_000), optional: true, "B, examples of a step; of sgd, 1 unless given"),
      Parameter(
        "noise", .real(.init(0, .infinity, openAbove: true)), optional: true,
        "s, standard deviation of the labels; of sgd, 1 unless given"),
      Parameter("omega", .real(.above(0)), optional: true, "what each step adds; of acd, 1 unless given"),
      Parameter(
        "memory", .real(.init(0, .infinity, openAbove: true)), optional: true,
        "b, the part of the factor that is not random; of acd, 0 unless given"),
      Parameter("start", .real(.finite), default: .real(0), "w at the start"),
      Parameter(
        "thresholds", .structured("an ascending array of at most 20 positive numbers"), default: .list([]),
        "u, where shares above and Hill's estimates are taken"),
    ]
  ) { p, settings, _ in
    let recursion = Recursion(rawValue: p.text("recursion"))!
    for (key, owner) in [("batch", Recursion.sgd), ("noise", .sgd), ("omega", .acd), ("memory", .acd)]
    where p[key] != nil && owner != recursion {
      throw p.invalid(key, "is of recursion = \"\(owner.rawValue)\"")
    }
    func real(_ key: String, _ usual: Double) -> Double { p[key] == nil ? usual : p.real(key) }
    guard settings.stopBelow == nil else { throw p.invalid("stop_below", "has no meaning here: there is no loss") }
    guard case .constant = settings.schedule else {
      throw p.invalid("schedule", "must be constant: a tail index belongs to one learning rate")
    }
    guard case .list(let items)? = p["thresholds"], items.count <= 20,
      items.allSatisfy({ ($0.number ?? 0) > 0 && $0.number!.isFinite }),
      zip(items, items.dropFirst()).allSatisfy({ $0.number! < $1.number! })
    else { throw p.invalid("thresholds", "must be an ascending array of at most 20 positive numbers") }
    try settings.requireOneRate(p, "learning_rate")
    let (rate, batch, memory) = (settings.rate(1), p["batch"] == nil ? 1 : p.integer("batch"), real("memory", 0))
    let law = recursion == .sgd ? FactorLaw.squares(rate: rate, batch: batch) : .exponential(rate, memory)
    let tail: TailIndex
    switch TailIndex.find(law) {
    case .found(let index): tail = index
    case .notStationary(let growth):
      throw p.invalid("learning_rate", "leaves no stationary law: E log |A| = \(growth) must be negative")
    case .tooLarge:
      throw p.invalid("learning_rate", "makes a tail index above \(TailIndex.largest): no power tail can be seen")
    }
    let problem = HeavyTailedSGD(
      recursion: recursion, batch: batch, noise: real("noise", 1), intercept: real("omega", 1), memory: memory,
      start: p.real("start"), rate: rate, thresholds: items.map { $0.number! }, tail: tail,
      isReduced: p.text("sampler") == "reduced")
    let isKnown = settings.records.last! <= mostKnown
    return TrainingModel(problem, settings, p, known: isKnown ? problem.means(settings) : nil)
  }
}
