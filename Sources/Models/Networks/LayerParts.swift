import Kernels
import Randomness

/// m vectors of n entries, one a column, each padded with zeros to full lanes.
public final class Columns {
  public let data: UnsafeMutablePointer<Double>
  public let stride: Int

  /// - Parameter apart: for columns that are factored together. Of columns whose lengths are powers of two some begin 4 KiB apart, and a
  ///   load from one waits for a store to the other.
  public init(_ m: Int, rows: Int, apart: Bool = false) {
    let length = Triangular.padded(rows)
    stride = apart && m >= 4 && length % 64 == 0 ? length + Triangular.lanes : length
    data = .allocateAligned(capacity: max(1, m * stride))
    data.initialize(repeating: 0, count: max(1, m * stride))
  }

  deinit { data.deallocate() }

  /// Rows `start ..< start + count` of the first m columns of another, zeros after them up to full lanes.
  @inlinable @inline(__always)
  public func take(_ other: Columns, columns m: Int, from start: Int, count: Int, first: Int = 0) {
    for a in 0..<m {
      let target = data + a &* stride
      target.update(from: other.data + ((first &+ a) &* other.stride &+ start), count: count)
      for i in count..<Triangular.padded(count) { target[i] = 0 }
    }
  }

  /// The inputs, one a column, zeros after their features.
  public func take(_ inputs: Inputs) {
    for a in 0..<inputs.count {
      for i in 0..<stride { self[a][i] = i < inputs.features ? inputs.rows[a &* inputs.features &+ i] : 0 }
    }
  }

  @inlinable @inline(__always)
  public subscript(a: Int) -> UnsafeMutablePointer<Double> { data + a &* stride }
}

extension Activation {
  /// `apply` for the first `count` rows of m columns: one call where they fill their columns.
  @inlinable @inline(__always)
  func apply(_ columns: Columns, _ m: Int, rows count: Int) {
    if count == columns.stride {
      apply(columns.data, m &* count)
    } else {
      for a in 0..<m { apply(columns[a], count) }
    }
  }
}

/// The triangular factor of columns that arrive tile by tile.
public final class FactorSum {
  @usableFromInline let m: Int
  @usableFromInline let factor, part: UnsafeMutablePointer<Double>
  /// Factors to be merged together, where that is faster.
  @usableFromInline let waiting: UnsafeMutablePointer<Double>
  @usableFromInline var waitingCount = 0
  @usableFromInline static let mostWaiting = 8
  @usableFromInline var empty = true
  /// Most rows that were factored at once since the sum was empty, and factors that were merged.
  @usableFromInline var rows = 0
  @usableFromInline var merges = 0

  public init(_ m: Int) {
    self.m = m
    factor = .allocate(capacity: m * m)
    // Room for a factor, and for a column and the norms of all.
    part = .allocate(capacity: max(m * m, 2 * m))
    waiting = .allocateAligned(
      capacity: m < Triangular.leastTogether ? 0 : Self.mostWaiting * m * Triangular.rowLength(m))
  }

  deinit {
    factor.deallocate()
    part.deallocate()
    waiting.deallocate()
  }

  @inlinable @inline(__always)
  public func reset() {
    empty = true
    (rows, merges, waitingCount) = (0, 0, 0)
  }

  /// Adds `count` rows (padded with zeros to full lanes); the columns are overwritten.
  @inlinable @inline(__always)
  public func add(_ columns: UnsafeMutablePointer<Double>, stride: Int, count: Int) {
    let target = empty ? factor : part
    Triangular.factor(
      columns: columns, stride: stride, count: Triangular.padded(count), m: m, into: target, orthogonal: false)
    rows = max(rows, count)
    if !empty {
      if m < Triangular.leastTogether { Triangular.merge(part, into: factor, m: m) } else { wait() }
      merges &+= 1
    }
    empty = false
  }

  /// Puts `part` to those that wait.
  @usableFromInline
  func wait() {
    let length = Triangular.rowLength(m)
    for i in 0..<m {
      let row = waiting + (waitingCount &* m &+ i) &* length
      row.update(from: part + i &* m, count: m)
      for k in m..<length { row[k] = 0 }
    }
    waitingCount &+= 1
    if waitingCount == Self.mostWaiting { mergeWaiting() }
  }

  @usableFromInline
  func mergeWaiting() {
    guard waitingCount > 0 else { return }
    Triangular.merge(together: waiting, count: waitingCount, into: factor, m: m)
    waitingCount = 0
  }

  /// Adds the row `(x, …, x)`.
  @inlinable @inline(__always)
  public func addConstantRow(_ x: Double) {
    mergeWaiting()
    for a in 0..<m { part[a] = x }
    Triangular.addRow(part, from: 0, to: factor, m: m)
    merges &+= 1
  }

  /// Makes columns that depend on those before them to rounding exactly dependent (`Triangular.clearDependent`).
  /// - Parameter layers: layers whose roundings the columns have gathered.
  /// - Returns: the relative error of the columns.
  @usableFromInline @discardableResult
  package func clearDependent(layers: Int = 1) -> Double {
    mergeWaiting()
    let rounding = Double(layers) * Triangular.rounding(m: m, rows: rows, merges: merges)
    Triangular.clearDependent(factor, m: m, rounding: rounding, scratch: part)
    return rounding
  }

  /// `L = scale R^T`.
  @inlinable @inline(__always)
  public func write(lower: UnsafeMutablePointer<Double>, scale: Double) {
    mergeWaiting()
    for a in 0..<m {
      for b in 0..<m { lower[a &* m &+ b] = b <= a ? scale * factor[b &* m &+ a] : 0 }
    }
  }
}

/// Rows of independent Gaussian vectors with covariance `L L^T`.
public enum GaussianRows {
  /// Rows of one tile: what is made of them stays in the first-level cache, and their normals fit the stream.
  @inlinable
  public static func tile(_ m: Int) -> Int { m <= 4 ? 512 : (m <= 8 ? 256 : (m <= 16 ? 128 : 64)) }

  /// Rows whose factor is taken at once: two tiles of one or two columns still fit the first-level cache.
  @inlinable
  public static func block(_ m: Int) -> Int { m <= 2 ? 2 &* tile(m) : tile(m) }

  /// `column_a = sum_b L_ab g_b` for `count` rows, zeros up to full lanes.
  /// - Parameter g: m runs of `count` normals.
  @inlinable @inline(__always)
  public static func write(
    _ lower: UnsafePointer<Double>, _ m: Int, _ g: UnsafePointer<Double>, _ count: Int,
    to columns: UnsafeMutablePointer<Double>, stride: Int
  ) {
    let first = lower[0]
    switch m {
    case 1: for i in 0..<count { columns[i] = first * g[i] }
    case 2:
      // Both at once: they need the same normals.
      let (column, l0, l1, g1) = (columns + stride, lower[2], lower[3], g + count)
      for i in 0..<count {
        columns[i] = first * g[i]
        column[i] = (l0 * g[i]).addingProduct(l1, g1[i])
      }
    default: Triangular.multiply(lower, m, g, count, keep: nil, to: columns, stride: stride)
    }
    for a in 0..<m {
      for i in count..<Triangular.padded(count) { columns[a &* stride &+ i] = 0 }
    }
  }

  /// `column_a = keep column_a + sum_b L_ab g_b`.
  @inlinable @inline(__always)
  public static func add(
    _ lower: UnsafePointer<Double>, _ m: Int, _ g: UnsafePointer<Double>, _ count: Int, keep: Double,
    to columns: UnsafeMutablePointer<Double>, stride: Int
  ) {
    Triangular.multiply(lower, m, g, count, keep: keep, to: columns, stride: stride)
  }

  /// `n x m` of them, tile by tile.
  @inlinable
  public static func fill(
    _ columns: Columns, rows: Int, lower: UnsafePointer<Double>, _ m: Int, _ stream: inout Stream
  ) {
    var done = 0
    while done < rows {
      let count = min(tile(m), rows &- done)
      write(lower, m, stream.normals(m &* count), count, to: columns.data + done, stride: columns.stride)
      done &+= count
    }
  }
}

/// Weight matrices drawn entry by entry: the reference that the reduced samplers are compared with.
public enum Weights {
  /// Standard normals in the first `count` columns, zeros up to full lanes.
  public static func fill(_ columns: Columns, _ count: Int, rows: Int, _ stream: inout Stream) {
    for a in 0..<count {
      let column = columns[a]
      var done = 0
      while done < rows {
        let part = min(Stream.capacity, rows &- done)
        column.advanced(by: done).update(from: stream.normals(part), count: part)
        done &+= part
      }
      for i in rows..<columns.stride { column[i] = 0 }
    }
  }

  /// `to_a = keep to_a + scale W from_a` for all columns, W fanOut x fanIn of standard normals, streamed and never stored.
  @inlinable
  public static func multiply(
    _ stream: inout Stream, _ from: Columns, fanIn: Int, to: Columns, fanOut: Int, columns m: Int, scale: Double,
    keep: Double = 0
  ) {
    for unit in 0..<fanOut {
      for a in 0..<m { to[a][unit] = keep == 0 ? 0 : keep * to[a][unit] }
      var done = 0
      while done < fanIn {
        let count = min(Stream.capacity, fanIn &- done)
        let row = stream.normals(count)
        for a in 0..<m {
          let column = from[a] + done
          // A full number of lanes, then the rest one by one.
          let full = count & ~(Triangular.lanes &- 1)
          var sum = Triangular.dot(row, column, full)
          for i in full..<count { sum += row[i] * column[i] }
          to[a][unit] += scale * sum
        }
        done &+= count
      }
    }
  }
}

/// Bartlett's decomposition of a Wishart matrix.
public enum Bartlett {
  /// T, m x m lower triangular: chi_{nu - i} on the diagonal, standard normals below; `T T^T` has the law of `G G^T`,
  /// G an m x nu matrix of standard normals. Columns from nu on are zero when nu < m.
  @inlinable
  public static func write(
    _ stream: inout Stream, _ m: Int, degrees nu: Double, to t: UnsafeMutablePointer<Double>
  ) {
    for i in 0..<m {
      for j in 0..<m {
        if i == j {
          let k = nu - Double(i)
          t[i &* m &+ i] = k > 0 ? (2 * stream.gamma(shape: 0.5 * k)).squareRoot() : 0
        } else {
          t[i &* m &+ j] = j < i && Double(j) < nu ? stream.normal() : 0
        }
      }
    }
  }
}
