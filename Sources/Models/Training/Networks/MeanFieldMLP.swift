import Experiments
import Kernels
import Networks
import Randomness

/// A perceptron of one hidden layer at infinite width in the parametrisation that learns features (muP): given f its units are independent, and each
/// is moved by
///
///     h_a' = q h_a - (eta gamma sqrt(c)/P) v sum_b l'_b phi'(h_b) K_ab,   v' = q v - (eta gamma sqrt(c)/P) sum_b l'_b phi(h_b),
///
/// $q = 1 - \eta \gamma^2 \lambda$ with weight decay lambda, $f = \sqrt c\, \mathbb E[v \phi(h)]/\gamma$, $K = X X^T/d$, h ~ N(0, K), v ~ N(0, 1) at the start. The mean over units is the trapezoidal rule in the
/// variables of the start, of which there are rank K + 1: it converges exponentially for analytic activations.
package struct MeanFieldMLP: TrainingProblem {
  let network: TrainedMLP
  /// K, count x count.
  private let covariance: [Double]
  /// Of each node: h of all examples, v, its weight.
  private let nodes: [Double]
  private let count: Int

  /// Most directions of the inputs.
  static let mostDirections = 3
  private static let reach = 6.5
  static let usualStep = 0.4

  /// - Parameter step: between two nodes of a direction.
  init(_ network: TrainedMLP, factor: [[Double]], step: Double) {
    self.network = network
    count = factor.count
    covariance = (0..<count * count).map { place in
      zip(factor[place / factor.count], factor[place % factor.count]).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let half = Int((Self.reach / step).rounded(.up))
    let side = (-half...half).map { Double($0) * step }
    let weights = side.map { Elementary.exp(-0.5 * $0 * $0) }
    let total = weights.reduce(0, +)
    let directions = factor[0].count
    let hasReadout = network.start != .zero
    var nodes: [Double] = []
    var place = Array(repeating: 0, count: directions + (hasReadout ? 1 : 0))
    while true {
      var weight = 1.0
      for i in place { weight *= weights[i] / total }
      // What is left out is less than rounding.
      if weight > 1e-20 {
        for row in factor { nodes.append(zip(row, place).reduce(0) { $0 + $1.0 * side[$1.1] }) }
        nodes.append(hasReadout ? side[place[directions]] : 0)
        nodes.append(weight)
      }
      var i = 0
      while i < place.count, place[i] == side.count - 1 {
        place[i] = 0
        i += 1
      }
      guard i < place.count else { break }
      place[i] += 1
    }
    self.nodes = nodes
  }

  package final class State {
    var nodes: [Double]
    /// f of all examples, and its derivative of the loss.
    var outputs, slopes: [Double]
    /// f at the start, where it is taken off.
    var first: [Double]
    fileprivate var values, derivatives: [Double]
    /// Tangent kernels of the examples, now and at the start; empty unless measured.
    fileprivate var kernel, firstKernel: [Double]
    fileprivate var made = 0

    init(_ problem: MeanFieldMLP) {
      nodes = problem.nodes
      outputs = Array(repeating: 0, count: problem.count)
      (slopes, first, values, derivatives) = (outputs, outputs, outputs, outputs)
      kernel = problem.network.measured.kernel ? problem.covariance : []
      firstKernel = kernel
    }
  }

  package func makeState() -> State { State(self) }

  package func start(_ state: State, _ stream: inout Stream) {
    state.nodes = nodes
    state.made = 0
    if network.measured.kernel {
      takeKernel(state)
      state.firstKernel = state.kernel
    }
    for i in state.first.indices { state.first[i] = 0 }
    evaluate(state)
    guard network.start == .centred else { return }
    state.first = state.outputs
    evaluate(state)
  }

  private func evaluate(_ state: State) {
    for a in 0..<count { state.outputs[a] = 0 }
    let activation = network.activation
    for node in stride(from: 0, to: state.nodes.count, by: count + 2) {
      let v = state.nodes[node + count] * state.nodes[node + count + 1]
      for a in 0..<count { state.outputs[a] += v * activation.value(state.nodes[node + a]) }
    }
    for a in 0..<count { state.outputs[a] = network.gain / network.gamma * state.outputs[a] - state.first[a] }
  }

  private func derive(_ state: State, _ examples: Range<Int>) -> Double {
    var sum = 0.0
    for a in examples {
      var f = state.outputs[a]
      sum += withUnsafePointer(to: network.data.targets[a]) { network.loss.derive(&f, $0, 1) }
      state.slopes[a] = f
    }
    return sum / Double(examples.count)
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    evaluate(state)
    return derive(state, 0..<network.data.train)
  }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    state.made += 1
    let train = network.data.train
    let scale = -rate * network.gamma * network.gain / Double(train)
    let keep = 1 - rate * network.gamma * network.gamma * network.optimiser.decay
    let activation = network.activation
    for node in stride(from: 0, to: state.nodes.count, by: count + 2) {
      for b in 0..<train {
        let h = state.nodes[node + b]
        state.values[b] = state.slopes[b] * activation.value(h)
        state.derivatives[b] = state.slopes[b] * activation.derivative(h)
      }
      let v = state.nodes[node + count]
      var move = 0.0
      for b in 0..<train { move += state.values[b] }
      for a in 0..<count {
        var sum = 0.0
        for b in 0..<train { sum += state.derivatives[b] * covariance[a * count + b] }
        state.nodes[node + a] = keep * state.nodes[node + a] + scale * v * sum
      }
      state.nodes[node + count] = keep * v + scale * move
    }
  }

  /// $\Theta_{ab} = c\, (\mathbb E[\phi(h_a) \phi(h_b)] + K_{ab}\, \mathbb E[v^2 \phi'(h_a) \phi'(h_b)])$.
  private func takeKernel(_ state: State) {
    for i in state.kernel.indices { state.kernel[i] = 0 }
    let activation = network.activation
    for node in stride(from: 0, to: state.nodes.count, by: count + 2) {
      for a in 0..<count {
        state.values[a] = activation.value(state.nodes[node + a])
        state.derivatives[a] = activation.derivative(state.nodes[node + a])
      }
      let (v, weight) = (state.nodes[node + count], network.squaredGain * state.nodes[node + count + 1])
      for a in 0..<count {
        for b in 0..<count {
          let slopes = v * v * state.derivatives[a] * state.derivatives[b]
          state.kernel[a * count + b] +=
            weight * (state.values[a] * state.values[b] + covariance[a * count + b] * slopes)
        }
      }
    }
  }

  package var observables: [Observable] {
    network.outputObservables + (network.measured.kernel ? KernelMeasures(network.data).observables : [])
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    evaluate(state)
    let rest = state.outputs.withUnsafeBufferPointer {
      network.measureOutputs($0.baseAddress!, network.data.targets, to: values)
    }
    guard network.measured.kernel else { return }
    takeKernel(state)
    _ = KernelMeasures(network.data).write(
      state.kernel, start: state.firstKernel, targets: network.data.targets, isStart: state.made == 0, to: rest)
  }
}

extension TrainedMLP: HasInfiniteWidth {
  /// - Parameter knowsOrthogonal: whether orthogonal weights have the same limit as independent ones.
  /// - Throws: what `refuse` makes of what no limit knows.
  package func requireKnown(knowsOrthogonal: Bool = false, _ refuse: (String) -> Failure) throws {
    guard data.isFixed else { throw refuse("needs fixed data: each draw has examples of its own") }
    guard !shape.hasBias else { throw refuse("knows no biases: needs bias = 0") }
    guard jacobian == 0 else { throw refuse("knows no penalty of the Jacobian: needs jacobian = 0") }
    guard testNoise == 0 else { throw refuse("knows no noise of the test: needs test_noise = 0") }
    guard knowsOrthogonal || !isOrthogonal else {
      throw refuse("is of independent weights: needs weights = \"gaussian\"")
    }
  }

  package func infiniteWidth(_ refuse: (String) -> Failure) throws -> any TrainingProblem {
    try requireKnown(refuse)
    guard depth == 1, shape.outputs == 1, shape.branch == nil else {
      throw refuse("needs problem = \"mlp\" with depth = 1 and one output")
    }
    guard parametrisation.isMeanField else {
      throw refuse(
        "needs parametrisation = \"mup\" or what is the same of one hidden layer; of a kernel regime use ntk-training")
    }
    guard optimiser.isFullDescent else { throw refuse("needs the optimiser descent of all examples") }
    guard parametrisation.keepsDecay || optimiser.decay == 0 else {
      throw refuse(
        "needs c = 0 with weight_decay, as of mup: a weight shrinks by 1 - eta gamma^2 n^-c lambda in a step")
    }
    guard let factor = data.factor(most: MeanFieldMLP.mostDirections) else {
      throw refuse("needs inputs that span at most \(MeanFieldMLP.mostDirections) directions")
    }
    return MeanFieldMLP(self, factor: factor, step: MeanFieldMLP.usualStep)
  }
}

extension Parametrisation {
  /// Whether it is muP, up to a common shift, for any depth.
  package var isMaximalUpdate: Bool {
    isMeanField && (a[1] + b[1] - 0.5).magnitude < 1e-9 && (2 * a[1] + c).magnitude < 1e-9
  }

  /// Whether one hidden layer learns features at a rate that does not hang on the width: up to a common shift muP.
  var isMeanField: Bool {
    let found = [a[0] + b[0], a[2] + b[2] - 1, 2 * a[2] + c - 1, 2 * a[0] + c + 1]
    return found.allSatisfy { $0.magnitude < 1e-9 }
  }
}

extension Parametrisation {
  /// Whether weight decay shrinks weights at a rate that does not hang on the width.
  package var keepsDecay: Bool { c.magnitude < 1e-9 }
}

extension Optimiser {
  /// Whether it is descent on all examples: what deterministic limits are known of.
  package var isFullDescent: Bool { method == .descent && batch == nil }
  /// The same without weight decay.
  package var isPlain: Bool { isFullDescent && decay == 0 }
}

extension TrainingData {
  /// $K = X X^T/d = F F^T$ with as many columns as the inputs span directions; nil if those are too many.
  func factor(most: Int) -> [[Double]]? {
    var rows = (0..<train + test).map { a in
      (0..<features).map { inputs[a * features + $0] / Double(features).squareRoot() }
    }
    var result = Array(repeating: [Double](), count: rows.count)
    let scale = rows.map { $0.reduce(0) { $0 + $1 * $1 } }.max() ?? 0
    for _ in 0...most {
      // Gram-Schmidt with the longest rest.
      let lengths = rows.map { $0.reduce(0) { $0 + $1 * $1 } }
      guard let pivot = lengths.indices.max(by: { lengths[$0] < lengths[$1] }), lengths[pivot] > 1e-24 * scale else {
        return result[0].isEmpty ? nil : result
      }
      let root = lengths[pivot].squareRoot()
      let direction = rows[pivot].map { $0 / root }
      for a in rows.indices {
        let along = zip(rows[a], direction).reduce(0) { $0 + $1.0 * $1.1 }
        result[a].append(along)
        for i in rows[a].indices { rows[a][i] -= along * direction[i] }
      }
    }
    return nil
  }
}
