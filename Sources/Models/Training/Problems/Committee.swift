import Experiments
import Kernels
import Networks
import Randomness

/// A committee of N units with a quadratic activation, of which the first layer is trained, on a quadratic teacher: from lazy to rich, and to
/// generalisation long after the examples are fitted (grokking, arXiv:2310.06110).
///
/// $x \sim N(0, 1_D/D)$, $y = (b \cdot x)^2/2$, $|b|^2 = D$; $f(x) = \frac{\alpha}{N} \sum_i [\phi(w_i \cdot x) - \phi(w_i^0 \cdot x)]$, $\phi(h) = h +
/// \epsilon h^2/2$, $w_i^0 \sim N(0, 1_D)$; gradient descent with learning rate $\eta D N/\alpha^2$ on half of the mean of $r^2$, r = f - y.
///
/// Exactly reduced, whatever N: the mean m of the w and the mean M of their $w w^T$ close. With k = eta D/alpha, a the mean of r x, B epsilon times the
/// mean of $r x x^T$ and C = 1 - k B
///
///     m' = C m - k a,   M' = C M C - k (C m a^T + a m^T C) + k^2 a a^T:
///
/// O(D^3) a step. At the start m ~ N(0, 1/N) and N (M - m m^T) is Wishart with N - 1 degrees of freedom; at infinite width m = 0, M = 1. As
/// $r = q \cdot x + x^T Q x$, $q = \alpha (m - m_0)$, $2 Q = \alpha \epsilon (M - M_0) - b b^T$, test loss and gradient over all inputs are known exactly.
package struct Committee: HasInfiniteWidth {
  enum Sampler { case reduced, weights, infinite }
  /// Losses below which the examples count as fitted, and the teacher as learned.
  struct Levels {
    let train, test: Double
  }

  let width, features: Int
  /// P; nil for the mean over all inputs.
  let samples: Int?
  let alpha, epsilon: Double
  let levels: Levels
  let sampler: Sampler

  package var isRandomAtInfiniteWidth: Bool { samples != nil }

  package func infiniteWidth(_ refuse: (String) -> Failure) -> any TrainingProblem {
    Committee(
      width: width, features: features, samples: samples, alpha: alpha, epsilon: epsilon, levels: levels,
      sampler: .infinite)
  }

  package final class State {
    /// m and M, and those of the start.
    package let mean, second: UnsafeMutablePointer<Double>
    package let firstMean, firstSecond: UnsafeMutablePointer<Double>
    /// q and Q.
    let linear, quadratic: UnsafeMutablePointer<Double>
    /// a and C.
    let force, map: UnsafeMutablePointer<Double>
    let next: UnsafeMutablePointer<Double>
    /// x of the examples, P x D; the same D x P; r x/P, P x D.
    package let inputs: UnsafeMutablePointer<Double>
    let columns, scaled: UnsafeMutablePointer<Double>
    /// Q x, D x P.
    let images: UnsafeMutablePointer<Double>
    let residuals: UnsafeMutablePointer<Double>
    /// Of the plain sampler, N x D.
    package let weights: UnsafeMutablePointer<Double>?
    var made = 0
    /// Steps after which the loss was first below its level; negative before that.
    var fitted = -1, learned = -1

    init(_ problem: Committee) {
      let d = problem.features
      (mean, firstMean, linear, force) = (
        .allocateZeros(d), .allocateZeros(d), .allocateZeros(d), .allocateZeros(d)
      )
      (second, firstSecond, quadratic, map, next) = (
        .allocateZeros(d * d), .allocateZeros(d * d), .allocateZeros(d * d), .allocateZeros(d * d),
        .allocateZeros(d * d)
      )
      let count = (problem.samples ?? 0) * d
      (inputs, columns) = (.allocateZeros(count), .allocateZeros(count))
      (scaled, images) = (.allocateZeros(count), .allocateZeros(count))
      residuals = .allocateZeros(problem.samples ?? 0)
      weights = problem.sampler == .weights ? .allocateZeros(problem.width * d) : nil
    }

    deinit {
      for place in [
        mean, firstMean, linear, force, second, firstSecond, quadratic, map, next, inputs, columns, scaled, images,
        residuals,
      ] { place.deallocate() }
      weights?.deallocate()
    }
  }

  package var observables: [Observable] {
    var found = [
      Observable("loss", "training loss, half of the mean of r^2; over all inputs unless there are samples"),
      Observable("test_loss", "half of the mean of r^2 over all inputs, 3/8 at the start"),
      Observable("alignment", "b^T M b / (D tr M), 1/D without a direction"),
    ]
    guard samples != nil else { return found }
    found += [
      Observable(
        "train_time", unit: "steps", "steps until loss was below train_level; those made so far if it was not yet"),
      Observable(
        "test_time", unit: "steps", "steps until test_loss was below test_level; those made so far if it was not yet"),
      Observable("log_delay", "log((1 + test_time) / (1 + train_time))"),
      Observable("fitted", role: .event, "1 where loss has been below train_level, else 0"),
      Observable("learned", role: .event, "1 where test_loss has been below test_level, else 0"),
    ]
    return found
  }

  package func makeState() -> State { State(self) }

  package func start(_ state: State, _ stream: inout Stream) {
    let d = features
    (state.made, state.fitted, state.learned) = (0, -1, -1)
    if let samples {
      let scale = 1 / Double(d).squareRoot()
      for i in 0..<samples * d { state.inputs[i] = scale * stream.normal() }
      transposeInputs(state)
    }
    switch sampler {
    case .infinite:
      for i in 0..<d { state.mean[i] = 0 }
      for i in 0..<d * d { state.second[i] = i % (d + 1) == 0 ? 1 : 0 }
    case .reduced:
      let root = 1 / Double(width).squareRoot()
      for i in 0..<d { state.mean[i] = root * stream.normal() }
      SecondMoments.drawWishart(&stream, d, degrees: width - 1, room: state.next, to: state.second)
      for i in 0..<d {
        for j in 0..<d {
          state.second[i * d + j] = state.second[i * d + j] / Double(width) + state.mean[i] * state.mean[j]
        }
      }
    case .weights:
      for i in 0..<width * d { state.weights![i] = stream.normal() }
      takeMoments(state)
    }
    state.firstMean.update(from: state.mean, count: d)
    state.firstSecond.update(from: state.second, count: d * d)
  }

  /// Makes the columns those of the present inputs.
  package func transposeInputs(_ state: State) {
    let (d, samples) = (features, samples ?? 0)
    for a in 0..<samples { for i in 0..<d { state.columns[i * samples + a] = state.inputs[a * d + i] } }
  }

  /// m and M of explicit weights.
  private func takeMoments(_ state: State) {
    let d = features
    for i in 0..<d { state.mean[i] = 0 }
    for unit in 0..<width { for i in 0..<d { state.mean[i] += state.weights![unit * d + i] } }
    SecondMoments.take(state.weights!, rows: 0..<width, d, to: state.second)
    for i in 0..<d { state.mean[i] /= Double(width) }
    for i in 0..<d * d { state.second[i] /= Double(width) }
  }

  /// q and Q; b is along the first axis, which isotropic weights and inputs allow.
  /// - Returns: half of the mean of r^2 over all inputs.
  private func evaluate(_ state: State) -> Double {
    let d = features
    if sampler == .weights { takeMoments(state) }
    var (square, trace, norm) = (0.0, 0.0, 0.0)
    for i in 0..<d {
      state.linear[i] = alpha * (state.mean[i] - state.firstMean[i])
      square += state.linear[i] * state.linear[i]
    }
    let half = 0.5 * alpha * epsilon
    for i in 0..<d * d { state.quadratic[i] = half * (state.second[i] - state.firstSecond[i]) }
    state.quadratic[0] -= 0.5 * Double(d)
    for i in 0..<d * d { norm += state.quadratic[i] * state.quadratic[i] }
    for i in 0..<d { trace += state.quadratic[i * (d + 1)] }
    return 0.5 * (square / Double(d) + (trace * trace + 2 * norm) / Double(d * d))
  }

  /// Residuals of the examples; q and Q are known.
  private func trainLoss(_ state: State, _ samples: Int) -> Double {
    let d = features
    MatrixProduct.add(
      state.images, samples, fresh: true, rows: d, columns: samples, state.quadratic, rowStride: d, columnStride: 1,
      inner: d, state.columns, samples)
    let r = state.residuals
    for a in 0..<samples { r[a] = 0 }
    for i in 0..<d {
      let (x, image, linear) = (state.columns + i * samples, state.images + i * samples, state.linear[i])
      for a in 0..<samples { r[a] = r[a].addingProduct(x[a], linear + image[a]) }
    }
    var sum = 0.0
    for a in 0..<samples { sum += r[a] * r[a] }
    return 0.5 * sum / Double(samples)
  }

  private func losses(_ state: State) -> (train: Double, test: Double) {
    let test = evaluate(state)
    guard let samples else { return (test, test) }
    let train = trainLoss(state, samples)
    if state.fitted < 0, train < levels.train { state.fitted = state.made }
    if state.learned < 0, test < levels.test { state.learned = state.made }
    return (train, test)
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    state.made = step - 1
    return losses(state).train
  }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    let d = features
    let k = rate * Double(d) / alpha
    takeGradient(state, k)
    state.made += 1
    guard let weights = state.weights else {
      moveMoments(state, k)
      return
    }
    for unit in 0..<width {
      let w = weights + unit * d
      for i in 0..<d {
        var sum = -k * state.force[i]
        for j in 0..<d { sum += state.map[i * d + j] * w[j] }
        state.next[i] = sum
      }
      for i in 0..<d { w[i] = state.next[i] }
    }
  }

  /// a and C = 1 - k B.
  private func takeGradient(_ state: State, _ k: Double) {
    let d = features
    if let samples {
      for i in 0..<d { state.force[i] = 0 }
      for a in 0..<samples {
        let (x, scaled, r) = (state.inputs + a * d, state.scaled + a * d, state.residuals[a] / Double(samples))
        for i in 0..<d {
          scaled[i] = r * x[i]
          state.force[i] += scaled[i]
        }
      }
      MatrixProduct.add(
        state.map, d, fresh: true, rows: d, columns: d, state.scaled, rowStride: 1, columnStride: d, inner: samples,
        state.inputs, d)
      let scale = -k * epsilon
      for i in 0..<d * d { state.map[i] *= scale }
    } else {
      var trace = 0.0
      for i in 0..<d { trace += state.quadratic[i * (d + 1)] }
      for i in 0..<d { state.force[i] = state.linear[i] / Double(d) }
      let scale = -k * epsilon / Double(d * d)
      for i in 0..<d * d { state.map[i] = scale * 2 * state.quadratic[i] }
      for i in 0..<d { state.map[i * (d + 1)] += scale * trace }
    }
    for i in 0..<d { state.map[i * (d + 1)] += 1 }
  }

  private func moveMoments(_ state: State, _ k: Double) {
    let d = features
    SecondMoments.map(state.second, by: state.map, d, room: state.next)
    // C m, in the place of what is not needed any more.
    let moved = state.next
    for i in 0..<d {
      var sum = 0.0
      for j in 0..<d { sum += state.map[i * d + j] * state.mean[j] }
      moved[i] = sum
    }
    for i in 0..<d {
      for j in 0..<d {
        state.second[i * d + j] +=
          k * (k * (state.force[i] * state.force[j]) - (moved[i] * state.force[j] + state.force[i] * moved[j]))
      }
    }
    for i in 0..<d { state.mean[i] = moved[i] - k * state.force[i] }
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    let d = features
    let (train, test) = losses(state)
    var trace = 0.0
    for i in 0..<d { trace += state.second[i * (d + 1)] }
    (values[0], values[1], values[2]) = (train, test, state.second[0] / trace)
    guard samples != nil else { return }
    let trainTime = Double(state.fitted < 0 ? state.made : state.fitted)
    let testTime = Double(state.learned < 0 ? state.made : state.learned)
    (values[3], values[4]) = (trainTime, testTime)
    values[5] = Elementary.log((1 + testTime) / (1 + trainTime))
    (values[6], values[7]) = (state.fitted < 0 ? 0 : 1, state.learned < 0 ? 0 : 1)
  }
}

extension Committee {
  /// Most numbers of a run: 1 GiB.
  private static let mostNumbers = 1 << 27

  static let entry = ProblemEntry(
    name: "committee", summary: "committees of quadratic units on a quadratic teacher: lazy, rich, grokking",
    equation:
      "f = (alpha/N) sum_i [phi(w_i.x) - phi(w_i(0).x)], phi(h) = h + epsilon h^2/2, w ~ N(0, 1), y = (b.x)^2/2, |b|^2 = D, x ~ N(0, 1/D), gradient descent with rate learning_rate D N / alpha^2",
    reference: "arXiv:2310.06110; docs/training-problems.md",
    samplers: [
      ("reduced", "mean and second moments of the units, Wishart at the start, O(D^3) a step"),
      ("weights", "every weight"),
    ],
    observables: [
      "loss", "test_loss", "alignment", "train_time", "test_time", "log_delay", "fitted", "learned",
    ],
    parameters: [
      .width,
      Parameter("features", .integer(1...512), "D, features of an input"),
      Parameter(
        "samples", .integer(1...1_000_000), optional: true,
        "P, examples of a run; the mean over all inputs in their place unless given"),
      Parameter("alpha", .real(.above(0)), default: .real(1), "multiplies the output: large is lazy, small rich"),
      Parameter("epsilon", .real(.above(0)), default: .real(0.5), "of phi(h) = h + epsilon h^2/2"),
      Parameter("train_level", .real(.above(0)), default: .real(0.005), "loss below which the examples are fitted"),
      Parameter("test_level", .real(.above(0)), default: .real(0.05), "test_loss below which the teacher is learned"),
    ]
  ) { p, settings, _ in
    let samples = p["samples"].map { _ in p.integer("samples") }
    let (width, features) = (p.integer("width"), p.integer("features"))
    if let samples, samples * features > mostNumbers {
      throw p.invalid("samples", "would be inputs of \(samples * features) numbers; at most \(mostNumbers) are kept")
    }
    let isPlain = p.text("sampler") == "weights"
    guard !isPlain || width <= mostNumbers / features else {
      throw p.invalid("width", "would be \(width) units of \(features) weights; at most \(mostNumbers) are kept")
    }
    let problem = Committee(
      width: width, features: features, samples: samples, alpha: p.real("alpha"), epsilon: p.real("epsilon"),
      levels: Levels(train: p.real("train_level"), test: p.real("test_level")),
      sampler: isPlain ? .weights : .reduced)
    return TrainingModel(problem, settings, p)
  }
}
