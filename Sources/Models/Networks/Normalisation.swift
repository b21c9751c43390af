/// Normalisation of pre-activations, without gain and offset, and with no constant added to the deviation:
///
/// $$\hat u = \sqrt k \, \frac{u - \bar u}{|u - \bar u|}$$
///
/// over the k = m inputs of the batch, unit by unit (batch, arXiv:1502.03167), or over the k = n units, input by input (layer, arXiv:1607.06450; without the
/// mean: rms, arXiv:1910.07467).
package enum Normalisation: String, CaseIterable, Sendable {
  case batch, layer, rms

  private var isCentred: Bool { self != .rms }

  /// Vectors that are normalised, their entries, and the steps from an entry to the next and from a vector to the next.
  private func vectors(_ columns: Columns, _ m: Int, rows n: Int) -> (count: Int, length: Int, step: Int, next: Int) {
    self == .batch ? (n, m, columns.stride, 1) : (m, n, 1, columns.stride)
  }

  /// How many vectors there are of m columns of n rows.
  package func count(_ m: Int, rows n: Int) -> Int { self == .batch ? n : m }

  /// Normalises m columns of n rows.
  /// - Parameter inverses: receives $\sqrt k / |u - \bar u|$ of every vector, where it is wanted.
  package func apply(_ columns: Columns, _ m: Int, rows n: Int, inverses: UnsafeMutablePointer<Double>? = nil) {
    let (count, length, step, next) = vectors(columns, m, rows: n)
    for v in 0..<count {
      let u = columns.data + v &* next
      var mean = 0.0
      if isCentred {
        for i in 0..<length { mean += u[i &* step] }
        mean /= Double(length)
      }
      var square = 0.0
      for i in 0..<length {
        let x = u[i &* step] - mean
        u[i &* step] = x
        square += x * x
      }
      let inverse = (Double(length) / square).squareRoot()
      inverses?[v] = inverse
      for i in 0..<length { u[i &* step] *= inverse }
    }
  }

  /// Of n channels in law: the factor of the correlations, rows of L over their norms.
  package static func writeRows(_ lower: UnsafePointer<Double>, _ m: Int, to target: UnsafeMutablePointer<Double>) {
    for a in 0..<m {
      var square = 0.0
      for k in 0...a { square += lower[a &* m &+ k] * lower[a &* m &+ k] }
      let norm = square.squareRoot()
      for k in 0..<m { target[a &* m &+ k] = k <= a ? lower[a &* m &+ k] / norm : 0 }
    }
  }

  /// The derivative back: from that in $\hat u$ to that in u, $(g - \bar g - \hat u \, \overline{g \hat u}) \sqrt k / |u - \bar u|$, in place.
  /// - Parameters:
  ///   - gradient: m columns of n rows, of the same stride as the units.
  ///   - units: $\hat u$.
  package func pullBack(
    _ gradient: Columns, units: Columns, _ m: Int, rows n: Int, inverses: UnsafePointer<Double>
  ) {
    let (count, length, step, next) = vectors(gradient, m, rows: n)
    for v in 0..<count {
      let (g, u) = (gradient.data + v &* next, units.data + v &* next)
      var (mean, along) = (0.0, 0.0)
      for i in 0..<length {
        mean += g[i &* step]
        along += g[i &* step] * u[i &* step]
      }
      mean = isCentred ? mean / Double(length) : 0
      along /= Double(length)
      for i in 0..<length { g[i &* step] = inverses[v] * (g[i &* step] - mean - along * u[i &* step]) }
    }
  }
}
