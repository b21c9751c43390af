/// Cholesky factors $A = U^T U$ of dense symmetric positive definite matrices, and solves with them.
///
/// Goals, in this order: the same bits on every CPU; the rate of `MatrixProduct` at sizes from 100 on; no room of its own.
///
/// The factor is the *upper* one of a matrix in row-major order: a row of U is then a row of memory, and $A_{22} - U_{12}^T U_{12}$ is a product whose vectors lie along
/// rows of both. (The lower factor would need a transposed copy of every panel.) Rows are halved down to eight, whose columns are independent of each other. Every
/// element is one chain, $x \leftarrow \mathrm{fma}(-u_{li}, u_{lj}, x)$ with l ascending and one product with $1/u_{ii}$ at its end: the bits are those of the plain loop, whatever the blocks. So are those of
/// `forward`; those of `backward` depend on the count besides.
///
/// Pivots are not exchanged, and none is corrected: a matrix that is not positive definite to rounding is refused. `Triangular.clippedCholesky` is for those that may be singular.
public enum Cholesky {
  /// Rows that are worked on column by column.
  private static let base = 8
  /// Rows of a strip of the symmetric product: what is worked out below the diagonal is at most half of this wide.
  private static let strip = 24

  /// The factor in the place of the upper triangle, zeros below it. Right sides may follow the matrix in its rows: B becomes $U^{-T} B$.
  /// - Parameters:
  ///   - a: count x columns, row i at `a + i * stride`; below the diagonal nothing of the matrix is read.
  ///   - columns: `count` and those of the right sides.
  /// - Returns: the first row whose pivot is not positive (or not a number), if there is one: the contents are then of no use.
  @discardableResult
  public static func factor(
    _ a: UnsafeMutablePointer<Double>, stride: Int, count: Int, columns: Int? = nil
  ) -> Int? {
    let failed = halve(a, stride, count, columns ?? count)
    for i in 1..<max(count, 1) { (a + i &* stride).update(repeating: 0, count: i) }
    return failed
  }

  private static func halve(_ a: UnsafeMutablePointer<Double>, _ stride: Int, _ rows: Int, _ columns: Int) -> Int? {
    guard rows > base else {
      if let failed = factorBase(a, stride, rows) { return failed }
      forwardBase(a, stride, rows, a + rows, stride, columns &- rows)
      return nil
    }
    let top = half(rows)
    if let failed = halve(a, stride, top, columns) { return failed }
    for i in Swift.stride(from: top, to: rows, by: strip) {
      MatrixProduct.add(
        a + i &* (stride &+ 1), stride, scale: -1, rows: min(strip, rows &- i), columns: columns &- i, a + i,
        rowStride: 1, columnStride: stride, inner: top, a + i, stride)
    }
    return halve(a + top &* (stride &+ 1), stride, rows &- top, columns &- top).map { $0 + top }
  }

  /// A multiple of `base` below `rows`.
  private static func half(_ rows: Int) -> Int { (rows / base &+ 1) / 2 &* base }

  private static func factorBase(_ a: UnsafeMutablePointer<Double>, _ stride: Int, _ rows: Int) -> Int? {
    for k in 0..<rows {
      var inverse = 1.0
      for j in k..<rows {
        var x = a[k &* stride &+ j]
        for l in 0..<k { x = x.addingProduct(-a[l &* stride &+ k], a[l &* stride &+ j]) }
        if j == k {
          guard x > 0 else { return k }
          x = x.squareRoot()
          inverse = 1 / x
        } else {
          x *= inverse
        }
        a[k &* stride &+ j] = x
      }
    }
    return nil
  }

  // MARK: Right sides

  /// $U^T X = B$: B becomes X.
  /// - Parameters:
  ///   - u: the factor; below its diagonal nothing is read.
  ///   - b: count x columns, row i at `b + i * bStride`.
  public static func forward(
    _ u: UnsafePointer<Double>, stride: Int, count: Int, _ b: UnsafeMutablePointer<Double>, bStride: Int, columns: Int
  ) {
    guard count > base else { return forwardBase(u, stride, count, b, bStride, columns) }
    let top = half(count)
    forward(u, stride: stride, count: top, b, bStride: bStride, columns: columns)
    MatrixProduct.add(
      b + top &* bStride, bStride, scale: -1, rows: count &- top, columns: columns, u + top, rowStride: 1,
      columnStride: stride, inner: top, b, bStride)
    forward(
      u + top &* (stride &+ 1), stride: stride, count: count &- top, b + top &* bStride, bStride: bStride,
      columns: columns)
  }

  /// $U X = B$: B becomes X.
  public static func backward(
    _ u: UnsafePointer<Double>, stride: Int, count: Int, _ b: UnsafeMutablePointer<Double>, bStride: Int, columns: Int
  ) {
    guard count > base else { return backwardBase(u, stride, count, b, bStride, columns) }
    let top = half(count)
    backward(
      u + top &* (stride &+ 1), stride: stride, count: count &- top, b + top &* bStride, bStride: bStride,
      columns: columns)
    MatrixProduct.add(
      b, bStride, scale: -1, rows: top, columns: columns, u + top, rowStride: stride, columnStride: 1,
      inner: count &- top, b + top &* bStride, bStride)
    backward(u, stride: stride, count: top, b, bStride: bStride, columns: columns)
  }

  /// A few rows of the right sides: $x_k = (b_k - \sum_{l<k} u_{lk} x_l)/u_{kk}$.
  private static func forwardBase(
    _ u: UnsafePointer<Double>, _ stride: Int, _ rows: Int, _ b: UnsafeMutablePointer<Double>, _ bStride: Int,
    _ columns: Int
  ) {
    let whole = columns & ~7
    for k in 0..<rows {
      let (inverse, row) = (1 / u[k &* stride &+ k], b + k &* bStride)
      for c in Swift.stride(from: 0, to: whole, by: Vector8.count) {
        var x = Vector8(row + c)
        for l in 0..<k { x.add(-u[l &* stride &+ k], Vector8(b + (l &* bStride &+ c))) }
        (x * Vector8(inverse)).store(row + c)
      }
      for c in whole..<max(columns, whole) {
        var x = row[c]
        for l in 0..<k { x = x.addingProduct(-u[l &* stride &+ k], b[l &* bStride &+ c]) }
        row[c] = x * inverse
      }
    }
  }

  private static func backwardBase(
    _ u: UnsafePointer<Double>, _ stride: Int, _ rows: Int, _ b: UnsafeMutablePointer<Double>, _ bStride: Int,
    _ columns: Int
  ) {
    let whole = columns & ~7
    for k in (0..<rows).reversed() {
      let (inverse, row) = (1 / u[k &* stride &+ k], b + k &* bStride)
      for c in Swift.stride(from: 0, to: whole, by: Vector8.count) {
        var x = Vector8(row + c)
        for l in k &+ 1..<max(rows, k &+ 1) { x.add(-u[k &* stride &+ l], Vector8(b + (l &* bStride &+ c))) }
        (x * Vector8(inverse)).store(row + c)
      }
      for c in whole..<max(columns, whole) {
        var x = row[c]
        for l in k &+ 1..<max(rows, k &+ 1) { x = x.addingProduct(-u[k &* stride &+ l], b[l &* bStride &+ c]) }
        row[c] = x * inverse
      }
    }
  }

  // MARK: One right side

  /// $U^T x = b$ of one vector: b becomes x.
  public static func forward(
    _ u: UnsafePointer<Double>, stride: Int, count: Int, _ b: UnsafeMutablePointer<Double>
  ) {
    for i in 0..<count {
      let row = u + i &* stride
      b[i] /= row[i]
      let minus = -b[i]
      for j in i &+ 1..<max(count, i &+ 1) { b[j] = b[j].addingProduct(minus, row[j]) }
    }
  }

  /// $U x = b$ of one vector: b becomes x.
  public static func backward(
    _ u: UnsafePointer<Double>, stride: Int, count: Int, _ b: UnsafeMutablePointer<Double>
  ) {
    for i in (0..<count).reversed() {
      let row = u + i &* stride
      b[i] = (b[i] - dot(row + (i &+ 1), b + (i &+ 1), count &- i &- 1)) / row[i]
    }
  }

  /// `a . b` of any length, in lanes of eight.
  public static func dot(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int) -> Double {
    let whole = count & ~7
    var lanes = Vector8(0)
    for i in Swift.stride(from: 0, to: whole, by: Vector8.count) { lanes.add(Vector8(a + i), Vector8(b + i)) }
    var sum = lanes.total
    for i in whole..<max(count, whole) { sum = sum.addingProduct(a[i], b[i]) }
    return sum
  }
}
