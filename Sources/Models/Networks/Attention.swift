import Kernels

/// Softmax attention through m x m matrices: what a head does to tokens whose rows L have the Gram matrix `L L^T`.
package enum Attention {
  /// `Y = L N L^T`.
  /// - Parameters:
  ///   - lower: L, m x m lower triangular.
  ///   - inner: N, m x m.
  ///   - scratch: room for m x m.
  package static func score(
    _ lower: UnsafePointer<Double>, _ inner: UnsafePointer<Double>, _ m: Int, into score: UnsafeMutablePointer<Double>,
    scratch: UnsafeMutablePointer<Double>
  ) {
    for a in 0..<m {
      for b in 0..<m {
        var sum = 0.0
        for k in 0...a { sum += lower[a &* m &+ k] * inner[k &* m &+ b] }
        scratch[a &* m &+ b] = sum
      }
    }
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

  /// Entry (a, j) of `A L`.
  @inline(__always)
  package static func mixed(
    _ attention: UnsafePointer<Double>, _ lower: UnsafePointer<Double>, _ m: Int, _ a: Int, _ j: Int
  ) -> Double {
    var sum = 0.0
    for b in j..<m { sum += attention[a &* m &+ b] * lower[b &* m &+ j] }
    return sum
  }

  /// Heads whose branches are factored at once: some 512 rows.
  package static func group(_ m: Int, heads: Int) -> Int { min(heads, max(1, 512 / m)) }
}
