/// Neighbouring lanes that stay in registers.
protocol Lanes {
  init(_ p: UnsafePointer<Double>)
  /// All lanes x.
  init(_ x: Double)
  func store(_ p: UnsafeMutablePointer<Double>)
  /// Adds s x, fused.
  mutating func add(_ s: Double, _ x: Self)
  /// Adds x y lane by lane, fused.
  mutating func add(_ x: Self, _ y: Self)
  /// The sum of the lanes, by halves.
  var total: Double { get }
  static var count: Int { get }
}

/// Eight neighbouring lanes as eight scalars: the compiler keeps one in a vector register (two of AVX2) through a whole loop. A loop
/// over an array goes through memory in every round, and `SIMD8<Double>.addingProduct` is taken apart into scalars (Swift 6.3).
struct Octet: Lanes {
  static var count: Int { 8 }
  var a, b, c, d, e, f, g, h: Double

  @inline(__always)
  init(_ p: UnsafePointer<Double>) {
    (a, b, c, d, e, f, g, h) = (p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7])
  }

  @inline(__always)
  init(_ x: Double) {
    (a, b, c, d, e, f, g, h) = (x, x, x, x, x, x, x, x)
  }

  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Double>) {
    (p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]) = (a, b, c, d, e, f, g, h)
  }

  @inline(__always)
  mutating func add(_ s: Double, _ x: Octet) {
    a = a.addingProduct(s, x.a)
    b = b.addingProduct(s, x.b)
    c = c.addingProduct(s, x.c)
    d = d.addingProduct(s, x.d)
    e = e.addingProduct(s, x.e)
    f = f.addingProduct(s, x.f)
    g = g.addingProduct(s, x.g)
    h = h.addingProduct(s, x.h)
  }

  @inline(__always)
  mutating func add(_ x: Octet, _ y: Octet) {
    a = a.addingProduct(x.a, y.a)
    b = b.addingProduct(x.b, y.b)
    c = c.addingProduct(x.c, y.c)
    d = d.addingProduct(x.d, y.d)
    e = e.addingProduct(x.e, y.e)
    f = f.addingProduct(x.f, y.f)
    g = g.addingProduct(x.g, y.g)
    h = h.addingProduct(x.h, y.h)
  }

  // Inlined, its scalar sums would have the compiler keep the lanes of the loop before it apart.
  @inline(never) var total: Double { ((a + e) + (c + g)) + ((b + f) + (d + h)) }
}

/// Four octets in a row.
struct FourOctets: Lanes {
  static var count: Int { 32 }
  private var a, b, c, d: Octet

  @inline(__always)
  init(_ p: UnsafePointer<Double>) {
    (a, b, c, d) = (Octet(p), Octet(p + 8), Octet(p + 16), Octet(p + 24))
  }

  @inline(__always)
  init(_ x: Double) {
    (a, b, c, d) = (Octet(x), Octet(x), Octet(x), Octet(x))
  }

  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Double>) {
    a.store(p)
    b.store(p + 8)
    c.store(p + 16)
    d.store(p + 24)
  }

  @inline(__always)
  mutating func add(_ s: Double, _ x: FourOctets) {
    a.add(s, x.a)
    b.add(s, x.b)
    c.add(s, x.c)
    d.add(s, x.d)
  }

  @inline(__always)
  mutating func add(_ x: FourOctets, _ y: FourOctets) {
    a.add(x.a, y.a)
    b.add(x.b, y.b)
    c.add(x.c, y.c)
    d.add(x.d, y.d)
  }

  var total: Double {
    var (x, y) = (a, c)
    x.add(1, b)
    y.add(1, d)
    x.add(1, y)
    return x.total
  }
}
