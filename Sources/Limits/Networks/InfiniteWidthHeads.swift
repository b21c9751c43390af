import Kernels
import Networks
import Randomness
import Experiments

/// A pre-LN Transformer of H heads at infinite width, where the covariance is a Markov chain (docs/limits.md): scores of a head are
/// $\sqrt{c_q c_k}\,L N L^T$, N an m x m matrix of normals, and stay random, so
///
/// $$K' = K + \frac{c_u c_v}{H} \sum_h A_h F A_h^T, \qquad K'' = K' + c_y E \phi(u_a) \phi(u_b), \quad u \sim N(0, c_x F(K')).$$
///
/// The law of the limit itself, block by block: nothing is integrated in steps. K is carried as its triangular factor.
struct WideAttention: Architecture {
  let settings: NetworkSettings
  let heads: Int
  let causal: Bool
  /// $1/\sqrt{c_q c_k}$ and $\sqrt{c_u c_v/H}$.
  let temperature, scale: Double
  /// Kernel of the MLP, and $c_y$.
  let block: (kernel: AngleKernel, gain: Double)?

  final class State: NetworkState {
    let normal, score, attention, t: UnsafeMutablePointer<Double>
    let stacked, own: Columns
    let sum: FactorSum

    init(_ limit: WideAttention) {
      let m = limit.settings.count
      func square() -> UnsafeMutablePointer<Double> {
        let p = UnsafeMutablePointer<Double>.allocate(capacity: m * m)
        p.initialize(repeating: 0, count: m * m)
        return p
      }
      (normal, score, attention, t) = (square(), square(), square(), square())
      stacked = Columns(m, rows: m * Attention.group(m, heads: limit.heads))
      own = Columns(m, rows: m)
      sum = FactorSum(m)
      super.init(inputs: m)
    }

    deinit { for p in [normal, score, attention, t] { p.deallocate() } }

    /// Adds $L L^T$ to what is summed.
    func add(_ lower: UnsafePointer<Double>) {
      for a in 0..<count { for i in 0..<own.stride { own[a][i] = i <= a ? lower[a &* count &+ i] : 0 } }
      sum.add(own.data, stride: own.stride, count: count)
    }
  }

  func makeState() -> State { State(self) }

  func advance(_ state: State, _ stream: inout Stream, layer: Int, measure: Bool) {
    let m = settings.count
    let (lower, normal, stacked) = (state.lower, state.normal, state.stacked)
    Normalisation.writeRows(lower, m, to: normal)
    state.sum.reset()
    state.add(lower)
    let group = Attention.group(m, heads: heads)
    var rows = 0
    for head in 0..<heads {
      Attention.score(normal, stream.normals(m &* m), m, into: state.score, scratch: state.t)
      Attention.softmax(state.score, m, temperature: temperature, causal: causal, into: state.attention)
      Attention.mix(state.attention, normal, m, scale: scale, into: stacked, from: rows)
      rows &+= m
      if rows == m &* group || head == heads &- 1 {
        for a in 0..<m { for i in rows..<stacked.stride { stacked[a][i] = 0 } }
        state.sum.add(stacked.data, stride: stacked.stride, count: rows)
        rows = 0
      }
    }
    state.take(state.sum, scale: 1)
    guard let block else { return }
    Normalisation.writeRows(lower, m, to: normal)
    for a in 0..<m {
      for b in 0...a {
        // The angle from the difference and the sum of unit vectors keeps its digits, and is 0 between equal ones.
        var (difference, sum) = (0.0, 0.0)
        for k in 0...a {
          let (x, y) = (normal[a &* m &+ k], normal[b &* m &+ k])
          difference += (x - y) * (x - y)
          sum += (x + y) * (x + y)
        }
        let value =
          block.gain * block.kernel.value(2 * Elementary.angle(x: sum.squareRoot(), y: difference.squareRoot()))
        state.t[a &* m &+ b] = value
        state.t[b &* m &+ a] = value
      }
    }
    Triangular.clippedCholesky(state.t, m: m, into: state.t)
    state.sum.reset()
    state.add(lower)
    state.add(state.t)
    state.take(state.sum, scale: 1)
  }
}

extension NetworkLimits {
  static let infiniteWidthHeads = LimitEntry<NetworkModel>(
    name: "infinite-width-heads",
    summary:
      "covariance of a pre-LN Transformer at infinite width with a fixed number of heads, whose scores stay random",
    equation:
      "K' = K + (c_u c_v/H) sum_h A_h F A_h^T, A_h = softmax(sqrt(c_q c_k) L N_h L^T), F = L L^T = corr(K); K'' = K' + c_y E[phi(u_a) phi(u_b)], u ~ N(0, c_x corr(K'))",
    reference: "docs/limits.md; arXiv:2304.02034",
    parameters: [
      Parameter("heads", .integer(1...65536), optional: true, "H; that of the network unless given"), draws,
    ]
  ) { p, network in
    guard let finite = network.transformer else {
      throw p.invalid("equation", "needs \(PreLNTransformer.entry.name)")
    }
    let gains = finite.gains
    let heads = p["heads"] != nil ? p.integer("heads") : finite.heads
    let kernel = finite.block.map { AngleKernel(ActivationKernel($0.activation), variance: gains.hidden) }
    if let kernel, kernel == nil {
      throw p.invalid(
        "equation",
        "needs a Gaussian expectation of the activation that is not finite or not found\(network.activation!.eventRemark)"
      )
    }
    let limit = WideAttention(
      settings: network.settings, heads: heads, causal: finite.causal,
      temperature: 1 / (gains.query * gains.key).squareRoot(),
      scale: (gains.output * gains.value / Double(heads)).squareRoot(),
      block: kernel.flatMap { $0 }.map { ($0, gains.mlp) })
    return LimitModel(
      .exact(Experiment(LayeredNetwork(limit))),
      offset: "an offset of order H/width is expected of a finite width"
        + (heads == finite.heads
          ? "" : ", and one of order 1/H of \(finite.heads) heads in place of \(heads)"))
  }
}
