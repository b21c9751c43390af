import Experiments
import Kernels
import Randomness

/// Langevin dynamics on a quadratic loss with gradients of batches (stochastic gradient Langevin dynamics, Welling and Teh, ICML 2011): examples are centres $c \sim
/// N(0, \sigma^2 1)$ of $\frac 12 (\theta - c)^T \text{diag}(l) (\theta - c)$, B new ones in each step, so that
///
///     theta' = theta - h g + sqrt(2 h/beta) xi,   g_i = l_i (theta_i - mean c_i),   Var g_i = C_i = l_i^2 sigma^2/B.
///
/// Every mode is a Gaussian autoregression: at every step $\mathbb E \theta_i = \prod (1 - h l_i)\, \theta_0$ and $\text{Var}' = (1 - h l_i)^2\, \text{Var} + 2h/\beta + h^2 C_i$, which tends to
///
///     <theta_i^2> = (2/beta + h C_i)/(l_i (2 - h l_i)).
///
/// Exactly reduced: both noises of a mode are one normal variable.
package struct LangevinQuadratic: TrainingProblem {
  package let spectrum: [Double]
  /// 1/beta.
  let temperature: Double
  /// sigma^2.
  let spread: Double
  let batch: Int
  /// Every theta_i at the start.
  let start: Double
  let isReduced: Bool

  package final class State {
    let theta, force: UnsafeMutablePointer<Double>

    fileprivate init(_ p: LangevinQuadratic) {
      (theta, force) = (.allocateZeros(p.spectrum.count), .allocateZeros(p.spectrum.count))
    }

    deinit { for place in [theta, force] { place.deallocate() } }
  }

  package var observables: [Observable] {
    [Observable("energy", "sum of l theta^2 / 2, the mean loss without the spread of the examples")]
      + spectrum.indices.map { Observable("theta", [$0], "the weight of curvature \($0)") }
      + spectrum.indices.map {
        Observable("temperature", [$0], "l theta^2 of curvature \($0), 1/beta in the continuous dynamics")
      }
  }

  package func makeState() -> State { State(self) }

  package func start(_ state: State, _ stream: inout Stream) {
    for i in spectrum.indices { state.theta[i] = start }
  }

  private func energy(_ state: State) -> Double {
    spectrum.indices.reduce(0) { $0 + 0.5 * spectrum[$1] * state.theta[$1] * state.theta[$1] }
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    if !isReduced {
      let scale = spread.squareRoot() / Double(batch)
      for i in spectrum.indices { state.force[i] = 0 }
      for _ in 0..<batch { for i in spectrum.indices { state.force[i] += scale * stream.normal() } }
    }
    return energy(state)
  }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    for (i, l) in spectrum.enumerated() {
      if isReduced {
        state.theta[i] += stepVariance(l, rate).squareRoot() * stream.normal() - rate * l * state.theta[i]
      } else {
        state.theta[i] -= rate * l * (state.theta[i] - state.force[i])
        state.theta[i] += (2 * rate * temperature).squareRoot() * stream.normal()
      }
    }
  }

  /// 2 h/beta + h^2 C.
  private func stepVariance(_ l: Double, _ h: Double) -> Double {
    2 * h * temperature + h * h * l * l * spread / Double(batch)
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    values[0] = energy(state)
    for (i, l) in spectrum.enumerated() {
      values[1 + i] = state.theta[i]
      values[1 + spectrum.count + i] = l * state.theta[i] * state.theta[i]
    }
  }
}

extension LangevinQuadratic {
  /// Means and second moments of all observables at the records: all are Gaussian.
  package func moments(_ settings: TrainingSettings) -> ReferenceValues {
    var (mean, variance) = (spectrum.map { _ in start }, spectrum.map { _ in 0.0 })
    var (means, seconds): ([Double], [Double]) = ([], [])
    var made = 0
    for step in settings.records {
      while made < step {
        made += 1
        let rate = settings.rate(made)
        for (i, l) in spectrum.enumerated() {
          mean[i] *= 1 - rate * l
          variance[i] = (1 - rate * l) * (1 - rate * l) * variance[i] + stepVariance(l, rate)
        }
      }
      let squares = spectrum.indices.map { mean[$0] * mean[$0] + variance[$0] }
      let temperatures = spectrum.indices.map { spectrum[$0] * squares[$0] }
      let energy = 0.5 * temperatures.reduce(0, +)
      // Var x^2 = 4 m^2 v + 2 v^2.
      let spreads = spectrum.indices.map {
        spectrum[$0] * spectrum[$0] * variance[$0] * (4 * mean[$0] * mean[$0] + 2 * variance[$0])
      }
      means += [energy] + mean + temperatures
      seconds += [energy * energy + 0.25 * spreads.reduce(0, +)] + squares
      seconds += zip(temperatures, spreads).map { $0 * $0 + $1 }
    }
    return settings.known(observables, means: means, secondMoments: seconds)
  }

  /// Most steps, times modes, of which the exact moments are worked out.
  private static let mostKnown = 20_000_000

  static let entry = ProblemEntry(
    name: "langevin-quadratic",
    summary: "Langevin dynamics with gradients of batches on a quadratic loss: the temperature that it really has",
    equation:
      "theta' = theta - learning_rate l (theta - mean c) + sqrt(2 learning_rate / beta) xi, c ~ N(0, spread) of B new examples",
    reference: "Welling and Teh, ICML 2011; arXiv:1704.04289; docs/training-problems.md",
    samplers: [
      ("reduced", "both noises of a weight in one normal variable, whatever B"), ("weights", "every example"),
    ],
    observables: ["energy", "theta", "temperature"],
    parameters: [
      Parameter("spectrum", .structured("an array of 1 to 1000 positive numbers"), "l, curvatures"),
      Parameter("temperature", .real(.init(0, .infinity, openAbove: true)), default: .real(1), "1/beta"),
      Parameter(
        "spread", .real(.init(0, .infinity, openAbove: true)), default: .real(0), "sigma^2, variance of the examples"),
      Parameter("batch", .integer(1...1_000_000), default: .integer(1), "B, examples of a step"),
      Parameter("start", .real(.finite), default: .real(0), "every weight at the start"),
    ]
  ) { p, settings, _ in
    let spectrum = try p.positives("spectrum", most: 1000)
    let edge = 2 / spectrum.max()!
    guard settings.learningRate.largest < edge else {
      throw p.invalid(
        "learning_rate", "must be below 2 / (largest of spectrum) = \(edge): steps grow beyond all bounds")
    }
    let problem = LangevinQuadratic(
      spectrum: spectrum, temperature: p.real("temperature"), spread: p.real("spread"), batch: p.integer("batch"),
      start: p.real("start"), isReduced: p.text("sampler") == "reduced")
    let isKnown =
      settings.learningRate.isFixed && settings.stopBelow == nil
      && settings.records.last! * spectrum.count <= mostKnown
    return TrainingModel(problem, settings, p, known: isKnown ? problem.moments(settings) : nil)
  }
}
