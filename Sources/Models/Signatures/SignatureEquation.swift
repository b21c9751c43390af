import Kernels
import Networks

/// The kernel of a controlled residual network at infinite width, $K_{st} = \lim \langle Y^x_s, Y^y_t \rangle / N$:
///
/// $$\partial_s \partial_t K = (\sigma_A^2 V(K) + \sigma_b^2)\, \dot x_s \cdot \dot y_t, \qquad V = E \phi(u) \phi(v), \quad (u, v) \sim N\Bigl(0, \begin{pmatrix} K^{xx}_{ss} & K_{st} \\ K_{st} & K^{yy}_{tt} \end{pmatrix}\Bigr),$$
///
/// from $K_{s0} = K_{0t} = \sigma_a^2$; with fresh weights at every time $dK/dt = (\sigma_A^2 V + \sigma_b^2)\, \dot x \cdot \dot y$.
///
/// Goals: the recursion of M steps is exact; order 2 otherwise; for the identity, a multiplication and an addition that wait for each other a cell.
/// Rejected: a diagonal of $K^{xx}$ that lags by a step, which costs an order.
package struct SignatureEquation: Sendable {
  /// How a step is made.
  package enum Scheme: Sendable {
    /// V at the corner that is known: what networks of M steps have, exactly.
    case euler
    /// The mean of V over the corners, the new one implicitly: order 2 in 1/M.
    case trapezoid
  }

  private let kernel: ActivationKernel
  /// $c$ where $V = c K$; nil for activations that are not linear.
  private let linear: Double?
  /// $\sigma_A^2$, $\sigma_b^2$, $\sigma_a^2$.
  private let weight, bias, start: Double
  let isHomogeneous: Bool

  package init(_ settings: SignatureSettings) {
    self.init(
      settings.activation, start: settings.start * settings.start, weight: settings.weight * settings.weight,
      bias: settings.bias * settings.bias, isHomogeneous: settings.isHomogeneous)
  }

  /// - Parameter start: $\sigma_a^2$; `weight`: $\sigma_A^2$; `bias`: $\sigma_b^2$.
  package init(_ activation: any Activation, start: Double, weight: Double, bias: Double, isHomogeneous: Bool = true) {
    kernel = ActivationKernel(activation)
    let slopes = activation as? SlopeActivation
    linear = slopes.flatMap { $0.plus == $0.minus ? $0.plus * $0.plus : nil }
    (self.start, self.weight, self.bias, self.isHomogeneous) = (start, weight, bias, isHomogeneous)
  }

  /// Whether V is known in closed form, and not by quadrature.
  package var hasClosedKernel: Bool { kernel.activation is any ClosedKernel }

  /// Whether the mean of the kernel is the same at every width.
  package var isExactAtEveryWidth: Bool { linear != nil && !isHomogeneous }

  /// $K_{ss}$ of all pairs a <= b at the steps 0 ... M, pair by pair in the order (0,0), (0,1), ..., (1,1), ...
  package func kernels(_ paths: [SignaturePath], steps: Int, _ scheme: Scheme) -> [[Double]] {
    let moves = paths.map { $0.increments(steps: steps) }
    let own = moves.map { variances($0, steps: steps, scheme) }
    return paths.indices.flatMap { a in
      (a..<paths.count).map { b in
        a == b ? own[a] : kernel(moves[a], moves[b], own[a], own[b], steps: steps, scheme)
      }
    }
  }

  /// $K^{xx}_{ss}$ at the steps 0 ... M.
  /// - Parameter x: increments, as `SignaturePath` has them.
  package func variances(_ x: [Double], steps: Int, _ scheme: Scheme) -> [Double] {
    if !isHomogeneous { return inhomogeneous(x, x, nil, steps: steps, scheme) }
    return linear == nil ? ownVariances(x, steps: steps, scheme) : kernel(x, x, [], [], steps: steps, scheme)
  }

  /// $K^{xy}_{ss}$ at the steps 0 ... M.
  /// - Parameters:
  ///   - x, y: increments.
  ///   - xx, yy: `variances` of both; not read where the activation is linear.
  package func kernel(
    _ x: [Double], _ y: [Double], _ xx: [Double], _ yy: [Double], steps: Int, _ scheme: Scheme
  ) -> [Double] {
    if !isHomogeneous { return inhomogeneous(x, y, (xx, yy), steps: steps, scheme) }
    var grid = Grid(steps: steps, start: start, dimension: x.count / steps, other: y)
    var found = [start]
    if let linear {
      for s in 0..<steps {
        grid.advance(x, s)
        grid.makeLinearRow(weight * linear, bias, scheme)
        found.append(grid.new[s + 1])
        grid.keep()
      }
      return found
    }
    yy.withUnsafeBufferPointer { yy in
      let count = steps &+ 1
      kernel.products(start, yy.baseAddress!, grid.old, count, to: grid.oldV)
      for s in 0..<steps {
        grid.advance(x, s)
        if scheme == .euler {
          grid.makeEulerRow(weight, bias)
          kernel.products(xx[s &+ 1], yy.baseAddress!, grid.new, count, to: grid.newV)
        } else {
          grid.newV.update(from: grid.oldV, count: count)
          for _ in 0..<Self.mostSweeps {
            let change = grid.makeTrapezoidRow(weight, bias, count)
            kernel.products(xx[s &+ 1], yy.baseAddress!, grid.new, count, to: grid.newV)
            if change <= Self.settled * grid.size(count) { break }
          }
        }
        found.append(grid.new[s &+ 1])
        grid.keep()
      }
    }
    return found
  }

  /// Sweeps of a row after which it is taken as it is, and the change at which it has settled. Each sweep gains a factor of the order of 1/M.
  private static let mostSweeps = 16
  private static let settled = 0x1p-50

  /// `variances` where V needs them: row by row up to the diagonal, which is swept with its row.
  private func ownVariances(_ x: [Double], steps: Int, _ scheme: Scheme) -> [Double] {
    var grid = Grid(steps: steps, start: start, dimension: x.count / steps, other: x)
    var own = Array(repeating: start, count: steps + 1)
    for s in 0..<steps {
      let count = s &+ 2
      // What is on the other side of the diagonal is what is on this side.
      grid.advance(x, s)
      if s == 0 { kernel.products(start, own, grid.old, 1, to: grid.oldV) }
      if scheme == .euler {
        grid.makeEulerRow(weight, bias, count)
        own[s &+ 1] = grid.new[s &+ 1]
        kernel.products(own[s &+ 1], own, grid.new, count, to: grid.newV)
      } else {
        grid.newV.update(from: grid.oldV, count: count &- 1)
        grid.newV[count &- 1] = grid.oldV[count &- 2]
        for _ in 0..<Self.mostSweeps {
          let change = grid.makeTrapezoidRow(weight, bias, count, isDiagonal: true)
          own[s &+ 1] = grid.new[s &+ 1]
          kernel.products(own[s &+ 1], own, grid.new, count, to: grid.newV)
          if change <= Self.settled * grid.size(count) { break }
        }
      }
      grid.keep()
    }
    return own
  }

  private func inhomogeneous(
    _ x: [Double], _ y: [Double], _ own: ([Double], [Double])?, steps: Int, _ scheme: Scheme
  ) -> [Double] {
    var found = [start]
    func product(_ step: Int, _ value: Double) -> Double {
      own.map { kernel.product($0.0[step], $0.1[step], value) } ?? kernel.product(value, value, value)
    }
    for s in 0..<steps {
      // dx . dy / dt.
      let rate = Double(steps) * (0..<x.count / steps).reduce(0.0) { $0 + x[$1 * steps + s] * y[$1 * steps + s] }
      let (old, v) = (found[s], product(s, found[s]))
      var new = old + rate * (weight * v + bias)
      if scheme == .trapezoid {
        for _ in 0..<Self.mostSweeps {
          let next = old + rate * (weight * 0.5 * (v + product(s + 1, new)) + bias)
          let change = (next - new).magnitude
          new = next
          if change <= Self.settled * new.magnitude { break }
        }
      }
      found.append(new)
    }
    return found
  }
}

/// Two rows of the grid of times, with V in them.
private struct Grid: ~Copyable {
  private(set) var old, new, oldV, newV: UnsafeMutablePointer<Double>
  /// $dx_s \cdot dy_t$ of the row, and room.
  private let products, rates, rests: UnsafeMutablePointer<Double>
  private let steps, dimension: Int
  private let other: [Double]
  private let room: UnsafeMutablePointer<Double>

  /// - Parameter other: increments of y.
  init(steps: Int, start: Double, dimension: Int, other: [Double]) {
    (self.steps, self.dimension, self.other) = (steps, dimension, other)
    let length = Triangular.padded(steps + 2)
    room = .allocateZeros(7 * length)
    (old, new, oldV, newV) = (room, room + length, room + 2 * length, room + 3 * length)
    (products, rates, rests) = (room + 4 * length, room + 5 * length, room + 6 * length)
    for t in 0..<length { (old[t], new[t]) = (start, start) }
  }

  deinit { room.deallocate() }

  /// Puts the products of the increment s of x in place.
  func advance(_ x: [Double], _ s: Int) {
    let (steps, products) = (steps, products)
    for t in 0..<steps { products[t] = 0 }
    other.withUnsafeBufferPointer { other in
      for k in 0..<dimension {
        let (move, y) = (x[k &* steps &+ s], other.baseAddress! + k &* steps)
        for t in 0..<steps { products[t] = products[t].addingProduct(move, y[t]) }
      }
    }
  }

  mutating func keep() {
    swap(&old, &new)
    swap(&oldV, &newV)
  }

  /// Largest entry of the new row.
  func size(_ count: Int) -> Double {
    var most = 0.0
    for t in 0..<count { most = max(most, new[t].magnitude) }
    return most
  }

  /// A row of $V = c K$, the new corner solved for.
  func makeLinearRow(_ weight: Double, _ bias: Double, _ scheme: SignatureEquation.Scheme) {
    let (steps, old, new, products, rates, rests) = (steps, old, new, products, rates, rests)
    if scheme == .euler {
      for t in 0..<steps { rests[t] = old[t &+ 1] - old[t] + (weight * old[t] + bias) * products[t] }
      for t in 0..<steps { new[t &+ 1] = new[t] + rests[t] }
      return
    }
    let quarter = 0.25 * weight
    for t in 0..<steps {
      let q = quarter * products[t]
      let inverse = 1 / (1 - q)
      rates[t] = (1 + q) * inverse
      rests[t] = (old[t &+ 1] * (1 + q) - old[t] * (1 - q) + bias * products[t]) * inverse
    }
    var last = new[0]
    for t in 0..<steps {
      last = rests[t].addingProduct(rates[t], last)
      new[t &+ 1] = last
    }
  }

  /// A row of the recursion of M steps; `count` entries of it.
  func makeEulerRow(_ weight: Double, _ bias: Double, _ count: Int? = nil) {
    let end = count ?? steps &+ 1
    for t in 0..<end &- 1 {
      // Beyond the diagonal: K_{s,s+1} = K_{s+1,s}.
      let above = count != nil && t == end &- 2 ? new[t] : old[t &+ 1]
      new[t &+ 1] = new[t] + above - old[t] + (weight * oldV[t] + bias) * products[t]
    }
  }

  /// A sweep over a row with the V of the sweep before.
  /// - Parameter isDiagonal: whether it ends on the diagonal.
  /// - Returns: the largest change.
  func makeTrapezoidRow(_ weight: Double, _ bias: Double, _ count: Int, isDiagonal: Bool = false) -> Double {
    let (old, new, oldV, newV, products, rests) = (old, new, oldV, newV, products, rests)
    let quarter = 0.25 * weight
    let full = isDiagonal ? count &- 2 : count &- 1
    for t in 0..<full {
      let sum = oldV[t] + oldV[t &+ 1] + (newV[t] + newV[t &+ 1])
      rests[t] = old[t &+ 1] - old[t] + (quarter * sum + bias) * products[t]
    }
    var (change, last) = (0.0, new[0])
    for t in 0..<full {
      last += rests[t]
      change = max(change, (last - new[t &+ 1]).magnitude)
      new[t &+ 1] = last
    }
    guard isDiagonal else { return change }
    // K_{s,s+1} = K_{s+1,s}, and its V.
    let sum = oldV[full] + 2 * newV[full] + newV[full &+ 1]
    last += last - old[full] + (quarter * sum + bias) * products[full]
    change = max(change, (last - new[full &+ 1]).magnitude)
    new[full &+ 1] = last
    return change
  }
}
