import CTarget

/// Neighbouring lanes that stay in registers.
protocol Lanes {
  associatedtype Scalar: BinaryFloatingPoint
  static var count: Int { get }
  init(_ p: UnsafePointer<Scalar>)
  /// All lanes x.
  init(_ x: Scalar)
  func store(_ p: UnsafeMutablePointer<Scalar>)
  /// Adds s x, fused.
  mutating func add(_ s: Scalar, _ x: Self)
}

/// Eight neighbouring lanes: the compiler keeps them in a vector register (two of AVX2) through a whole loop. A loop over an array goes
/// through memory in every round.
struct Vector8: Lanes {
  static var count: Int { 8 }
  private var lanes: SIMD8<Double>

  @inline(__always)
  private init(lanes: SIMD8<Double>) { self.lanes = lanes }

  @inline(__always)
  init(_ p: UnsafePointer<Double>) { lanes = UnsafeRawPointer(p).loadUnaligned(as: SIMD8<Double>.self) }

  /// From single precision.
  @inline(__always)
  init(_ p: UnsafePointer<Float>) {
    lanes = ctarget_double_octet(UnsafeRawPointer(p).loadUnaligned(as: SIMD8<Float>.self))
  }

  @inline(__always)
  init(_ x: Double) { lanes = SIMD8(repeating: x) }

  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Double>) {
    UnsafeMutableRawPointer(p).storeBytes(of: lanes, as: SIMD8<Double>.self)
  }

  @inline(__always)
  mutating func add(_ s: Double, _ x: Vector8) { add(Vector8(s), x) }

  /// Adds x y lane by lane, fused.
  @inline(__always)
  mutating func add(_ x: Vector8, _ y: Vector8) { lanes = ctarget_add_product(lanes, x.lanes, y.lanes) }

  @inline(__always)
  static func * (_ x: Vector8, _ y: Vector8) -> Vector8 { Vector8(lanes: ctarget_product(x.lanes, y.lanes)) }

  @inline(__always)
  static func + (_ x: Vector8, _ y: Vector8) -> Vector8 { Vector8(lanes: x.lanes + y.lanes) }

  @inline(__always)
  static func - (_ x: Vector8, _ y: Vector8) -> Vector8 { Vector8(lanes: x.lanes - y.lanes) }

  @inline(__always)
  static func / (_ x: Vector8, _ y: Vector8) -> Vector8 { Vector8(lanes: x.lanes / y.lanes) }

  @inline(__always)
  var squareRoot: Vector8 { Vector8(lanes: ctarget_square_root(lanes)) }

  /// These lanes after lane j, x in it, and those of `before` before it.
  @inline(__always)
  func from(_ j: Int, _ x: Double, before: Vector8) -> Vector8 {
    let (index, j) = (SIMD8<Int64>(0, 1, 2, 3, 4, 5, 6, 7), SIMD8(repeating: Int64(j)))
    return Vector8(
      lanes: lanes.replacing(with: x, where: index .== j).replacing(with: before.lanes, where: index .< j))
  }

  @inline(__always)
  static func - (_ x: Vector8, _ s: Double) -> Vector8 { Vector8(lanes: x.lanes - SIMD8(repeating: s)) }

  @inline(__always)
  var inverse: Vector8 { Vector8(lanes: SIMD8(repeating: 1) / lanes) }

  /// 1/sqrt(x) of positive numbers, to a rounding or two: twice a step of third order from a guess, then one of Newton's. No division, no instruction for roots: a third of the time.
  @inline(__always)
  var inverseRoot: Vector8 {
    let minus = Vector8(-1) * self
    var y = Vector8(lanes: ctarget_inverse_root_guess(lanes))
    // With e = 1 - x y^2, 1/sqrt(x) = y (1 - e)^(-1/2) = y + y e (1/2 + 3 e/8 + ...).
    for _ in 0..<2 {
      var (e, slope) = (Vector8(1), Vector8(0.5))
      e.add(minus * y, y)
      slope.add(Vector8(0.375), e)
      y.add(y * e, slope)
    }
    var e = Vector8(1)
    e.add(minus * y, y)
    y.add(y * e, Vector8(0.5))
    return y
  }

  /// The sum of the lanes, by halves.
  @inline(__always)
  var total: Double {
    let four = lanes.lowHalf + lanes.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }
}

/// Sixteen neighbouring lanes of single precision, as many bytes as `Vector8`.
struct FloatVector16: Lanes {
  static var count: Int { 16 }
  private var lanes: SIMD16<Float>

  @inline(__always)
  private init(lanes: SIMD16<Float>) { self.lanes = lanes }

  @inline(__always)
  init(_ p: UnsafePointer<Float>) { lanes = UnsafeRawPointer(p).loadUnaligned(as: SIMD16<Float>.self) }

  @inline(__always)
  init(_ x: Float) { lanes = SIMD16(repeating: x) }

  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(p).storeBytes(of: lanes, as: SIMD16<Float>.self)
  }

  @inline(__always)
  mutating func add(_ s: Float, _ x: FloatVector16) {
    lanes = ctarget_add_float_product(lanes, SIMD16(repeating: s), x.lanes)
  }

  @inline(__always)
  static func * (_ x: FloatVector16, _ y: FloatVector16) -> FloatVector16 {
    FloatVector16(lanes: ctarget_float_product(x.lanes, y.lanes))
  }
}

/// Four octets in a row.
struct Vector32: Lanes {
  static var count: Int { 32 }
  var a, b, c, d: Vector8

  @inline(__always)
  init(_ p: UnsafePointer<Double>) {
    (a, b, c, d) = (Vector8(p), Vector8(p + 8), Vector8(p + 16), Vector8(p + 24))
  }

  /// From single precision.
  @inline(__always)
  init(_ p: UnsafePointer<Float>) {
    (a, b, c, d) = (Vector8(p), Vector8(p + 8), Vector8(p + 16), Vector8(p + 24))
  }

  @inline(__always)
  init(_ x: Double) {
    (a, b, c, d) = (Vector8(x), Vector8(x), Vector8(x), Vector8(x))
  }

  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Double>) {
    a.store(p)
    b.store(p + 8)
    c.store(p + 16)
    d.store(p + 24)
  }

  @inline(__always)
  mutating func add(_ s: Double, _ x: Vector32) {
    a.add(s, x.a)
    b.add(s, x.b)
    c.add(s, x.c)
    d.add(s, x.d)
  }

  @inline(__always)
  mutating func add(_ x: Vector32, _ y: Vector32) {
    a.add(x.a, y.a)
    b.add(x.b, y.b)
    c.add(x.c, y.c)
    d.add(x.d, y.d)
  }

  @inline(__always)
  var total: Double {
    var (x, y) = (a, c)
    x.add(1, b)
    y.add(1, d)
    x.add(1, y)
    return x.total
  }
}
