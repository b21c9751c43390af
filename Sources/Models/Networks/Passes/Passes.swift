import Experiments
import Kernels
import Randomness

/// The passes of one draw of a network, whose layers `PassSettings` describes: forward for every input, backward for every output and
/// input, and what probes ask further.
///
/// Vectors are columns of `n` entries, padded with zeros.
public final class Passes: NetworkState {
  package let settings: PassSettings
  /// m, n, k, and the number d of layers of the passes: one more than those of a residual network.
  let inputs, width, depth, outputs: Int
  /// W_1 ... W_d.
  package let matrices: [any WeightMatrix]
  /// x, phi(z), phi'(z) and phi''(z) of the layers 1 ... d.
  let features: Columns
  package let post, slopes, curvatures: [Columns]
  /// v_o, and f_o of input a at `o * m + a`.
  package let readout: Columns
  package let values: UnsafeMutablePointer<Double>
  /// $D^l = \partial f_o / \partial z_l$ of the layers 1 ... d, output o and input a in column `o * m + a`.
  package let gradients: [Columns]
  /// What a layer adds to the kernel for each unit of $D_a \cdot D_b$, m x m: of the layers 1 ... d and the output.
  let increments: UnsafeMutablePointer<Double>
  private let needs: PassNeeds
  /// b_l of the layers 2 ... d in column l - 1.
  package let biases: Columns
  /// The residual stream of every input, and random signs of the layers; one column unless there are any.
  private let residual, signs: Columns
  private let factor: UnsafeMutablePointer<Double>
  private let copy: Columns
  private let sum: FactorSum
  /// $\sqrt v$ of this draw, of the hidden layers and of the output; 1 without a random variance.
  private var roots = (hidden: 1.0, output: 1.0)
  /// What the probes have measured.
  let measured: UnsafeMutablePointer<Double>
  let meters: [any PassMeter]

  init(_ settings: PassSettings, _ needs: PassNeeds, matrices: [any WeightMatrix], probes: [any PassProbe]) {
    self.settings = settings
    self.needs = needs
    self.matrices = matrices
    let (m, n, d) = (settings.network.count, settings.network.width, settings.depth)
    let k = settings.outputs
    (inputs, width, depth, outputs) = (m, n, d, k)
    func layers(_ count: Int, _ isNeeded: Bool) -> [Columns] {
      isNeeded ? (0..<d).map { _ in Columns(count, rows: n) } : []
    }
    features = Columns(m, rows: settings.features)
    post = layers(m, true)
    slopes = layers(m, needs.gradients)
    curvatures = layers(m, needs.curvature)
    gradients = layers(k * m, needs.gradients)
    readout = Columns(k, rows: n)
    values = .allocate(capacity: k * m)
    increments = .allocate(capacity: (d + 1) * m * m)
    biases = Columns(settings.bias == 0 ? 1 : d, rows: n)
    residual = Columns(settings.residual == nil ? 1 : m, rows: n)
    signs = Columns(settings.residual?.balanced == true ? d : 1, rows: n)
    copy = Columns(m, rows: n)
    factor = .allocate(capacity: k * k)
    sum = FactorSum(m)
    measured = .allocate(capacity: max(1, probes.reduce(0) { $0 + $1.observables.count }))
    meters = probes.map { $0.makeMeter() }
    let rows = settings.network.inputs
    for a in 0..<m { for i in 0..<rows.features { features[a][i] = rows.rows[a * rows.features + i] } }
    super.init(inputs: m)
  }

  deinit {
    values.deallocate()
    increments.deallocate()
    factor.deallocate()
    measured.deallocate()
  }

  // MARK: - Passes

  /// Layer `layer` of every input.
  func forward(_ layer: Int, _ stream: inout Stream) {
    let matrix = matrices[layer &- 1]
    let isFirst = layer == 1
    let isBiased = settings.bias != 0 && !isFirst
    let offsets = isBiased ? biases[layer &- 1] : biases[0]
    if isFirst, let mixture = settings.mixture {
      let root = mixture.draw(&stream).squareRoot()
      roots = (mixture.layers == .all ? root : 1, root)
    }
    matrix.renew(&stream)
    if isBiased { WeightLaw.gaussian.fill(offsets, width, &stream) }
    if settings.residual?.balanced == true && layer < depth {
      WeightLaw.signs.fill(signs[layer &- 1], width, &stream)
    }
    let size = roots.hidden * settings.scale(layer)
    let (bias, skip) = (roots.hidden * settings.bias, settings.skip(layer))
    for a in 0..<inputs {
      let (column, stride) = (post[layer &- 1][a], post[layer &- 1].stride)
      matrix.multiply(isFirst ? features[a] : post[layer &- 2][a], into: column, &stream)
      // To the full lanes: what is left of a loop that ends before them takes longer.
      for i in 0..<stride { column[i] *= size }
      if isBiased { for i in 0..<width { column[i] = column[i].addingProduct(bias, offsets[i]) } }
      if skip != 0 { for i in 0..<stride { column[i] = column[i].addingProduct(skip, residual[a][i]) } }
      if settings.residual != nil { residual[a].update(from: column, count: stride) }
      activate(
        layer, column, slopes: needs.gradients ? slopes[layer &- 1][a] : nil,
        curvatures: needs.curvature ? curvatures[layer &- 1][a] : nil)
    }
  }

  /// From pre-activations of a layer, in place: $\phi(\epsilon z)$, with $\epsilon \phi'(\epsilon z)$ and $\phi''(\epsilon z)$; z itself in the last layer of a
  /// residual network.
  func activate(
    _ layer: Int, _ column: UnsafeMutablePointer<Double>, slopes slope: UnsafeMutablePointer<Double>?,
    curvatures bend: UnsafeMutablePointer<Double>?
  ) {
    let (activation, stride) = (settings.activation, post[0].stride)
    if settings.hasLinearTop && layer == depth {
      for i in 0..<stride {
        slope?[i] = i < width ? 1 : 0
        bend?[i] = 0
      }
      return
    }
    let sign = settings.residual?.balanced == true ? signs[layer &- 1] : nil
    if let sign { for i in 0..<width { column[i] *= sign[i] } }
    if let bend {
      bend.update(from: column, count: stride)
      activation.applyCurvature(bend, stride)
      for i in width..<stride { bend[i] = 0 }
    }
    if let slope {
      activation.apply(column, slopes: slope, stride)
      for i in width..<stride { slope[i] = 0 }
      if let sign { for i in 0..<width { slope[i] *= sign[i] } }
    } else {
      activation.apply(column, stride)
    }
    for i in width..<stride { column[i] = 0 }
  }

  /// $s_l W_l \phi + \sigma_b b_l$ of other post-activations of the layer below, $W_1 x$ of input a in the first layer.
  func ask(
    _ layer: Int, _ below: UnsafePointer<Double>?, of a: Int, into target: UnsafeMutablePointer<Double>,
    _ stream: inout Stream
  ) {
    guard layer > 1, let below else { return matrices[0].multiply(features[a], into: target, &stream) }
    matrices[layer &- 1].multiply(below, into: target, &stream)
    let size = settings.scale(layer)
    for i in 0..<width { target[i] *= size }
    guard settings.bias != 0 else { return }
    for i in 0..<width { target[i] = target[i].addingProduct(settings.bias, biases[layer &- 1][i]) }
  }

  /// The first output without the factor that a variance of its own, or the parametrisation, gives it.
  func plainOutput(_ a: Int) -> Double { values[a] / roots.output }

  /// The factor of the covariance of a layer.
  func covariance(_ layer: Int) {
    for a in 0..<inputs { copy[a].update(from: post[layer &- 1][a], count: copy.stride) }
    sum.reset()
    sum.add(copy.data, stride: copy.stride, count: width)
    let size = settings.scale(depth &+ 1)
    if settings.bias != 0 { sum.addConstantRow(settings.bias / size) }
    take(sum, scale: size, layers: layer)
  }

  /// The outputs, and the backward passes if they are needed.
  func finish(_ stream: inout Stream) {
    let (n, d, scale) = (width, depth, settings.scale(depth &+ 1))
    for o in 0..<outputs { settings.readout.fill(readout[o], n, &stream) }
    if settings.readout == .orthogonal {
      Triangular.orthonormalise(columns: readout.data, stride: readout.stride, m: outputs, into: factor)
      let root = Double(n).squareRoot()
      for i in 0..<outputs &* readout.stride { readout.data[i] *= root }
    }
    for o in 0..<outputs {
      let offset = settings.bias == 0 ? 0 : settings.bias * stream.normal()
      for a in 0..<inputs {
        let sum = offset + scale * Triangular.dot(readout[o], post[d &- 1][a], readout.stride)
        values[o &* inputs &+ a] = roots.output * sum
      }
    }
    guard needs.gradients else { return }
    for o in 0..<outputs {
      for a in 0..<inputs { seed(readout[o], of: a, into: gradients[d &- 1][o &* inputs &+ a]) }
    }
    for layer in (1..<d).reversed() {
      for o in 0..<outputs {
        for a in 0..<inputs {
          let place = o &* inputs &+ a
          pullBack(gradients[layer][place], to: layer, of: a, into: gradients[layer &- 1][place], &stream)
        }
      }
    }
    for layer in 0...d {
      for a in 0..<inputs {
        for b in 0..<inputs {
          increments[(layer &* inputs &+ a) &* inputs &+ b] = increment(layer, a, b)
        }
      }
    }
  }

  /// $D^d$ of an output with the weights v: $s_{d+1} v \circ \phi'(z_d)$.
  private func seed(_ v: UnsafePointer<Double>, of a: Int, into column: UnsafeMutablePointer<Double>) {
    let (slope, size) = (slopes[depth &- 1][a], settings.scale(depth &+ 1))
    for i in 0..<readout.stride { column[i] = size * v[i] * slope[i] }
  }

  /// $D^l = \alpha_{l+1} D^{l+1} + s_{l+1} \phi'(z_l) \circ W_{l+1}^\top D^{l+1}$ of input a, from that of the layer above.
  func pullBack(
    _ above: UnsafePointer<Double>, to layer: Int, of a: Int, into column: UnsafeMutablePointer<Double>,
    _ stream: inout Stream
  ) {
    matrices[layer].multiplyTransposed(above, into: column, &stream)
    let (slope, stride) = (slopes[layer &- 1][a], slopes[layer &- 1].stride)
    let (size, skip) = (settings.scale(layer &+ 1), settings.skip(layer &+ 1))
    for i in 0..<stride { column[i] *= size * slope[i] }
    if skip != 0 { for i in 0..<stride { column[i] = column[i].addingProduct(skip, above[i]) } }
  }

  /// $W_1^\top D^1$.
  func pullBackToInput(
    _ first: UnsafePointer<Double>, into column: UnsafeMutablePointer<Double>, _ stream: inout Stream
  ) {
    matrices[0].multiplyTransposed(first, into: column, &stream)
  }

  /// What layer `layer + 1` adds to the kernel of inputs a and b for each unit of $D_a \cdot D_b$.
  private func increment(_ layer: Int, _ a: Int, _ b: Int) -> Double {
    let columns = layer > 0 ? post[layer &- 1] : features
    return settings.increment(behind: layer, Triangular.dot(columns[a], columns[b], columns.stride))
  }

  /// Measures everything.
  func measure(_ stream: inout Stream, _ counts: [Int]) {
    var place = measured
    for (meter, count) in zip(meters, counts) {
      meter.measure(self, &stream, to: place)
      place += count
    }
  }
}
