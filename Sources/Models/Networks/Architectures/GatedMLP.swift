import Kernels
import Randomness
import Experiments

/// Gated network (arXiv:2002.05202, without its output projection):
///
///     h_{l+1} = sqrt(c) phi(W_1 h_l / sqrt(n)) * (W_2 h_l / sqrt(n)),   entry by entry.
///
/// Given `V = h^T h / n` both factors are Gaussian with covariance V and independent, so 2 n m normals a layer replace 2 n^2.
public struct GatedMLP: Architecture {
  public let settings: NetworkSettings
  package let activation: any Activation
  package let gain: Double
  let weights: Bool

  public final class State: NetworkState {
    let gate, value: Columns
    let hidden: Columns?
    let sum: FactorSum

    init(_ network: GatedMLP) {
      let m = network.settings.count
      let rows = network.weights ? max(network.settings.width, network.settings.inputs.features) : GaussianRows.tile(m)
      gate = Columns(m, rows: rows, apart: !network.weights)
      value = Columns(m, rows: rows, apart: !network.weights)
      hidden = network.weights ? Columns(m, rows: rows) : nil
      sum = FactorSum(m)
      super.init(inputs: m)
    }
  }

  public var hasGaussianReadout: Bool { true }
  public var layerMean: LayerMean? { LayerMean(activation, gain: gain, isGated: true) }

  public func makeState() -> State { State(self) }

  public func start(_ state: State, _ stream: inout Stream) {
    state.hidden?.take(settings.inputs)
  }

  public func advance(_ state: State, _ stream: inout Stream, layer: Int, measure: Bool) {
    let m = settings.count
    let n = settings.width
    let (gate, value) = (state.gate, state.value)
    state.sum.reset()
    var done = 0
    while done < n {
      let count = weights ? n : min(GaussianRows.tile(m), n &- done)
      map(state, to: gate, count, layer, &stream)
      map(state, to: value, count, layer, &stream)
      for a in 0..<m {
        activation.apply(gate[a], count)
        let (g, v) = (gate[a], value[a])
        for i in 0..<count { g[i] *= v[i] }
        for i in count..<gate.stride { g[i] = 0 }
      }
      if let hidden = state.hidden {
        for a in 0..<m { for i in 0..<hidden.stride { hidden[a][i] = gain.squareRoot() * gate[a][i] } }
      }
      state.sum.add(gate.data, stride: gate.stride, count: count)
      done &+= count
    }
    state.take(state.sum, scale: (gain / Double(n)).squareRoot(), layers: weights ? layer : 1)
  }

  /// One linear map of the layer, a tile of it or (weights) the whole.
  private func map(_ state: State, to target: Columns, _ count: Int, _ layer: Int, _ stream: inout Stream) {
    let m = settings.count
    guard let hidden = state.hidden else {
      GaussianRows.write(state.lower, m, stream.normals(m &* count), count, to: target.data, stride: target.stride)
      return
    }
    let first = layer == 1
    Weights.multiply(
      &stream, hidden, fanIn: first ? settings.inputs.features : settings.width, to: target, fanOut: settings.width,
      columns: m,
      scale: first ? 1 : 1 / Double(settings.width).squareRoot())
  }
}

extension GatedMLP {
  static let entry = ArchitectureEntry(
    name: "gated-mlp",
    summary: "gated network: the activation of one linear map times another",
    equation: "h_{l+1} = sqrt(c) phi(W_1 h_l/sqrt(n)) * (W_2 h_l/sqrt(n)); V_l = h_l^T h_l / n",
    reference: "arXiv:2002.05202, eq. 5",
    samplers: [("conditional", "the exact reduced law, O(n m^2) a layer"), ("weights", "every weight drawn")],
    parameters: [
      .activation, .gain,
    ], probes: [.covariance, .gram]
  ) { p, settings in
    guard settings.inputs.layer == 0 else { throw p.invalid("inputs", "must enter at layer 0: not q with layer") }
    let choice = try ActivationChoice(p["activation"]!, path: "\(p.path).activation", width: settings.width)
    let gain = try choice.gain(p)
    return NetworkModel(
      GatedMLP(settings: settings, activation: choice.function, gain: gain, weights: p.text("sampler") == "weights"),
      parameters: p, activation: choice, attributes: ["c": gain.description])
  }
}
