import Kernels
import Randomness
import Simulation

/// How the layers of a network are drawn.
public enum NetworkSampler: String, CaseIterable, Sendable {
  /// n independent rows of covariance V_{l-1}: O(n m^2) a layer, the same law as `weights` (theory A1).
  case conditional
  /// Every weight, streamed and never stored: O(n^2 m) a layer. The reference.
  case weights
  /// One input through a positively homogeneous activation without bias: V_l / V_{l-1} is
  /// `(c/n) [s+^2 chi2_K + s-^2 chi2_{n-K}]`, K ~ Bin(n, 1/2): O(1) a layer (theory A5).
  case chiSquare = "chi-square"
}

/// Multilayer perceptron at initialisation (arXiv:2206.02768, eq. 1.1):
///
///     z_1 = W_0 x,   z_{l+1} = sqrt(c/n) W_l phi(z_l) + sigma_b b_l,   W, b independent standard normals.
///
/// Measured after l layers: `V_l = (c/n) phi(z_l)^T phi(z_l) + sigma_b^2`, the covariance of the next
/// pre-activations given the layer; `V_0` is the Gram matrix of the inputs.
public struct MLP<A: Activation>: Experiment {
  public let shape: MLPShape
  public let activation: A
  public let observables: [Observable]
  public var layers: [Int] { shape.layers }

  public init(shape: MLPShape, activation: A) {
    self.shape = shape
    self.activation = activation
    observables = shape.measured.observables
  }

  /// Buffers of one draw.
  public final class Scratch {
    /// L with `L L^T = V`, and R under construction, m x m.
    @usableFromInline let lower, factor, part: UnsafeMutablePointer<Double>
    /// Post-activations: one tile (conditional) or a whole layer and the next one (weights).
    @usableFromInline let columns, next: UnsafeMutablePointer<Double>
    @usableFromInline let stride: Int
    @usableFromInline let square: Int

    @usableFromInline
    init(inputs m: Int, stride: Int, whole: Bool) {
      self.stride = stride
      square = m * m
      lower = .allocate(capacity: m * m)
      factor = .allocate(capacity: m * m)
      part = .allocate(capacity: m * m)
      columns = .allocate(capacity: m * stride)
      next = .allocate(capacity: whole ? m * stride : 1)
      columns.initialize(repeating: 0, count: m * stride)
      next.initialize(repeating: 0, count: whole ? m * stride : 1)
    }

    deinit { for p in [lower, factor, part, columns, next] { p.deallocate() } }
  }

  /// Units of one tile: post-activations and normals of it stay in the first-level cache.
  @inlinable
  static func tile(inputs m: Int) -> Int { m <= 4 ? 512 : (m <= 8 ? 256 : 128) }

  public func makeScratch() -> Scratch {
    let m = shape.inputs.count
    let whole = shape.sampler == .weights
    let units = whole ? max(shape.width, shape.inputs.features) : Self.tile(inputs: m)
    return Scratch(inputs: m, stride: Triangular.padded(units), whole: whole)
  }

  @inlinable
  public func draw(
    using stream: inout Stream, scratch: Scratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    for i in 0..<scratch.square { scratch.lower[i] = shape.initialFactor[i] }
    if shape.sampler == .weights { loadInputs(scratch) }
    var events: DrawEvents = []
    var out = values
    var observed = 0
    for layer in 1...shape.depth {
      switch shape.sampler {
      case .conditional: conditionalLayer(&stream, scratch)
      case .weights: weightsLayer(&stream, scratch, first: layer == 1)
      case .chiSquare: chiSquareLayer(&stream, scratch)
      }
      if shape.sampler != .chiSquare { finish(scratch) }
      if layer == shape.layers[observed] {
        events.formUnion(shape.measured.write(lower: scratch.lower, layer: Double(layer), to: out))
        out += observables.count
        observed &+= 1
        if observed == shape.layers.count { break }
      }
    }
    return events
  }

  /// R of `phi(L g)` for n units, tile by tile.
  @inlinable @inline(__always)
  func conditionalLayer(_ stream: inout Stream, _ scratch: Scratch) {
    let m = shape.inputs.count
    let n = shape.width
    let stride = scratch.stride
    let lower = scratch.lower
    let columns = scratch.columns
    let phi = activation
    var done = 0
    while done < n {
      let count = min(Self.tile(inputs: m), n &- done)
      let padded = Triangular.padded(count)
      let g = stream.normals(m &* count)
      for a in 0..<m {
        let column = columns + a &* stride
        let row = lower + a &* m
        if a == 0 {
          let l0 = row[0]
          for i in 0..<count { column[i] = phi.value(l0 * g[i]) }
        } else if a == 1 {
          let l0 = row[0]
          let l1 = row[1]
          let g1 = g + count
          for i in 0..<count { column[i] = phi.value((l0 * g[i]).addingProduct(l1, g1[i])) }
        } else {
          let l0 = row[0]
          let l1 = row[1]
          let g1 = g + count
          for i in 0..<count { column[i] = (l0 * g[i]).addingProduct(l1, g1[i]) }
          for b in 2..<a {
            let l = row[b]
            let gb = g + b &* count
            for i in 0..<count { column[i] = column[i].addingProduct(l, gb[i]) }
          }
          let l = row[a]
          let ga = g + a &* count
          for i in 0..<count { column[i] = phi.value(column[i].addingProduct(l, ga[i])) }
        }
        for i in count..<padded { column[i] = 0 }
      }
      add(columns, stride, padded, scratch, first: done == 0)
      done &+= count
    }
  }

  /// Adds a tile to R.
  @inlinable @inline(__always)
  func add(
    _ columns: UnsafeMutablePointer<Double>, _ stride: Int, _ padded: Int, _ scratch: Scratch, first: Bool
  ) {
    let m = shape.inputs.count
    let target = first ? scratch.factor : scratch.part
    Triangular.factor(columns: columns, stride: stride, count: padded, m: m, into: target)
    if !first { Triangular.merge(scratch.part, into: scratch.factor, m: m) }
  }

  /// `L = sqrt(c/n) R^T`, with the bias as one more row of R.
  @inlinable @inline(__always)
  func finish(_ scratch: Scratch) {
    let m = shape.inputs.count
    if shape.bias != 0 {
      let row = scratch.part
      for a in 0..<m { row[a] = shape.bias / shape.scale }
      Triangular.addRow(row, from: 0, to: scratch.factor, m: m)
    }
    for a in 0..<m {
      for b in 0..<m {
        scratch.lower[a &* m &+ b] = b <= a ? shape.scale * scratch.factor[b &* m &+ a] : 0
      }
    }
  }

  @inlinable
  func loadInputs(_ scratch: Scratch) {
    let features = shape.inputs.features
    for a in 0..<shape.inputs.count {
      let column = scratch.columns + a &* scratch.stride
      for i in 0..<scratch.stride {
        column[i] = i < features ? shape.inputs.rows[a &* features &+ i] : 0
      }
    }
  }

  /// Every weight: unit by unit, a row of W from the stream against the post-activations below.
  @inlinable
  func weightsLayer(_ stream: inout Stream, _ scratch: Scratch, first: Bool) {
    let m = shape.inputs.count
    let stride = scratch.stride
    let fanIn = first ? shape.inputs.features : shape.width
    let scale = first ? 1 : shape.scale
    for unit in 0..<shape.width {
      for a in 0..<m { scratch.next[a &* stride &+ unit] = 0 }
      var done = 0
      while done < fanIn {
        let count = min(Stream.capacity, fanIn &- done)
        let row = stream.normals(count)
        for a in 0..<m {
          let column = scratch.columns + (a &* stride &+ done)
          // A full number of lanes, then the rest one by one.
          let full = count & ~15
          var sum = Triangular.dot(row, column, full)
          for i in full..<count { sum += row[i] * column[i] }
          scratch.next[a &* stride &+ unit] += scale * sum
        }
        done &+= count
      }
    }
    if shape.bias != 0 && !first {
      for unit in 0..<shape.width {
        let b = shape.bias * stream.normals(1)[0]
        for a in 0..<m { scratch.next[a &* stride &+ unit] += b }
      }
    }
    let phi = activation
    for a in 0..<m {
      let from = scratch.next + a &* stride
      let to = scratch.columns + a &* stride
      for i in 0..<shape.width { to[i] = phi.value(from[i]) }
      for i in shape.width..<max(stride, shape.width) { to[i] = 0 }
      // The factorisation overwrites its columns, so it works on the copy.
      for i in 0..<stride { from[i] = to[i] }
    }
    add(scratch.next, stride, Triangular.padded(shape.width), scratch, first: true)
  }

  @inlinable
  func chiSquareLayer(_ stream: inout Stream, _ scratch: Scratch) {
    guard let slopes = activation as? SlopeActivation else { preconditionFailure("slopes only") }
    let active = stream.binomial(shape.width, 0.5)
    let sum =
      slopes.plus * slopes.plus * stream.chiSquare(active)
      + slopes.minus * slopes.minus * stream.chiSquare(shape.width - active)
    scratch.lower[0] *= shape.scale * sum.squareRoot()
  }
}

/// Everything about an MLP but its activation.
public struct MLPShape: Sendable {
  public let width, depth: Int
  public let inputs: Inputs
  /// L_0, m x m lower triangular, with `L_0 L_0^T = V_0`.
  public let initialFactor: [Double]
  /// c, and `sqrt(c/n)`.
  public let gain, scale: Double
  /// sigma_b.
  public let bias: Double
  /// Layers that are measured, ascending, in 1...depth.
  public let layers: [Int]
  public let measured: CovarianceObservables
  public let sampler: NetworkSampler

  public init(
    width: Int, depth: Int, inputs: Inputs, gain: Double, bias: Double, layers: [Int],
    measured: CovarianceObservables, sampler: NetworkSampler
  ) {
    self.width = width
    self.depth = depth
    self.inputs = inputs
    self.gain = gain
    scale = (gain / Double(width)).squareRoot()
    self.bias = bias
    self.layers = layers
    self.measured = measured
    self.sampler = sampler
    // A Gram matrix of vectors is positive semi-definite up to rounding; a loose tolerance takes that in.
    initialFactor = Triangular.cholesky(inputs.gram, m: inputs.count, tolerance: 1e-9)!
  }
}
