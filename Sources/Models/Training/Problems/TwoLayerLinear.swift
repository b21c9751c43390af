import Experiments
import Kernels
import Networks
import Randomness

/// Two-layer linear networks in training, $f(x) = V^T U x / (\gamma n)$, all weights N(0, 1), by full-batch gradient descent with learning rate $\eta
/// \gamma^2 n$ on $\frac{1}{2P} \sum |f - y|^2$ (arXiv:2011.14522; muP at $\gamma = 1$, lazy as $\gamma \to 0$).
///
/// Exactly reduced, whatever the width: with d features and k outputs the (d + k) x (d + k) matrix $G = [U\ V]^T [U\ V]/n$ closes,
///
///     G' = (q + S) G (q + S),   S = -eta gamma [[0, rho], [rho^T, 0]],   rho = X (f - y)/P  (d x k),
///
/// with $q = 1 - \eta \gamma^2 \lambda$ of a weight decay lambda, that of muP, whose rate of the weights is $\eta \gamma^2$, and
/// $f = G_{VU} X/\gamma$; at the start G is Wishart with n degrees of freedom over n, drawn by Bartlett's factor: O((d + k)^3) a step. At infinite
/// width it starts from the unit matrix.
package struct TwoLayerLinear: HasInfiniteWidth {
  package enum Sampler: Sendable { case reduced, weights, infinite }

  package let width: Int
  let richness: Double
  package let data: TrainingData
  let sampler: Sampler
  /// lambda.
  let decay: Double

  package init(width: Int, richness: Double, data: TrainingData, sampler: Sampler, decay: Double = 0) {
    (self.width, self.richness, self.data, self.sampler, self.decay) = (width, richness, data, sampler, decay)
  }

  package func infiniteWidth(_ refuse: (String) -> Failure) throws -> any TrainingProblem {
    guard data.isFixed else { throw refuse("needs fixed data: each draw has examples of its own") }
    return TwoLayerLinear(width: width, richness: richness, data: data, sampler: .infinite, decay: decay)
  }

  /// d + k.
  private var order: Int { data.features + data.outputs }

  package final class State {
    let examples: Examples
    /// G and room for products, order x order.
    package let gram: UnsafeMutablePointer<Double>
    let next, step: UnsafeMutablePointer<Double>
    /// [U V], n x order; of the plain sampler.
    package let weights: UnsafeMutablePointer<Double>?
    let row: UnsafeMutablePointer<Double>
    /// f, a row an example.
    let outputs: UnsafeMutablePointer<Double>
    /// rho, d x k.
    let force: UnsafeMutablePointer<Double>

    init(_ problem: TwoLayerLinear) {
      let q = problem.order
      examples = problem.data.makeExamples()
      (gram, next, step) = (.allocateZeros(q * q), .allocateZeros(q * q), .allocateZeros(q * q))
      weights = problem.sampler == .weights ? .allocateZeros(problem.width * q) : nil
      row = .allocateZeros(q)
      outputs = .allocateZeros(examples.count * examples.outputs)
      force = .allocateZeros(examples.features * examples.outputs)
    }

    deinit {
      for place in [gram, next, step, row, outputs, force] { place.deallocate() }
      weights?.deallocate()
    }
  }

  package var observables: [Observable] {
    let k = data.outputs
    var found = [Observable("loss", role: .objective, "training loss, sum |f - y|^2 / (2 P)")]
    if data.test > 0 { found.append(Observable("test_loss", "the same of the test examples")) }
    for a in 0..<(data.law == nil ? min(data.train + data.test, Self.mostOutputs) : 0) {
      for c in 0..<k {
        found.append(Observable("f", k == 1 ? [a] : [a, c], "output c of example a, those of training first"))
      }
    }
    found.append(Observable("readout_norm", "|V|^2 / (n k)"))
    found.append(Observable("weight_norm", "|U|^2 / (n d)"))
    return found
  }

  /// Most examples whose outputs are observables.
  private static let mostOutputs = 64

  package func makeState() -> State { State(self) }

  package func start(_ state: State, _ stream: inout Stream) {
    data.draw(state.examples, &stream)
    let q = order
    switch sampler {
    case .infinite:
      for i in 0..<q * q { state.gram[i] = i % (q + 1) == 0 ? 1 : 0 }
    case .reduced:
      SecondMoments.drawWishart(&stream, q, degrees: width, room: state.next, to: state.gram)
      for i in 0..<q * q { state.gram[i] /= Double(width) }
    case .weights:
      let weights = state.weights!
      for i in 0..<width * q { weights[i] = stream.normal() }
      takeGram(state)
    }
  }

  /// G of explicit weights.
  private func takeGram(_ state: State) {
    let q = order
    SecondMoments.take(state.weights!, rows: 0..<width, q, to: state.gram)
    for i in 0..<q * q { state.gram[i] /= Double(width) }
  }

  private func evaluate(_ state: State, examples: Range<Int>) -> Double {
    let (d, k, q) = (data.features, data.outputs, order)
    var sum = 0.0
    for a in examples {
      let x = state.examples.inputs + a * d
      for c in 0..<k {
        var f = 0.0
        for i in 0..<d { f += state.gram[(d + c) * q + i] * x[i] }
        state.outputs[a * k + c] = f / richness
        let r = state.outputs[a * k + c] - state.examples.targets[a * k + c]
        sum += r * r
      }
    }
    return 0.5 * sum / Double(examples.count)
  }

  package func loss(_ state: State, _ stream: inout Stream, step: Int) -> Double {
    if sampler == .weights { takeGram(state) }
    return evaluate(state, examples: 0..<data.train)
  }

  package func step(_ state: State, _ stream: inout Stream, rate: Double) {
    let (d, k, q) = (data.features, data.outputs, order)
    for i in 0..<d * k { state.force[i] = 0 }
    for a in 0..<data.train {
      let x = state.examples.inputs + a * d
      for c in 0..<k {
        let r = state.outputs[a * k + c] - state.examples.targets[a * k + c]
        for i in 0..<d { state.force[i * k + c] += r * x[i] }
      }
    }
    // q + S.
    let keep = 1 - rate * richness * richness * decay
    for i in 0..<q * q { state.step[i] = i % (q + 1) == 0 ? keep : 0 }
    for i in 0..<d {
      for c in 0..<k {
        let s = -rate * richness * state.force[i * k + c] / Double(data.train)
        state.step[i * q + d + c] = s
        state.step[(d + c) * q + i] = s
      }
    }
    guard let weights = state.weights else {
      SecondMoments.map(state.gram, by: state.step, q, room: state.next)
      return
    }
    for unit in 0..<width {
      let own = weights + unit * q
      for j in 0..<q {
        var sum = 0.0
        for i in 0..<q { sum += own[i] * state.step[i * q + j] }
        state.row[j] = sum
      }
      for j in 0..<q { own[j] = state.row[j] }
    }
  }

  package func measure(_ state: State, into values: UnsafeMutablePointer<Double>) {
    let (d, k, q) = (data.features, data.outputs, order)
    if sampler == .weights { takeGram(state) }
    values[0] = evaluate(state, examples: 0..<data.train)
    var place = values + 1
    if data.test > 0 {
      place[0] = evaluate(state, examples: data.train..<data.train + data.test)
      place += 1
    }
    if data.law == nil {
      for i in 0..<min(data.train + data.test, Self.mostOutputs) * k { place[i] = state.outputs[i] }
      place += min(data.train + data.test, Self.mostOutputs) * k
    }
    var (features, readout) = (0.0, 0.0)
    for i in 0..<d { features += state.gram[i * (q + 1)] }
    for i in d..<q { readout += state.gram[i * (q + 1)] }
    place[0] = readout / Double(k)
    place[1] = features / Double(d)
  }
}

extension TwoLayerLinear {
  static let entry = ProblemEntry(
    name: "two-layer-linear", summary: "two-layer linear networks, exactly reduced at every width",
    equation: "f = V^T U x / (gamma n), weights N(0, 1), gradient descent with rate learning_rate gamma^2 n",
    reference: "arXiv:2011.14522; docs/training.md",
    samplers: [
      ("reduced", "the Gram matrix of the weights, Wishart at the start, O((features + outputs)^3) a step"),
      ("weights", "every weight"),
    ],
    observables: ["loss", "test_loss", "f", "readout_norm", "weight_norm"],
    parameters: [
      .width,
      Parameter(
        "gamma", .real(.above(0)), default: .real(1),
        "divides the output, and its square multiplies the rate: 1 is muP, to 0 it is lazy, above 1 rich"),
      Parameter(
        "weight_decay", .real(.init(0, .infinity, openAbove: true)), default: .real(0),
        "lambda: in each step every weight is also multiplied by 1 - learning_rate gamma^2 lambda, as in muP"),
      Parameter("data", .structured(TrainingData.words), "the examples"),
    ]
  ) { p, settings, source in
    let data = try TrainingData.read(p["data"], path: "\(p.path).data", data: source)
    let order = data.features + data.outputs
    guard order <= 512 else {
      throw p.invalid(
        "data", "has \(data.features) features and \(data.outputs) outputs; together they must be at most 512")
    }
    let problem = TwoLayerLinear(
      width: p.integer("width"), richness: p.real("gamma"), data: data,
      sampler: p.text("sampler") == "weights" ? .weights : .reduced, decay: p.real("weight_decay"))
    return TrainingModel(problem, settings, p)
  }
}

extension Parameter {
  /// n of a network in training.
  static let width = Parameter(
    "width", .integer(1...1_000_000_000), small: .init(.inverse, "n", companions: ["draws"]),
    "n, units of a hidden layer")
}
