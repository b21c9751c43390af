import CTarget

/// Eight neighbouring lanes.
typealias Octet = SIMD8<Double>

extension SIMD8<Double> {
  @inline(__always)
  static func load(_ p: UnsafePointer<Double>) -> Self { UnsafeRawPointer(p).loadUnaligned(as: Self.self) }

  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Double>) { UnsafeMutableRawPointer(p).storeBytes(of: self, as: Self.self) }

  /// By the sign alone, which a fused step takes for nothing.
  @inline(__always)
  var negative: Self {
    unsafeBitCast(unsafeBitCast(self, to: SIMD8<UInt64>.self) ^ SIMD8<UInt64>(repeating: 1 << 63), to: Self.self)
  }
}

/// The 32 lanes of a block, as four octets: one alone would wait for its own results.
struct Octets {
  private var a, b, c, d: Octet

  @inline(__always)
  private init(_ a: Octet, _ b: Octet, _ c: Octet, _ d: Octet) { (self.a, self.b, self.c, self.d) = (a, b, c, d) }

  @inline(__always)
  init(_ p: UnsafePointer<Double>) { self.init(.load(p), .load(p + 8), .load(p + 16), .load(p + 24)) }

  /// All lanes x.
  @inline(__always)
  init(_ x: Double) {
    let all = Octet(repeating: x)
    self.init(all, all, all, all)
  }

  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Double>) {
    a.store(p)
    b.store(p + 8)
    c.store(p + 16)
    d.store(p + 24)
  }

  @inline(__always)
  static func + (_ x: Octets, _ y: Octets) -> Octets { Octets(x.a + y.a, x.b + y.b, x.c + y.c, x.d + y.d) }

  @inline(__always)
  static func - (_ x: Octets, _ y: Octets) -> Octets { Octets(x.a - y.a, x.b - y.b, x.c - y.c, x.d - y.d) }

  @inline(__always)
  static func * (_ x: Octets, _ y: Octets) -> Octets {
    Octets(
      ctarget_product(x.a, y.a), ctarget_product(x.b, y.b), ctarget_product(x.c, y.c), ctarget_product(x.d, y.d))
  }

  /// This + x y, fused.
  @inline(__always)
  func plus(_ x: Octets, _ y: Octets) -> Octets {
    Octets(
      ctarget_add_product(a, x.a, y.a), ctarget_add_product(b, x.b, y.b), ctarget_add_product(c, x.c, y.c),
      ctarget_add_product(d, x.d, y.d))
  }

  /// This x - y, fused.
  @inline(__always)
  func times(_ x: Octets, minus y: Octets) -> Octets {
    Octets(y.a.negative, y.b.negative, y.c.negative, y.d.negative).plus(self, x)
  }

  /// The bits of the numbers near 1.5 x 2^52 that the products with a unit are added to, added up: those of the number four times, and the nearest whole numbers to the products.
  @inline(__always)
  func words(_ magic: Octet, _ unit: Octet) -> SIMD8<UInt64> {
    (Self.bits(magic, a, unit) &+ Self.bits(magic, b, unit)) &+ (Self.bits(magic, c, unit) &+ Self.bits(magic, d, unit))
  }

  @inline(__always)
  private static func bits(_ magic: Octet, _ x: Octet, _ unit: Octet) -> SIMD8<UInt64> {
    unsafeBitCast(ctarget_add_product(magic, x, unit), to: SIMD8<UInt64>.self)
  }
}
