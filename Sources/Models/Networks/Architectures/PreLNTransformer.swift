import Kernels
import Randomness
import Experiments

/// Pre-LN Transformer at initialisation (arXiv:2002.04745; widths and variances as in arXiv:2304.02034), for the m tokens that are the
/// inputs. With S = LN(R) over the n channels, H heads of C = n/H channels, and independent standard normals W, U, X, Y, a block is
///
/// $$q_h, k_h, v_h = \sqrt{c_\cdot/n}\,W_{\cdot,h} S, \qquad A_h = \mathrm{softmax}(q_h^T k_h/\sqrt C),$$
/// $$R' = R + \sqrt{c_u/n} \sum_h U_h v_h A_h^T, \qquad R'' = R' + \sqrt{c_y/(M n)}\,Y \phi(\sqrt{c_x/n}\,X \mathrm{LN}(R')).$$
///
/// Measured: $V = R^T R/n$. With a causal mask token a attends to tokens 0 ... a.
///
/// `conditional`: with L the factor of $S^T S/n$ and T, T' Bartlett's factors of C degrees of freedom, the scores are
/// $\sqrt{c_q c_k/C}\,L T N L^T$ and the branch, given $w_h = A_h L T'$, is Gaussian with the covariance
/// $(c_u c_v/n) \sum_h w_h w_h^T$ of its rows; that of the MLP is Gaussian given its M n hidden units. The stream is a `NormalisedStream`.
public struct PreLNTransformer: Architecture {
  /// Variances of the weights.
  package struct Gains: Sendable {
    package let query, key, value, output, hidden, mlp: Double
  }

  public let settings: NetworkSettings
  let weights: Bool
  package let heads: Int
  package let causal: Bool
  package let norm: Normalisation
  let embedding: Embedding
  package let gains: Gains
  /// Activation and number of hidden units of the MLP; nil without.
  package let block: (activation: any Activation, units: Int)?
  /// C.
  var headDimension: Int { settings.width / heads }

  public final class State: NetworkState {
    /// The stream in law; nil where its entries are kept.
    let reduced: NormalisedStream?
    let normal, score, attention, branch, square, t: UnsafeMutablePointer<Double>
    /// Rows of the branches of some heads, as columns for a factorisation.
    let stacked, tile: Columns
    let sum: FactorSum
    /// The reference's stream, its image under LN, queries, keys, values, what they are mixed to, and hidden units.
    let explicit: (stream: Columns, normal: Columns, queries: Columns, keys: Columns, values: Columns, hidden: Columns)?

    init(_ network: PreLNTransformer) {
      let m = network.settings.count
      let n = network.settings.width
      func square() -> UnsafeMutablePointer<Double> {
        let p = UnsafeMutablePointer<Double>.allocate(capacity: m * m)
        p.initialize(repeating: 0, count: m * m)
        return p
      }
      (normal, score, attention, branch, self.square, t) = (square(), square(), square(), square(), square(), square())
      stacked = Columns(m, rows: m * Attention.group(m, heads: network.heads))
      tile = Columns(m, rows: GaussianRows.tile(m), apart: true)
      sum = FactorSum(m)
      if network.weights {
        func columns(_ rows: Int) -> Columns { Columns(m, rows: rows) }
        let c = network.headDimension
        explicit = (
          columns(n), columns(n), columns(c), columns(c), columns(c), columns(max(c, network.block?.units ?? 0))
        )
        reduced = nil
      } else {
        explicit = nil
        reduced = NormalisedStream(network.norm, width: n, count: m)
      }
      super.init(inputs: m)
    }

    deinit { for p in [normal, score, attention, branch, square, t] { p.deallocate() } }
  }

  public func makeState() -> State { State(self) }

  public func start(_ state: State, _ stream: inout Stream) {
    if let explicit = state.explicit {
      embedding.write(
        explicit.stream, rows: settings.width, lower: state.lower, settings.count, scratch: state.square, &stream)
    } else {
      state.reduced!.start(embedding, lower: state.lower, &stream)
    }
  }

  public func advance(_ state: State, _ stream: inout Stream, layer: Int, measure: Bool) {
    guard let reduced = state.reduced else {
      attendWithWeights(state, &stream)
      if block != nil { blockWithWeights(state, &stream) }
      if measure { copyFactor(state, layer: layer) }
      return
    }
    attend(state, &stream)
    reduced.add(state.branch, &stream)
    if block != nil {
      blockTiles(state, &stream)
      reduced.add(state.branch, &stream)
    }
    if measure { reduced.measure(state) }
  }

  /// The factor of the branch of all heads.
  private func attend(_ state: State, _ stream: inout Stream) {
    let m = settings.count
    let degrees = Double(headDimension)
    let temperature = (degrees / (gains.query * gains.key)).squareRoot()
    let (lower, t, inner, stacked) = (state.normal, state.t, state.square, state.stacked)
    Normalisation.writeRows(state.reduced!.factor, m, to: lower)
    let group = Attention.group(m, heads: heads)
    state.sum.reset()
    var rows = 0
    for head in 0..<heads {
      Attention.drawScore(lower, m, degrees: degrees, into: state.score, scratch: (t, inner), &stream)
      Attention.softmax(state.score, m, temperature: temperature, causal: causal, into: state.attention)
      Bartlett.write(&stream, m, degrees: degrees, to: t)
      Attention.mix(state.attention, lower, times: t, m, into: stacked, from: rows, scratch: inner)
      rows &+= m
      if rows == m &* group || head == heads &- 1 {
        for a in 0..<m { for i in rows..<stacked.stride { stacked[a][i] = 0 } }
        state.sum.add(stacked.data, stride: stacked.stride, count: rows)
        rows = 0
      }
    }
    // Equal tokens get equal branches.
    state.sum.clearDependent()
    state.sum.write(lower: state.branch, scale: (gains.output * gains.value / Double(settings.width)).squareRoot())
  }

  /// The factor of the MLP's branch, tile by tile of its hidden units.
  private func blockTiles(_ state: State, _ stream: inout Stream) {
    guard let block else { return }
    let m = settings.count
    let (lower, tile) = (state.normal, state.tile)
    Normalisation.writeRows(state.reduced!.factor, m, to: lower)
    let root = gains.hidden.squareRoot()
    for i in 0..<m &* m { lower[i] *= root }
    state.sum.reset()
    var done = 0
    while done < block.units {
      let count = min(GaussianRows.tile(m), block.units &- done)
      GaussianRows.write(lower, m, stream.normals(m &* count), count, to: tile.data, stride: tile.stride)
      block.activation.apply(tile, m, rows: count)
      for a in 0..<m { for i in count..<Triangular.padded(count) { tile[a][i] = 0 } }
      state.sum.add(tile.data, stride: tile.stride, count: count)
      done &+= count
    }
    state.sum.clearDependent()
    state.sum.write(lower: state.branch, scale: (gains.mlp / Double(block.units)).squareRoot())
  }
}

// MARK: - Every weight

extension PreLNTransformer {
  private func attendWithWeights(_ state: State, _ stream: inout Stream) {
    let m = settings.count
    let n = settings.width
    let c = headDimension
    let (tokens, normal, queries, keys, values, mixed) = state.explicit!
    normal.take(tokens, columns: m, from: 0, count: n)
    norm.apply(normal, m, rows: n)
    for _ in 0..<heads {
      for (columns, gain) in [(queries, gains.query), (keys, gains.key), (values, gains.value)] {
        Weights.multiply(
          &stream, normal, fanIn: n, to: columns, fanOut: c, columns: m, scale: (gain / Double(n)).squareRoot())
      }
      for a in 0..<m {
        for b in 0..<m {
          var sum = 0.0
          for k in 0..<c { sum += queries[a][k] * keys[b][k] }
          state.score[a &* m &+ b] = sum
        }
      }
      Attention.softmax(
        state.score, m, temperature: Double(c).squareRoot(), causal: causal, into: state.attention)
      for a in 0..<m {
        for i in 0..<c {
          var sum = 0.0
          for b in 0..<m { sum += state.attention[a &* m &+ b] * values[b][i] }
          mixed[a][i] = sum
        }
      }
      Weights.multiply(
        &stream, mixed, fanIn: c, to: tokens, fanOut: n, columns: m, scale: (gains.output / Double(n)).squareRoot(),
        keep: 1)
    }
  }

  private func blockWithWeights(_ state: State, _ stream: inout Stream) {
    guard let block else { return }
    let m = settings.count
    let n = settings.width
    let (tokens, normal, hidden) = (state.explicit!.stream, state.explicit!.normal, state.explicit!.hidden)
    normal.take(tokens, columns: m, from: 0, count: n)
    norm.apply(normal, m, rows: n)
    Weights.multiply(
      &stream, normal, fanIn: n, to: hidden, fanOut: block.units, columns: m,
      scale: (gains.hidden / Double(n)).squareRoot())
    block.activation.apply(hidden, m, rows: block.units)
    Weights.multiply(
      &stream, hidden, fanIn: block.units, to: tokens, fanOut: n, columns: m,
      scale: (gains.mlp / Double(block.units)).squareRoot(), keep: 1)
  }

  private func copyFactor(_ state: State, layer: Int) {
    let (tokens, copy) = (state.explicit!.stream, state.explicit!.normal)
    copy.take(tokens, columns: settings.count, from: 0, count: settings.width)
    state.sum.reset()
    state.sum.add(copy.data, stride: copy.stride, count: settings.width)
    state.take(state.sum, scale: 1 / Double(settings.width).squareRoot(), layers: layer + 1)
  }
}

extension PreLNTransformer {
  private static func gain(_ name: String, _ of: String) -> Parameter {
    Parameter(name, .real(.init(0, .infinity, openAbove: true)), default: .real(1), "variance of \(of)")
  }

  package static let entry = ArchitectureEntry(
    name: "pre-ln-transformer",
    summary: "pre-LN Transformer, multi-head softmax attention and MLP on a residual stream, the inputs as tokens",
    equation:
      "R' = R + sqrt(c_u/n) sum_h U_h v_h A_h^T, A_h = softmax(q_h^T k_h/sqrt(C)), C = n/H, q, k, v = sqrt(c/n) W LN(R); R'' = R' + sqrt(c_y/(M n)) Y phi(sqrt(c_x/n) X LN(R')); V = R^T R/n",
    reference: "arXiv:2304.02034; arXiv:2002.04745; docs/architectures.md",
    samplers: [
      ("conditional", "the exact law through m x m matrices, O(H m^3 + M n m^2) a block"),
      ("weights", "every weight drawn"),
    ],
    parameters: [
      Parameter(
        "activation", .structured(ActivationChoice.words), optional: true,
        "phi of the MLP; must be given unless mlp_factor = 0"),
      Parameter("heads", .integer(1...65536), default: .integer(1), "H, which must divide the width"),
      Parameter(
        "mask", .choice(["full", "causal"]), default: .text("full"), "causal: token a attends to tokens 0...a only"),
      Parameter(
        "mlp_factor", .real(.init(0, 64)), default: .real(4), "M, hidden units of the MLP over the width; 0: no MLP"),
      Parameter(
        "norm", .choice([Normalisation.layer, .rms].map(\.rawValue)), default: .text(Normalisation.layer.rawValue),
        "LN: mean and length of the channels, or (rms) their length only"),
      gain("c_q", "the queries"), gain("c_k", "the keys"), gain("c_v", "the values"),
      gain("c_u", "the output of the heads"), gain("c_x", "the hidden units"), gain("c_y", "the output of the MLP"),
      Embedding.parameter,
    ], further: [TangentTransformer.networkDraws]
  ) { p, settings in
    let (network, choice) = try read(p, settings)
    return NetworkModel(
      network, parameters: p, activation: choice, known: network.known,
      attributes: ["head_dimension": String(network.headDimension)])
  }

  /// The network of a table, and its activation, if it has an MLP.
  static func read(_ p: Parameters, _ settings: NetworkSettings) throws -> (PreLNTransformer, ActivationChoice?) {
    let (n, m) = (settings.width, settings.count)
    guard settings.inputs.layer == 0 else { throw p.invalid("inputs", "must enter at layer 0: not q with layer") }
    guard n > m else { throw p.invalid("width", "must be above the number of tokens, \(m)") }
    guard n % p.integer("heads") == 0 else { throw p.invalid("heads", "must divide the width, \(n)") }
    let factor = p.real("mlp_factor")
    let units = (factor * Double(n)).rounded()
    guard (units - factor * Double(n)).magnitude <= 1e-9 * units, factor == 0 || units >= 1 else {
      throw p.invalid("mlp_factor", "must make a whole number of the width, \(n)")
    }
    guard factor == 0 || p["activation"] != nil else {
      throw p.invalid("activation", "must be \(ActivationChoice.words), or mlp_factor 0")
    }
    let choice = try p["activation"].map { try ActivationChoice($0, path: "\(p.path).activation", width: n) }
    let network = PreLNTransformer(
      settings: settings, weights: p.text("sampler") == "weights", heads: p.integer("heads"),
      causal: p.text("mask") == "causal", norm: Normalisation(rawValue: p.text("norm"))!,
      embedding: try Embedding.read(p, settings),
      gains: Gains(
        query: p.real("c_q"), key: p.real("c_k"), value: p.real("c_v"), output: p.real("c_u"), hidden: p.real("c_x"),
        mlp: p.real("c_y")),
      block: factor > 0 ? choice.map { ($0.function, Int(units)) } : nil)
    return (network, factor > 0 ? choice : nil)
  }

  /// `E V_00` and `E V_00^2` of a token that attends to nothing but itself, at every n and H: its normalised stream has length
  /// sqrt(n), so the variance s of the entries of a branch does not depend on the stream. It has the mean $c_u c_v$ in the attention and
  /// $c_y E \phi(\sqrt{c_x} g)^2$ in the MLP, and
  ///
  /// $$E V' = E V + E s, \qquad E V'^2 = E V^2 + (2 + 4/n) E s\,E V + (1 + 2/n) E s^2.$$
  var known: ReferenceValues? {
    guard settings.count == 1 || causal, settings.measured.bound == .infinity else { return nil }
    let n = Double(settings.width)
    let attention = gains.output * gains.value
    // E s and E s^2.
    var branches = [(mean: attention, square: attention * attention * (1 + 2 / n))]
    if let block {
      guard let unit = UnitMoments(block.activation).single(gains.hidden) else { return nil }
      let mean = gains.mlp * unit.square
      let spread = gains.mlp * gains.mlp * (unit.fourth - unit.square * unit.square) / Double(block.units)
      branches.append((mean, mean * mean + spread))
    }
    let start = settings.inputs.gram[0]
    var (mean, square) = (start, start * start * (embedding == .gaussian ? 1 + 2 / n : 1))
    var reached = 0
    return ReferenceValues(settings) { layer in
      while reached < layer {
        for branch in branches {
          square += (2 + 4 / n) * branch.mean * mean + (1 + 2 / n) * branch.square
          mean += branch.mean
        }
        reached += 1
      }
      return ["V[0,0]": (mean, square)]
    }
  }
}
