import Experiments
import Kernels
import Networks
import Randomness

/// Two-layer ReLU networks on XOR clusters with noisy labels (arXiv:2310.02541): x = c + N(0, 1_p), c uniform among $\pm\mu_1$ (y = 1) and $\pm\mu_2$ (y
/// = -1), orthogonal, of length mu; labels of training are wrong with probability `noise`. $f = \sum_j a_j \mathrm{relu}(w_j \cdot x)$, a_j = ±1/sqrt(n) fixed,
/// w_j ~ N(0, s^2), gradient descent on the mean logistic loss.
///
/// Exactly reduced twice, for p far above the number of examples m. Of the data only the Gram matrix $K = X X^T$ matters: with the noise split into the plane of the
/// clusters and the rest, $K = F F^T$, $F = [C + Z\ |\ T]$, Z m x 2 normal, T Bartlett's factor of a Wishart matrix with p - 2 degrees of freedom. Of the weights only the
/// pre-activations H = W X^T matter, $H = s G F^T$ at the start, G normal, and
///
///     H' = H - eta (a relu'(H_X) l'^T / P) K_X.
package struct XORClusters: TrainingProblem {
  package let width, features, train, test: Int
  let separation, noise, scale: Double
  let isReduced: Bool

  package init(
    width: Int, features: Int, train: Int, test: Int, separation: Double, noise: Double, scale: Double, isReduced: Bool
  ) {
    (self.width, self.features, self.train, self.test) = (width, features, train, test)
    (self.separation, self.noise, self.scale, self.isReduced) = (separation, noise, scale, isReduced)
  }

  private var count: Int { train + test }
  private var stride: Int { Triangular.padded(count) }
  /// Columns of F, or p.
  private var directions: Int { isReduced ? count + 2 : features }

  package final class State {
    /// Labels, and those that are right.
    let labels: UnsafeMutablePointer<Double>
    let truth: UnsafeMutablePointer<Double>
    /// F or X, its transpose; K.
    package let data: UnsafeMutablePointer<Double>
    let transposed: UnsafeMutablePointer<Double>
    package let gram: UnsafeMutablePointer<Double>
    /// Weights in the directions of `data`, width x directions; H, width x stride.
    package let weights: UnsafeMutablePointer<Double>
    package let hidden: UnsafeMutablePointer<Double>
    let slopes: UnsafeMutablePointer<Double>
    let outputs: UnsafeMutablePointer<Double>
    let bartlett: UnsafeMutablePointer<Double>

    init(_ problem: XORClusters) {
      let (m, q, n) = (problem.count, problem.directions, problem.width)
      labels = .allocateZeros(problem.stride)
      truth = .allocateZeros(problem.stride)
      data = .allocateZeros(m * q)
      transposed = .allocateZeros(q * problem.stride)
      gram = .allocateZeros(m * problem.stride)
      weights = .allocateZeros(n * q)
      hidden = .allocateZeros(n * problem.stride)
      slopes = .allocateZeros(n * problem.train)
      outputs = .allocateZeros(problem.stride)
      bartlett = .allocateZeros(problem.isReduced ? m * m : 0)
    }

    deinit {
      for place in [labels, truth, data, transposed, gram, weights, hidden, slopes, outputs, bartlett] {
        place.deallocate()
      }
    }
  }

  package var observables: [Observable] {
    [
      Observable("loss", role: .objective, "training loss, mean of log(1 + exp(-y f))"),
      Observable("error", "share of the training examples of the wrong class, wrong labels as they are"),
      Observable("test_loss", "mean loss of the test examples, whose labels are right"),
      Observable("test_error", "share of the test examples of the wrong class"),
    ]
  }

  package func makeState() -> State { State(self) }

  package func start(_ state: State, _ stream: inout Stream) {
    let (m, q) = (count, directions)
    for a in 0..<m {
      let word = stream.word()
      // +1 on the first axis of the plane, -1 on the second.
      state.truth[a] = word & 1 == 0 ? 1 : -1
      state.labels[a] = a < train && stream.uniform() < noise ? -state.truth[a] : state.truth[a]
      let row = state.data + a * q
      for i in 0..<q { row[i] = 0 }
      row[state.truth[a] > 0 ? 0 : 1] = word & 2 == 0 ? separation : -separation
    }
    if isReduced {
      Bartlett.write(&stream, m, degrees: Double(features - 2), to: state.bartlett)
      for a in 0..<m {
        let row = state.data + a * q
        for i in 0..<2 { row[i] += stream.normal() }
        for i in 0...a { row[2 + i] = state.bartlett[a * m + i] }
      }
    } else {
      for a in 0..<m { add(stream: &stream, 1, to: state.data + a * q, q) }
    }
    for j in 0..<width {
      let row = state.weights + j * q
      for i in 0..<q { row[i] = 0 }
      add(stream: &stream, scale, to: row, q)
    }
    prepare(state)
  }

  private func add(stream: inout Stream, _ s: Double, to row: UnsafeMutablePointer<Double>, _ length: Int) {
    var done = 0
    while done < length {
      let part = min(1024, length - done)
      let normals = stream.normals(part)
      for i in 0..<part { row[done + i] += s * normals[i] }
      done += part
    }
  }

  /// K and H of the data and the weights.
  package func prepare(_ state: State) {
    let (m, q) = (count, directions)
    for a in 0..<m { for i in 0..<q { state.transposed[i * stride + a] = state.data[a * q + i] } }
    MatrixProduct.add(
      state.gram, stride, fresh: true, rows: m, columns: m, state.data, rowStride: q, columnStride: 1, inner: q,
      state.transposed, stride)
    makeHidden(state)
  }

  /// For replays of one sampler by the other.
  package func copyLabels(from source: State, to target: State) {
    for a in 0..<count { (target.labels[a], target.truth[a]) = (source.labels[a], source.truth[a]) }
  }

  private func makeHidden(_ state: State) {
    MatrixProduct.add(
      state.hidden, stride, fresh: true, rows: width, columns: count, state.weights, rowStride: directions,
      columnStride: 1, inner: directions, state.transposed, stride)
  }

  /// a_j: half of the units each.
  private func readout(_ unit: Int) -> Double { (unit % 2 == 0 ? 1 : -1) / Double(width).squareRoot() }

  private func evaluate(_ state: State) {
    if !isReduced { makeHidden(state) }
    for a in 0..<stride { state.outputs[a] = 0 }
    for j in 0..<width {
      let (row, v) = (state.hidden + j * stride, readout(j))
      for a in 0..<stride { state.outputs[a] += v * (row[a] > 0 ? row[a] : 0) }
    }
  }

  private func mean(_ state: State, _ examples: Range<Int>, _ value: (_ margin: Double) -> Double) -> Double {
    var sum = 0.0
    for a in examples { sum += value(state.labels[a] * state.outputs[a]) }
    return sum / Double(examples.count)
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    evaluate(state)
    return mean(state, 0..<train) { Elementary.softplus(-$0) }
  }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    // l'_b / P.
    for b in 0..<train {
      let y = state.labels[b]
      state.outputs[b] = -y * Elementary.sigmoid(-y * state.outputs[b]) / Double(train)
    }
    for j in 0..<width {
      let (row, target, v) = (state.hidden + j * stride, state.slopes + j * train, readout(j))
      for b in 0..<train { target[b] = row[b] > 0 ? v * state.outputs[b] : 0 }
    }
    if isReduced {
      MatrixProduct.add(
        state.hidden, stride, scale: -rate, rows: width, columns: count, state.slopes, rowStride: train,
        columnStride: 1, inner: train, state.gram, stride)
    } else {
      for j in 0..<width {
        let weights = state.weights + j * directions
        for b in 0..<train where state.slopes[j * train + b] != 0 {
          let (s, x) = (-rate * state.slopes[j * train + b], state.data + b * directions)
          for i in 0..<directions { weights[i] += s * x[i] }
        }
      }
    }
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    evaluate(state)
    for (i, part) in [0..<train, train..<count].enumerated() {
      values[2 * i] = mean(state, part) { Elementary.softplus(-$0) }
      values[2 * i + 1] = mean(state, part) { $0 > 0 ? 0 : 1 }
    }
  }

  static let entry = ProblemEntry(
    name: "xor-clusters", summary: "the first layer of ReLU networks on clusters of XOR with noisy labels",
    equation: "f = sum_j a_j relu(w_j.x), a_j = ±1/sqrt(n), x = c + N(0, 1), c = ±mu_1 (y = 1), ±mu_2 (y = -1)",
    reference: "arXiv:2310.02541; docs/training.md",
    samplers: [
      ("reduced", "pre-activations and the Gram matrix of the data, whatever the number of features"),
      ("weights", "every weight and every feature"),
    ],
    observables: ["loss", "error", "test_loss", "test_error"],
    parameters: [
      Parameter("width", .integer(2...100_000), default: .integer(200), "n, units"),
      Parameter("features", .integer(3...1_000_000_000), "p, features of an input"),
      Parameter("samples", .integer(1...4000), default: .integer(200), "P, examples of training"),
      Parameter("test", .integer(1...4000), default: .integer(200), "examples of the test"),
      Parameter("separation", .real(.above(0)), "mu, distance of a cluster from the origin"),
      Parameter(
        "noise", .real(.init(0, 0.5)), default: .real(0), "probability that a label of training is wrong"),
      Parameter(
        "start_std", .real(.above(0)), default: .real(1e-7), "s, standard deviation of the weights at the start"),
    ]
  ) { p, settings, _ in
    let (features, count) = (p.integer("features"), p.integer("samples") + p.integer("test"))
    let isReduced = p.text("sampler") == "reduced"
    guard isReduced || features * (count + p.integer("width")) <= 1 << 28 else {
      throw p.invalid("features", "times width + samples + test must be at most \(1 << 28) with sampler = \"weights\"")
    }
    let problem = XORClusters(
      width: p.integer("width"), features: features, train: p.integer("samples"), test: p.integer("test"),
      separation: p.real("separation"), noise: p.real("noise"), scale: p.real("start_std"), isReduced: isReduced)
    return TrainingModel(problem, settings, p)
  }
}
