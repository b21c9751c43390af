import Kernels
import Randomness
import Experiments

/// Self-attention at initialisation, with an optional MLP block after it (arXiv:2306.17759, eq. 4 and section 4):
///
///     X' = lambda X + (gamma / sqrt(H)) sum_h A_h X W_V,h / sqrt(n),
///     A = I + softmax(Y / tau) - 11^T/m   (centred)   or   softmax(Y / tau),   Y = X W_Q W_K^T X^T / n,
///     X'' = lambda X' + gamma sqrt(c/n) phi(X' W_1 / sqrt(n)) W_2   (with `mlp`),
///
/// for the m tokens that are the inputs, `tau = tau_0 sqrt(n n_k)` (shaped) or `tau_0 sqrt(n_k)` (usual). Measured:
/// `V = X X^T / n`. With a causal mask row i attends to tokens 0 ... i.
///
/// Given V everything of a layer is known in law through m x m matrices (docs/architectures.md): Y = L T N L^T with Bartlett's T of
/// n_k degrees of freedom, and the branch, given the attention, is Gaussian with the covariance of its rows.
public struct Transformer: Architecture {
  public enum Sampler: String, CaseIterable, Sendable { case conditional, gaussian, weights }

  public let settings: NetworkSettings
  let sampler: Sampler
  package let heads: Int
  let keyDimension: Int
  package let gamma: Double
  let lambda: Double
  /// lambda^2: 1 - gamma^2 unless lambda is given.
  package let skip: Double
  /// tau_0, and tau.
  package let tau: Double
  let temperature: Double
  /// Whether the temperature grows with the width.
  package let shaped: Bool
  package let centred, causal: Bool
  /// Activation and c of the MLP block.
  package let block: (activation: any Activation, gain: Double)?

  public final class State: NetworkState {
    let score, attention, branch, square, t: UnsafeMutablePointer<Double>
    /// Rows of the branches of all heads, and of a residual sum, as columns for a factorisation.
    let stacked, residual: Columns
    let tile: Columns
    let sum: FactorSum
    /// The reference's tokens, queries, keys and images.
    let tokens, queries, keys, image, hidden: Columns?

    init(_ network: Transformer) {
      let m = network.settings.count
      let n = network.settings.width
      func square(_ count: Int = 1) -> UnsafeMutablePointer<Double> {
        let p = UnsafeMutablePointer<Double>.allocate(capacity: count * m * m)
        p.initialize(repeating: 0, count: count * m * m)
        return p
      }
      (score, attention, branch, self.square, t) = (square(), square(), square(), square(), square())
      stacked = Columns(m, rows: m * network.heads)
      residual = Columns(m, rows: 2 * m)
      tile = Columns(m, rows: max(GaussianRows.tile(m), 2 * m), apart: true)
      sum = FactorSum(m)
      let explicit = network.sampler == .weights
      tokens = explicit ? Columns(m, rows: n) : nil
      image = explicit ? Columns(m, rows: n) : nil
      hidden = explicit ? Columns(m, rows: n) : nil
      queries = explicit ? Columns(m, rows: network.keyDimension) : nil
      keys = explicit ? Columns(m, rows: network.keyDimension) : nil
      super.init(inputs: m)
    }

    deinit { for p in [score, attention, branch, square, t] { p.deallocate() } }
  }

  public func makeState() -> State { State(self) }

  public func start(_ state: State, _ stream: inout Stream) {
    guard let tokens = state.tokens else { return }
    let m = settings.count
    let root = Double(settings.width).squareRoot()
    for a in 0..<m {
      for i in 0..<tokens.stride { tokens[a][i] = i < m ? root * settings.initialFactor[a &* m &+ i] : 0 }
    }
  }

  public func advance(_ state: State, _ stream: inout Stream, layer: Int, measure: Bool) {
    if sampler == .weights {
      attendWithWeights(state, &stream)
      if block != nil { blockWithWeights(state, &stream) }
      copyFactor(state, layer: layer)
      return
    }
    let m = settings.count
    for head in 0..<heads {
      drawScore(state, &stream)
      attend(state)
      // Rows of A L, as m more entries of the stacked columns.
      Attention.mix(state.attention, state.lower, m, into: state.stacked, from: head &* m)
    }
    for a in 0..<m { for i in m &* heads..<state.stacked.stride { state.stacked[a][i] = 0 } }
    state.sum.reset()
    state.sum.add(state.stacked.data, stride: state.stacked.stride, count: m &* heads)
    // Equal tokens get equal branches.
    state.sum.clearDependent()
    state.sum.write(lower: state.branch, scale: gamma / Double(heads).squareRoot())
    addBranch(state, &stream)
    if let block {
      let n = settings.width
      state.sum.reset()
      var done = 0
      while done < n {
        let count = min(GaussianRows.tile(m), n &- done)
        GaussianRows.write(
          state.lower, m, stream.normals(m &* count), count, to: state.tile.data, stride: state.tile.stride)
        block.activation.apply(state.tile, m, rows: count)
        state.sum.add(state.tile.data, stride: state.tile.stride, count: count)
        done &+= count
      }
      state.sum.clearDependent()
      state.sum.write(lower: state.branch, scale: gamma * (block.gain / Double(n)).squareRoot())
      addBranch(state, &stream)
    }
  }

  /// `Y = (L G_Q)(L G_K)^T`, G_Q and G_K m x n_k normals: in law `L T N L^T`, N m x m normals.
  private func drawScore(_ state: State, _ stream: inout Stream) {
    let m = settings.count
    let inner = state.square
    if sampler == .conditional {
      Attention.drawScore(
        state.lower, m, degrees: Double(keyDimension), into: state.score, scratch: (state.t, inner), &stream)
      return
    }
    for i in 0..<m &* m { inner[i] = 0 }
    for _ in 0..<keyDimension {
      let g = stream.normals(2 &* m)
      for a in 0..<m { for b in 0..<m { inner[a &* m &+ b] += g[a] * g[m &+ b] } }
    }
    Attention.score(state.lower, inner, m, into: state.score, scratch: state.t)
  }

  /// A from the scores.
  private func attend(_ state: State) {
    Attention.softmax(
      state.score, settings.count, temperature: temperature, causal: causal, centred: centred, into: state.attention)
  }

  /// `L <- factor of lambda L U + branch G / sqrt(n)`, G m x n normals: its first m columns lie along U, the rest is
  /// Bartlett's factor with n - m degrees of freedom, or as many explicit normals.
  private func addBranch(_ state: State, _ stream: inout Stream) {
    let m = settings.count
    let n = settings.width
    let root = 1 / Double(n).squareRoot()
    let columns = state.residual
    let along = stream.normals(m &* m)
    for a in 0..<m {
      for j in 0..<m {
        var sum = 0.0
        for k in 0...a { sum += state.branch[a &* m &+ k] * along[k &* m &+ j] }
        columns[a][j] = lambda * (j <= a ? state.lower[a &* m &+ j] : 0) + root * sum
      }
    }
    state.sum.reset()
    if sampler == .conditional {
      Bartlett.write(&stream, m, degrees: Double(n - m), to: state.t)
      for a in 0..<m {
        for j in 0..<m {
          var sum = 0.0
          for k in j..<max(j, a &+ 1) { sum += state.branch[a &* m &+ k] * state.t[k &* m &+ j] }
          columns[a][m &+ j] = root * sum
        }
        for i in 2 &* m..<columns.stride { columns[a][i] = 0 }
      }
      state.sum.add(columns.data, stride: columns.stride, count: 2 &* m)
    } else {
      for a in 0..<m { for i in m..<columns.stride { columns[a][i] = 0 } }
      state.sum.add(columns.data, stride: columns.stride, count: m)
      for i in 0..<m &* m { state.branch[i] *= root }
      var done = m
      while done < n {
        let count = min(GaussianRows.tile(m), n &- done)
        GaussianRows.write(
          state.branch, m, stream.normals(m &* count), count, to: state.tile.data, stride: state.tile.stride)
        state.sum.add(state.tile.data, stride: state.tile.stride, count: count)
        done &+= count
      }
    }
    state.take(state.sum, scale: 1)
  }
}

// MARK: - Every weight

extension Transformer {
  private func attendWithWeights(_ state: State, _ stream: inout Stream) {
    let m = settings.count
    let n = settings.width
    let (tokens, image, hidden) = (state.tokens!, state.image!, state.hidden!)
    let root = Double(n).squareRoot()
    for a in 0..<m { for i in 0..<n { hidden[a][i] = lambda * tokens[a][i] } }
    for _ in 0..<heads {
      for columns in [state.queries!, state.keys!] {
        Weights.multiply(
          &stream, tokens, fanIn: n, to: columns, fanOut: keyDimension, columns: m, scale: 1 / root)
      }
      for a in 0..<m {
        for b in 0..<m {
          var sum = 0.0
          for k in 0..<keyDimension { sum += state.queries![a][k] * state.keys![b][k] }
          state.score[a &* m &+ b] = sum
        }
      }
      attend(state)
      Weights.multiply(
        &stream, tokens, fanIn: n, to: image, fanOut: n, columns: m, scale: gamma / (root * Double(heads).squareRoot()))
      for a in 0..<m {
        for b in 0..<m {
          let weight = state.attention[a &* m &+ b]
          for i in 0..<n { hidden[a][i] += weight * image[b][i] }
        }
      }
    }
    for a in 0..<m { for i in 0..<n { tokens[a][i] = hidden[a][i] } }
  }

  private func blockWithWeights(_ state: State, _ stream: inout Stream) {
    guard let block else { return }
    let m = settings.count
    let n = settings.width
    let hidden = state.hidden!
    Weights.multiply(
      &stream, state.tokens!, fanIn: n, to: hidden, fanOut: n, columns: m, scale: 1 / Double(n).squareRoot())
    block.activation.apply(hidden, m, rows: n)
    Weights.multiply(
      &stream, hidden, fanIn: n, to: state.tokens!, fanOut: n, columns: m,
      scale: gamma * (block.gain / Double(n)).squareRoot(), keep: lambda)
  }

  private func copyFactor(_ state: State, layer: Int) {
    let (tokens, image) = (state.tokens!, state.image!)
    for a in 0..<settings.count {
      for i in 0..<image.stride { image[a][i] = i < settings.width ? tokens[a][i] : 0 }
    }
    state.sum.reset()
    state.sum.add(image.data, stride: image.stride, count: settings.width)
    state.take(state.sum, scale: 1 / Double(settings.width).squareRoot(), layers: layer)
  }
}

extension Transformer {
  package static let entry = ArchitectureEntry(
    name: "transformer",
    summary: "self-attention over the inputs as tokens, shaped or usual, with an optional MLP block",
    equation:
      "X' = lambda X + gamma/sqrt(H) sum_h A_h X W_V,h/sqrt(n), A = I + softmax(Y/tau) - 11^T/m, Y = X W_Q W_K^T X^T/n; V = X X^T/n",
    reference: "arXiv:2306.17759, eq. 4 and section 4",
    samplers: [
      ("conditional", "the exact law through m x m matrices, O(m^3) a layer, O(n m^2) with `mlp`"),
      ("gaussian", "the exact law with n m normals"), ("weights", "every weight drawn"),
    ],
    parameters: [
      Parameter("heads", .integer(1...1024), default: .integer(1), "H"),
      Parameter("key_dimension", .integer(1...1_000_000_000), optional: true, "n_k; the width unless given"),
      Parameter("gamma", .real(.init(0, .infinity, openAbove: true)), default: .real(0.7), "strength of a branch"),
      Parameter(
        "lambda", .real(.init(0, .infinity, openAbove: true)), optional: true,
        "strength of the skip connection; sqrt(1 - gamma^2) unless given"),
      Parameter("tau", .real(.above(0)), default: .real(1), "tau_0, temperature"),
      Parameter(
        "temperature", .choice(["shaped", "usual"]), default: .text("shaped"),
        "tau = tau_0 sqrt(n n_k), or tau_0 sqrt(n_k)"),
      Parameter(
        "centred", .boolean, default: .boolean(true), "A = I + softmax - 11^T/m, or softmax alone"),
      Parameter("causal", .boolean, default: .boolean(false), "token i attends to tokens 0...i only"),
      Parameter(
        "mlp", .structured("an activation: \(ActivationChoice.words)"), optional: true,
        "activation of an MLP block after each attention block; none unless given"),
    ]
  ) { p, settings in
    guard settings.inputs.layer == 0 else { throw p.invalid("inputs", "must enter at layer 0: not q with layer") }
    guard settings.width >= settings.count else {
      throw p.invalid("width", "must be at least the number of tokens, \(settings.count)")
    }
    let gamma = p.real("gamma")
    guard p["lambda"] != nil || gamma <= 1 else {
      throw p.invalid("gamma", "must be at most 1 unless lambda is given: lambda = sqrt(1 - gamma^2)")
    }
    let given = p["lambda"] != nil ? p.real("lambda") : nil
    let lambda = given ?? (1 - gamma * gamma).squareRoot()
    let keyDimension = p["key_dimension"] != nil ? p.integer("key_dimension") : settings.width
    let shaped = p.text("temperature") == "shaped"
    let temperature =
      p.real("tau") * (Double(keyDimension) * (shaped ? Double(settings.width) : 1)).squareRoot()
    let choice = try p["mlp"].map { try ActivationChoice($0, path: "\(p.path).mlp", width: settings.width) }
    let moment = choice?.function.secondMoment ?? 1
    guard moment > 0 && moment.isFinite else { throw p.invalid("mlp", "E phi(g)^2 is \(moment)\(choice!.eventRemark)") }
    return NetworkModel(
      Transformer(
        settings: settings, sampler: Sampler(rawValue: p.text("sampler"))!, heads: p.integer("heads"),
        keyDimension: keyDimension, gamma: gamma, lambda: lambda,
        skip: given.map { $0 * $0 } ?? 1 - gamma * gamma, tau: p.real("tau"), temperature: temperature,
        shaped: shaped, centred: p.boolean("centred"), causal: p.boolean("causal"),
        block: choice.map { ($0.function, 1 / moment) }),
      parameters: p, activation: choice,
      attributes: ["gamma": gamma.description, "lambda": lambda.description, "key_dimension": String(keyDimension)])
  }
}
