import Experiments
import Kernels
import Randomness

/// Multilayer perceptron with normalised pre-activations, and the gradient of its layers at initialisation (arXiv:1902.08129):
///
///     u_1 = W_1 x,   u_{l+1} = W_{l+1} h_l / sqrt(n),   h_l = sqrt(c) phi(N(u_l)),   D_l = dL/du_l,   dL/dh_d independent standard normals,
///
/// N the normalisation over the batch, which the m inputs are, or over the units. Measured: `V_l = h_l^T h_l / n`, the covariance of the next
/// pre-activations, and |D_l|^2, over all units and inputs.
///
/// A matrix is known by its answers to both passes only (`LazyMatrix`), so a layer costs O(n m^2), with the law of drawing every weight.
public struct NormalisedMLP: Architecture {
  public let settings: NetworkSettings
  package let activation: any Activation
  package let gain: Double
  package let normalisation: Normalisation
  let weights: Bool

  /// Whether a draw goes back as well.
  var isDifferentiated: Bool { !settings.own.isEmpty }
  /// Layers that a draw keeps: the first, whose matrix is that of the inputs, and another one unless it goes back.
  var kept: Int { isDifferentiated ? settings.depth : min(settings.depth, 2) }

  public final class State: NetworkState {
    let matrices: [any WeightMatrix]
    let features, hidden, gradient, back: Columns
    /// N(u), phi'(N(u)), and what N multiplied with.
    let units, slopes: [Columns]
    let inverses: [UnsafeMutablePointer<Double>]
    /// log |D_l|^2.
    let logs: UnsafeMutablePointer<Double>
    let sum: FactorSum

    init(_ network: NormalisedMLP) {
      let settings = network.settings
      let (m, n) = (settings.count, settings.width)
      matrices = (0..<network.kept).map { place in
        let columns = place == 0 ? settings.inputs.features : n
        if network.weights { return ExplicitMatrix(.gaussian, rows: n, columns: columns) }
        return LazyMatrix(.gaussian, rows: n, columns: columns, forward: m, backward: m)
      }
      features = Columns(m, rows: settings.inputs.features)
      features.take(settings.inputs)
      (hidden, gradient, back) = (Columns(m, rows: n), Columns(m, rows: n), Columns(m, rows: n))
      units = (0..<network.kept).map { _ in Columns(m, rows: n) }
      slopes = (0..<network.kept).map { _ in Columns(m, rows: n) }
      inverses = (0..<network.kept).map { _ in .allocate(capacity: network.normalisation.count(m, rows: n)) }
      logs = .allocate(capacity: settings.depth)
      sum = FactorSum(m)
      super.init(inputs: m)
    }

    deinit {
      for p in inverses { p.deallocate() }
      logs.deallocate()
    }
  }

  public func makeState() -> State { State(self) }

  private func place(_ layer: Int) -> Int { min(layer, kept) &- 1 }

  public func advance(_ state: State, _ stream: inout Stream, layer: Int, measure: Bool) {
    let (m, n) = (settings.count, settings.width)
    let (matrix, units) = (state.matrices[place(layer)], state.units[place(layer)])
    let (hidden, slopes) = (state.hidden, state.slopes[place(layer)])
    let size = layer == 1 ? 1 : 1 / Double(n).squareRoot()
    matrix.renew(&stream)
    for a in 0..<m {
      matrix.multiply(layer == 1 ? state.features[a] : hidden[a], into: units[a], &stream)
      for i in 0..<n { units[a][i] *= size }
    }
    normalisation.apply(units, m, rows: n, inverses: state.inverses[place(layer)])
    let root = gain.squareRoot()
    for a in 0..<m {
      let column = hidden[a]
      column.update(from: units[a], count: n)
      activation.apply(column, slopes: slopes[a], n)
      for i in 0..<n { column[i] *= root }
      for i in n..<hidden.stride { column[i] = 0 }
    }
    // The factorisation overwrites its columns.
    state.back.data.update(from: hidden.data, count: m &* hidden.stride)
    state.sum.reset()
    state.sum.add(state.back.data, stride: hidden.stride, count: n)
    state.take(state.sum, scale: 1 / Double(n).squareRoot(), layers: layer)
    if layer == settings.depth && isDifferentiated { differentiate(state, &stream) }
  }

  /// |D_l|^2 from the last layer to the first.
  private func differentiate(_ state: State, _ stream: inout Stream) {
    let (m, n) = (settings.count, settings.width)
    let (gradient, back, root) = (state.gradient, state.back, gain.squareRoot())
    Weights.fill(back, m, rows: n, &stream)
    for layer in (1...settings.depth).reversed() {
      let slopes = state.slopes[layer &- 1]
      for a in 0..<m { for i in 0..<n { gradient[a][i] = root * back[a][i] * slopes[a][i] } }
      normalisation.pullBack(
        gradient, units: state.units[layer &- 1], m, rows: n, inverses: state.inverses[layer &- 1])
      var square = 0.0
      for a in 0..<m { square += Triangular.dot(gradient[a], gradient[a], gradient.stride) }
      state.logs[layer &- 1] = Elementary.log(square)
      if layer == 1 { break }
      for a in 0..<m {
        state.matrices[layer &- 1].multiplyTransposed(gradient[a], into: back[a], &stream)
        for i in 0..<n { back[a][i] /= Double(n).squareRoot() }
      }
    }
  }
}

// MARK: - Gradient

extension NormalisedMLP {
  package enum Family: String, CaseIterable, Sendable {
    case gradient = "log_gradient"
    case ratio = "log_gradient_ratio"
  }

  public var ownObservables: [Observable] {
    settings.own.compactMap(Family.init(rawValue:)).flatMap { family -> [Observable] in
      switch family {
      case .gradient:
        (1...settings.depth).map {
          Observable(family.rawValue, [$0], "log |dL/du|^2 of layer \($0), over units and inputs")
        }
      case .ratio:
        (1..<settings.depth).map {
          Observable(family.rawValue, [$0], "log_gradient of layer \($0) less that of layer \($0 + 1)")
        }
      }
    }
  }

  public func writeOwn(_ state: State, to values: UnsafeMutablePointer<Double>) {
    var out = values
    for family in settings.own.compactMap(Family.init(rawValue:)) {
      for layer in 0..<(family == .gradient ? settings.depth : settings.depth &- 1) {
        out.pointee = state.logs[layer] - (family == .gradient ? 0 : state.logs[layer &+ 1])
        out += 1
      }
    }
  }
}

extension NormalisedMLP {
  /// Numbers that a draw may hold at once: 2 GiB.
  private static let most = 0x1p28

  package static let entry = ArchitectureEntry(
    name: "normalised-mlp",
    summary: "multilayer perceptron with batch, layer or RMS normalisation, and the gradients of its layers",
    equation:
      "u_{l+1} = W_{l+1} h_l/sqrt(n), h_l = sqrt(c) phi(N(u_l)); V_l = h_l^T h_l / n; D_l = dL/du_l, dL/dh_d standard normal",
    reference: "arXiv:1902.08129; arXiv:1502.03167 (batch); arXiv:1607.06450 (layer); arXiv:1910.07467 (rms)",
    samplers: [
      ("conditional", "the exact reduced law of both passes, O(n m^2) a layer"),
      ("weights", "every weight drawn and kept, O(n^2 m) a layer"),
    ],
    parameters: [
      .activation, .gain,
      Parameter(
        "normalisation", .choice(Normalisation.allCases.map(\.rawValue)), default: .text(Normalisation.batch.rawValue),
        "N: over the inputs (batch), or over the units with the mean (layer) or without (rms)"),
    ], own: Family.allCases.map(\.rawValue)
  ) { p, settings in
    guard settings.inputs.layer == 0 else { throw p.invalid("inputs", "must enter at layer 0: not q with layer") }
    let choice = try ActivationChoice(p["activation"]!, path: "\(p.path).activation", width: settings.width)
    let normalisation = Normalisation(rawValue: p.text("normalisation"))!
    let network = NormalisedMLP(
      settings: settings, activation: choice.function, gain: try choice.gain(p), normalisation: normalisation,
      weights: p.text("sampler") == "weights")
    try network.check(p, choice)
    return NetworkModel(network, parameters: p, activation: choice, attributes: ["c": network.gain.description])
  }

  private func check(_ p: Parameters, _ choice: ActivationChoice) throws {
    let (m, n) = (settings.count, settings.width)
    if normalisation == .batch {
      let gram = settings.inputs.gram
      let spread = (1..<max(m, 1)).contains { gram[0] + gram[$0 * m + $0] - 2 * gram[$0] > 1e-12 * gram[0] }
      guard m >= 3, spread else {
        throw p.invalid("inputs", "must be at least 3, not all equal, to be normalised as a batch")
      }
    }
    guard normalisation == .batch || n >= 3 else {
      throw p.invalid("width", "must be at least 3 for normalisation over the units")
    }
    if isDifferentiated {
      let names = settings.own.joined(separator: ", ")
      guard settings.layers == [settings.depth] else {
        throw p.invalid("layers", "must be \"last\" with \(names): gradients are those of the whole network")
      }
      guard p["bound"] == nil else { throw p.invalid("bound", "cannot be given with \(names): they need every layer") }
      guard settings.depth > 1 || !settings.own.contains(Family.ratio.rawValue) else {
        throw p.invalid("depth", "must be at least 2 for \(Family.ratio.rawValue)")
      }
      if let missing = (choice.function as? FormulaActivation)?.missingDerivative {
        throw p.invalid("activation", "needs a derivative for \(names): \(missing)")
      }
    }
    let numbers = Double(kept) * Double(n) * Double(2 * m + (weights ? n : 4 * m))
    guard numbers <= Self.most else {
      throw p.invalid("width", "must be such that a draw keeps at most \(Int(Self.most)) numbers, not \(numbers)")
    }
  }
}
