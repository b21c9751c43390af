import Kernels

/// N points with their energy $U = c \sum W(|x_i|) + \beta \sum_{i<j} w(x_i - x_j)$, the law being exp(-U): positions, gradient, and what a proposal needs.
final class Gas: PotentialEnergy {
  let dimension, number, stride: Int
  private let pairs: GasPairs
  /// W and what it is multiplied by, and beta.
  private let field: [(RadialFunction, Double)]
  private let coupling: Double
  private let room: UnsafeMutablePointer<Double>
  private let state: HamiltonianState
  private let pairGradient: UnsafeMutablePointer<Double>
  private let squares, values, slopes, curvatures, spare: UnsafeMutablePointer<Double>

  /// - Parameter field: terms of c W.
  init(dimension: Int, number: Int, field: [(RadialFunction, Double)], coupling: Double) {
    self.dimension = dimension
    self.number = number
    self.field = field
    self.coupling = coupling
    pairs = GasPairs(dimension: dimension, number: number)
    stride = pairs.stride
    let size = dimension * stride
    state = HamiltonianState(size: size)
    room = .allocateZeros(size + (4 + RadialFunction.roomFactor) * stride)
    pairGradient = room
    squares = pairGradient + size
    values = squares + stride
    slopes = values + stride
    curvatures = slopes + stride
    spare = curvatures + stride
  }

  deinit {
    pairs.deallocate()
    room.deallocate()
  }

  var numbers: Int { dimension * stride }

  var position: UnsafeMutablePointer<Double> { state.position }
  var gradient: UnsafeMutablePointer<Double> { state.gradient }
  /// U of the position.
  var energy: Double { state.energy }

  /// Finds gradient and energy of a position that was put there.
  func prepare() { state.prepare(self) }

  /// r^2 of every point; 1 behind them.
  private func square(_ x: UnsafePointer<Double>) {
    for i in 0..<stride { squares[i] = x[i] * x[i] }
    for k in 1..<max(dimension, 1) {
      let row = x + k &* stride
      for i in 0..<stride { squares[i] = squares[i].addingProduct(row[i], row[i]) }
    }
    for i in number..<stride { squares[i] = 1 }
  }

  func evaluate(_ x: UnsafePointer<Double>, to g: UnsafeMutablePointer<Double>) {
    square(x)
    if coupling > 0 {
      pairs.gradient(x, to: pairGradient)
      for i in 0..<dimension &* stride { g[i] = coupling * pairGradient[i] }
    } else {
      for i in 0..<dimension &* stride { g[i] = 0 }
    }
    for (function, weight) in field {
      function.write(squares, stride, values: values, slopes: slopes, curvatures: nil, room: spare)
      for k in 0..<dimension {
        let row = k &* stride
        for i in 0..<stride { g[row &+ i] = g[row &+ i].addingProduct(weight * slopes[i], x[row &+ i]) }
      }
    }
    for k in 0..<dimension { for i in number..<stride { g[k &* stride &+ i] = 0 } }
  }

  /// U of a position of which `evaluate` has just made the gradient; infinite where it is out of range.
  func energy(_ x: UnsafePointer<Double>) -> Double {
    var total = 0.0
    for (function, weight) in field {
      function.write(squares, stride, values: values, slopes: slopes, curvatures: nil, room: spare)
      for i in number..<stride { values[i] = 0 }
      total = total.addingProduct(weight, LaneSum.of(values, stride))
    }
    guard coupling > 0 else { return total }
    var largest = 0.0
    for i in 0..<number { largest = max(largest, squares[i]) }
    guard largest < GasPairs.reach * GasPairs.reach, total.isFinite else { return .infinity }
    return total.addingProduct(coupling, pairs.energy(x, gradient: pairGradient))
  }

  /// One trajectory of leapfrog with unit masses from fresh velocities, accepted or rejected.
  /// - Parameters:
  ///   - normals: `numbers` standard normals.
  ///   - uniform: on (0, 1), for the decision.
  func move(step h: Double, leapfrog steps: Int, normals: UnsafePointer<Double>, uniform: Double) -> Bool {
    for k in 0..<dimension {
      let row = k &* stride
      for i in 0..<number { state.velocity[row &+ i] = normals[row &+ i] }
    }
    return state.move(self, step: h, leapfrog: steps, uniform: uniform)
  }

  // MARK: Measurement

  /// Sums over the points, with F = grad U: f, Lap f, grad f . F and |grad f|^2; and the virial x . F.
  struct Sums {
    var value = 0.0
    var laplacian = 0.0
    var force = 0.0
    var square = 0.0
    var virial = 0.0
  }

  func measure(_ f: RadialFunction) -> Sums {
    square(position)
    f.write(squares, stride, values: values, slopes: slopes, curvatures: curvatures, room: spare)
    // x . F of every point.
    for i in 0..<stride { spare[i] = 0 }
    for k in 0..<dimension {
      let row = k &* stride
      for i in 0..<stride { spare[i] = spare[i].addingProduct(position[row &+ i], gradient[row &+ i]) }
    }
    for i in number..<stride { (values[i], slopes[i], curvatures[i]) = (0, 0, 0) }
    var sums = Sums()
    sums.value = LaneSum.of(values, stride)
    sums.virial = LaneSum.of(spare, stride)
    let more = Double(dimension - 1)
    for i in 0..<stride { curvatures[i] = curvatures[i].addingProduct(more, slopes[i]) }
    sums.laplacian = LaneSum.of(curvatures, stride)
    for i in 0..<stride { curvatures[i] = slopes[i] * slopes[i] * squares[i] }
    sums.square = LaneSum.of(curvatures, stride)
    for i in 0..<stride { spare[i] *= slopes[i] }
    sums.force = LaneSum.of(spare, stride)
    return sums
  }
}
