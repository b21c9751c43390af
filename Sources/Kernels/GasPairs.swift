/// Sums over all pairs of N points in one, two or three dimensions: the energy of Coulomb's law and its gradient.
///
/// Coordinate k of point i is at `x[k * stride + i]`; the stride is a multiple of `width`, at least N + 4, and what lies behind the points is finite. Energies take each pair once:
/// `width` points are lanes, and every later point is a source for all of them. In two dimensions a lane multiplies sixteen squared distances before their exponent is split off, so a pair costs
/// a product and no logarithm. Gradients take each pair twice, for one of its points each: lanes then stay in registers, and no sum over lanes is needed.
///
/// The order of every sum is that of the points, so the bits are the same on every CPU.
package struct GasPairs {
  package let dimension, number, stride: Int
  private let room: UnsafeMutablePointer<Double>
  /// Row j: 1 in the lanes before j; 1 less that.
  private let before, after: UnsafeMutablePointer<Double>
  private let mantissas, exponents, ring: UnsafeMutablePointer<Double>

  package static let width = 16
  /// Far below any squared distance that a double can tell from 0, and far above what overflows where a point meets itself.
  private static let least = 1e-200
  /// Coordinates beyond this are out of the range of the products.
  package static let reach = 1e8

  package static func stride(_ number: Int) -> Int { (number + 4 + width - 1) / width * width }

  /// - Parameter dimension: 1, 2 or 3.
  package init(dimension: Int, number: Int) {
    precondition((1...3).contains(dimension) && number > 0)
    (self.dimension, self.number, stride) = (dimension, number, Self.stride(number))
    let (w, square) = (Self.width, Self.width * Self.width)
    room = .allocateZeros(2 * square + 2 * w + PlanarRepulsion.ringSize + 1)
    before = room
    after = before + square
    mantissas = after + square
    exponents = mantissas + w
    ring = exponents + w
    for j in 0..<w {
      for i in 0..<w {
        before[j * w + i] = i < j ? 1 : 0
        after[j * w + i] = i < j ? 0 : 1
      }
    }
    ring[PlanarRepulsion.ringSize] = Self.least
  }

  package func deallocate() { room.deallocate() }

  /// $\sum_{i < j} w(x_i - x_j)$ with $w = -|r|$, $-\log r$ or $1/r$. Infinite where two points of the plane coincide.
  /// - Precondition: no coordinate is above `reach`.
  /// - Parameter gradient: of this energy, as `addGradient` makes it; read in one dimension only, where the energy follows from it.
  @inline(never)
  package func energy(_ x: UnsafePointer<Double>, gradient: UnsafePointer<Double>) -> Double {
    switch dimension {
    case 1: return linearEnergy(x, gradient)
    case 2: return -0.5 * logarithms(x)
    default: return inverseDistances(x)
    }
  }

  /// Writes the gradient of the energy; what it leaves behind the points means nothing.
  @inline(never)
  package func gradient(_ x: UnsafePointer<Double>, to gradient: UnsafeMutablePointer<Double>) {
    switch dimension {
    case 1: linearGradient(x, gradient)
    case 2: planarGradient(x, gradient)
    default: spatialGradient(x, gradient)
    }
  }

  // MARK: One dimension

  /// $-\sum_j \operatorname{sign}(x_i - x_j)$: whole numbers, so exact in any order.
  private func linearGradient(_ x: UnsafePointer<Double>, _ g: UnsafeMutablePointer<Double>) {
    for i in 0..<stride { g[i] = 0 }
    for j in 0..<number {
      let y = x[j]
      for i in 0..<stride { g[i] += (x[i] < y ? 1 : 0) - (x[i] > y ? 1 : 0) }
    }
  }

  /// $\sum_{i<j} |x_i - x_j| = \sum_i x_i \sum_j \operatorname{sign}(x_i - x_j)$.
  private func linearEnergy(_ x: UnsafePointer<Double>, _ g: UnsafePointer<Double>) -> Double {
    var total = 0.0
    for i in 0..<number { total = total.addingProduct(x[i], g[i]) }
    return total
  }

  // MARK: Two dimensions

  private func planarGradient(_ x: UnsafePointer<Double>, _ g: UnsafeMutablePointer<Double>) {
    g.update(repeating: 0, count: 2 &* stride)
    PlanarRepulsion(
      x: x, y: x + stride, octets: stride / 8, sx: x, sy: x + stride, sources: number,
      least: ring + PlanarRepulsion.ringSize, ring: ring
    ).addToLanes(g, g + stride)
    for i in 0..<2 &* stride { g[i] = -g[i] }
  }

  private func logarithms(_ x: UnsafePointer<Double>) -> Double {
    let w = Self.width
    for l in 0..<w { (mantissas[l], exponents[l]) = (1, 0) }
    let y = x + stride
    for block in Swift.stride(from: 0, to: number, by: w) {
      let (u0, u1) = (Vector8(x + block), Vector8(x + block + 8))
      let (v0, v1) = (Vector8(y + block), Vector8(y + block + 8))
      // Both octets from their own sources, which are among them.
      let end = min(block + w, number)
      var (p0, p1) = (Vector8(mantissas), Vector8(mantissas + 8))
      for j in block + 1..<max(end, block + 1) {
        let row = (j &- block) &* w
        p0 = p0 * Self.masked(Self.square(u0, v0, x[j], y[j]), before + row, after + row)
        p1 = p1 * Self.masked(Self.square(u1, v1, x[j], y[j]), before + row + 8, after + row + 8)
      }
      split(p0, p1)
      var j = block + w
      while j < number {
        let last = min(j &+ w, number)
        (p0, p1) = (Vector8(mantissas), Vector8(mantissas + 8))
        var (q0, q1) = (Vector8(1), Vector8(1))
        while j &+ 2 <= last {
          p0 = p0 * Self.square(u0, v0, x[j], y[j])
          p1 = p1 * Self.square(u1, v1, x[j], y[j])
          q0 = q0 * Self.square(u0, v0, x[j &+ 1], y[j &+ 1])
          q1 = q1 * Self.square(u1, v1, x[j &+ 1], y[j &+ 1])
          j &+= 2
        }
        if j < last {
          p0 = p0 * Self.square(u0, v0, x[j], y[j])
          p1 = p1 * Self.square(u1, v1, x[j], y[j])
          j &+= 1
        }
        split(p0 * q0, p1 * q1)
      }
    }
    var total = 0.0
    for l in 0..<w { total += Elementary.log(mantissas[l]) + exponents[l] * 0x1.62e42fefa39efp-1 }
    return total
  }

  /// Leaves the mantissas of products, and adds their exponents. Of a zero, and of what has left the range of normal numbers, the sum becomes infinite.
  @inline(__always)
  private func split(_ p0: Vector8, _ p1: Vector8) {
    p0.store(mantissas)
    p1.store(mantissas + 8)
    for l in 0..<Self.width {
      let p = mantissas[l]
      let (m, e) = Elementary.splitExponent(p)
      mantissas[l] = m
      exponents[l] += p < 0x1p-1022 ? -Double.infinity : e
    }
  }

  @inline(__always)
  private static func square(_ u: Vector8, _ v: Vector8, _ x: Double, _ y: Double) -> Vector8 {
    let (p, q) = (u - x, v - y)
    var sum = p * p
    sum.add(q, q)
    return sum
  }

  /// 1 where a lane is not before the source.
  @inline(__always)
  private static func masked(
    _ square: Vector8, _ before: UnsafePointer<Double>, _ after: UnsafePointer<Double>
  ) -> Vector8 {
    var sum = Vector8(after)
    sum.add(Vector8(before), square)
    return sum
  }

  // MARK: Three dimensions

  private func inverseDistances(_ x: UnsafePointer<Double>) -> Double {
    let (y, z) = (x + stride, x + 2 &* stride)
    var (s0, s1) = (Vector8(0), Vector8(0))
    for block in Swift.stride(from: 0, to: number, by: Self.width) {
      let (a, b) = (Octet(x, stride, block), Octet(x, stride, block + 8))
      let end = min(block + Self.width, number)
      for j in block + 1..<max(end, block + 1) {
        let row = before + (j &- block) &* Self.width
        s0.add(Vector8(row), a.from(x[j], y[j], z[j]).square.inverseRoot)
        s1.add(Vector8(row + 8), b.from(x[j], y[j], z[j]).square.inverseRoot)
      }
      for j in end..<number {
        s0 = s0 + a.from(x[j], y[j], z[j]).square.inverseRoot
        s1 = s1 + b.from(x[j], y[j], z[j]).square.inverseRoot
      }
    }
    return (s0 + s1).total
  }

  private func spatialGradient(_ x: UnsafePointer<Double>, _ g: UnsafeMutablePointer<Double>) {
    let (y, z) = (x + stride, x + 2 &* stride)
    for block in Swift.stride(from: 0, to: number, by: Self.width) {
      let (a, b) = (Octet(x, stride, block), Octet(x, stride, block + 8))
      var (f, h) = (Octet.zero, Octet.zero)
      for j in 0..<number {
        let (p, q) = (a.from(x[j], y[j], z[j]), b.from(x[j], y[j], z[j]))
        let (r, s) = (p.square.inverseRoot, q.square.inverseRoot)
        f.add(r * r * r, p)
        h.add(s * s * s, q)
      }
      f.storeNegative(g + block, stride)
      h.storeNegative(g + block + 8, stride)
    }
  }

  /// Eight points of space.
  private struct Octet {
    var x, y, z: Vector8

    @inline(__always)
    init(_ x: Vector8, _ y: Vector8, _ z: Vector8) { (self.x, self.y, self.z) = (x, y, z) }

    @inline(__always)
    init(_ p: UnsafePointer<Double>, _ stride: Int, _ place: Int) {
      self.init(Vector8(p + place), Vector8(p + stride + place), Vector8(p + 2 &* stride + place))
    }

    @inline(__always)
    static var zero: Octet { Octet(Vector8(0), Vector8(0), Vector8(0)) }

    @inline(__always)
    func from(_ a: Double, _ b: Double, _ c: Double) -> Octet { Octet(x - a, y - b, z - c) }

    @inline(__always)
    var square: Vector8 {
      var sum = Vector8(GasPairs.least)
      sum.add(x, x)
      sum.add(y, y)
      sum.add(z, z)
      return sum
    }

    @inline(__always)
    mutating func add(_ factor: Vector8, _ other: Octet) {
      x.add(factor, other.x)
      y.add(factor, other.y)
      z.add(factor, other.z)
    }

    @inline(__always)
    func storeNegative(_ p: UnsafeMutablePointer<Double>, _ stride: Int) {
      (Vector8(-1) * x).store(p)
      (Vector8(-1) * y).store(p + stride)
      (Vector8(-1) * z).store(p + 2 &* stride)
    }
  }
}
