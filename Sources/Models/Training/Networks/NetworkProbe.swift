import Experiments
import Kernels

/// What is measured of a network in training besides its outputs: how far weights and pre-activations have moved, and its tangent kernel.
final class NetworkProbe<T: NetworkScalar> {
  private let shape: NetworkShape
  /// Weights at the start, layer by layer; empty unless asked for.
  private var weights: [UnsafeMutablePointer<T>] = []
  /// Pre-activations of all examples at the start, layer by layer.
  private var coordinates: [UnsafeMutablePointer<T>] = []
  /// Sums over units and examples of squares of pre-activations, and of their moves.
  private var sizes, moves: [Double]
  /// Tangent kernels of the examples, now and at the start; what each layer adds is gathered from its two Gram matrices.
  private var kernel: [Double] = []
  private(set) var firstKernel: [Double] = []
  private let kernelMeasures: KernelMeasures

  init(_ problem: TrainedMLP) {
    shape = problem.shape
    kernelMeasures = KernelMeasures(problem.data)
    let count = problem.data.train + problem.data.test
    sizes = Array(repeating: 0, count: shape.depth)
    moves = sizes
    if problem.measured.change { weights = (1...shape.depth + 1).map { .allocateZeros(shape.room($0)) } }
    if problem.measured.coordinates {
      coordinates = (0..<shape.depth).map { _ in .allocateZeros(count * shape.stride) }
    }
    if problem.measured.kernel || problem.measured.linearised {
      kernel = Array(repeating: 0, count: count * count)
      firstKernel = kernel
    }
  }

  deinit { for place in weights + coordinates { place.deallocate() } }

  func start(_ problem: TrainedMLP, _ state: NetworkState<T>) {
    for (layer, place) in weights.enumerated() {
      place.update(from: state.stack.weights[layer], count: shape.room(layer + 1))
    }
    if !coordinates.isEmpty { gatherCoordinates(problem, state, isStart: true) }
    if !kernel.isEmpty {
      makeKernel(problem, state)
      firstKernel = kernel
    }
  }

  /// Returns the place behind what it writes.
  func measure(
    _ problem: TrainedMLP, _ state: NetworkState<T>, to values: UnsafeMutablePointer<Double>
  ) -> UnsafeMutablePointer<Double> {
    var place = values
    func add(_ x: Double) {
      place[0] = x
      place += 1
    }
    for (layer, start) in weights.enumerated() {
      let now = state.stack.weights[layer]
      var (change, size) = (0.0, 0.0)
      for i in 0..<shape.room(layer + 1) {
        let (x, d) = (start[i].double, now[i].double - start[i].double)
        change += d * d
        size += x * x
      }
      add((change / size).squareRoot())
    }
    if !coordinates.isEmpty {
      gatherCoordinates(problem, state, isStart: false)
      let count = Double((problem.data.train + problem.data.test) * shape.width)
      for sum in sizes { add((sum / count).squareRoot()) }
      for sum in moves { add((sum / count).squareRoot()) }
      for sum in moves { add(state.made == 0 ? .nan : 0.5 * Elementary.log(sum / count)) }
    }
    if problem.measured.kernel {
      makeKernel(problem, state)
      place = kernelMeasures.write(
        kernel, start: firstKernel, targets: state.examples.targets, isStart: state.made == 0, to: place)
    }
    return place
  }

  private func gatherCoordinates(_ problem: TrainedMLP, _ state: NetworkState<T>, isStart: Bool) {
    let (n, stride) = (shape.width, shape.stride)
    for layer in sizes.indices { (sizes[layer], moves[layer]) = (0, 0) }
    let count = problem.data.train + problem.data.test
    for first in Swift.stride(from: 0, to: count, by: NetworkShape.block) {
      let rows = min(NetworkShape.block, count - first)
      problem.load(state, from: first)
      problem.forward(state, rows: rows) { layer, h in
        let start = self.coordinates[layer - 1] + first * stride
        if isStart { start.update(from: h, count: rows * stride) }
        var (size, move) = (0.0, 0.0)
        for row in 0..<rows {
          for i in row * stride..<row * stride + n {
            let (x, d) = (h[i].double, h[i].double - start[i].double)
            size += x * x
            move += d * d
          }
        }
        self.sizes[layer - 1] += size
        self.moves[layer - 1] += move
      }
    }
  }

  /// $\Theta_{ab} = \eta$'s scale times $\sum_l s_l^2\, (y_{l-1,a} \cdot y_{l-1,b}) (\delta_{l,a} \cdot \delta_{l,b})$, for at most one block of examples.
  private func makeKernel(_ problem: TrainedMLP, _ state: NetworkState<T>) {
    let count = problem.data.train + problem.data.test
    let stack = state.stack
    problem.load(state, from: 0)
    problem.forward(state, rows: count)
    for i in kernel.indices { kernel[i] = 0 }
    let (stride, depth, gamma) = (shape.stride, shape.depth, problem.gamma)
    func square(_ layer: Int) -> Double {
      let s = problem.scales[layer - 1].multiplier
      return s * s * problem.rateScale
    }
    func gram(_ rows: UnsafePointer<T>, _ stride: Int, _ a: Int, _ b: Int) -> Double {
      T.dot(rows + a * stride, rows + b * stride, stride)
    }
    let last = stack.activations[depth - 1]
    for a in 0..<count {
      for b in 0..<count { kernel[a * count + b] += square(depth + 1) / (gamma * gamma) * gram(last, stride, a, b) }
    }
    stack.transpose()
    for a in 0..<count { stack.outputs[a] = 1 }
    stack.backward(rows: count, scale: 1 / gamma, fresh: true) { layer, delta in
      let below = layer == 1 ? stack.examples : UnsafePointer(stack.activations[layer - 2])
      let belowStride = layer == 1 ? self.shape.inputStride : stride
      for a in 0..<count {
        for b in 0..<count {
          self.kernel[a * count + b] += square(layer) * gram(below, belowStride, a, b) * gram(delta, stride, a, b)
        }
      }
    }
  }
}

extension TrainedMLP {
  var coordinateSizes: [Observable] {
    (1...depth).map { Observable("coordinate_size", [$0], "root mean square of the pre-activations of a layer") }
  }

  /// What `NetworkProbe` measures, in its order.
  var probeObservables: [Observable] {
    var found: [Observable] = []
    if measured.change {
      for layer in 1...depth + 1 {
        found.append(
          Observable("weight_change", [layer], "|W_t - W_0| / |W_0| of a layer (Frobenius), the readout last"))
      }
    }
    if measured.coordinates {
      found += coordinateSizes
      for layer in 1...depth {
        found.append(
          Observable(
            "coordinate_change", [layer], "root mean square of their move since the start, over units and examples"))
      }
      for layer in 1...depth {
        found.append(
          Observable(
            "log_coordinate_change", [layer], role: .logarithm,
            "logarithm of coordinate_change; not a number at the start"))
      }
    }
    if measured.kernel { found += KernelMeasures(data).observables }
    return found
  }
}
