import Kernels

/// N points with their energy $U = c \sum W(|x_i|) + \beta \sum_{i<j} w(x_i - x_j)$, the law being exp(-U): positions, gradient, and what a proposal needs.
final class Gas {
  let dimension, number, stride: Int
  private let pairs: GasPairs
  /// W and what it is multiplied by, and beta.
  private let field: [(RadialFunction, Double)]
  private let coupling: Double
  private let room: UnsafeMutablePointer<Double>
  let position, gradient: UnsafeMutablePointer<Double>
  private let proposal, slope, velocity, pairGradient: UnsafeMutablePointer<Double>
  private let squares, values, slopes, curvatures, spare: UnsafeMutablePointer<Double>
  /// U of the position.
  private(set) var energy = 0.0

  /// - Parameter field: terms of c W.
  init(dimension: Int, number: Int, field: [(RadialFunction, Double)], coupling: Double) {
    self.dimension = dimension
    self.number = number
    self.field = field
    self.coupling = coupling
    pairs = GasPairs(dimension: dimension, number: number)
    stride = pairs.stride
    let size = dimension * stride
    room = .allocateZeros(6 * size + (4 + RadialFunction.roomFactor) * stride)
    position = room
    gradient = position + size
    proposal = gradient + size
    slope = proposal + size
    velocity = slope + size
    pairGradient = velocity + size
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

  /// Finds gradient and energy of a position that was put there.
  func prepare() {
    evaluate(position, to: gradient)
    energy = energy(position)
  }

  /// r^2 of every point; 1 behind them.
  private func square(_ x: UnsafePointer<Double>) {
    for i in 0..<stride { squares[i] = x[i] * x[i] }
    for k in 1..<max(dimension, 1) {
      let row = x + k &* stride
      for i in 0..<stride { squares[i] = squares[i].addingProduct(row[i], row[i]) }
    }
    for i in number..<stride { squares[i] = 1 }
  }

  private func evaluate(_ x: UnsafePointer<Double>, to g: UnsafeMutablePointer<Double>) {
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
  private func energy(_ x: UnsafePointer<Double>) -> Double {
    var total = 0.0
    for (function, weight) in field {
      function.write(squares, stride, values: values, slopes: slopes, curvatures: nil, room: spare)
      for i in number..<stride { values[i] = 0 }
      total = total.addingProduct(weight, GasPairs.sum(values, stride))
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
    let size = dimension &* stride
    for k in 0..<dimension {
      let row = k &* stride
      for i in 0..<number { velocity[row &+ i] = normals[row &+ i] }
    }
    let before = energy + kinetic()
    for i in 0..<size { velocity[i] = velocity[i].addingProduct(-0.5 * h, gradient[i]) }
    for i in 0..<size { proposal[i] = position[i].addingProduct(h, velocity[i]) }
    for _ in 1..<steps {
      evaluate(proposal, to: slope)
      for i in 0..<size {
        velocity[i] = velocity[i].addingProduct(-h, slope[i])
        proposal[i] = proposal[i].addingProduct(h, velocity[i])
      }
    }
    evaluate(proposal, to: slope)
    for i in 0..<size { velocity[i] = velocity[i].addingProduct(-0.5 * h, slope[i]) }
    let own = energy(proposal)
    let after = own + kinetic()
    // Written so that what is no number is rejected.
    guard after.isFinite, Elementary.log(uniform) < before - after else { return false }
    position.update(from: proposal, count: size)
    gradient.update(from: slope, count: size)
    energy = own
    return true
  }

  /// Half the square of the velocities. Gradients of the pairs are no longer needed when it is asked for.
  private func kinetic() -> Double {
    let size = dimension &* stride
    for i in 0..<size { pairGradient[i] = velocity[i] * velocity[i] }
    return 0.5 * GasPairs.sum(pairGradient, size)
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
    sums.value = GasPairs.sum(values, stride)
    sums.virial = GasPairs.sum(spare, stride)
    let more = Double(dimension - 1)
    for i in 0..<stride { curvatures[i] = curvatures[i].addingProduct(more, slopes[i]) }
    sums.laplacian = GasPairs.sum(curvatures, stride)
    for i in 0..<stride { curvatures[i] = slopes[i] * slopes[i] * squares[i] }
    sums.square = GasPairs.sum(curvatures, stride)
    for i in 0..<stride { spare[i] *= slopes[i] }
    sums.force = GasPairs.sum(spare, stride)
    return sums
  }
}
