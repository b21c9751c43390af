import Kernels
import Randomness
import Experiments

/// Multilayer perceptron at initialisation (arXiv:2206.02768, eq. 1.1):
///
///     z_1 = W_0 x,   z_{l+1} = sqrt(c/n) W_l phi(z_l) + sigma_b b_l,   W, b independent standard normals.
///
/// Measured after l layers: `V_l = (c/n) phi(z_l)^T phi(z_l) + sigma_b^2`, the covariance of the next
/// pre-activations given the layer; `V_0` is the Gram matrix of the inputs.
public struct MLP: Architecture {
  /// How the layers are drawn.
  public enum Sampler: String, CaseIterable, Sendable {
    case conditional, weights
    case chiSquare = "chi-square"
  }

  public let settings: NetworkSettings
  package let activation: any Activation
  /// c.
  package let gain: Double
  /// `sqrt(c/n)`.
  let scale: Double
  /// sigma_b.
  package let bias: Double
  let sampler: Sampler
  /// Slopes of the activation, for the chi-square law.
  let slopes: SlopeActivation?

  public final class State: NetworkState {
    let sum: FactorSum
    /// Post-activations: one block (conditional) or a whole layer, and the next one (weights).
    let columns: Columns
    let next: Columns?

    init(_ mlp: MLP) {
      let m = mlp.settings.count
      sum = FactorSum(m)
      let whole = mlp.sampler == .weights
      let rows = whole ? max(mlp.settings.width, mlp.settings.inputs.features) : GaussianRows.block(m)
      columns = Columns(m, rows: rows, apart: !whole)
      next = whole ? Columns(m, rows: rows) : nil
      super.init(inputs: m)
    }
  }

  public var hasGaussianReadout: Bool { true }
  public var layerMean: LayerMean? { LayerMean(activation, gain: gain, bias: bias) }

  public func makeState() -> State { State(self) }

  public func start(_ state: State, _ stream: inout Stream) {
    if sampler == .weights { state.columns.take(settings.inputs) }
  }

  public func advance(_ state: State, _ stream: inout Stream, layer: Int, measure: Bool) {
    switch sampler {
    case .conditional: conditionalLayer(state, &stream)
    case .weights: weightsLayer(state, &stream, first: layer == settings.inputs.layer + 1)
    case .chiSquare:
      let active = stream.binomial(settings.width, 0.5)
      let (plus, minus) = (slopes!.plus, slopes!.minus)
      let sum = plus * plus * stream.chiSquare(active) + minus * minus * stream.chiSquare(settings.width - active)
      state.lower[0] *= scale * sum.squareRoot()
      return
    }
    // The bias is one more row of the factor.
    if bias != 0 { state.sum.addConstantRow(bias / scale) }
    state.take(state.sum, scale: scale, layers: sampler == .weights ? layer : 1)
  }

  /// R of `phi(L g)` for n units, block by block.
  private func conditionalLayer(_ state: State, _ stream: inout Stream) {
    let m = settings.count
    let columns = state.columns
    state.sum.reset()
    var done = 0
    while done < settings.width {
      let count = min(GaussianRows.block(m), settings.width &- done)
      GaussianRows.fill(columns, rows: count, lower: state.lower, m, &stream)
      activation.apply(columns, m, rows: count)
      state.sum.add(columns.data, stride: columns.stride, count: count)
      done &+= count
    }
  }

  private func weightsLayer(_ state: State, _ stream: inout Stream, first: Bool) {
    let m = settings.count
    let n = settings.width
    let next = state.next!
    Weights.multiply(
      &stream, state.columns, fanIn: first ? settings.inputs.features : n, to: next, fanOut: n, columns: m,
      scale: first ? 1 : scale)
    if bias != 0 && !first {
      for unit in 0..<n {
        let b = bias * stream.normals(1)[0]
        for a in 0..<m { next[a][unit] += b }
      }
    }
    for a in 0..<m {
      activation.apply(next[a], n)
      for i in n..<next.stride { next[a][i] = 0 }
      // The factorisation overwrites its columns, so it works on the copy.
      for i in 0..<next.stride { state.columns[a][i] = next[a][i] }
    }
    state.sum.reset()
    state.sum.add(next.data, stride: next.stride, count: n)
  }
}

extension MLP {
  package static let entry = ArchitectureEntry(
    name: "mlp",
    summary: "multilayer perceptron at initialisation",
    equation: "z_{l+1} = sqrt(c/n) W_l phi(z_l) + sigma_b b_l; V_l = (c/n) phi(z_l)^T phi(z_l) + sigma_b^2",
    reference: "arXiv:2206.02768, eq. 1.1",
    samplers: [
      ("conditional", "the exact reduced law, O(n m^2) a layer"), ("weights", "every weight drawn"),
      ("chi-square", "one input, homogeneous activation, no bias: O(1) a layer"),
    ],
    parameters: [
      .activation,
      .gain,
      Parameter(
        "bias", .real(.init(0, .infinity, openAbove: true)), default: .real(0),
        "sigma_b, standard deviation of the biases"),
      .tune,
    ],
    probes: [.covariance, .gram],
    further: [
      TangentMLP.draws(parameters: [TangentMLP.ensemble]) { p in
        (TangentMLP.Ensemble(rawValue: p.text("ensemble"))!, p.real("bias"))
      },
      PassMLP.draws(parameters: [PassMLP.ensemble]) { p in
        (WeightLaw(rawValue: p.text("ensemble"))!, p.real("bias"))
      },
    ]
  ) { p, settings in
    let choice = try ActivationChoice(p["activation"]!, path: "\(p.path).activation", width: settings.width)
    let (gain, bias, attributes) = try choice.initialisation(p, bias: p.real("bias"))
    let sampler = Sampler(rawValue: p.text("sampler"))!
    let slopes = choice.function as? SlopeActivation
    if sampler == .chiSquare && (slopes == nil || settings.count != 1 || bias != 0) {
      throw p.invalid(
        "sampler",
        "chi-square needs one input, an activation with slopes (linear, relu, leaky-relu, shaped-relu) and bias = 0")
    }
    let mlp = MLP(
      settings: settings, activation: choice.function, gain: gain, scale: (gain / Double(settings.width)).squareRoot(),
      bias: bias, sampler: sampler, slopes: slopes)
    return NetworkModel(
      mlp, parameters: p, activation: choice,
      known: slopes.flatMap { bias == 0 ? ExactMoments.mlp(settings, slopes: $0, gain: gain) : nil },
      attributes: attributes)
  }
}

/// Exact moments at finite width (docs/architectures.md).
public enum ExactMoments {
  /// `E V_aa` and `E V_aa^2` for positively homogeneous activations without bias, and of every entry for linear ones.
  static func mlp(_ settings: NetworkSettings, slopes: SlopeActivation, gain: Double) -> ReferenceValues? {
    guard settings.measured.bound == .infinity else { return nil }
    let linear = slopes.plus == slopes.minus
    let n = Double(settings.width)
    let (p2, m2) = (slopes.plus * slopes.plus, slopes.minus * slopes.minus)
    let mean = gain * 0.5 * (p2 + m2)
    let square = gain * gain * 1.5 * (p2 * p2 + m2 * m2)
    // E ratio^2 for one layer and one input.
    let ratio = mean * mean + (square - mean * mean) / n
    let m = settings.count
    let v0 = settings.inputs.gram
    return ReferenceValues(settings) { layer in
      let steps = layer - settings.inputs.layer
      let growth = power(mean, steps)
      var values: [String: (Double, Double)] = [:]
      for a in 0..<m {
        values["V[\(a),\(a)]"] = (
          product(growth, v0[a * m + a]), v0[a * m + a] * v0[a * m + a] * power(ratio, steps)
        )
        for b in a + 1..<max(m, a + 1) where linear {
          // x = E V_ab^2 and y = E V_aa V_bb: x' = x + (x + y)/n, y' = y + 2x/n.
          var x = v0[a * m + b] * v0[a * m + b]
          var y = v0[a * m + a] * v0[b * m + b]
          for _ in 0..<steps { (x, y) = (mean * mean * (x + (x + y) / n), mean * mean * (y + 2 * x / n)) }
          values["V[\(a),\(b)]"] = (product(growth, v0[a * m + b]), x)
        }
      }
      return values
    }
  }

  /// `growth v`; NaN where that is out of the range of numbers.
  static func product(_ growth: Double, _ v: Double) -> Double {
    v == 0 ? 0 : growth.isNormal && (growth * v).isNormal ? growth * v : .nan
  }

  /// `x^k` by squaring; no libm.
  public static func power(_ x: Double, _ k: Int) -> Double {
    var (base, result, left) = (x, 1.0, k)
    while left > 0 {
      if left & 1 == 1 { result *= base }
      base *= base
      left >>= 1
    }
    return result
  }
}
