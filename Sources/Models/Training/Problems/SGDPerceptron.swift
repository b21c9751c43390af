import Experiments
import Kernels
import Randomness

/// The perceptron of a noise scale of stochastic gradient descent (arXiv:2301.13703): $f = w \cdot x/\sqrt d$ learns $y = \text{sign}\, x_1$ from batches of B
/// examples by the hinge loss of margin kappa, from w = 0,
///
///     w' = w + (h/B) sum over the batch of y x/sqrt(d) where y f <= kappa,
///
/// the density of x_1 is proportional to $|x_1|^\chi e^{-x_1^2/2}$, the other features are N(0, 1). The temperature is T = h/B, time t = h steps.
///
/// With new examples only $w_1$ and the length $p$ of the rest matter, exactly: an example has $y x_1 = |x_1|$ and $y u$ along the rest, u ~ N(0, 1); the K wrong ones
/// add K chi-square variables of d - 2 degrees of freedom across it: O(B) a step whatever d. With a fixed set of P examples a run ends once all are right.
package struct SGDPerceptron: TrainingProblem {
  let dimension, batch: Int
  /// P; nil for new examples.
  let samples: Int?
  /// chi and kappa.
  let exponent, margin: Double
  let isReduced: Bool

  package final class State {
    /// w; reduced: w_1 and the length of the rest.
    package let weights: UnsafeMutablePointer<Double>
    /// y x of the fixed set, or of one example.
    let inputs: UnsafeMutablePointer<Double>
    /// Sum of y x of the wrong examples; reduced: its part along x_1, along the rest, and its square across.
    let force: UnsafeMutablePointer<Double>
    /// An example that was wrong when it was last looked at.
    var suspect = 0
    var time = 0.0

    fileprivate init(_ p: SGDPerceptron) {
      let size = max(p.dimension, 3)
      weights = .allocateZeros(size)
      force = .allocateZeros(size)
      inputs = .allocateZeros(p.dimension * max(p.samples ?? 1, 1))
    }

    deinit { for place in [weights, force, inputs] { place.deallocate() } }
  }

  package var observables: [Observable] {
    [
      Observable("w_1", "the weight of the teacher's direction"),
      Observable("w_rest", "length of the other weights"),
      Observable("log_w_1", "log max(w_1, 1e-300)"),
      Observable("angle_error", "share of new examples with chi = 0 that are wrong, atan(w_rest / w_1) / pi"),
    ] + (samples == nil ? [] : Self.ofFits)
  }

  private static let ofFits = [
    Observable("error", "share of the examples with y f <= kappa"),
    Observable("time", "h steps so far; at the end of a run the time of its fit"),
    Observable("log_time", "its logarithm"),
  ]

  package func makeState() -> State { State(self) }

  /// y x of a new example in order: |x_1| and the others. For chi > -1 x_1^2 / 2 is a gamma variable of shape (1 + chi)/2.
  private func first(_ stream: inout Stream) -> Double {
    exponent == 0 ? stream.normal().magnitude : (2 * stream.gamma(shape: 0.5 * (1 + exponent))).squareRoot()
  }

  package func start(_ state: State, _ stream: inout Stream) {
    for i in 0..<max(dimension, 3) { state.weights[i] = 0 }
    (state.suspect, state.time) = (0, 0)
    for a in 0..<(samples ?? 0) {
      let x = state.inputs + a * dimension
      x[0] = first(&stream)
      for i in 1..<dimension { x[i] = stream.normal() }
    }
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    let (d, w) = (dimension, state.weights)
    let level = margin * Double(d).squareRoot()
    var sum = 0.0
    for i in 0..<max(d, 3) { state.force[i] = 0 }
    if isReduced {
      var wrong = 0
      for _ in 0..<batch {
        let x = first(&stream)
        let u = stream.normal()
        let z = w[0] * x + w[1] * u
        guard z <= level else { continue }
        sum += level - z
        wrong += 1
        state.force[0] += x
        state.force[1] += u
      }
      if wrong > 0, d > 2 { state.force[2] = Double(wrong) * stream.chiSquare(d - 2) }
    } else {
      for _ in 0..<batch {
        let x: UnsafeMutablePointer<Double>
        if let samples {
          // Uniform in 0..<P, for P far below 2^32.
          x = state.inputs + d * Int(((stream.word() >> 32) &* UInt64(samples)) >> 32)
        } else {
          x = state.inputs
          x[0] = first(&stream)
          for i in 1..<d { x[i] = stream.normal() }
        }
        let z = product(w, x)
        guard z <= level else { continue }
        sum += level - z
        for i in 0..<d { state.force[i] += x[i] }
      }
    }
    return sum / (Double(batch) * Double(d).squareRoot())
  }

  private func product(_ w: UnsafePointer<Double>, _ x: UnsafePointer<Double>) -> Double {
    var z = 0.0
    for i in 0..<dimension { z += w[i] * x[i] }
    return z
  }

  package var mayEnd: Bool { samples != nil }

  /// Looks on from the last wrong example: most steps look at one.
  package func hasEnded(_ state: State) -> Bool {
    guard let samples else { return false }
    let level = margin * Double(dimension).squareRoot()
    for _ in 0..<samples {
      if product(state.weights, state.inputs + state.suspect * dimension) <= level { return false }
      state.suspect = state.suspect + 1 == samples ? 0 : state.suspect + 1
    }
    return true
  }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    let scale = rate / (Double(batch) * Double(dimension).squareRoot())
    let w = state.weights
    state.time += rate
    if isReduced {
      w[0] += scale * state.force[0]
      let along = w[1] + scale * state.force[1]
      w[1] = (along * along + scale * scale * state.force[2]).squareRoot()
    } else {
      for i in 0..<dimension { w[i] += scale * state.force[i] }
    }
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    let w = state.weights
    var rest = w[1].magnitude
    if !isReduced {
      var square = 0.0
      for i in 1..<dimension { square += w[i] * w[i] }
      rest = square.squareRoot()
    }
    (values[0], values[1]) = (w[0], rest)
    values[2] = Elementary.log(max(w[0], 1e-300))
    values[3] = rest == 0 && w[0] == 0 ? 0.5 : Elementary.angle(x: w[0], y: rest) / Double.pi
    guard let samples else { return }
    let level = margin * Double(dimension).squareRoot()
    var wrong = 0
    for a in 0..<samples where product(w, state.inputs + a * dimension) <= level { wrong += 1 }
    values[4] = Double(wrong) / Double(samples)
    (values[5], values[6]) = (state.time, Elementary.log(max(state.time, 1e-300)))
  }
}

extension SGDPerceptron {
  /// Most numbers of a run: 1 GiB.
  private static let mostNumbers = 1 << 27

  static let entry = ProblemEntry(
    name: "sgd-perceptron",
    summary: "a perceptron in stochastic gradient descent on the hinge loss: the temperature h/B",
    equation:
      "w' = w + (h/B) sum over B examples of y x/sqrt(d) where y w.x/sqrt(d) <= kappa, from 0, y = sign x_1, density of x_1 ~ |x_1|^chi exp(-x_1^2/2), h = learning_rate",
    reference: "arXiv:2301.13703; docs/training-problems.md",
    samplers: [
      ("reduced", "of new examples: w_1 and the length of the rest, O(B) a step; of a fixed set: every weight"),
      ("weights", "every weight"),
    ],
    observables: ["w_1", "w_rest", "log_w_1", "angle_error", "error", "time", "log_time"],
    parameters: [
      Parameter("features", .integer(2...1_000_000), "d, features of an example"),
      Parameter("batch", .integer(1...1_000_000), default: .integer(1), "B, examples of a step, drawn independently"),
      Parameter(
        "samples", .integer(1...10_000_000), optional: true,
        "P, examples of a fixed set, with which a run ends once all are right; new examples in every step unless given"),
      Parameter("chi", .real(.init(0, 100)), default: .real(0), "how rare examples near the border are"),
      Parameter("margin", .real(.init(0, .infinity, openAbove: true)), default: .real(0), "kappa of the hinge loss"),
    ]
  ) { p, settings, _ in
    let (dimension, samples) = (p.integer("features"), p["samples"].map { _ in p.integer("samples") })
    guard dimension * (samples ?? 1) <= mostNumbers else {
      throw p.invalid("samples", "would be inputs of \(dimension * samples!) numbers; at most \(mostNumbers) are kept")
    }
    guard settings.stopBelow == nil else {
      throw p.invalid(
        "stop_below", "has no meaning here: the loss of a batch may be 0; a run with samples ends once all are right")
    }
    let problem = SGDPerceptron(
      dimension: dimension, batch: p.integer("batch"), samples: samples, exponent: p.real("chi"),
      margin: p.real("margin"), isReduced: samples == nil && p.text("sampler") == "reduced")
    return TrainingModel(problem, settings, p)
  }
}
