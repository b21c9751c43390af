import CTarget

/// Products of matrices in row-major order, `C (+)= A B`.
///
/// Every element of C is one chain of fused multiply-adds in the order of the sum, \(c_{ij} \leftarrow \mathrm{fma}(a_{ik}, b_{kj}, c_{ij})\),
/// k ascending: the vectors lie along the columns of B and C, so that neither the instruction set nor the tiles and blocks below
/// can change a bit.
public enum MatrixProduct {
  /// Elements of a vector, 64 bytes on every CPU: 8 doubles, 16 floats. Multiples of it are the fastest numbers of columns.
  @inlinable
  public static func lanes<T: MatrixScalar>(_: T.Type) -> Int { 64 / MemoryLayout<T>.size }

  /// The next multiple of `lanes`.
  @inlinable
  public static func padded<T: MatrixScalar>(_ count: Int, _: T.Type) -> Int {
    let lanes = lanes(T.self)
    return (count &+ lanes &- 1) / lanes &* lanes
  }

  /// `C[i][j] (+)= sum_k A[i][k] B[k][j]`, or with `s A[i][k]`, each rounded once: a step of gradient descent on weights. Nothing beyond the
  /// columns is read or written.
  /// - Parameters:
  ///   - c: rows x columns, row i at `i * cStride`; apart from A and B.
  ///   - fresh: C begins at zero, whatever is there.
  ///   - scale: s; none unless given.
  ///   - a: rows x inner, element (i, k) at `i * rowStride + k * columnStride`: a transposed matrix is one with other strides.
  ///   - b: inner x columns, row k at `k * bStride`.
  public static func add<T: MatrixScalar>(
    _ c: UnsafeMutablePointer<T>, _ cStride: Int, fresh: Bool = false, scale: T? = nil, rows: Int, columns: Int,
    _ a: UnsafePointer<T>, rowStride: Int, columnStride: Int, inner: Int, _ b: UnsafePointer<T>, _ bStride: Int
  ) {
    T.add(
      MatrixOperands(
        c: c, cStride: cStride, fresh: fresh, rows: rows, columns: columns, a: a, rowStride: rowStride,
        columnStride: columnStride, inner: inner, b: b, bStride: bStride, scale: scale))
  }

  /// Most rows of B worked on at once: of a panel as wide as a tile they are 32 KiB.
  static let depth = 128
  /// Most rows of A and C worked on at once: with `depth` columns of A a part of the second-level cache.
  static let rows = 240
  /// Rows of a tile: with four vectors 24 sums in the 32 registers of AVX-512, with one of two registers 12 in the 16 of AVX2.
  static let tile = 6
  /// Vectors of a tile.
  static let vectors = CTARGET_WIDE == 1 ? 4 : 1
  /// From this number of rows on, a panel of B is copied: its rows then follow each other, whatever their stride was.
  static let rowsForCopy = 24
}

/// The numbers that `MatrixProduct` takes: Double and Float.
public protocol MatrixScalar: BinaryFloatingPoint, SIMDScalar, Codable, Sendable {
  static func add(_ operands: MatrixOperands<Self>)
}

extension Double: MatrixScalar {
  public static func add(_ operands: MatrixOperands<Double>) { operands.add(Vector8.self) }
}

extension Float: MatrixScalar {
  public static func add(_ operands: MatrixOperands<Float>) { operands.add(FloatVector16.self) }
}

/// What `MatrixProduct.add` was given.
public struct MatrixOperands<T: MatrixScalar> {
  let c: UnsafeMutablePointer<T>
  let cStride: Int
  let fresh: Bool
  let rows, columns: Int
  let a: UnsafePointer<T>
  let rowStride, columnStride, inner: Int
  let b: UnsafePointer<T>
  let bStride: Int
  let scale: T?

  /// The part of the size of `limit` at most into which `count` is cut equally.
  private static func part(_ count: Int, _ limit: Int) -> Int {
    let parts = (count &+ limit &- 1) / limit
    return (count &+ parts &- 1) / parts
  }

  func add<V: MatrixVector>(_: V.Type) where V.Scalar == T {
    guard rows > 0, columns > 0 else { return }
    guard inner > 0 else {
      for i in 0..<rows where fresh { (c + i &* cStride).update(repeating: 0, count: columns) }
      return
    }
    let (depth, height) = (Self.part(inner, MatrixProduct.depth), Self.part(rows, MatrixProduct.rows))
    let room = MatrixRoom(self, rows: height, depth: depth)
    withUnsafeTemporaryAllocation(byteCount: room.count &* MemoryLayout<T>.size, alignment: 64) {
      let memory = $0.baseAddress!.bindMemory(to: T.self, capacity: room.count)
      for first in stride(from: 0, to: rows, by: height) {
        for k in stride(from: 0, to: inner, by: depth) {
          MatrixBlock<V>(
            self, rows: first..<min(first &+ height, rows), inner: k..<min(k &+ depth, inner), room, memory
          ).add()
        }
      }
    }
  }
}

/// Temporary room of a product, as far as it needs it: a panel of B, one of C, and a block of A.
private struct MatrixRoom<T: MatrixScalar> {
  let ofB, ofC: Int
  /// Between the rows of a copied block of A, or between the columns of a transposed one. Odd in lines of the cache, so that they
  /// share no sets.
  let rowStride, columnStride: Int
  let count: Int

  init(_ whole: MatrixOperands<T>, rows: Int, depth: Int) {
    let lanes = MatrixProduct.lanes(T.self)
    let width = MatrixProduct.vectors &* lanes
    func odd(_ count: Int) -> Int { (MatrixProduct.padded(count, T.self) / lanes | 1) &* lanes }
    (rowStride, columnStride) = (odd(depth), odd(rows))
    ofB = depth &* width
    ofC = whole.columns % lanes == 0 ? 0 : rows &* width
    count = ofB &+ ofC &+ (whole.scale == nil ? 0 : max(rows &* rowStride, depth &* columnStride))
  }
}

/// A block of rows of C with a part of the sum.
private struct MatrixBlock<V: MatrixVector> where V.Scalar: MatrixScalar {
  typealias T = V.Scalar
  let c: UnsafeMutablePointer<T>
  let cStride: Int
  let fresh: Bool
  let rows, columns: Int
  let a: UnsafePointer<T>
  let rowStride, columnStride, inner: Int
  let b: UnsafePointer<T>
  let bStride: Int
  let roomB, roomC: UnsafeMutablePointer<T>

  init(
    _ whole: MatrixOperands<T>, rows range: Range<Int>, inner part: Range<Int>, _ room: MatrixRoom<T>,
    _ memory: UnsafeMutablePointer<T>
  ) {
    (c, cStride) = (whole.c + range.lowerBound &* whole.cStride, whole.cStride)
    fresh = whole.fresh && part.lowerBound == 0
    (rows, columns, inner) = (range.count, whole.columns, part.count)
    (b, bStride) = (whole.b + part.lowerBound &* whole.bStride, whole.bStride)
    (roomB, roomC) = (memory, memory + room.ofB)
    let origin = whole.a + (range.lowerBound &* whole.rowStride &+ part.lowerBound &* whole.columnStride)
    guard let scale = whole.scale else {
      (a, rowStride, columnStride) = (origin, whole.rowStride, whole.columnStride)
      return
    }
    let copy = roomC + room.ofC
    if whole.rowStride == 1 {
      for k in 0..<part.count {
        Self.multiply(scale, origin + k &* whole.columnStride, 1, range.count, to: copy + k &* room.columnStride)
      }
      (rowStride, columnStride) = (1, room.columnStride)
    } else {
      for i in 0..<range.count {
        Self.multiply(
          scale, origin + i &* whole.rowStride, whole.columnStride, part.count, to: copy + i &* room.rowStride)
      }
      (rowStride, columnStride) = (room.rowStride, 1)
    }
    a = UnsafePointer(copy)
  }

  /// `to[i] = s from[i * stride]`.
  @inline(__always)
  private static func multiply(
    _ s: T, _ from: UnsafePointer<T>, _ stride: Int, _ count: Int, to: UnsafeMutablePointer<T>
  ) {
    let whole = stride == 1 ? count / V.count &* V.count : 0
    for i in Swift.stride(from: 0, to: whole, by: V.count) { (V(s) * V(from + i)).store(to + i) }
    for i in whole..<count { to[i] = s * from[i &* stride] }
  }

  func add() {
    let vectors = (columns &+ V.count &- 1) / V.count
    let panels = (vectors &+ MatrixProduct.vectors &- 1) / MatrixProduct.vectors
    var column = 0
    for p in 0..<panels {
      // As equal as whole vectors allow.
      let width = vectors / panels &+ (p < vectors % panels ? 1 : 0)
      let lanes = width &* V.count
      let rest = columns &- column
      if rest < lanes {
        addInRoom(column, rest, width)
      } else {
        MatrixPanel<V>(
          self, c: c + column, cStride, origin: b + column, bStride,
          copies: rows >= MatrixProduct.rowsForCopy && bStride != lanes, lanes: lanes
        ).add(width)
      }
      column &+= lanes
    }
  }

  /// The last columns, fewer than their vectors have lanes.
  private func addInRoom(_ column: Int, _ count: Int, _ width: Int) {
    let lanes = width &* V.count
    roomB.update(repeating: 0, count: inner &* lanes)
    for k in 0..<inner { (roomB + k &* lanes).update(from: b + (k &* bStride &+ column), count: count) }
    if !fresh {
      roomC.update(repeating: 0, count: rows &* lanes)
      for i in 0..<rows { (roomC + i &* lanes).update(from: c + (i &* cStride &+ column), count: count) }
    }
    MatrixPanel<V>(self, c: roomC, lanes, origin: UnsafePointer(roomB), lanes, copies: false, lanes: lanes).add(width)
    for i in 0..<rows { (c + (i &* cStride &+ column)).update(from: roomC + i &* lanes, count: count) }
  }
}

/// The columns of a block that fill a tile.
private struct MatrixPanel<V: MatrixVector> where V.Scalar: MatrixScalar {
  typealias T = V.Scalar
  let c: UnsafeMutablePointer<T>
  let cStride: Int
  let fresh: Bool
  let rows: Int
  let a: UnsafePointer<T>
  let rowStride, columnStride, inner: Int
  /// B where it is, and where it is read from by all tiles but the first, which copies it if these differ.
  let origin, b: UnsafePointer<T>
  let originStride, bStride: Int
  let copy: UnsafeMutablePointer<T>?

  init(
    _ block: MatrixBlock<V>, c: UnsafeMutablePointer<T>, _ cStride: Int, origin: UnsafePointer<T>, _ originStride: Int,
    copies: Bool, lanes: Int
  ) {
    (self.c, self.cStride, fresh, rows) = (c, cStride, block.fresh, block.rows)
    (a, rowStride, columnStride, inner) = (block.a, block.rowStride, block.columnStride, block.inner)
    (self.origin, self.originStride) = (origin, originStride)
    copy = copies ? block.roomB : nil
    (b, bStride) = copies ? (UnsafePointer(block.roomB), lanes) : (origin, originStride)
  }

  func add(_ width: Int) {
    switch width {
    case 4: add(Beside4<V>.self)
    case 3: add(Beside3<V>.self)
    case 2: add(Beside2<V>.self)
    default: add(V.self)
    }
  }

  /// Tiles as equally high as possible: low ones have too few sums to keep the CPU busy.
  @inline(__always)
  private func add<R: Lanes>(_: R.Type) where R.Scalar == T {
    let tiles = (rows &+ MatrixProduct.tile &- 1) / MatrixProduct.tile
    var r = 0
    for t in 0..<tiles {
      let height = rows / tiles &+ (t < rows % tiles ? 1 : 0)
      switch height {
      case 6: add(r, Rows6<R>.self)
      case 5: add(r, Rows5<R>.self)
      case 4: add(r, Rows4<R>.self)
      case 3: add(r, Rows3<R>.self)
      case 2: add(r, Rows2<R>.self)
      default: add(r, OneRow<R>.self)
      }
      r &+= height
    }
  }

  // Of its own, so that the registers hold nothing else.
  @inline(never)
  private func add<X: MatrixTile>(_ r: Int, _: X.Type) where X.Row.Scalar == T {
    let target = c + r &* cStride
    var tile = fresh ? X(0) : X(target, cStride)
    var column = a + r &* rowStride
    if r == 0, var to = copy {
      var row = origin
      for _ in 0..<inner {
        let x = X.Row(row)
        x.store(to)
        tile.add(column, rowStride, x)
        row += originStride
        to += X.Row.count
        column += columnStride
      }
    } else {
      var row = b
      for _ in 0..<inner {
        tile.add(column, rowStride, X.Row(row))
        row += bStride
        column += columnStride
      }
    }
    tile.store(target, cStride)
  }
}
