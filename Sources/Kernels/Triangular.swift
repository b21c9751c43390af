/// Triangular factors of tall matrices, for up to 64 columns.
///
/// A factor R is upper triangular, m x m, row by row, with a non-negative diagonal. `R^T R` is never formed on
/// the way: the smallest distances between columns keep their relative accuracy, which the Cholesky
/// factor of a Gram matrix loses as correlations go to 1.
public enum Triangular {
  /// Lanes in which dot products are summed, on every CPU; column lengths are padded to it with zeros.
  public static let lanes = 32

  /// Length of a padded column.
  @inlinable @inline(__always)
  public static func padded(_ count: Int) -> Int { (count &+ 31) & ~31 }

  @inlinable @inline(__always)
  static func load(_ p: UnsafePointer<Double>) -> SIMD8<Double> {
    UnsafeRawPointer(p).loadUnaligned(as: SIMD8<Double>.self)
  }

  @inlinable @inline(__always)
  static func total(_ v: SIMD8<Double>) -> Double {
    let four = v.lowHalf + v.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }

  /// `a . b` over a padded length.
  public static func dot(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int) -> Double {
    var sum = Vector32(0)
    for i in stride(from: 0, to: count, by: Vector32.count) { sum.add(Vector32(a + i), Vector32(b + i)) }
    return sum.total
  }

  /// The same of single precision: products and sums are those of double, so each product is exact.
  public static func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Double {
    var sum = Vector32(0)
    for i in stride(from: 0, to: count, by: Vector32.count) { sum.add(Vector32(a + i), Vector32(b + i)) }
    return sum.total
  }

  /// `(a . a, a . b)` in one pass.
  static func normAndDot(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int
  ) -> (Double, Double) {
    var (norm, product) = (Vector32(0), Vector32(0))
    for i in stride(from: 0, to: count, by: Vector32.count) {
      let x = Vector32(a + i)
      norm.add(x, x)
      product.add(x, Vector32(b + i))
    }
    return (norm.total, product.total)
  }

  /// `y = keep y + sum_b x_b column_b` of the first `count` columns, over a padded length; y is not read where `keep` is 0.
  public static func combine(
    _ columns: UnsafePointer<Double>, stride length: Int, _ x: UnsafePointer<Double>, count: Int,
    into y: UnsafeMutablePointer<Double>, keep: Double = 0
  ) {
    for i in stride(from: 0, to: length, by: Vector32.count) {
      var sum = Vector32(0)
      if keep != 0 { sum.add(keep, Vector32(y + i)) }
      for b in 0..<count { sum.add(x[b], Vector32(columns + (b &* length &+ i))) }
      sum.store(y + i)
    }
  }

  /// Number of positive entries, the sum of their squares, and that of all, over a padded length.
  @inlinable @inline(__always)
  public static func positivePart(
    _ z: UnsafePointer<Double>, _ count: Int
  ) -> (active: Double, positive: Double, all: Double) {
    var (active, positive, all) = (SIMD8<Double>.zero, SIMD8<Double>.zero, SIMD8<Double>.zero)
    let one = SIMD8<Double>(repeating: 1)
    for i in stride(from: 0, to: count, by: 8) {
      let x = load(z + i)
      let up = x.replacing(with: 0, where: x .<= 0)
      active += SIMD8<Double>.zero.replacing(with: one, where: x .> 0)
      positive += up * up
      all += x * x
    }
    return (total(active), total(positive), total(all))
  }

  /// `|y - t x|^2`; y becomes `y - t x`, if that is kept.
  @inline(__always)
  static func subtract(
    _ t: Double, _ x: UnsafePointer<Double>, from y: UnsafeMutablePointer<Double>, _ count: Int, keep: Bool = true
  ) -> Double {
    var sum = Vector32(0)
    for i in stride(from: 0, to: count, by: Vector32.count) {
      var rest = Vector32(y + i)
      rest.add(-t, Vector32(x + i))
      if keep { rest.store(y + i) }
      sum.add(rest, rest)
    }
    return sum.total
  }

  /// The factor of `m` columns by modified Gram-Schmidt, whose R is as accurate as Householder's.
  /// - Parameters:
  ///   - columns: column a starts at `columns + a * stride`; overwritten.
  ///   - count: padded length of a column.
  ///   - factor: m x m, receives R.
  ///   - orthogonal: leave the columns orthogonal, column j of length R_jj; otherwise what is in them has no meaning.
  public static func factor(
    columns: UnsafeMutablePointer<Double>, stride: Int, count: Int, m: Int,
    into factor: UnsafeMutablePointer<Double>, orthogonal: Bool = true
  ) {
    guard m > 0 else { return }
    var norm = 0.0
    if m == 1 { norm = dot(columns, columns, count) }
    if m > 1 {
      (norm, factor[1]) = normAndDot(columns, columns + stride, count)
      for k in 2..<m { factor[k] = dot(columns, columns + k &* stride, count) }
    }
    for j in 0..<m {
      let column = columns + j &* stride
      let row = factor + j &* m
      for k in 0..<j { row[k] = 0 }
      let diagonal = norm.squareRoot()
      row[j] = diagonal
      if j &+ 1 == m { break }
      // The row holds the products of column j with those after it; the one below is free for the multiples to take away.
      let multiples = row + m
      for k in j &+ 1..<m {
        let along = row[k]
        row[k] = norm == 0 ? 0 : along / diagonal
        multiples[k] = norm == 0 ? 0 : along / norm
      }
      let next = column + stride
      // Of the last column R needs only the length.
      norm = subtract(multiples[j &+ 1], column, from: next, count, keep: orthogonal || j &+ 2 < m)
      subtract(multiples + (j &+ 2), column, from: next + stride, m &- j &- 2, stride: stride, count, next)
    }
  }

  /// What `orthonormalise` must find left of a column of length 1.
  package static let leastLength = 0x1p-46

  /// The QR factorisation of `m` columns, which become orthonormal; each is freed twice of those before it. A column that depends
  /// on them to rounding gives a zero column, and a zero on the diagonal of R.
  /// - Parameters:
  ///   - columns: column a starts at `columns + a * stride`, `stride` a padded length; overwritten with Q.
  ///   - factor: m x m, receives R.
  public static func orthonormalise(
    columns: UnsafeMutablePointer<Double>, stride: Int, m: Int, into factor: UnsafeMutablePointer<Double>
  ) {
    for j in 0..<m {
      let column = columns + j &* stride
      let whole = dot(column, column, stride)
      var left = whole
      for k in 0..<m { factor[k &* m &+ j] = 0 }
      for _ in 0..<2 {
        for k in 0..<j {
          let along = dot(columns + k &* stride, column, stride)
          factor[k &* m &+ j] += along
          left = subtract(along, columns + k &* stride, from: column, stride)
        }
      }
      let kept = left > whole * (leastLength * leastLength)
      let diagonal = kept ? left.squareRoot() : 0
      factor[j &* m &+ j] = diagonal
      let inverse = kept ? 1 / diagonal : 0
      for i in 0..<stride { column[i] *= inverse }
    }
  }

  /// Adds the rows of another factor: afterwards `R^T R` is the sum of both, by Givens rotations.
  /// - Parameter other: m x m upper triangular; overwritten.
  @inlinable
  public static func merge(
    _ other: UnsafeMutablePointer<Double>, into factor: UnsafeMutablePointer<Double>, m: Int
  ) {
    for i in 0..<m { addRow(other + i &* m, from: i, to: factor, m: m) }
  }

  /// Adds one row whose entries before `first` are zero; the row is overwritten.
  @inlinable
  public static func addRow(
    _ row: UnsafeMutablePointer<Double>, from first: Int, to factor: UnsafeMutablePointer<Double>, m: Int
  ) {
    for j in first..<m {
      let b = row[j]
      if b == 0 { continue }
      let target = factor + j &* m
      let a = target[j]
      let r = (a * a + b * b).squareRoot()
      let c = a / r
      let s = b / r
      target[j] = r
      for k in j &+ 1..<max(m, j &+ 1) {
        let x = target[k]
        let y = row[k]
        target[k] = c * x + s * y
        row[k] = c * y - s * x
      }
    }
  }

  /// The lower triangular L with `L L^T = V` for a positive semi-definite V (m x m, row by row), nil if V has
  /// a negative direction beyond rounding. Pivots within rounding of zero become zero columns, and in their rows what is within
  /// rounding of zero becomes zero, so that parallel vectors have parallel rows.
  public static func cholesky(_ v: [Double], m: Int, tolerance: Double = 1e-12) -> [Double]? {
    var l = Array(repeating: 0.0, count: m * m)
    for j in 0..<m {
      var pivot = v[j * m + j]
      for k in 0..<j { pivot -= l[j * m + k] * l[j * m + k] }
      let scale = v[j * m + j].magnitude
      guard pivot >= -tolerance * max(scale, .leastNormalMagnitude) else { return nil }
      // Below m rounding errors of the diagonal a pivot is rounding and nothing else.
      let zero = pivot <= 4 * Double(m) * 0x1p-52 * scale
      l[j * m + j] = zero ? 0 : pivot.squareRoot()
      for k in 0..<j where zero && l[j * m + k].magnitude <= 4 * Double(m) * 0x1p-52 * scale.squareRoot() {
        l[j * m + k] = 0
      }
      for i in j + 1..<max(m, j + 1) {
        var entry = v[i * m + j]
        for k in 0..<j { entry -= l[i * m + k] * l[j * m + k] }
        if zero {
          let bound = v[i * m + i].magnitude.squareRoot() * scale.squareRoot()
          guard entry.magnitude <= 1e-6 * bound + .leastNormalMagnitude else { return nil }
        } else {
          l[i * m + j] = entry / l[j * m + j]
        }
      }
    }
    return l
  }

  /// The same for a matrix that is positive semi-definite but for rounding: negative pivots become zero.
  /// - Parameter lower: m x m, receives L; may be `v` itself.
  @inlinable
  public static func clippedCholesky(
    _ v: UnsafePointer<Double>, m: Int, into lower: UnsafeMutablePointer<Double>
  ) {
    for j in 0..<m {
      let scale = v[j &* m &+ j].magnitude
      for a in j..<m {
        var sum = v[a &* m &+ j]
        for k in 0..<j { sum -= lower[a &* m &+ k] * lower[j &* m &+ k] }
        if a == j {
          lower[j &* m &+ j] = sum > 4 * Double(m) * 0x1p-52 * scale ? sum.squareRoot() : 0
        } else {
          let pivot = lower[j &* m &+ j]
          lower[a &* m &+ j] = pivot > 0 ? sum / pivot : 0
        }
      }
    }
    for j in 0..<m { for k in j &+ 1..<max(m, j &+ 1) { lower[j &* m &+ k] = 0 } }
  }

  /// `L <- scale L T` for lower triangular L and T, in place.
  @inlinable
  public static func multiplyLower(
    _ lower: UnsafeMutablePointer<Double>, _ t: UnsafePointer<Double>, m: Int, scale: Double
  ) {
    for a in 0..<m {
      for j in 0...a {
        // Entry (a, j) needs entries (a, j...a) of L: those to its left are not read again.
        var sum = 0.0
        for k in j...a { sum += lower[a &* m &+ k] * t[k &* m &+ j] }
        lower[a &* m &+ j] = scale * sum
      }
    }
  }

  /// `V = L L^T`, both triangles.
  @inlinable
  public static func square(
    _ lower: UnsafePointer<Double>, m: Int, into v: UnsafeMutablePointer<Double>
  ) {
    for a in 0..<m {
      for b in 0...a {
        var sum = 0.0
        for k in 0...b { sum += lower[a &* m &+ k] * lower[b &* m &+ k] }
        v[a &* m &+ b] = sum
        v[b &* m &+ a] = sum
      }
    }
  }
}
