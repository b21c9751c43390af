import Kernels
import Networks

/// How the passes of a `LayerStack` move when weights or inputs do (forward over reverse; Pearlmutter, Neural Computation 6, 147, 1994). Along a direction V of the
/// weights, u of the inputs, with $y_l = s \phi(h_l)$ and seeds $e = l'(f)$ that move by $\dot e$,
///
///     h'_1 = u W_1 + x V_1,  y'_l = s phi'(h_l) h'_l,  h'_{l+1} = y'_l W_{l+1} + y_l V_{l+1},  f' = y'_L w + y_L v,
///     d_L = (e w) s phi'(h_L),   d'_L = (e' w + e v) s phi'(h_L) + (e w) s phi''(h_L) h'_L,   and so on down the layers,
///
/// and the gradient of layer l moves by $y_{l-1}^T d'_l + y'^T_{l-1} d_l$. With $\dot e = l'' \dot f$ this is the Hessian times V; with V = 0 and constant seeds it is the
/// gradient of $e \cdot \dot f$ itself, a derivative of the outputs by the inputs.
final class SecondOrderPass {
  typealias Weights = [UnsafeMutablePointer<Double>]
  private let shape: NetworkShape
  /// Hidden weights of V, transposed.
  private let transposed: Weights
  /// Of a block, layer by layer: $\dot y$, and $s \phi''(h) \dot h$.
  private let tangents, bends: Weights
  private let stream: UnsafeMutablePointer<Double>
  /// d and $\dot d$ of the present layer, and room for the one below.
  private(set) var delta, moved: UnsafeMutablePointer<Double>
  private var below, movedBelow: UnsafeMutablePointer<Double>
  /// $\dot f$ of a block, a row an example; then $\dot e$.
  let outputs: UnsafeMutablePointer<Double>
  /// e.
  let seeds: UnsafeMutablePointer<Double>

  static func numbers(_ shape: NetworkShape) -> Int {
    NetworkShape.block * (2 * shape.depth + 5) * shape.stride + max(shape.depth - 1, 0) * shape.stride * shape.stride
  }

  init(_ shape: NetworkShape) {
    self.shape = shape
    let room = NetworkShape.block * shape.stride
    transposed = (0..<max(shape.depth - 1, 0)).map { _ in .allocateZeros(shape.width * shape.stride) }
    tangents = (0..<shape.depth).map { _ in .allocateZeros(room) }
    bends = (0..<shape.depth).map { _ in .allocateZeros(room) }
    stream = .allocateZeros(room)
    (delta, moved) = (.allocateZeros(room), .allocateZeros(room))
    (below, movedBelow) = (.allocateZeros(room), .allocateZeros(room))
    outputs = .allocateZeros(NetworkShape.block * shape.outputs)
    seeds = .allocateZeros(NetworkShape.block * shape.outputs)
  }

  deinit {
    for place in transposed + tangents + bends + [stream, delta, moved, below, movedBelow, outputs, seeds] {
      place.deallocate()
    }
  }

  /// Takes the direction for the passes back that follow.
  func transpose(_ direction: Weights, _ stack: LayerStack<Double>) {
    for (layer, target) in transposed.enumerated() { stack.transpose(direction[layer + 1], to: target) }
  }

  private func add(
    _ c: UnsafeMutablePointer<Double>, fresh: Bool, rows: Int, _ a: UnsafePointer<Double>, _ layer: Int,
    _ b: UnsafePointer<Double>
  ) {
    MatrixProduct.add(
      c, shape.stride, fresh: fresh, rows: rows, columns: shape.width, a,
      rowStride: layer == 1 ? shape.inputStride : shape.stride, columnStride: 1, inner: shape.fanIn(layer), b,
      shape.stride)
  }

  /// From the examples of the stack to its outputs, and to how they move.
  /// - Parameters:
  ///   - inputs: u, in rows of the stack's inputs; none if they stay.
  ///   - direction: V; none if the weights stay.
  func forward(
    _ stack: LayerStack<Double>, _ problem: TrainedMLP, rows: Int, inputs: UnsafePointer<Double>?, direction: Weights?
  ) {
    let (stride, depth) = (shape.stride, shape.depth)
    stack.forward(problem.activation, rows: rows, gain: problem.gain, scale: problem.outputScale) { layer, h in
      bends[layer - 1].update(from: h, count: rows * stride)
    }
    let factor = problem.gain * (shape.branch ?? 1)
    for layer in 1...depth {
      let tangent = tangents[layer - 1]
      var isFresh = true
      if shape.branch != nil, layer > 1 {
        tangent.update(from: stream, count: rows * stride)
        isFresh = false
      }
      if let source = layer == 1 ? inputs : UnsafePointer(tangents[layer - 2]) {
        add(tangent, fresh: isFresh, rows: rows, source, layer, stack.weights[layer - 1])
        isFresh = false
      }
      if let direction {
        let source = layer == 1 ? stack.examples : UnsafePointer(stack.activations[layer - 2])
        add(tangent, fresh: isFresh, rows: rows, source, layer, direction[layer - 1])
      }
      if shape.branch != nil {
        if layer == depth { break }
        stream.update(from: tangent, count: rows * stride)
      }
      let (bend, slope) = (bends[layer - 1], stack.slopes[layer - 1])
      problem.activation.applyCurvature(bend, rows * stride)
      for i in 0..<rows * stride {
        bend[i] *= factor * tangent[i]
        tangent[i] *= slope[i]
      }
    }
    let k = shape.outputs
    for row in 0..<rows {
      for c in 0..<k {
        var sum = Triangular.dot(tangents[depth - 1] + row * stride, stack.weights[depth] + c * stride, stride)
        if let direction {
          sum += Triangular.dot(stack.activations[depth - 1] + row * stride, direction[depth] + c * stride, stride)
        }
        outputs[row * k + c] = problem.outputScale * sum
      }
    }
  }

  /// From `seeds`, and from `outputs` as they move, down to the first layer.
  /// - Parameters:
  ///   - second: whether what moves is asked for, and not the derivatives alone.
  ///   - visit: is called for each layer from the last down, where `delta` and `moved` are its d and $\dot d$.
  func backward(
    _ stack: LayerStack<Double>, rows: Int, direction: Weights?, second: Bool, visit: (Int) -> Void
  ) {
    let (stride, depth, k) = (shape.stride, shape.depth, shape.outputs)
    func read(_ c: UnsafeMutablePointer<Double>, fresh: Bool, _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>) {
      MatrixProduct.add(
        c, stride, fresh: fresh, rows: rows, columns: shape.width, a, rowStride: k, columnStride: 1, inner: k, b,
        stride)
    }
    func pull(_ c: UnsafeMutablePointer<Double>, fresh: Bool, _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>) {
      MatrixProduct.add(
        c, stride, fresh: fresh, rows: rows, columns: shape.width, a, rowStride: stride, columnStride: 1,
        inner: shape.width, b, stride)
    }
    /// Through the activation of a layer.
    func through(_ layer: Int, _ d: UnsafeMutablePointer<Double>, _ moved: UnsafeMutablePointer<Double>) {
      let (slope, bend) = (stack.slopes[layer - 1], bends[layer - 1])
      for i in 0..<rows * stride {
        if second { moved[i] = moved[i] * slope[i] + d[i] * bend[i] }
        d[i] *= slope[i]
      }
    }
    read(delta, fresh: true, seeds, stack.weights[depth])
    if second {
      read(moved, fresh: true, outputs, stack.weights[depth])
      if let direction { read(moved, fresh: false, seeds, direction[depth]) }
    }
    if shape.branch == nil { through(depth, delta, moved) }
    for layer in Swift.stride(from: depth, through: 1, by: -1) {
      visit(layer)
      guard layer > 1 else { return }
      pull(below, fresh: true, delta, stack.transposed[layer - 2])
      if second {
        pull(movedBelow, fresh: true, moved, stack.transposed[layer - 2])
        if direction != nil { pull(movedBelow, fresh: false, delta, transposed[layer - 2]) }
      }
      through(layer - 1, below, movedBelow)
      if shape.branch != nil {
        for i in 0..<rows * stride {
          below[i] += delta[i]
          if second { movedBelow[i] += moved[i] }
        }
      }
      swap(&delta, &below)
      swap(&moved, &movedBelow)
    }
  }

  /// `backward`, and adds how the gradients of the block move.
  /// - Parameter inputs: u, as of `forward`.
  func backward(
    _ stack: LayerStack<Double>, rows: Int, inputs: UnsafePointer<Double>?, direction: Weights?, to gradients: Weights,
    fresh: Bool
  ) {
    let (stride, depth, k) = (shape.stride, shape.depth, shape.outputs)
    func gather(
      _ layer: Int, fresh: Bool, _ y: UnsafePointer<Double>, _ d: UnsafePointer<Double>
    ) {
      MatrixProduct.add(
        gradients[layer - 1], stride, fresh: fresh, rows: shape.fanIn(layer), columns: shape.width, y, rowStride: 1,
        columnStride: layer == 1 ? shape.inputStride : stride, inner: rows, d, stride)
    }
    func gatherReadout(fresh: Bool, _ e: UnsafePointer<Double>, _ y: UnsafePointer<Double>) {
      MatrixProduct.add(
        gradients[depth], stride, fresh: fresh, rows: k, columns: shape.width, e, rowStride: 1, columnStride: k,
        inner: rows, y, stride)
    }
    gatherReadout(fresh: fresh, outputs, stack.activations[depth - 1])
    gatherReadout(fresh: false, seeds, tangents[depth - 1])
    backward(stack, rows: rows, direction: direction, second: true) { layer in
      gather(layer, fresh: fresh, layer == 1 ? stack.examples : UnsafePointer(stack.activations[layer - 2]), moved)
      if let tangent = layer == 1 ? inputs : UnsafePointer(tangents[layer - 2]) {
        gather(layer, fresh: false, tangent, delta)
      }
    }
  }
}
