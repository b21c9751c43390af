import CTarget

/// Columns of a factorisation that are worked on together, each with its sum in lanes.
private protocol ColumnSums {
  static var width: Int { get }
  init(multiples: UnsafePointer<Double>)
  /// Takes the multiples of x from the columns and adds their products with z.
  mutating func subtract(_ x: Vector32, from columns: UnsafeMutablePointer<Double>, stride: Int, _ z: Vector32)
  func write(_ products: UnsafeMutablePointer<Double>)
}

private struct OneColumn: ColumnSums {
  static var width: Int { 1 }
  private let minus: Double
  private var sum = Vector32(0)

  @inline(__always)
  init(multiples: UnsafePointer<Double>) { minus = -multiples[0] }

  @inline(__always)
  mutating func subtract(_ x: Vector32, from columns: UnsafeMutablePointer<Double>, stride: Int, _ z: Vector32) {
    var rest = Vector32(columns)
    rest.add(minus, x)
    rest.store(columns)
    sum.add(z, rest)
  }

  @inline(__always)
  func write(_ products: UnsafeMutablePointer<Double>) { products[0] = sum.total }
}

private struct TwiceColumns<Half: ColumnSums>: ColumnSums {
  static var width: Int { 2 &* Half.width }
  private var first, second: Half

  @inline(__always)
  init(multiples: UnsafePointer<Double>) {
    (first, second) = (Half(multiples: multiples), Half(multiples: multiples + Half.width))
  }

  @inline(__always)
  mutating func subtract(_ x: Vector32, from columns: UnsafeMutablePointer<Double>, stride: Int, _ z: Vector32) {
    first.subtract(x, from: columns, stride: stride, z)
    second.subtract(x, from: columns + Half.width &* stride, stride: stride, z)
  }

  @inline(__always)
  func write(_ products: UnsafeMutablePointer<Double>) {
    first.write(products)
    second.write(products + Half.width)
  }
}

extension Triangular {
  /// There are 32 registers of eight doubles.
  private static let isWide = CTARGET_WIDE == 1

  /// `column_k -= t_k x`, then `t_k = z . column_k`, for a given number of columns: as many at a time as the registers hold. The products are those
  /// of `dot`, bit by bit.
  static func subtract(
    _ t: UnsafeMutablePointer<Double>, _ x: UnsafePointer<Double>, from columns: UnsafeMutablePointer<Double>,
    _ width: Int, stride: Int, _ count: Int, _ z: UnsafePointer<Double>
  ) {
    var k = 0
    while k < width {
      let left = isWide ? width &- k : 1
      let first = columns + k &* stride
      switch left {
      case 4...: k &+= subtract(t + k, x, from: first, stride, count, z, TwiceColumns<TwiceColumns<OneColumn>>.self)
      case 2, 3: k &+= subtract(t + k, x, from: first, stride, count, z, TwiceColumns<OneColumn>.self)
      default: k &+= subtract(t + k, x, from: first, stride, count, z, OneColumn.self)
      }
    }
  }

  // Of its own, so that the registers hold nothing else.
  @inline(never)
  private static func subtract<S: ColumnSums>(
    _ t: UnsafeMutablePointer<Double>, _ x: UnsafePointer<Double>, from columns: UnsafeMutablePointer<Double>,
    _ stride: Int, _ count: Int, _ z: UnsafePointer<Double>, _: S.Type
  ) -> Int {
    var sums = S(multiples: t)
    for i in Swift.stride(from: 0, to: count, by: Vector32.count) {
      sums.subtract(Vector32(x + i), from: columns + i, stride: stride, Vector32(z + i))
    }
    sums.write(t)
    return S.width
  }

  /// `column_a = sum_{b <= a} L_ab row_b`, or added to `keep column_a`, each a chain of multiply-adds in the order of b.
  /// - Parameters:
  ///   - rows: m runs of `count` numbers.
  ///   - columns: column a starts at `columns + a * stride`.
  public static func multiply(
    _ lower: UnsafePointer<Double>, _ m: Int, _ rows: UnsafePointer<Double>, _ count: Int, keep: Double?,
    to columns: UnsafeMutablePointer<Double>, stride: Int
  ) {
    let fours = m & ~3
    var whole = 0
    if isWide {
      whole = count & ~(Vector32.count &- 1)
      for a in Swift.stride(from: 0, to: fours, by: 4) {
        multiplyFour(lower, m, rows, count, a, whole, keep, columns, stride, Vector32.self)
      }
    } else {
      whole = count & ~(Vector8.count &- 1)
      for a in Swift.stride(from: 0, to: fours, by: 4) {
        multiplyFour(lower, m, rows, count, a, whole, keep, columns, stride, Vector8.self)
      }
    }
    for a in 0..<m {
      let (column, l) = (columns + a &* stride, lower + a &* m)
      let range = (a < fours ? whole : 0)..<count
      var next = 1
      if let keep {
        for i in range { column[i] = (keep * column[i]).addingProduct(l[0], rows[i]) }
      } else if a == 0 {
        for i in range { column[i] = l[0] * rows[i] }
      } else {
        let row = rows + count
        for i in range { column[i] = (l[0] * rows[i]).addingProduct(l[1], row[i]) }
        next = 2
      }
      for b in next..<max(next, a &+ 1) {
        let row = rows + b &* count
        for i in range { column[i] = column[i].addingProduct(l[b], row[i]) }
      }
    }
  }

  /// Columns a to a + 3, `whole` of their elements.
  @inline(never)
  private static func multiplyFour<L: Lanes>(
    _ lower: UnsafePointer<Double>, _ m: Int, _ rows: UnsafePointer<Double>, _ count: Int, _ a: Int, _ whole: Int,
    _ keep: Double?, _ columns: UnsafeMutablePointer<Double>, _ stride: Int, _: L.Type
  ) where L.Scalar == Double {
    let l0 = lower + a &* m
    let (l1, l2, l3) = (l0 + m, l0 + 2 &* m, l0 + 3 &* m)
    let c0 = columns + a &* stride
    let (c1, c2, c3) = (c0 + stride, c0 + 2 &* stride, c0 + 3 &* stride)
    for i in Swift.stride(from: 0, to: whole, by: L.count) {
      // A product added to -0 is the product, its sign included.
      var (p, q, r, s) = (L(-0.0), L(-0.0), L(-0.0), L(-0.0))
      if let keep {
        p.add(keep, L(c0 + i))
        q.add(keep, L(c1 + i))
        r.add(keep, L(c2 + i))
        s.add(keep, L(c3 + i))
      }
      var row = rows + i
      for b in 0...a {
        let x = L(row)
        p.add(l0[b], x)
        q.add(l1[b], x)
        r.add(l2[b], x)
        s.add(l3[b], x)
        row += count
      }
      p.store(c0 + i)
      var x = L(row)
      q.add(l1[a &+ 1], x)
      r.add(l2[a &+ 1], x)
      s.add(l3[a &+ 1], x)
      q.store(c1 + i)
      x = L(row + count)
      r.add(l2[a &+ 2], x)
      s.add(l3[a &+ 2], x)
      r.store(c2 + i)
      s.add(l3[a &+ 3], L(row + 2 &* count))
      s.store(c3 + i)
    }
  }
}
