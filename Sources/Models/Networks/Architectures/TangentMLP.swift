import Kernels
import Randomness
import Experiments

/// Multilayer perceptron with a scalar output and its empirical neural tangent kernel (arXiv:1806.07572):
///
///     z_1 = W_1 x,   z_{l+1} = sqrt(c/n) W_{l+1} phi(z_l) + sigma_b b_{l+1},   f = sqrt(c/n) v . phi(z_d) + sigma_b b,
///     NTK_ab = sum over weights and biases w of (df_a/dw) (df_b/dw) = V_d,ab + sum_{l=1}^d (D_a^l . D_b^l) V_{l-1,ab},
///
/// with `D^l = df/dz_l`. Entries of W and v are standard normals, or W / sqrt(n) is uniform on the orthogonal group and v on the
/// sphere of radius sqrt(n).
///
/// A matrix is met twice: forward in W Q, Q an orthonormal basis of the m post-activations, and backward in
/// `W^T D = Q (W Q)^T D + (I - Q Q^T) W^T D`. What the first leaves free is fresh: of Gaussian W it has the law of
/// `(I - Q Q^T) N R`, N an n x m matrix of normals and R the factor of D; of orthogonal W it is a uniform orthonormal basis orthogonal to Q
/// times the factor of what D has outside of W Q. So a layer costs O(n m^2) both ways, for every n and m, and nothing is inverted.
public struct TangentMLP: Architecture {
  public let settings: NetworkSettings
  package let activation: any Activation
  /// c, sqrt(c/n), sigma_b.
  package let gain, scale, bias: Double
  package let orthogonal: Bool
  let weights: Bool
  package let kernel: TangentKernelObservables
  /// V_0, m x m.
  private let initialGram: [Double]
  /// Normals of a draw that are asked for layer by layer, as far as they can be made at once.
  private let ahead: Int

  package init(
    _ settings: NetworkSettings, _ activation: any Activation, gain: Double, bias: Double, orthogonal: Bool,
    weights: Bool
  ) {
    self.settings = settings
    self.activation = activation
    self.gain = gain
    scale = (gain / Double(settings.width)).squareRoot()
    (self.bias, self.orthogonal, self.weights) = (bias, orthogonal, weights)
    kernel = TangentKernelObservables(
      settings, groups: TangentGroup.perceptron(depth: settings.depth, hasBiases: bias != 0))
    initialGram = settings.inputs.gram
    let (m, d) = (settings.count, settings.depth)
    ahead = min(Stream.capacity, settings.width * (2 * m * d - m + 1 + (bias == 0 ? 0 : d - 1)))
  }

  public var ownObservables: [Observable] { kernel.observables }

  /// First of the m columns of Q, W Q and phi'(z) of a layer.
  struct Layer { let base, image, slope: UnsafeMutablePointer<Double> }

  public final class State: NetworkState {
    /// Of layers 1 ... d: Q of the post-activations, W Q, and phi'(z).
    package let bases, images, slopes: [Columns]
    /// Where these begin, since to take an object out of an array counts references.
    let layers: UnsafeMutablePointer<Layer>
    /// V_0 ... V_d, m x m each.
    let grams: UnsafeMutablePointer<Double>
    /// df/dz, what of it the layer below is drawn from, and what is drawn.
    package let gradient, rest, fresh: Columns
    package let readout: Columns
    /// R of the last QR.
    let factor: UnsafeMutablePointer<Double>
    package let kernel: UnsafeMutablePointer<Double>
    /// What the groups of weights add to it, if that is measured.
    let blocks: UnsafeMutablePointer<Double>
    /// The reference: W of layers 2 ... d, row by row, and the post-activations.
    let matrices: [Columns]
    let post: Columns

    init(_ network: TangentMLP) {
      let (m, n, d) = (network.settings.count, network.settings.width, network.settings.depth)
      func columns() -> [Columns] { (0..<d).map { _ in Columns(m, rows: n) } }
      (bases, images, slopes) = (columns(), columns(), columns())
      layers = .allocate(capacity: d)
      for i in 0..<d { layers[i] = Layer(base: bases[i].data, image: images[i].data, slope: slopes[i].data) }
      grams = .allocate(capacity: (d + 1) * m * m)
      (gradient, rest, fresh) = (Columns(m, rows: n), Columns(m, rows: n), Columns(m, rows: n))
      readout = Columns(1, rows: n)
      factor = .allocate(capacity: max(m * m, network.weights ? n * n : 0))
      kernel = .allocate(capacity: m * m)
      blocks = .allocate(capacity: max(1, network.kernel.blockRoom))
      matrices = network.weights ? (1..<max(d, 1)).map { _ in Columns(n, rows: n) } : []
      post = Columns(m, rows: n)
      super.init(inputs: m)
    }

    deinit {
      layers.deallocate()
      for p in [factor, grams, kernel, blocks] { p.deallocate() }
    }
  }

  public var hasGaussianReadout: Bool { !orthogonal }
  public var layerMean: LayerMean? { orthogonal ? nil : LayerMean(activation, gain: gain, bias: bias) }

  public var hasTangentKernel: Bool { true }

  public func makeState() -> State { State(self) }

  public func start(_ state: State, _ stream: inout Stream) {
    let m = settings.count
    if !weights { stream.prepare(ahead) }
    for i in 0..<m * m { state.grams[i] = initialGram[i] }
    // z_1 = A L_0^T, as if L_0^T were the factor of a layer before.
    for a in 0..<m { for b in 0..<m { state.factor[b &* m &+ a] = settings.initialFactor[a &* m &+ b] } }
  }

  public func advance(_ state: State, _ stream: inout Stream, layer: Int, measure: Bool) {
    let n = settings.width
    let image = state.images[layer &- 1]
    if weights && layer > 1 {
      let matrix = state.matrices[layer &- 2]
      Weights.fill(matrix, n, rows: n, &stream)
      if orthogonal { spread(matrix, n, state.factor) }
      for a in 0..<settings.count {
        for i in 0..<n { image[a][i] = Triangular.dot(matrix[i], state.post[a], matrix.stride) }
      }
    } else {
      Weights.fill(image, settings.count, rows: n, &stream)
      if orthogonal { spread(image, settings.count, state.work) }
    }
    let biased = bias != 0 && layer > 1
    if biased { Weights.fill(state.readout, 1, rows: n, &stream) }
    finishLayer(state, layer, offsets: biased ? state.readout[0] : nil, explicit: weights && layer > 1)
    guard layer == settings.depth else { return }

    Weights.fill(state.readout, 1, rows: n, &stream)
    if orthogonal { spread(state.readout, 1, state.work) }
    differentiate(state) { layer in
      if weights {
        let matrix = state.matrices[layer &- 2]
        for a in 0..<settings.count {
          let (column, gradient) = (state.fresh[a], state.gradient[a])
          for i in 0..<matrix.stride { column[i] = 0 }
          for i in 0..<n {
            let (row, x) = (matrix[i], gradient[i])
            for j in 0..<n { column[j] = column[j].addingProduct(x, row[j]) }
          }
        }
      } else {
        Weights.fill(state.fresh, settings.count, rows: n, &stream)
      }
    }
  }

  /// An orthonormal basis in the directions of the columns, times sqrt(n).
  private func spread(_ columns: Columns, _ count: Int, _ factor: UnsafeMutablePointer<Double>) {
    Triangular.orthonormalise(columns: columns.data, stride: columns.stride, m: count, into: factor)
    let root = Double(settings.width).squareRoot()
    for i in 0..<count &* columns.stride { columns.data[i] *= root }
  }

  /// From the images W Q (or W phi where `explicit`) to z, phi(z), phi'(z), V and the next Q.
  /// - Parameter offsets: b of the layer, if it has one.
  package func finishLayer(_ state: State, _ layer: Int, offsets: UnsafePointer<Double>?, explicit: Bool) {
    let (m, n) = (settings.count, settings.width)
    let (base, image, slope) = (
      state.layers[layer &- 1].base, state.layers[layer &- 1].image, state.layers[layer &- 1].slope
    )
    let factor = state.factor
    let size = layer == 1 ? 1 : scale
    // Loops go to the full lanes: what is left of a loop that ends before them takes longer.
    let stride = state.gradient.stride
    for a in 0..<m {
      let column = base + a &* stride
      if explicit {
        let source = image + a &* stride
        for i in 0..<stride { column[i] = size * source[i] }
      } else {
        for b in 0...a { state.work[b] = size * factor[b &* m &+ a] }
        Triangular.combine(image, stride: stride, state.work, count: a &+ 1, into: column)
      }
      if let offsets { for i in 0..<n { column[i] = column[i].addingProduct(bias, offsets[i]) } }
    }
    activation.apply(base, slopes: slope, m &* stride)
    for a in 0..<m { for i in n..<stride { (base[a &* stride &+ i], slope[a &* stride &+ i]) = (0, 0) } }
    if weights { state.post.data.update(from: base, count: m &* stride) }
    Triangular.orthonormalise(columns: base, stride: stride, m: m, into: factor)
    // The bias is one more row of the factor.
    let (joined, row) = (state.work, state.work + m &* m)
    for i in 0..<m &* m { joined[i] = factor[i] }
    for a in 0..<m { row[a] = bias / scale }
    Triangular.addRow(row, from: 0, to: joined, m: m)
    // The columns were freed twice of those before them, and were 0 where less was left than `orthonormalise` can tell.
    state.rounding = max(2 * Double(layer) * Triangular.rounding(m: m, rows: n, merges: 1), Triangular.leastLength)
    Triangular.clearDependent(joined, m: m, rounding: state.rounding, scratch: row)
    for a in 0..<m {
      for b in 0..<m { state.lower[a &* m &+ b] = b <= a ? scale * joined[b &* m &+ a] : 0 }
    }
    for a in 0..<m {
      for b in 0..<m {
        var v = 0.0
        for k in 0...min(a, b) { v += state.lower[a &* m &+ k] * state.lower[b &* m &+ k] }
        state.grams[(layer &* m &+ a) &* m &+ b] = v
      }
    }
  }

  /// The kernel, from the last layer to the first.
  /// - Parameter draw: fills `state.fresh` with what a layer's W^T is free to be, normals, or an orthonormal basis that is left as it is; with the
  ///   whole W^T D where all weights are drawn.
  package func differentiate(_ state: State, draw: (_ layer: Int) -> Void) {
    let (m, d) = (settings.count, settings.depth)
    let (gradient, fresh, readout) = (state.gradient.data, state.fresh.data, state.readout.data)
    let stride = state.gradient.stride
    for a in 0..<m {
      let (slope, column) = (state.layers[d &- 1].slope + a &* stride, gradient + a &* stride)
      for i in 0..<stride { column[i] = scale * readout[i] * slope[i] }
    }
    for i in 0..<m &* m { state.kernel[i] = state.grams[d &* m &* m &+ i] }
    if kernel.hasBlocks { startBlocks(state) }
    for layer in (1...d).reversed() {
      for a in 0..<m {
        for b in a..<m {
          let product = Triangular.dot(gradient + a &* stride, gradient + b &* stride, stride)
          state.kernel[a &* m &+ b] += product * state.grams[((layer &- 1) &* m &+ a) &* m &+ b]
          if kernel.hasBlocks { addBlock(state, layer, at: a &* m &+ b, product) }
        }
      }
      if layer == 1 { break }
      if !weights { factorRest(state, layer) }
      draw(layer)
      if !weights { pullBack(state, layer) }
      let slope = state.layers[layer &- 2].slope
      for i in 0..<m &* stride { gradient[i] = scale * slope[i] * fresh[i] }
    }
    for a in 0..<m { for b in 0..<a { state.kernel[a &* m &+ b] = state.kernel[b &* m &+ a] } }
  }

  /// Of the output: all that V holds but for its bias.
  private func startBlocks(_ state: State) {
    let (size, d) = (settings.count &* settings.count, settings.depth)
    for i in 0..<size {
      state.blocks[d &* size &+ i] = state.grams[d &* size &+ i] - bias * bias
      if bias != 0 { state.blocks[(d &+ 1) &* size &+ i] = bias * bias }
    }
  }

  /// Of a layer, of which the first has no bias: entry `place`, with $D_a \cdot D_b$.
  private func addBlock(_ state: State, _ layer: Int, at place: Int, _ product: Double) {
    let (size, d) = (settings.count &* settings.count, settings.depth)
    let offset = layer == 1 ? 0 : bias * bias
    state.blocks[(layer &- 1) &* size &+ place] = product * (state.grams[(layer &- 1) &* size &+ place] - offset)
    if bias != 0 { state.blocks[(d &+ 1) &* size &+ place] += product * offset }
  }

  /// R of the part of D that meets fresh entries of W^T: all of it, or what is outside of W Q for orthogonal weights.
  private func factorRest(_ state: State, _ layer: Int) {
    let m = settings.count
    let (base, image, rest) = (state.layers[layer &- 2].base, state.layers[layer &- 1].image, state.rest.data)
    let stride = state.rest.stride
    rest.update(from: state.gradient.data, count: m &* stride)
    if orthogonal {
      // W Q has columns of length sqrt(n), and none where Q has none.
      for k in 0..<m {
        let (column, direction) = (image + k &* stride, base + k &* stride)
        guard direction[0] == 0 && Triangular.dot(direction, direction, stride) == 0 else { continue }
        for i in 0..<stride { column[i] = 0 }
      }
      Self.project(rest, outOf: image, m, stride, 1 / Double(settings.width))
    }
    Triangular.factor(columns: rest, stride: stride, count: stride, m: m, into: state.factor)
  }

  /// `W^T D = Q (W Q)^T D + (I - Q Q^T) N R`, N in `fresh`, where the result is put.
  private func pullBack(_ state: State, _ layer: Int) {
    let (m, stride) = (settings.count, state.fresh.stride)
    let (base, image, fresh) = (state.layers[layer &- 2].base, state.layers[layer &- 1].image, state.fresh.data)
    Self.project(fresh, outOf: base, m, stride, 1)
    if orthogonal { spread(state.fresh, m, state.work) }
    let x = state.work
    // From the last column to the first, since a column needs those of N before it.
    for a in (0..<m).reversed() {
      let (column, gradient) = (fresh + a &* stride, state.gradient.data + a &* stride)
      for b in 0..<a { x[b] = state.factor[b &* m &+ a] }
      Triangular.combine(fresh, stride: stride, x, count: a, into: column, keep: state.factor[a &* m &+ a])
      for k in 0..<m { x[k] = Triangular.dot(image + k &* stride, gradient, stride) }
      Triangular.combine(base, stride: stride, x, count: m, into: column, keep: 1)
    }
  }

  /// `columns -= scale B B^T columns`.
  private static func project(
    _ columns: UnsafeMutablePointer<Double>, outOf basis: UnsafePointer<Double>, _ m: Int, _ stride: Int,
    _ scale: Double
  ) {
    for a in 0..<m {
      let column = columns + a &* stride
      for k in 0..<m {
        let direction = basis + k &* stride
        let x = scale * Triangular.dot(direction, column, stride)
        for i in 0..<stride { column[i] -= x * direction[i] }
      }
    }
  }

  public func writeOwn(_ state: State, to values: UnsafeMutablePointer<Double>) {
    kernel.write(state.kernel, blocks: state.blocks, work: state.work, to: values)
  }

  public func writeTangentKernel(_ state: State, to kernel: UnsafeMutablePointer<Double>) {
    for i in 0..<settings.count * settings.count { kernel[i] = state.kernel[i] }
  }
}

extension TangentMLP {
  /// Numbers that a draw may hold at once: 2 GiB.
  private static let most = 1 << 28

  /// Law of the weights.
  package enum Ensemble: String, CaseIterable, Sendable { case gaussian, orthogonal }

  static let ensemble = Parameter(
    "ensemble", .choice(Ensemble.allCases.map(\.rawValue)), default: .text(Ensemble.gaussian.rawValue),
    "with the probe \(Probe.tangentKernel.name): law of the weights, independent normals, or sqrt(n) times uniform on O(n)"
  )

  /// The name that perceptrons with their kernel had before there were probes; their default observables are the covariance's.
  static let alias = MLP.entry.alias("ntk-mlp", probes: [.tangentKernel], observables: Probe.covariance.defaults)

  /// Draws of a perceptron that go forward and back, so that its kernel can be measured.
  /// - Parameters:
  ///   - probes: what is measured besides the kernel.
  ///   - law: law of the weights and sigma_b that a table asks for.
  static func draws(
    parameters: [Parameter] = [], probes: [Probe] = [.covariance, .gram],
    law: @escaping @Sendable (Parameters) -> (weights: Ensemble, bias: Double?)
  ) -> NetworkDraws {
    NetworkDraws(
      probes: probes + [.tangentKernel],
      samplers: [
        ("conditional", "the exact reduced law forward and backward, O(n m^2) a layer"),
        ("weights", "every weight drawn and kept, O(n^2 m) a layer, O(n^3) if orthogonal"),
      ], parameters: parameters
    ) { p, settings in
      let (ensemble, bias) = law(p)
      return try model(p, settings, orthogonal: ensemble == .orthogonal, bias: bias)
    }
  }

  private static func model(
    _ p: Parameters, _ settings: NetworkSettings, orthogonal: Bool, bias: Double?
  ) throws -> NetworkModel {
    let choice = try ActivationChoice(p["activation"]!, path: "\(p.path).activation", width: settings.width)
    let (gain, bias, attributes) = try choice.initialisation(p, bias: bias)
    let (m, n, d) = (settings.count, settings.width, settings.depth)
    let weights = p.text("sampler") == "weights"
    guard settings.inputs.layer == 0 else {
      throw p.invalid("inputs", "must enter at layer 0: the kernel needs every layer")
    }
    guard settings.layers == [d] else {
      throw p.invalid("layers", "must be \"last\": the kernel is that of the whole network")
    }
    guard p["bound"] == nil else { throw p.invalid("bound", "cannot be given: the kernel needs every layer") }
    guard !orthogonal || n >= 2 * m else {
      throw p.invalid("width", "must be at least \(2 * m), twice the number of inputs, for orthogonal weights")
    }
    let each = weights ? max(n, 3 * m) : 3 * m
    guard n.multipliedReportingOverflow(by: d).partialValue <= most / each, n <= most, d <= most else {
      throw p.invalid(
        "depth", "must be such that width x depth x \(each) is at most \(most): the layers are kept for the way back")
    }
    if let missing = choice.function.missingDerivative {
      throw p.invalid("activation", "needs a derivative for the probe \(Probe.tangentKernel.name): \(missing)")
    }
    let network = TangentMLP(
      settings, choice.function, gain: gain, bias: bias, orthogonal: orthogonal, weights: weights)
    try network.kernel.check(p)
    return NetworkModel(
      network, parameters: p, activation: choice, known: orthogonal ? nil : network.known, attributes: attributes)
  }

  /// Slopes without bias: every layer multiplies E V_aa and E |D_a|^2 by the same ratio, whatever the width, so each layer adds E V_d,aa to
  /// `E NTK_aa = (d + 1) E V_d,aa`.
  private var known: ReferenceValues? {
    guard let slopes = activation as? SlopeActivation, bias == 0 else { return nil }
    let ratio = gain * slopes.secondMoment
    let covariance = ExactMoments.mlp(settings, slopes: slopes, gain: gain)
    return ReferenceValues(settings, own: kernel.observables) { layer in
      var values: [String: (Double, Double)] = [:]
      for (name, own) in covariance?.moments(record: 0) ?? [:] { values[name] = (own.mean, own.second) }
      for a in 0..<settings.count {
        let v = ExactMoments.product(ExactMoments.power(ratio, layer), settings.inputs.gram[a * settings.count + a])
        values["NTK[\(a),\(a)]"] = (Double(layer + 1) * v, .nan)
        for group in kernel.groups { values["NTK_block[\(group.index),\(a),\(a)]"] = (v, .nan) }
      }
      return values
    }
  }
}
