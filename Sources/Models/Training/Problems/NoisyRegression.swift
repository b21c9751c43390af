import Experiments
import Kernels
import Randomness

/// Stochastic gradient descent with momentum on a stream of linear regression with noisy labels, and the relation between its fluctuations and its
/// dissipation (arXiv:1810.00004): $x \sim N(0, \text{diag}\, l)$, $y = s \epsilon$ (the best weights are 0), batches of B new examples,
///
///     v' = mu v - eta g,   theta' = theta + v',   g = (1/B) sum x (x . theta - y).
///
/// In the stationary state $\langle \theta \cdot g \rangle = \frac{1 + \mu}{2 \eta} \langle |v|^2 \rangle$. Means of $\theta_i^2$, $\theta_i v_i$, $v_i^2$ close at every
/// step, so all observables have exact means. They are means over the steps since the record before.
package struct NoisyRegression: TrainingProblem {
  package let spectrum: [Double]
  /// s^2.
  package let noise: Double
  package let momentum: Double
  package let batch: Int
  /// Every theta_i at the start.
  let start: Double

  package final class State {
    let theta, velocity, gradient, input: UnsafeMutablePointer<Double>
    let roots: UnsafeMutablePointer<Double>
    /// Sums over the steps since the record before: theta . L theta, theta . g, |v'|^2 (1 + mu)/(2 eta).
    var excess = 0.0, left = 0.0, right = 0.0
    var steps = 0
    /// What was measured last.
    var kept = (excess: 0.0, left: 0.0, right: 0.0)

    fileprivate init(_ p: NoisyRegression) {
      let d = p.spectrum.count
      (theta, velocity, gradient, input) = (.allocateZeros(d), .allocateZeros(d), .allocateZeros(d), .allocateZeros(d))
      roots = .allocateZeros(d)
      for (i, l) in p.spectrum.enumerated() { roots[i] = l.squareRoot() }
    }

    deinit { for place in [theta, velocity, gradient, input, roots] { place.deallocate() } }
  }

  package var observables: [Observable] { Self.measured }

  private static let measured = [
    Observable("loss", "(theta . L theta + s^2)/2 at the record, the mean loss over new examples"),
    Observable("excess", "S = theta . L theta, mean over the steps since the record before"),
    Observable("left", "theta . g, the same mean"),
    Observable("right", "(1 + mu)/(2 eta) |v|^2, the same mean"),
    Observable("balance", "left - right, 0 in the stationary state"),
  ]

  /// The largest rate at which $\langle \theta_i^2 \rangle$ stay finite, without momentum: $\sum_i \eta l_i/(B (2 - \eta l_i (1 + 1/B))) = 1$.
  package var stabilityEdge: StabilityEdge? {
    guard momentum == 0, let largest = spectrum.max(), largest > 0 else { return nil }
    let share = 1 / Double(batch)
    var (low, high) = (0.0, 2 / (largest * (1 + share)))
    for _ in 0..<60 {
      let rate = 0.5 * (low + high)
      let sum = spectrum.reduce(0) { $0 + share * rate * $1 / (2 - rate * $1 * (1 + share)) }
      if sum < 1 { low = rate } else { high = rate }
    }
    return StabilityEdge(low, "of the mean squares of the weights")
  }

  package func makeState() -> State { State(self) }

  package func start(_ state: State, _ stream: inout Stream) {
    for i in spectrum.indices { (state.theta[i], state.velocity[i]) = (start, 0) }
    (state.excess, state.left, state.right, state.steps) = (0, 0, 0, 0)
    state.kept = (excess(state), 0, 0)
  }

  /// theta . L theta.
  private func excess(_ state: State) -> Double {
    var sum = 0.0
    for i in spectrum.indices {
      let z = state.roots[i] * state.theta[i]
      sum += z * z
    }
    return sum
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    let d = spectrum.count
    let share = 1 / Double(batch)
    let spread = noise.squareRoot()
    for i in 0..<d { state.gradient[i] = 0 }
    var sum = 0.0
    for _ in 0..<batch {
      var r = -spread * stream.normal()
      for i in 0..<d {
        state.input[i] = state.roots[i] * stream.normal()
        r += state.input[i] * state.theta[i]
      }
      sum += r * r
      let s = share * r
      for i in 0..<d { state.gradient[i] += s * state.input[i] }
    }
    return 0.5 * share * sum
  }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    state.excess += excess(state)
    var (left, square) = (0.0, 0.0)
    for i in spectrum.indices {
      left += state.theta[i] * state.gradient[i]
      state.velocity[i] = momentum * state.velocity[i] - rate * state.gradient[i]
      square += state.velocity[i] * state.velocity[i]
      state.theta[i] += state.velocity[i]
    }
    state.left += left
    state.right += (1 + momentum) / (2 * rate) * square
    state.steps += 1
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    if state.steps > 0 {
      let count = Double(state.steps)
      state.kept = (state.excess / count, state.left / count, state.right / count)
      (state.excess, state.left, state.right, state.steps) = (0, 0, 0, 0)
    }
    values[0] = 0.5 * (excess(state) + noise)
    (values[1], values[2], values[3]) = (state.kept.excess, state.kept.left, state.kept.right)
    values[4] = state.kept.left - state.kept.right
  }
}

/// Exact means, step by step.
extension NoisyRegression {
  struct Moments {
    /// Means of theta_i^2, theta_i v_i, v_i^2.
    var position, product, velocity: [Double]

    func excess(_ spectrum: [Double]) -> Double { zip(spectrum, position).reduce(0) { $0 + $1.0 * $1.1 } }
  }

  /// E g_i^2 = (1 + 1/B) l_i^2 theta_i^2 + (l_i/B) (S + s^2), by Isserlis.
  func advance(_ m: inout Moments, rate: Double) {
    let own = m.excess(spectrum)
    let share = 1 / Double(batch)
    for (i, l) in spectrum.enumerated() {
      let square = (1 + share) * l * l * m.position[i] + l * share * (own + noise)
      let kick = momentum * m.product[i] - rate * l * m.position[i]
      let velocity =
        momentum * momentum * m.velocity[i] - 2 * momentum * rate * l * m.product[i] + rate * rate * square
      m.position[i] += 2 * kick + velocity
      m.product[i] = kick + velocity
      m.velocity[i] = velocity
    }
  }

  /// Means of all observables at the records.
  package func means(_ settings: TrainingSettings) -> ReferenceValues {
    let d = spectrum.count
    let zeros = Array(repeating: 0.0, count: d)
    var m = Moments(position: Array(repeating: start * start, count: d), product: zeros, velocity: zeros)
    var values: [Double] = []
    var made = 0
    for step in settings.records {
      var (excess, right) = (0.0, 0.0)
      let count = Double(step - made)
      while made < step {
        made += 1
        let rate = settings.rate(made)
        excess += m.excess(spectrum)
        advance(&m, rate: rate)
        right += (1 + momentum) / (2 * rate) * m.velocity.reduce(0, +)
      }
      let loss = 0.5 * (m.excess(spectrum) + noise)
      if count > 0 {
        values += [loss, excess / count, excess / count, right / count, (excess - right) / count]
      } else {
        values += Array(repeating: .nan, count: 5)
      }
    }
    return settings.known(Self.measured, means: values)
  }
}

extension NoisyRegression {
  /// Most steps of which the exact means are worked out.
  private static let mostKnown = 20_000_000

  static let entry = ProblemEntry(
    name: "noisy-regression",
    summary: "stochastic gradient descent on streamed regression: fluctuations and dissipation",
    equation:
      "v' = mu v - learning_rate g, theta' = theta + v', g = (1/B) sum x (x.theta - s e) over B new examples, x ~ N(0, diag l)",
    reference: "arXiv:1810.00004; docs/training-problems.md",
    observables: measured.map(\.family),
    parameters: [
      Parameter("spectrum", .structured("an array of 1 to 1000 positive numbers"), "l, variances of the features"),
      Parameter("noise", .real(.init(0, .infinity, openAbove: true)), default: .real(1), "s^2, variance of the labels"),
      Parameter("momentum", .real(.init(0, 1, openAbove: true)), default: .real(0), "mu"),
      Parameter("batch", .integer(1...1_000_000), default: .integer(1), "B, examples of a step"),
      Parameter("start", .real(.finite), default: .real(0), "every weight at the start"),
    ]
  ) { p, settings, _ in
    let spectrum = try p.positives("spectrum", most: 1000)
    let problem = NoisyRegression(
      spectrum: spectrum, noise: p.real("noise"), momentum: p.real("momentum"),
      batch: p.integer("batch"), start: p.real("start"))
    // A run that stops at a level, and steps too many to follow, have no means in closed form.
    let isKnown =
      settings.learningRate.isFixed && settings.stopBelow == nil
      && (settings.records.last ?? 0) * spectrum.count <= mostKnown
    return TrainingModel(problem, settings, p, known: isKnown ? problem.means(settings) : nil)
  }
}
