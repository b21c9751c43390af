import Kernels
import Randomness

/// Softmax attention through m x m matrices: what a head does to tokens whose rows L have the Gram matrix `L L^T`.
package enum Attention {
  /// `T N` for a lower triangular T and a full N, m x m.
  private static func product(
    _ lower: UnsafePointer<Double>, _ full: UnsafePointer<Double>, _ m: Int, into result: UnsafeMutablePointer<Double>
  ) {
    for a in 0..<m {
      for b in 0..<m {
        var sum = 0.0
        for k in 0...a { sum += lower[a &* m &+ k] * full[k &* m &+ b] }
        result[a &* m &+ b] = sum
      }
    }
  }

  /// `Y = L G_Q G_K^T L^T` of two m x `degrees` matrices of normals, in law `L T N L^T`: T Bartlett's factor, N m x m normals.
  /// - Parameter scratch: room for two m x m.
  package static func drawScore(
    _ lower: UnsafePointer<Double>, _ m: Int, degrees: Double, into score: UnsafeMutablePointer<Double>,
    scratch: (UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>), _ stream: inout Stream
  ) {
    let (t, inner) = scratch
    Bartlett.write(&stream, m, degrees: degrees, to: t)
    product(t, stream.normals(m &* m), m, into: inner)
    self.score(lower, inner, m, into: score, scratch: t)
  }

  /// `Y = L N L^T`.
  /// - Parameters:
  ///   - lower: L, m x m lower triangular.
  ///   - inner: N, m x m.
  ///   - scratch: room for m x m.
  package static func score(
    _ lower: UnsafePointer<Double>, _ inner: UnsafePointer<Double>, _ m: Int, into score: UnsafeMutablePointer<Double>,
    scratch: UnsafeMutablePointer<Double>
  ) {
    product(lower, inner, m, into: scratch)
    for a in 0..<m {
      for b in 0..<m {
        var sum = 0.0
        for k in 0...b { sum += scratch[a &* m &+ k] * lower[b &* m &+ k] }
        score[a &* m &+ b] = sum
      }
    }
  }

  /// `A = softmax(Y / temperature)`, row by row; `I + softmax - 1/reach` if it is centred.
  /// - Parameter causal: row a reaches tokens 0 ... a only.
  package static func softmax(
    _ score: UnsafePointer<Double>, _ m: Int, temperature: Double, causal: Bool, centred: Bool = false,
    into attention: UnsafeMutablePointer<Double>
  ) {
    for a in 0..<m {
      let row = score + a &* m
      let out = attention + a &* m
      let reach = causal ? a &+ 1 : m
      var largest = row[0]
      for b in 1..<max(1, reach) { largest = max(largest, row[b]) }
      var total = 0.0
      for b in 0..<m {
        out[b] = b < reach ? Elementary.exp((row[b] - largest) / temperature) : 0
        total += out[b]
      }
      for b in 0..<m {
        out[b] /= total
        if centred { out[b] += (a == b ? 1 : 0) - (b < reach ? 1 / Double(reach) : 0) }
      }
    }
  }

  /// `scale A L` for a lower triangular L, m more rows of m columns.
  /// - Parameter attention: A, or any other m x m matrix.
  package static func mix(
    _ attention: UnsafePointer<Double>, _ lower: UnsafePointer<Double>, _ m: Int, scale: Double = 1,
    into columns: Columns, from row: Int
  ) {
    for a in 0..<m { mix(attention, lower, m, a, scale: scale, into: columns[a] + row) }
  }

  /// `A L T` for lower triangular L and T, likewise.
  /// - Parameter scratch: room for m x m.
  package static func mix(
    _ attention: UnsafePointer<Double>, _ lower: UnsafePointer<Double>, times t: UnsafePointer<Double>, _ m: Int,
    into columns: Columns, from row: Int, scratch: UnsafeMutablePointer<Double>
  ) {
    for a in 0..<m { mix(attention, lower, m, a, scale: 1, into: scratch + a &* m) }
    mix(scratch, t, m, into: columns, from: row)
  }

  /// Row a of `scale A L`.
  @inline(__always)
  private static func mix(
    _ attention: UnsafePointer<Double>, _ lower: UnsafePointer<Double>, _ m: Int, _ a: Int, scale: Double,
    into row: UnsafeMutablePointer<Double>
  ) {
    for j in 0..<m {
      var sum = 0.0
      for b in j..<m { sum += attention[a &* m &+ b] * lower[b &* m &+ j] }
      row[j] = scale * sum
    }
  }

  /// Heads whose branches are factored at once: some 512 rows.
  package static func group(_ m: Int, heads: Int) -> Int { min(heads, max(1, 512 / m)) }
}
