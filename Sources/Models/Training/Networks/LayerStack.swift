import Kernels
import Networks
import Randomness

/// The sizes of a `LayerStack`.
package struct NetworkShape: Sendable {
  /// Examples worked on together: their activations stay in the second-level cache.
  static let block = 128

  package let features, width, depth, outputs: Int
  /// What the branches of a residual network are multiplied by, $h_{l+1} = h_l + \beta W \phi(h_l)$, with a readout of the last h; nil of a perceptron.
  package let branch: Double?
  /// $\sigma_b$, standard deviation of the biases of every hidden layer at the start; 0 of a network without.
  package let bias: Double

  package init(features: Int, width: Int, depth: Int, outputs: Int, branch: Double? = nil, bias: Double = 0) {
    (self.features, self.width, self.depth, self.outputs) = (features, width, depth, outputs)
    (self.branch, self.bias) = (branch, bias)
  }

  package var hasBias: Bool { bias > 0 }
  /// Biases are the weights of one more input unit, whose value is constant: it stands behind the others.
  private var constants: Int { hasBias ? 1 : 0 }
  /// Rows of width units.
  package var stride: Int { Triangular.padded(width + constants) }
  var inputStride: Int { Triangular.padded(features + constants) }
  /// Input units of a layer from 1, the constant one included.
  func fanIn(_ layer: Int) -> Int { (layer == 1 ? features : width) + constants }
  /// Rows of the weights of layer 1 to depth + 1.
  package func rows(_ layer: Int) -> Int { layer > depth ? outputs : fanIn(layer) }
  /// Numbers of the weights of a layer, with those that fill its rows.
  package func room(_ layer: Int) -> Int { rows(layer) * stride }
  /// Numbers of all that a network in training holds, without the optimiser's.
  var numbers: Int {
    (1...depth + 1).reduce(0) { $0 + 2 * room($1) } + max(depth - 1, 0) * stride * stride
      + Self.block * (inputStride + (2 * depth + 2) * stride)
  }
}

/// The weights of a perceptron and what a forward and a backward pass over a block of examples need: one network, in cache.
///
/// Activations stand a row an example, weights a row an input unit, so that $H = Y W$, $G = Y^T \delta$ and $\delta W^T$ (of a transposed copy of W)
/// are one call of `MatrixProduct` each, vectorised over its columns: no bit depends on tile, instruction set or blocks. The readout, with few outputs,
/// has a row an output; its dot products run over 8 lanes.
package final class LayerStack<T: NetworkScalar> {
  let shape: NetworkShape
  /// The value of the constant unit of hidden layers.
  private let constant: T
  /// Of layers 1 to L: inputs x stride; of the readout: outputs x stride.
  package let weights: [UnsafeMutablePointer<T>]
  package let gradients: [UnsafeMutablePointer<T>]
  let transposed: [UnsafeMutablePointer<T>]
  /// Of one block: post-activations, and slopes, of each hidden layer.
  let activations, slopes: [UnsafeMutablePointer<T>]
  /// Room for the inputs of a block that do not follow each other.
  let inputs: UnsafeMutablePointer<T>
  /// The inputs of the block, rows of `inputStride`.
  var examples: UnsafePointer<T>
  /// h of the block, of residual networks.
  private let stream: UnsafeMutablePointer<T>?
  private let delta, below: UnsafeMutablePointer<T>
  /// f of the block, a row an example; then its derivative of the loss.
  let outputs: UnsafeMutablePointer<Double>
  /// That derivative, scaled and in the numbers of the network.
  private let seeds: UnsafeMutablePointer<T>

  init(_ shape: NetworkShape, constant: Double) {
    self.shape = shape
    self.constant = T(constant)
    let layers = 1...shape.depth + 1
    let (rows, stride) = (NetworkShape.block, shape.stride)
    weights = layers.map { .allocateZeros(shape.room($0)) }
    gradients = layers.map { .allocateZeros(shape.room($0)) }
    transposed = (0..<max(shape.depth - 1, 0)).map { _ in .allocateZeros(shape.width * stride) }
    activations = (0..<shape.depth).map { _ in .allocateZeros(rows * stride) }
    slopes = (0..<shape.depth).map { _ in .allocateZeros(rows * stride) }
    inputs = .allocateZeros(rows * shape.inputStride)
    examples = UnsafePointer(inputs)
    (delta, below) = (.allocateZeros(rows * stride), .allocateZeros(rows * stride))
    outputs = .allocateZeros(rows * shape.outputs)
    seeds = .allocateZeros(rows * shape.outputs)
    stream = shape.branch == nil ? nil : .allocateZeros(rows * stride)
  }

  deinit {
    for place in weights + gradients + transposed + activations + slopes + [inputs, delta, below, seeds] {
      place.deallocate()
    }
    outputs.deallocate()
    stream?.deallocate()
  }

  /// Draws all weights.
  /// - Parameter std: the standard deviation of a layer's weights, or of its biases.
  func draw(_ stream: inout Stream, std: (_ layer: Int, _ isBias: Bool) -> Double) {
    for layer in 1...shape.depth + 1 {
      let count = shape.rows(layer)
      for row in 0..<count {
        let scale = std(layer, shape.hasBias && layer <= shape.depth && row == count - 1)
        let place = weights[layer - 1] + row * shape.stride
        var unit = 0
        while unit < shape.width {
          let part = min(1024, shape.width - unit)
          let normals = stream.normals(part)
          for i in 0..<part { place[unit + i] = T(scale * normals[i]) }
          unit += part
        }
      }
    }
  }

  /// Copies the transposed hidden weights that a backward pass needs.
  func transpose() {
    for (layer, target) in transposed.enumerated() { transpose(weights[layer + 1], to: target) }
  }

  /// Transposes hidden weights.
  func transpose(_ source: UnsafePointer<T>, to target: UnsafeMutablePointer<T>) {
    let (n, stride) = (shape.width, shape.stride)
    // In squares that stay in the first-level cache.
    for i0 in Swift.stride(from: 0, to: n, by: 16) {
      for j0 in Swift.stride(from: 0, to: n, by: 16) {
        for i in i0..<min(i0 + 16, n) {
          for j in j0..<min(j0 + 16, n) { target[j * stride + i] = source[i * stride + j] }
        }
      }
    }
  }

  /// Sets what fills rows to 0.
  private func clear(_ place: UnsafeMutablePointer<T>, rows: Int) {
    for row in 0..<rows { for i in shape.width..<shape.stride { place[row * shape.stride + i] = 0 } }
  }

  /// The same of all weights, after moves that did not leave them.
  func clearPadding() {
    for layer in 1...shape.depth + 1 { clear(weights[layer - 1], rows: shape.rows(layer)) }
  }

  /// Sets the constant unit.
  private func set(_ place: UnsafeMutablePointer<T>, rows: Int, _ x: T) {
    for row in 0..<rows { place[row * shape.stride + shape.width] = x }
  }

  /// From `examples` to `outputs`.
  /// - Parameters:
  ///   - gain: what every post-activation is multiplied by, $\sqrt c$; `scale`: what the outputs are.
  ///   - observe: is called with each layer's pre-activations, a row an example, before they are replaced. It does not escape, so it takes no memory.
  func forward(
    _ activation: any Activation, rows: Int, gain: Double, scale: Double,
    observe: (Int, UnsafePointer<T>) -> Void = { _, _ in }
  ) {
    let stride = shape.stride
    for layer in 1...shape.depth {
      let h = activations[layer - 1]
      let source = layer == 1 ? examples : UnsafePointer(activations[layer - 2])
      let isBranch = shape.branch != nil && layer > 1
      if isBranch { h.update(from: stream!, count: rows * stride) }
      MatrixProduct.add(
        h, stride, fresh: !isBranch, rows: rows, columns: shape.width, source,
        rowStride: layer == 1 ? shape.inputStride : stride, columnStride: 1, inner: shape.fanIn(layer),
        weights[layer - 1], stride)
      // What the last pass left there would go through the activation.
      if shape.hasBias { set(h, rows: rows, 0) }
      observe(layer, h)
      if let stream {
        // The readout sees the stream itself.
        if layer == shape.depth { break }
        stream.update(from: h, count: rows * stride)
      }
      T.apply(activation, h, slopes: slopes[layer - 1], rows * stride)
      let factor = T(gain * (shape.branch ?? 1))
      if factor != 1 {
        for i in 0..<rows * stride { h[i] *= factor }
        let d = slopes[layer - 1]
        for i in 0..<rows * stride { d[i] *= factor }
      }
      if activation.value(0) != 0 { clear(h, rows: rows) }
      if shape.hasBias, layer < shape.depth { set(h, rows: rows, constant) }
    }
    let (last, k) = (activations[shape.depth - 1], shape.outputs)
    for row in 0..<rows {
      for c in 0..<k {
        outputs[row * k + c] =
          scale * T.dot(last + row * stride, weights[shape.depth] + c * stride, shape.stride)
      }
    }
  }

  /// Adds the gradients of $\sum_a f'_a \cdot f_a$ of the block, f' as it stands in `outputs`, times `scale`.
  /// - Parameters:
  ///   - fresh: the gradients begin at zero.
  ///   - observe: is called with the derivative by each layer's pre-activations, a row an example, from the last layer down.
  func backward(
    rows: Int, scale: Double, fresh: Bool, observe: (Int, UnsafePointer<T>) -> Void = { _, _ in }
  ) {
    let (stride, k, depth) = (shape.stride, shape.outputs, shape.depth)
    var (delta, below) = (delta, below)
    for i in 0..<rows * k { seeds[i] = T(scale * outputs[i]) }
    MatrixProduct.add(
      gradients[depth], stride, fresh: fresh, rows: k, columns: shape.width, seeds, rowStride: 1, columnStride: k,
      inner: rows, activations[depth - 1], stride)
    readBack(rows: rows, to: delta)
    for layer in Swift.stride(from: depth, through: 1, by: -1) {
      observe(layer, delta)
      let source = layer == 1 ? examples : UnsafePointer(activations[layer - 2])
      MatrixProduct.add(
        gradients[layer - 1], stride, fresh: fresh, rows: shape.fanIn(layer), columns: shape.width, source,
        rowStride: 1, columnStride: layer == 1 ? shape.inputStride : stride, inner: rows, delta, stride)
      guard layer > 1 else { return }
      MatrixProduct.add(
        below, stride, fresh: true, rows: rows, columns: shape.width, delta, rowStride: stride, columnStride: 1,
        inner: shape.width, transposed[layer - 2], stride)
      let slope = slopes[layer - 2]
      for i in 0..<rows * stride { below[i] *= slope[i] }
      if shape.branch != nil { for i in 0..<rows * stride { below[i] += delta[i] } }
      swap(&delta, &below)
    }
  }

  /// The derivative by what the readout sees, times the slopes of the last layer: in one pass where there is one output.
  private func readBack(rows: Int, to delta: UnsafeMutablePointer<T>) {
    let (stride, k, last) = (shape.stride, shape.outputs, shape.depth - 1)
    let readout = weights[shape.depth]
    guard k == 1, shape.branch == nil else {
      MatrixProduct.add(
        delta, stride, fresh: true, rows: rows, columns: shape.width, seeds, rowStride: k, columnStride: 1, inner: k,
        readout, stride)
      guard shape.branch == nil else { return }
      let slope = slopes[last]
      for i in 0..<rows * stride { delta[i] *= slope[i] }
      return
    }
    for row in 0..<rows {
      let (target, slope, f) = (delta + row * stride, slopes[last] + row * stride, seeds[row])
      for i in 0..<stride { target[i] = f * readout[i] * slope[i] }
    }
  }
}
