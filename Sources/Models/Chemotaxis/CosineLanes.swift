import CTarget
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

  /// The sums over so many lanes since `clear`, those without a particle included.
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
      let x = cosine + start
      var (a, b, c, d) = (Octet.load(x), Octet.load(x + 8), Octet.load(x + 16), Octet.load(x + 24))
      let (ta, tb, tc, td) = (a + a, b + b, c + c, d + d)
      var (a0, b0, c0, d0) = (Octet.one, Octet.one, Octet.one, Octet.one)
      // Four times the number 1 in every lane.
      let ones = words(a0, magic, unit) &+ words(b0, magic, unit)
      sums[0] &+= ones &+ ones
      for k in 1...modes.highest {
        let first = words(a, magic, unit) &+ words(b, magic, unit)
        let second = words(c, magic, unit) &+ words(d, magic, unit)
        sums[k] &+= first &+ second
        (a0, a) = (a, ctarget_add_product(a0.negative, ta, a))
        (b0, b) = (b, ctarget_add_product(b0.negative, tb, b))
        (c0, c) = (c, ctarget_add_product(c0.negative, tc, c))
        (d0, d) = (d, ctarget_add_product(d0.negative, td, d))
      }
    }
  }

  /// The bits of a number near 1.5 x 2^52: those of that number, and the nearest whole number to 2^40 x added.
  @inline(__always)
  private func words(_ x: Octet, _ magic: Octet, _ unit: Octet) -> SIMD8<UInt64> {
    unsafeBitCast(ctarget_add_product(magic, x, unit), to: SIMD8<UInt64>.self)
  }

  @inline(never)
  private func addBlock() {
    let (magic, unit) = (Octet(repeating: Self.magic), Octet(repeating: Self.unit))
    let (n1, n2) = (modes.shape[1], modes.shape[2])
    for i in 0..<modes.shape[0] {
      for j in 0..<n1 {
        let (p, q) = (cosines + i &* Self.block, cosines + axis + j &* Self.block)
        let (a, b) = (product(p, q, 0), product(p, q, 8))
        let (c, d) = (product(p, q, 16), product(p, q, 24))
        let place = sums + (i &* n1 &+ j) &* n2
        for k in 0..<n2 {
          let r = cosines + 2 &* axis + k &* Self.block
          let first = words(ctarget_product(a, .load(r)), magic, unit)
            &+ words(ctarget_product(b, .load(r + 8)), magic, unit)
          let second = words(ctarget_product(c, .load(r + 16)), magic, unit)
            &+ words(ctarget_product(d, .load(r + 24)), magic, unit)
          place[k] &+= first &+ second
        }
      }
    }
  }

  @inline(__always)
  private func product(_ p: UnsafePointer<Double>, _ q: UnsafePointer<Double>, _ lane: Int) -> Octet {
    ctarget_product(.load(p + lane), .load(q + lane))
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
      for lane in stride(from: 0, to: Self.block, by: 8) { gradientOfOctet(field, lane, out + start + lane) }
    }
  }

  /// $\sin\theta \sum_k k f_k U_{k-1}(\cos\theta)$, from the last term on: $b_k = k f_k + 2 x b_{k+1} - b_{k+2}$.
  @inline(never)
  private func gradientOnLine(
    _ field: UnsafePointer<Double>, _ cosine: UnsafePointer<Double>, _ sine: UnsafePointer<Double>,
    _ out: UnsafeMutablePointer<Double>
  ) {
    for start in stride(from: 0, to: Self.width, by: Self.block) {
      let (x, y, g) = (cosine + start, sine + start, out + start)
      let (xa, xb, xc, xd) = (Octet.load(x), Octet.load(x + 8), Octet.load(x + 16), Octet.load(x + 24))
      let (ta, tb, tc, td) = (xa + xa, xb + xb, xc + xc, xd + xd)
      var (a, b, c, d) = (Octet.zero, Octet.zero, Octet.zero, Octet.zero)
      var (a2, b2, c2, d2) = (a, b, c, d)
      var k = modes.highest
      while k > 0 {
        let f = Octet(repeating: Double(k) * field[k])
        (a2, a) = (a, ctarget_add_product(f - a2, ta, a))
        (b2, b) = (b, ctarget_add_product(f - b2, tb, b))
        (c2, c) = (c, ctarget_add_product(f - c2, tc, c))
        (d2, d) = (d, ctarget_add_product(f - d2, td, d))
        k &-= 1
      }
      ctarget_product(a, .load(y)).store(g)
      ctarget_product(b, .load(y + 8)).store(g + 8)
      ctarget_product(c, .load(y + 16)).store(g + 16)
      ctarget_product(d, .load(y + 24)).store(g + 24)
    }
  }

  @inline(never)
  private func gradientOfOctet(_ field: UnsafePointer<Double>, _ lane: Int, _ out: UnsafeMutablePointer<Double>) {
    let (n1, n2) = (modes.shape[1], modes.shape[2])
    @inline(__always)
    func row(_ rows: UnsafeMutablePointer<Double>, _ j: Int, _ k: Int) -> Octet {
      let place: Int = j &* axis &+ k &* Self.block &+ lane
      return Octet.load(rows + place)
    }
    var (g0, g1, g2) = (Octet.zero, Octet.zero, Octet.zero)
    for i in 0..<modes.shape[0] {
      var (plain, second, third) = (Octet.zero, Octet.zero, Octet.zero)
      for j in 0..<n1 {
        let own = field + (i &* n1 &+ j) &* n2
        var (sum, slope) = (Octet.zero, Octet.zero)
        for k in 0..<n2 {
          let f = Octet(repeating: own[k])
          sum = ctarget_add_product(sum, f, row(cosines, 2, k))
          slope = ctarget_add_product(slope, f, row(sines, 2, k))
        }
        let c = row(cosines, 1, j)
        plain = ctarget_add_product(plain, c, sum)
        second = ctarget_add_product(second, row(sines, 1, j), sum)
        third = ctarget_add_product(third, c, slope)
      }
      let c = row(cosines, 0, i)
      g0 = ctarget_add_product(g0, row(sines, 0, i), plain)
      g1 = ctarget_add_product(g1, c, second)
      g2 = ctarget_add_product(g2, c, third)
    }
    let all = (g0, g1, g2)
    switch modes.dimension {
    case 1: all.2.store(out)
    case 2:
      all.1.store(out)
      all.2.store(out + Self.width)
    default:
      all.0.store(out)
      all.1.store(out + Self.width)
      all.2.store(out + 2 * Self.width)
    }
  }
}

/// Eight neighbouring lanes.
typealias Octet = SIMD8<Double>

extension SIMD8<Double> {
  @inline(__always)
  static func load(_ p: UnsafePointer<Double>) -> Self { UnsafeRawPointer(p).loadUnaligned(as: Self.self) }

  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Double>) { UnsafeMutableRawPointer(p).storeBytes(of: self, as: Self.self) }

  static var one: Self { Self(repeating: 1) }

  /// By the sign alone, which a fused step takes for nothing.
  @inline(__always)
  var negative: Self {
    unsafeBitCast(
      unsafeBitCast(self, to: SIMD8<UInt64>.self) ^ SIMD8<UInt64>(repeating: 1 << 63), to: Self.self)
  }
}
