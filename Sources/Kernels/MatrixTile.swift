/// A vector of `MatrixProduct`: 64 bytes on every CPU (two registers of AVX2).
protocol MatrixVector: Lanes {
  /// Lane by lane.
  static func * (_ x: Self, _ y: Self) -> Self
}

extension Vector8: MatrixVector {}
extension FloatVector16: MatrixVector {}

/// Two runs of neighbouring lanes, one after the other.
struct Beside<Left: Lanes, Right: Lanes>: Lanes where Left.Scalar == Right.Scalar {
  typealias Scalar = Left.Scalar
  static var count: Int { Left.count &+ Right.count }
  private var left: Left
  private var right: Right

  @inline(__always)
  init(_ p: UnsafePointer<Scalar>) { (left, right) = (Left(p), Right(p + Left.count)) }

  @inline(__always)
  init(_ x: Scalar) { (left, right) = (Left(x), Right(x)) }

  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Scalar>) {
    left.store(p)
    right.store(p + Left.count)
  }

  @inline(__always)
  mutating func add(_ s: Scalar, _ x: Self) {
    left.add(s, x.left)
    right.add(s, x.right)
  }
}

typealias Beside2<V: Lanes> = Beside<V, V>
typealias Beside3<V: Lanes> = Beside<Beside2<V>, V>
typealias Beside4<V: Lanes> = Beside<Beside2<V>, Beside2<V>>

/// Rows of C, one below the other, that stay in registers through a whole sum. Composed types, because Swift keeps no array there.
protocol MatrixTile {
  associatedtype Row: Lanes
  static var height: Int { get }
  init(_ c: UnsafePointer<Row.Scalar>, _ stride: Int)
  /// All elements x.
  init(_ x: Row.Scalar)
  func store(_ c: UnsafeMutablePointer<Row.Scalar>, _ stride: Int)
  /// Adds a column of A, `stride` between its elements, times a row of B.
  mutating func add(_ a: UnsafePointer<Row.Scalar>, _ stride: Int, _ x: Row)
}

/// One row.
struct OneRow<Row: Lanes>: MatrixTile {
  static var height: Int { 1 }
  private var row: Row

  @inline(__always)
  init(_ c: UnsafePointer<Row.Scalar>, _ stride: Int) { row = Row(c) }

  @inline(__always)
  init(_ x: Row.Scalar) { row = Row(x) }

  @inline(__always)
  func store(_ c: UnsafeMutablePointer<Row.Scalar>, _ stride: Int) { row.store(c) }

  @inline(__always)
  mutating func add(_ a: UnsafePointer<Row.Scalar>, _ stride: Int, _ x: Row) { row.add(a[0], x) }
}

/// Two tiles, one below the other.
struct Above<Upper: MatrixTile, Lower: MatrixTile>: MatrixTile where Upper.Row == Lower.Row {
  typealias Row = Upper.Row
  static var height: Int { Upper.height &+ Lower.height }
  private var upper: Upper
  private var lower: Lower

  @inline(__always)
  init(_ c: UnsafePointer<Row.Scalar>, _ stride: Int) {
    (upper, lower) = (Upper(c, stride), Lower(c + Upper.height &* stride, stride))
  }

  @inline(__always)
  init(_ x: Row.Scalar) { (upper, lower) = (Upper(x), Lower(x)) }

  @inline(__always)
  func store(_ c: UnsafeMutablePointer<Row.Scalar>, _ stride: Int) {
    upper.store(c, stride)
    lower.store(c + Upper.height &* stride, stride)
  }

  @inline(__always)
  mutating func add(_ a: UnsafePointer<Row.Scalar>, _ stride: Int, _ x: Row) {
    upper.add(a, stride, x)
    lower.add(a + Upper.height &* stride, stride, x)
  }
}

typealias Rows2<R: Lanes> = Above<OneRow<R>, OneRow<R>>
typealias Rows3<R: Lanes> = Above<Rows2<R>, OneRow<R>>
typealias Rows4<R: Lanes> = Above<Rows2<R>, Rows2<R>>
typealias Rows5<R: Lanes> = Above<Rows4<R>, OneRow<R>>
typealias Rows6<R: Lanes> = Above<Rows4<R>, Rows2<R>>
