extension Elementary {
  /// Largest `|x|` that `sinCos` takes: above it the three-part reduction by pi/2 loses its 2 ULP.
  public static let largestAngle = 0x1p20

  /// `(sin x, cos x)` for `|x| <= largestAngle`; NaN beyond, for infinities and for NaN.
  @inlinable @inline(__always)
  public static func sinCos(_ x: Double) -> (sin: Double, cos: Double) {
    let magic = roundingMagic.addingProduct(x, 0x1.45f306dc9c883p-1)
    let k = magic - roundingMagic
    // pi/2 in four parts, the first two of 33 bits: k times each is exact. The last rounding error is kept in `low`.
    let a = x.addingProduct(k, -0x1.921fb54400000p+0)
    let b = a.addingProduct(k, -0x1.0b4611a600000p-34)
    let w = k * 0x1.3198a2e037073p-69
    let high = b - w
    let low = (b - high) - w
    let (s, c) = sinCosReduced(high, low)
    let quadrant = magic.bitPattern
    let swap = quadrant & 1 == 1
    let sinSign = (quadrant & 2) << 62
    let cosSign = ((quadrant &+ 1) & 2) << 62
    let sinValue = Double(bitPattern: (swap ? c : s).bitPattern ^ sinSign)
    let cosValue = Double(bitPattern: (swap ? s : c).bitPattern ^ cosSign)
    let inside = x.magnitude <= 0x1p20
    // A zero keeps its sign, which the reduction would lose.
    return (inside ? (x == 0 ? x : sinValue) : .nan, inside ? cosValue : .nan)
  }

  /// `(sin, cos)` of `2 pi t` for every finite `t`: the reduction to a quarter turn is exact.
  @inlinable @inline(__always)
  public static func sinCosTurns(_ t: Double) -> (sin: Double, cos: Double) {
    // Above 2^50 a Double is a whole number of quarter turns, and from 2^53 on an even number of turns.
    let inside = t.magnitude < 0x1p50
    let safe = inside ? t : 0
    let magic = roundingMagic + 4 * safe
    let quarter = safe.addingProduct(magic - roundingMagic, -0.25)
    let x = quarter * 0x1.921fb54442d18p+2
    let low = (-x).addingProduct(quarter, 0x1.921fb54442d18p+2)
      .addingProduct(quarter, 0x1.1a62633145c07p-52)
    let (s, c) = sinCosReduced(x, low)
    let quadrant = magic.bitPattern
    let swap = quadrant & 1 == 1
    let sinValue = Double(bitPattern: (swap ? c : s).bitPattern ^ ((quadrant & 2) << 62))
    let cosValue = Double(
      bitPattern: (swap ? s : c).bitPattern ^ (((quadrant &+ 1) & 2) << 62))
    return (inside ? sinValue : (t.isFinite ? 0 : .nan), inside ? cosValue : (t.isFinite ? 1 : .nan))
  }

  /// `(sin, cos)` of `x + low` for `|x| <= pi/4`, `low` below an ULP of `x`.
  @inlinable @inline(__always)
  static func sinCosReduced(_ x: Double, _ low: Double) -> (sin: Double, cos: Double) {
    let z = x * x
    let sinTail = horner(
      z, -0x1.5555555555555p-3, 0x1.1111111111110p-7, -0x1.a01a01a019938p-13,
      0x1.71de3a546095bp-19, -0x1.ae645412c560cp-26,
      (0x1.61217f0b800d5p-33).addingProduct(z, -0x1.ab17d404de5b3p-41))
    let s = x + (low.addingProduct(x * z, sinTail)).addingProduct(low * z, -0.5)
    let cosTail = horner(
      z, 0x1.5555555555555p-5, -0x1.6c16c16c16c16p-10, 0x1.a01a01a019d0ap-16,
      -0x1.27e4fb7712d65p-22, 0x1.1eed8deb97a95p-29,
      (-0x1.9394ba0cd6c33p-37).addingProduct(z, 0x1.ab785b009f5f4p-45))
    let half = 0.5 * z
    let leading = 1 - half
    let c = leading + (((1 - leading) - half).addingProduct(z * z, cosTail).addingProduct(x, -low))
    return (s, c)
  }

  /// The angle of the point (x, y), in [0, pi], for `y >= 0`: the correlation angle
  /// `theta = atan2(|B_perp|, B_par)`, which keeps its relative accuracy as theta goes to 0.
  ///
  /// Reduced to `|t| <= tan(pi/8)`, then an odd polynomial of degree 23. At most 4 ULP. Branches by itself, selects in a vector loop.
  @inlinable @inline(__always)
  public static func angle(x: Double, y: Double) -> Double {
    if y == 0 { return x < 0 ? Double.pi : 0 }
    let large = max(x.magnitude, y)
    let small = min(x.magnitude, y)
    let t = small / large
    let reduced = t > 0x1.a827999fcef32p-2
    let u = reduced ? (small - large) / (small + large) : t
    let z = u * u
    let tail = horner(
      z, -0x1.5555555555555p-2, 0x1.999999999934cp-3, -0x1.2492492436201p-3,
      0x1.c71c71853d7fap-4, -0x1.745d0b28a7e34p-4,
      horner(
        z, 0x1.3b1263064f681p-4, -0x1.10fa77b1a6ab7p-4, 0x1.dfe6497e93b94p-5,
        -0x1.a0999c632003ep-5, 0x1.4162c02b00553p-5, -0x1.3a31b1c0bbcd8p-6))
    let arc = u.addingProduct(u * z, tail)
    let first = reduced ? 0x1.921fb54442d18p-1 + arc : arc
    let octant = y > x.magnitude ? 0x1.921fb54442d18p+0 - first : first
    return x < 0 ? Double.pi - octant : octant
  }
}
