import Kernels
import Randomness
import Experiments

/// Linear network: `z_{l+1} = W_l z_l / sqrt(n)`, up to 64 inputs in O(m^3) a layer, whatever n: given V, the next V is
/// Wishart with n degrees of freedom, and Bartlett's factor of it multiplies L (docs/architectures.md):
///
///     V_{l+1} = L T T^T L^T / n,   T lower triangular, T_ii = chi_{n-i}, standard normals below.
public struct LinearMLP: Architecture {
  public let settings: NetworkSettings
  let weights: Bool

  public final class State: NetworkState {
    let factor: UnsafeMutablePointer<Double>
    let sum: FactorSum
    let columns: Columns?
    let next: Columns?

    init(_ network: LinearMLP) {
      let m = network.settings.count
      factor = .allocate(capacity: m * m)
      sum = FactorSum(m)
      let rows = max(network.settings.width, network.settings.inputs.features)
      columns = network.weights ? Columns(m, rows: rows) : nil
      next = network.weights ? Columns(m, rows: rows) : nil
      super.init(inputs: m)
    }

    deinit { factor.deallocate() }
  }

  public var hasGaussianReadout: Bool { true }
  public var layerMean: LayerMean? { LayerMean(SlopeActivation(plus: 1, minus: 1), gain: 1) }

  public func makeState() -> State { State(self) }

  public func start(_ state: State, _ stream: inout Stream) {
    state.columns?.take(settings.inputs)
  }

  public func advance(_ state: State, _ stream: inout Stream, layer: Int, measure: Bool) {
    let m = settings.count
    let n = settings.width
    let root = 1 / Double(n).squareRoot()
    guard let columns = state.columns, let next = state.next else {
      let t = state.factor
      Bartlett.write(&stream, m, degrees: Double(n), to: t)
      Triangular.multiplyLower(state.lower, t, m: m, scale: root)
      return
    }
    let first = layer == 1
    Weights.multiply(
      &stream, columns, fanIn: first ? settings.inputs.features : n, to: next, fanOut: n, columns: m,
      scale: first ? 1 : root)
    for a in 0..<m {
      for i in n..<next.stride { next[a][i] = 0 }
      for i in 0..<next.stride { columns[a][i] = next[a][i] }
    }
    state.sum.reset()
    state.sum.add(next.data, stride: next.stride, count: n)
    state.take(state.sum, scale: root, layers: layer)
  }
}

extension LinearMLP {
  package static let entry = ArchitectureEntry(
    name: "linear-mlp",
    summary: "linear network: products of Gaussian matrices, up to 64 inputs, cost independent of the width",
    equation: "z_{l+1} = W_l z_l / sqrt(n); V_l = z_l^T z_l / n = L T T^T L^T / n, T Bartlett's factor",
    reference: "arXiv:2206.02768, section 3; M. S. Bartlett (1933)",
    samplers: [
      ("conditional", "the exact law by Bartlett's factor, O(m^3) a layer"), ("weights", "every weight drawn"),
    ], probes: [.covariance, .gram]
  ) { p, settings in
    guard settings.inputs.layer == 0 else { throw p.invalid("inputs", "must enter at layer 0: not q with layer") }
    return NetworkModel(
      LinearMLP(settings: settings, weights: p.text("sampler") == "weights"), parameters: p,
      known: known(settings))
  }

  /// `E V`, `E V^2` of every entry, and `E log det V` (docs/limits.md) with its second moment.
  private static func known(_ settings: NetworkSettings) -> ReferenceValues? {
    guard settings.measured.bound == .infinity else { return nil }
    let moments = ExactMoments.mlp(settings, slopes: SlopeActivation(plus: 1, minus: 1), gain: 1)
    let m = settings.count
    let start = (0..<m).reduce(0.0) { $0 + 2 * Elementary.log(settings.initialFactor[$1 * m + $1]) }
    let n = settings.width
    guard n >= m, start.isFinite else { return moments }
    // log chi2_k has mean psi(k/2) + log 2 and variance psi'(k/2).
    let mean = (0..<m).reduce(0.0) {
      $0 + Elementary.digamma(0.5 * Double(n - $1)) - Elementary.log(0.5 * Double(n))
    }
    let variance = (0..<m).reduce(0.0) { $0 + Elementary.trigamma(0.5 * Double(n - $1)) }
    return ReferenceValues(settings) { layer in
      var values: [String: (Double, Double)] = [:]
      if let moments, let record = moments.schema.axis.values.firstIndex(of: Double(layer)) {
        for (name, own) in moments.moments(record: record) where !own.mean.isNaN {
          values[name] = (own.mean, own.second)
        }
      }
      let total = start + Double(layer) * mean
      values["log_det"] = (total, total * total + Double(layer) * variance)
      return values
    }
  }
}
