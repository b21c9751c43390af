import Kernels
import Randomness
import Experiments

/// The n x m stream $R_0$ that a network with a residual stream starts from, with $V_0 = L_0 L_0^T$.
package enum Embedding: String, CaseIterable, Sendable {
  /// Rows $N(0, V_0)$: $E R_0^T R_0/n = V_0$.
  case gaussian
  /// $R_0 = \sqrt n Q L_0^T$, the n x m frame Q uniform: $R_0^T R_0/n = V_0$.
  case exact

  static let parameter = Parameter(
    "embedding", .choice(allCases.map(\.rawValue)), default: .text(gaussian.rawValue),
    "z_0: Gaussian entries of covariance V_0, or directions at random with V_0 exactly")

  /// Reads the key.
  static func read(_ p: Parameters, _ settings: NetworkSettings) throws -> Embedding {
    let embedding = Embedding(rawValue: p.text("embedding"))!
    guard embedding == .gaussian || settings.width >= settings.count else {
      throw p.invalid("embedding", "exact needs a width of at least the number of inputs, \(settings.count)")
    }
    return embedding
  }

  /// Draws $R_0$, a column an input.
  /// - Parameters:
  ///   - lower: L_0.
  ///   - scratch: room for m x m.
  func write(
    _ columns: Columns, rows n: Int, lower: UnsafePointer<Double>, _ m: Int, scratch: UnsafeMutablePointer<Double>,
    _ stream: inout Stream
  ) {
    for i in 0..<m * m { scratch[i] = i % (m + 1) == 0 ? 1 : 0 }
    GaussianRows.fill(columns, rows: n, lower: scratch, m, &stream)
    if self == .exact {
      // Orthonormal columns of uniform direction, each of length sqrt(n).
      Triangular.factor(columns: columns.data, stride: columns.stride, count: columns.stride, m: m, into: scratch)
      let root = Double(n).squareRoot()
      for a in 0..<m {
        let scale = root / scratch[a &* m &+ a]
        for i in 0..<n { columns[a][i] *= scale }
      }
    }
    // R_0 = (these columns) L_0^T, from the last to the first, so that a column is read before it is overwritten.
    for a in (0..<m).reversed() {
      let column = columns[a]
      for i in 0..<n { column[i] *= lower[a &* m &+ a] }
      for b in 0..<a {
        let l = lower[a &* m &+ b]
        let other = columns[b]
        for i in 0..<n { column[i] = column[i].addingProduct(l, other[i]) }
      }
    }
  }
}
