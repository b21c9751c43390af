import Kernels

/// Cosines of particles in vector lanes: a tile of 256 particles, 32 at a time, and no call of a cosine for any mode.
///
/// $\cos k\theta$ and $\sin k\theta$ follow from $\cos\theta$, $\sin\theta$ by the recurrence of Chebyshev, the gradient in one dimension by that of Clenshaw. What is summed over particles is
/// $\operatorname{round}(2^{40} \prod \cos)$: whole numbers, so no order and no number of ranks decides a bit. A lane without a particle stands at x = 0, where every cosine is exactly 1.
struct CosineLanes {
  /// Particles of a tile, and of a block.
  static let width = 256
  static let block = 32
  /// 1.5 x 2^52: what is added to it leaves its nearest whole number in the low bits.
  private static let magic = 0x1.8p52
  /// The scale of the sums.
  static let unit = 0x1p40

  let modes: CosineModes
  /// Eight running sums of words for each mode.
  private let sums: UnsafeMutablePointer<SIMD8<UInt64>>
  /// Cosines and sines times wave number of a block: for each of three axes (K + 1) rows of 32.
  private let cosines, sines: UnsafeMutablePointer<Double>
  /// Numbers of an axis.
  private let axis: Int

  init(_ modes: CosineModes) {
    self.modes = modes
    sums = .allocate(capacity: modes.count)
    sums.initialize(repeating: .zero, count: modes.count)
    axis = (modes.highest + 1) * Self.block
    cosines = .allocateZeros(3 * axis)
    sines = .allocateZeros(3 * axis)
    // cos 0 = 1, in the axes that are not there as well.
    for j in 0..<3 { for i in 0..<Self.block { cosines[j * axis + i] = 1 } }
  }

  func deallocate() {
    sums.deallocate()
    cosines.deallocate()
    sines.deallocate()
  }

  // MARK: Sums

  func clear() { sums.update(repeating: .zero, count: modes.count) }

  /// The sums over a number of lanes since `clear`, those without a particle included.
  /// - Parameter empty: lanes without a particle.
  func write(lanes: Int, empty: Int, to out: UnsafeMutablePointer<Int64>) {
    let offset = Self.magic.bitPattern &* UInt64(lanes)
    let ones = Int64(Self.unit) * Int64(empty)
    for k in 0..<modes.count {
      let s = sums[k]
      let total = ((s[0] &+ s[4]) &+ (s[2] &+ s[6])) &+ ((s[1] &+ s[5]) &+ (s[3] &+ s[7]))
      out[k] = Int64(bitPattern: total &- offset) &- ones
    }
  }

  /// Adds a tile.
  /// - Parameter cosine: $\cos\theta$ by dimension, then lane.
  func add(_ cosine: UnsafePointer<Double>) {
    if modes.dimension == 1 { return addLine(cosine) }
    for start in stride(from: 0, to: Self.width, by: Self.block) {
      fillCosines(cosine + start)
      addBlock()
    }
  }

  @inline(never)
  private func addLine(_ cosine: UnsafePointer<Double>) {
    let (magic, unit) = (Octet(repeating: Self.magic), Octet(repeating: Self.unit))
    for start in stride(from: 0, to: Self.width, by: Self.block) {
      var now = Octets(cosine + start)
      let twice = now + now
      var before = Octets(1)
      sums[0] &+= before.words(magic, unit)
      for k in 1...modes.highest {
        sums[k] &+= now.words(magic, unit)
        (before, now) = (now, twice.times(now, minus: before))
      }
    }
  }

  @inline(never)
  private func addBlock() {
    let (magic, unit) = (Octet(repeating: Self.magic), Octet(repeating: Self.unit))
    let (n1, n2) = (modes.shape[1], modes.shape[2])
    for i in 0..<modes.shape[0] {
      let outer = Octets(cosines + i &* Self.block)
      for j in 0..<n1 {
        let both = outer * Octets(cosines + axis + j &* Self.block)
        let place = sums + (i &* n1 &+ j) &* n2
        for k in 0..<n2 {
          place[k] &+= (both * Octets(cosines + 2 &* axis + k &* Self.block)).words(magic, unit)
        }
      }
    }
  }

  // MARK: Rows of a block

  private func fillCosines(_ cosine: UnsafePointer<Double>) {
    for j in 0..<modes.dimension {
      let (x, rows) = (cosine + j &* Self.width, cosines + (3 &- modes.dimension &+ j) &* axis)
      for i in 0..<Self.block { rows[Self.block &+ i] = x[i] }
      for k in 2..<max(modes.highest + 1, 2) {
        let row = rows + k &* Self.block
        for i in 0..<Self.block {
          row[i] = (-row[i &- 2 &* Self.block]).addingProduct(2 * x[i], row[i &- Self.block])
        }
      }
    }
  }

  /// $k \sin k\theta$.
  private func fillSines(_ cosine: UnsafePointer<Double>, _ sine: UnsafePointer<Double>) {
    for j in 0..<modes.dimension {
      let (x, y) = (cosine + j &* Self.width, sine + j &* Self.width)
      let rows = sines + (3 &- modes.dimension &+ j) &* axis
      for i in 0..<Self.block { rows[Self.block &+ i] = y[i] }
      for k in 2..<max(modes.highest + 1, 2) {
        let row = rows + k &* Self.block
        for i in 0..<Self.block {
          row[i] = (-row[i &- 2 &* Self.block]).addingProduct(2 * x[i], row[i &- Self.block])
        }
      }
      for k in 2..<max(modes.highest + 1, 2) {
        let (row, factor) = (rows + k &* Self.block, Double(k))
        for i in 0..<Self.block { row[i] *= factor }
      }
    }
  }

  // MARK: Gradients

  /// Minus the gradient in $\theta$ of a field at the lanes of a tile, $\sum_k f_k k_j \sin(k_j \theta_j) \prod \cos$, by dimension.
  /// - Parameter general: by rows of cosines also in one dimension; for tests.
  func gradient(
    of field: UnsafePointer<Double>, _ cosine: UnsafePointer<Double>, _ sine: UnsafePointer<Double>,
    to out: UnsafeMutablePointer<Double>, general: Bool = false
  ) {
    if modes.dimension == 1 && !general { return gradientOnLine(field, cosine, sine, out) }
    for start in stride(from: 0, to: Self.width, by: Self.block) {
      fillCosines(cosine + start)
      fillSines(cosine + start, sine + start)
      gradientOfBlock(field, out + start)
    }
  }

  /// $\sin\theta \sum_k k f_k U_{k-1}(\cos\theta)$, from the last term on: $b_k = k f_k + 2 x b_{k+1} - b_{k+2}$.
  @inline(never)
  private func gradientOnLine(
    _ field: UnsafePointer<Double>, _ cosine: UnsafePointer<Double>, _ sine: UnsafePointer<Double>,
    _ out: UnsafeMutablePointer<Double>
  ) {
    for start in stride(from: 0, to: Self.width, by: Self.block) {
      let x = Octets(cosine + start)
      let twice = x + x
      var (now, before) = (Octets(0), Octets(0))
      var k = modes.highest
      while k > 0 {
        (before, now) = (now, (Octets(Double(k) * field[k]) - before).plus(twice, now))
        k &-= 1
      }
      (now * Octets(sine + start)).store(out + start)
    }
  }

  /// Axis by axis from the last one: what does not depend on an axis is multiplied by its row once.
  @inline(never)
  private func gradientOfBlock(_ field: UnsafePointer<Double>, _ out: UnsafeMutablePointer<Double>) {
    let (n1, n2) = (modes.shape[1], modes.shape[2])
    var (g0, g1, g2) = (Octets(0), Octets(0), Octets(0))
    for i in 0..<modes.shape[0] {
      var (plain, second, third) = (Octets(0), Octets(0), Octets(0))
      for j in 0..<n1 {
        let own = field + (i &* n1 &+ j) &* n2
        var (sum, slope) = (Octets(0), Octets(0))
        for k in 0..<n2 {
          let (f, row) = (Octets(own[k]), 2 &* axis &+ k &* Self.block)
          sum = sum.plus(f, Octets(cosines + row))
          slope = slope.plus(f, Octets(sines + row))
        }
        let row = axis &+ j &* Self.block
        let c = Octets(cosines + row)
        plain = plain.plus(c, sum)
        second = second.plus(Octets(sines + row), sum)
        third = third.plus(c, slope)
      }
      let row = i &* Self.block
      let c = Octets(cosines + row)
      g0 = g0.plus(Octets(sines + row), plain)
      g1 = g1.plus(c, second)
      g2 = g2.plus(c, third)
    }
    let last = modes.dimension - 1
    g2.store(out + last * Self.width)
    if last > 0 { g1.store(out + (last - 1) * Self.width) }
    if last > 1 { g0.store(out) }
  }
}
