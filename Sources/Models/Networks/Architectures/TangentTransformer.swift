import Experiments
import Kernels
import Randomness

/// Pre-LN Transformer with its empirical neural tangent kernel: the networks of `PreLNTransformer`, with outputs $f_a = v \cdot \mathrm{LN}(R)_a / \sqrt n$ of every
/// token, which go back through every matrix.
///
/// $$\Theta_{ab} = \sum_w \frac{\partial f_a}{\partial w} \frac{\partial f_b}{\partial w}$$
///
/// over the standard normal entries w of a group (arXiv:2304.02034, with the variances $c_\cdot$ in the parametrisation): a matrix $W$ in
/// $\sqrt{c/k}\, W I$, with columns $I_t$ of k rows that tokens give it and gradients $B^a_t = \partial f_a / \partial (\text{what it gives})_t$, adds
/// $(c/k) \sum_{tt'} (B^a_t \cdot B^b_{t'}) (I_t \cdot I_{t'})$.
///
/// Each matrix is known by its answers to m questions forward and m^2 back (`LazyMatrix`), in the law of drawing every entry.
public struct TangentTransformer: Architecture {
  /// What limits know it by.
  package let network: PreLNTransformer
  package let kernel: TangentKernelObservables

  public var settings: NetworkSettings { network.settings }
  public var ownObservables: [Observable] { kernel.observables }

  /// Groups of weights, by the first index of `ntk_block`, over all blocks.
  package enum Group: Int, CaseIterable {
    case embedding, query, key, value, output, hidden, mlp, readout

    var summary: String {
      switch self {
      case .embedding: "weights of the embedding"
      case .query: "weights W_q of all blocks"
      case .key: "weights W_k of all blocks"
      case .value: "weights W_v of all blocks"
      case .output: "weights U of all blocks"
      case .hidden: "weights X of all blocks"
      case .mlp: "weights Y of all blocks"
      case .readout: "weights of the output"
      }
    }
  }

  static func groups(hasMLP: Bool) -> [TangentGroup] {
    Group.allCases.filter { hasMLP || ($0 != .hidden && $0 != .mlp) }
      .map { TangentGroup(index: $0.rawValue, summary: $0.summary) }
  }

  /// What a block keeps for the way back.
  package final class Block {
    package let query, key, value, output: any WeightMatrix
    /// X and Y; nil without MLP.
    package let hidden, mlp: (any WeightMatrix)?
    /// LN of the stream, queries, keys, values, what they are mixed to; LN of the stream after them, hidden units and phi' of them.
    let normal, queries, keys, values, mixed, second, units, slopes: Columns
    /// Root n over the length of what LN has met, in both places.
    let inverses: UnsafeMutablePointer<Double>
    /// A of every head.
    let attention: UnsafeMutablePointer<Double>

    init(_ network: PreLNTransformer) {
      let (m, n) = (network.settings.count, network.settings.width)
      func matrix(_ rows: Int, _ columns: Int) -> any WeightMatrix {
        network.weights
          ? ExplicitMatrix(.gaussian, rows: rows, columns: columns)
          : LazyMatrix(.gaussian, rows: rows, columns: columns, forward: m, backward: m * m)
      }
      func columns(_ rows: Int) -> Columns { Columns(m, rows: rows) }
      (query, key, value, output) = (matrix(n, n), matrix(n, n), matrix(n, n), matrix(n, n))
      let count = network.block?.units ?? 0
      hidden = count > 0 ? matrix(count, n) : nil
      mlp = count > 0 ? matrix(n, count) : nil
      (normal, queries, keys, values) = (columns(n), columns(n), columns(n), columns(n))
      (mixed, second, units, slopes) = (columns(n), columns(n), columns(max(count, 1)), columns(max(count, 1)))
      inverses = .allocate(capacity: 2 * m)
      attention = .allocate(capacity: network.heads * m * m)
    }

    deinit {
      inverses.deallocate()
      attention.deallocate()
    }
  }

  public final class State: NetworkState {
    package let blocks: [Block]
    package let residual, readout: Columns
    let copy, answer: Columns
    /// Gradients of output a in the stream of every token, and in what a matrix has met; of queries, keys, values and hidden units.
    let gradients, branches, queries, keys, values, units: [Columns]
    let score: UnsafeMutablePointer<Double>
    /// Gram matrix of what a matrix has met, and that times gradients.
    let gram: UnsafeMutablePointer<Double>
    let product: Columns
    let sum: FactorSum
    /// The kernel, and what the groups add to it.
    var theta, parts: [Double]

    init(_ tangent: TangentTransformer) {
      let network = tangent.network
      let (m, n) = (network.settings.count, network.settings.width)
      let most = max(n, network.block?.units ?? 0)
      func columns(_ rows: Int) -> [Columns] { (0..<m).map { _ in Columns(m, rows: rows) } }
      blocks = (0..<network.settings.depth).map { _ in Block(network) }
      (residual, copy, readout, answer) = (
        Columns(m, rows: n), Columns(m, rows: n), Columns(1, rows: n), Columns(1, rows: most)
      )
      (gradients, branches, queries, keys, values) = (columns(n), columns(n), columns(n), columns(n), columns(n))
      units = columns(max(network.block?.units ?? 1, 1))
      score = .allocate(capacity: m * m)
      gram = .allocate(capacity: m * m)
      product = Columns(1, rows: most)
      sum = FactorSum(m)
      theta = Array(repeating: 0, count: m * m)
      parts = Array(repeating: 0, count: tangent.kernel.groups.count * m * m)
      super.init(inputs: m)
    }

    deinit {
      score.deallocate()
      gram.deallocate()
    }
  }

  public func makeState() -> State { State(self) }

  private var norm: Normalisation { network.norm }

  public func start(_ state: State, _ stream: inout Stream) {
    network.embedding.write(
      state.residual, rows: settings.width, lower: state.lower, settings.count, scratch: state.score, &stream)
  }

  public func advance(_ state: State, _ stream: inout Stream, layer: Int, measure: Bool) {
    forward(state, state.blocks[layer &- 1], &stream)
    guard layer == settings.depth else { return }
    let (m, n) = (settings.count, settings.width)
    state.copy.take(state.residual, columns: m, from: 0, count: n)
    state.sum.reset()
    state.sum.add(state.copy.data, stride: state.copy.stride, count: n)
    state.take(state.sum, scale: 1 / Double(n).squareRoot(), layers: layer + 1)
    backward(state, &stream)
  }

  public func writeOwn(_ state: State, to values: UnsafeMutablePointer<Double>) {
    kernel.write(state.theta, blocks: state.parts, work: state.work, to: values)
  }

  // MARK: - Forward

  /// `target += scale W columns`, or without the sum.
  private func multiply(
    _ matrix: any WeightMatrix, _ columns: Columns, scale: Double, into target: Columns, adding: Bool, _ state: State,
    _ stream: inout Stream
  ) {
    let answer = state.answer[0]
    for t in 0..<settings.count {
      matrix.multiply(columns[t], into: answer, &stream)
      let out = target[t]
      for i in 0..<matrix.rows { out[i] = adding ? out[i].addingProduct(scale, answer[i]) : scale * answer[i] }
    }
  }

  private func forward(_ state: State, _ block: Block, _ stream: inout Stream) {
    let (m, n, heads) = (settings.count, settings.width, network.heads)
    let (c, gains, root) = (network.headDimension, network.gains, 1 / Double(settings.width).squareRoot())
    for matrix in [block.query, block.key, block.value, block.output] { matrix.renew(&stream) }
    block.normal.take(state.residual, columns: m, from: 0, count: n)
    norm.apply(block.normal, m, rows: n, inverses: block.inverses)
    for (matrix, target, gain) in [
      (block.query, block.queries, gains.query), (block.key, block.keys, gains.key),
      (block.value, block.values, gains.value),
    ] {
      multiply(
        matrix, block.normal, scale: gain.squareRoot() * root, into: target, adding: false, state, &stream)
    }
    for head in 0..<heads {
      let (first, attention) = (head &* c, block.attention + head &* m &* m)
      for a in 0..<m {
        for b in 0..<m {
          var sum = 0.0
          for k in first..<first &+ c { sum += block.queries[a][k] * block.keys[b][k] }
          state.score[a &* m &+ b] = sum
        }
      }
      Attention.softmax(
        state.score, m, temperature: Double(c).squareRoot(), causal: network.causal, into: attention)
      for a in 0..<m {
        for k in first..<first &+ c {
          var sum = 0.0
          for b in 0..<m { sum += attention[a &* m &+ b] * block.values[b][k] }
          block.mixed[a][k] = sum
        }
      }
    }
    multiply(
      block.output, block.mixed, scale: gains.output.squareRoot() * root, into: state.residual, adding: true, state,
      &stream)
    guard let (activation, units) = network.block, let hidden = block.hidden, let mlp = block.mlp else { return }
    hidden.renew(&stream)
    mlp.renew(&stream)
    block.second.take(state.residual, columns: m, from: 0, count: n)
    norm.apply(block.second, m, rows: n, inverses: block.inverses + m)
    multiply(
      hidden, block.second, scale: gains.hidden.squareRoot() * root, into: block.units, adding: false, state, &stream)
    for t in 0..<m {
      let (unit, slope) = (block.units[t], block.slopes[t])
      activation.apply(unit, slopes: slope, units)
      for i in units..<block.units.stride { (unit[i], slope[i]) = (0, 0) }
    }
    multiply(
      mlp, block.units, scale: (gains.mlp / Double(units)).squareRoot(), into: state.residual, adding: true, state,
      &stream)
  }

  // MARK: - Backward

  /// `target += scale W^T columns`, or without the sum.
  private func pullBack(
    _ matrix: any WeightMatrix, _ columns: Columns, scale: Double, into target: Columns, adding: Bool, _ state: State,
    _ stream: inout Stream
  ) {
    let answer = state.answer[0]
    for t in 0..<settings.count {
      matrix.multiplyTransposed(columns[t], into: answer, &stream)
      let out = target[t]
      for i in 0..<matrix.columns { out[i] = adding ? out[i].addingProduct(scale, answer[i]) : scale * answer[i] }
    }
  }

  /// Adds what a group does whose matrix has met these columns, whose Gram matrix is in `state.gram`.
  private func add(_ group: Group, _ gradients: [Columns], rate: Double, _ state: State) {
    let m = settings.count
    let place = kernel.groups.firstIndex { $0.index == group.rawValue }!
    let product = state.product[0]
    for b in 0..<m {
      for t in 0..<m {
        Triangular.combine(
          gradients[b].data, stride: gradients[b].stride, state.gram + t &* m, count: m, into: product)
        for a in 0...b {
          let value = rate * Triangular.dot(gradients[a][t], product, gradients[a].stride)
          state.parts[(place &* m &+ a) &* m &+ b] += value
          if a < b { state.parts[(place &* m &+ b) &* m &+ a] += value }
        }
      }
    }
  }

  private func setGram(_ columns: Columns, _ state: State) {
    let m = settings.count
    for s in 0..<m {
      for t in 0..<m { state.gram[s &* m &+ t] = Triangular.dot(columns[s], columns[t], columns.stride) }
    }
  }

  /// The kernel of all outputs, from the last layer to the first.
  private func backward(_ state: State, _ stream: inout Stream) {
    let (m, n) = (settings.count, settings.width)
    let inverse = 1 / Double(n)
    for i in state.parts.indices { state.parts[i] = 0 }
    WeightLaw.gaussian.fill(state.readout[0], n, &stream)
    state.copy.take(state.residual, columns: m, from: 0, count: n)
    norm.apply(state.copy, m, rows: n, inverses: state.work)
    let last = kernel.groups.count &- 1
    for a in 0..<m {
      for b in 0..<m {
        state.parts[(last &* m &+ a) &* m &+ b] =
          inverse * Triangular.dot(state.copy[a], state.copy[b], state.copy.stride)
      }
      for t in 0..<m {
        let column = state.gradients[a][t]
        for i in 0..<state.copy.stride { column[i] = a == t && i < n ? inverse.squareRoot() * state.readout[0][i] : 0 }
      }
      norm.pullBack(state.gradients[a], units: state.copy, m, rows: n, inverses: state.work)
    }
    for block in state.blocks.reversed() {
      if block.hidden != nil { backThroughMLP(state, block, &stream) }
      backThroughAttention(state, block, &stream)
    }
    for s in 0..<m { for t in 0..<m { state.gram[s &* m &+ t] = settings.inputs.gram[s &* m &+ t] } }
    add(.embedding, state.gradients, rate: 1, state)
    for i in state.theta.indices {
      state.theta[i] = 0
      for g in kernel.groups.indices { state.theta[i] += state.parts[g &* m &* m &+ i] }
    }
  }

  /// `gradients += ` what arrives in the stream of `branches`, gradients in its image under LN.
  private func backThroughNorm(_ state: State, _ normal: Columns, _ inverses: UnsafePointer<Double>) {
    let (m, n) = (settings.count, settings.width)
    for a in 0..<m {
      norm.pullBack(state.branches[a], units: normal, m, rows: n, inverses: inverses)
      for t in 0..<m {
        let (column, branch) = (state.gradients[a][t], state.branches[a][t])
        for i in 0..<n { column[i] += branch[i] }
      }
    }
  }

  private func backThroughMLP(_ state: State, _ block: Block, _ stream: inout Stream) {
    let (m, gains, units) = (settings.count, network.gains, network.block!.units)
    let (rate, inner) = (gains.mlp / Double(units), gains.hidden / Double(settings.width))
    setGram(block.units, state)
    add(.mlp, state.gradients, rate: rate, state)
    for a in 0..<m {
      pullBack(
        block.mlp!, state.gradients[a], scale: rate.squareRoot(), into: state.units[a], adding: false, state, &stream)
      for t in 0..<m {
        let (column, slope) = (state.units[a][t], block.slopes[t])
        for i in 0..<units { column[i] *= slope[i] }
      }
      pullBack(
        block.hidden!, state.units[a], scale: inner.squareRoot(), into: state.branches[a], adding: false, state,
        &stream)
    }
    setGram(block.second, state)
    add(.hidden, state.units, rate: inner, state)
    backThroughNorm(state, block.second, block.inverses + m)
  }

  private func backThroughAttention(_ state: State, _ block: Block, _ stream: inout Stream) {
    let (m, gains, n) = (settings.count, network.gains, Double(settings.width))
    setGram(block.mixed, state)
    add(.output, state.gradients, rate: gains.output / n, state)
    for a in 0..<m {
      pullBack(
        block.output, state.gradients[a], scale: (gains.output / n).squareRoot(), into: state.branches[a],
        adding: false, state, &stream)
      for head in 0..<network.heads { backThroughHead(state, block, a, head) }
      for (matrix, columns, gain, isFirst) in [
        (block.query, state.queries[a], gains.query, true), (block.key, state.keys[a], gains.key, false),
        (block.value, state.values[a], gains.value, false),
      ] {
        pullBack(
          matrix, columns, scale: (gain / n).squareRoot(), into: state.branches[a], adding: !isFirst, state, &stream)
      }
    }
    setGram(block.normal, state)
    add(.query, state.queries, rate: gains.query / n, state)
    add(.key, state.keys, rate: gains.key / n, state)
    add(.value, state.values, rate: gains.value / n, state)
    backThroughNorm(state, block.normal, block.inverses)
  }

  /// Gradients of output a in queries, keys and values of a head, from those in what it mixes, in `branches`: with $E_t$ these,
  /// $dA_{ts} = E_t \cdot v_s$ and $dY_{ts} = A_{ts} (dA_{ts} - \sum_u A_{tu} dA_{tu})$ in the scores.
  private func backThroughHead(_ state: State, _ block: Block, _ a: Int, _ head: Int) {
    let (m, c) = (settings.count, network.headDimension)
    let (first, attention, score) = (head &* c, block.attention + head &* m &* m, state.score)
    let (mixed, root) = (state.branches[a], 1 / Double(c).squareRoot())
    for t in 0..<m {
      var mean = 0.0
      for s in 0..<m {
        var sum = 0.0
        for k in first..<first &+ c { sum += mixed[t][k] * block.values[s][k] }
        score[t &* m &+ s] = sum
        mean += attention[t &* m &+ s] * sum
      }
      for s in 0..<m { score[t &* m &+ s] = root * attention[t &* m &+ s] * (score[t &* m &+ s] - mean) }
    }
    for t in 0..<m {
      let (query, key, value) = (state.queries[a][t], state.keys[a][t], state.values[a][t])
      for k in first..<first &+ c {
        var (q, r, v) = (0.0, 0.0, 0.0)
        for s in 0..<m {
          q += score[t &* m &+ s] * block.keys[s][k]
          r += score[s &* m &+ t] * block.queries[s][k]
          v += attention[s &* m &+ t] * mixed[s][k]
        }
        (query[k], key[k], value[k]) = (q, r, v)
      }
    }
  }
}

extension TangentTransformer {
  /// Numbers that a draw may hold at once: 2 GiB.
  private static let most = 0x1p28
  private static let mostTokens = 16

  static let networkDraws = NetworkDraws(
    probes: [.covariance, .tangentKernel],
    samplers: [
      ("conditional", "the exact reduced law forward and backward, O(M n m^4) a block"),
      ("weights", "every weight drawn and kept, O(M n^2 m^2) a block"),
    ]
  ) { p, settings in
    let (network, choice) = try PreLNTransformer.read(p, settings)
    let (m, n, d) = (settings.count, settings.width, settings.depth)
    guard settings.layers == [d] else {
      throw p.invalid("layers", "must be \"last\": the kernel is that of the whole network")
    }
    guard p["bound"] == nil else { throw p.invalid("bound", "cannot be given: the kernel needs every layer") }
    guard m <= mostTokens else {
      throw p.invalid("probes", "\(Probe.tangentKernel.name) takes at most \(mostTokens) tokens, not \(m)")
    }
    let units = network.block?.units ?? 0
    let asked = Double(network.weights ? n : min(n, 2 * m * (m + 1)))
    let numbers = Double(d) * Double(4 * n + 2 * units) * (asked + Double(3 * m))
    guard numbers <= most else {
      throw p.invalid(
        "width", "must be such that a draw keeps at most \(Int(most)) numbers; \(Int(numbers)) with this depth")
    }
    if let missing = network.block?.activation.missingDerivative {
      throw p.invalid("activation", "needs a derivative for the probe \(Probe.tangentKernel.name): \(missing)")
    }
    let tangent = TangentTransformer(
      network: network,
      kernel: TangentKernelObservables(settings, groups: groups(hasMLP: network.block != nil)))
    try tangent.kernel.check(p)
    return NetworkModel(
      tangent, parameters: p, activation: choice, known: network.known,
      attributes: ["head_dimension": String(network.headDimension)])
  }
}

extension NetworkModel {
  /// The network as a pre-LN Transformer, whatever is measured of it; nil if it is none.
  package var transformer: PreLNTransformer? {
    architecture as? PreLNTransformer ?? (architecture as? TangentTransformer)?.network
  }
}
