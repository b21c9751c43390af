import Kernels
import Randomness

/// An n x m residual stream R in law, whose branches are Gaussian given what its normalised columns have as Gram matrix:
///
/// $$R/\sqrt n = e r^T + Q L^T, \qquad e = 1/\sqrt n,$$
///
/// Q orthonormal, orthogonal to e, uniform and independent of all the rest. Normalised columns have the Gram matrix n F, F the correlations of
/// $L L^T$. A branch adds $N B^T/\sqrt n$, N an n x m matrix of normals: its row along e goes to r, m rows along Q to L, and of the others
/// only their Gram matrix matters, which Bartlett's factor of n - 1 - m degrees of freedom gives. So r and L are all there is, whatever n.
/// Without subtraction of the mean there is no r, and Q has one dimension more.
package final class NormalisedStream {
  let norm: Normalisation
  /// L.
  package let factor: UnsafeMutablePointer<Double>
  private let m, width: Int
  /// Dimensions that Q may have.
  private let dimensions: Int
  private let mean, t: UnsafeMutablePointer<Double>
  private let columns: Columns
  private let sum: FactorSum

  /// - Precondition: n > m, and the norm is over the channels: layer or rms.
  package init(_ norm: Normalisation, width n: Int, count m: Int) {
    precondition(n > m && norm != .batch)
    self.norm = norm
    (self.m, width) = (m, n)
    dimensions = norm == .layer ? n - 1 : n
    func room(_ count: Int) -> UnsafeMutablePointer<Double> {
      let p = UnsafeMutablePointer<Double>.allocate(capacity: count)
      p.initialize(repeating: 0, count: count)
      return p
    }
    (factor, t, mean) = (room(m * m), room(m * m), room(m))
    columns = Columns(m, rows: 2 * m)
    sum = FactorSum(m)
  }

  deinit { for p in [factor, t, mean] { p.deallocate() } }

  /// The stream at the inputs, from L_0.
  package func start(_ embedding: Embedding, lower: UnsafePointer<Double>, _ stream: inout Stream) {
    factor.update(from: lower, count: m &* m)
    switch embedding {
    case .gaussian:
      let root = 1 / Double(width).squareRoot()
      Bartlett.write(&stream, m, degrees: Double(dimensions), to: t)
      Triangular.multiplyLower(factor, t, m: m, scale: root)
      if norm == .layer { setMean(lower, stream.normals(m), root) }
    case .exact:
      guard norm == .layer else { return }
      // e along the frame of the inputs is g/|(g, chi)|, so L L^T = L_0 (1 - g g^T/|(g, chi)|^2) L_0^T.
      let g = stream.normals(m)
      let outside = stream.chiSquare(width &- m)
      var after = outside
      for j in (0..<m).reversed() {
        let before = after + g[j] * g[j]
        t[j &* m &+ j] = (after / before).squareRoot()
        let scale = -g[j] / (after.squareRoot() * before.squareRoot())
        for i in 0..<m where i != j { t[i &* m &+ j] = i > j ? scale * g[i] : 0 }
        after = before
      }
      setMean(lower, g, 1 / after.squareRoot())
      Triangular.multiplyLower(factor, t, m: m, scale: 1)
    }
  }

  /// `r = scale L_0 g`.
  private func setMean(_ lower: UnsafePointer<Double>, _ g: UnsafePointer<Double>, _ scale: Double) {
    for a in 0..<m {
      var sum = 0.0
      for k in 0...a { sum += lower[a &* m &+ k] * g[k] }
      mean[a] = scale * sum
    }
  }

  /// Adds $N B^T/\sqrt n$ to $R/\sqrt n$.
  /// - Parameter branch: B, m x m lower triangular.
  package func add(_ branch: UnsafePointer<Double>, _ stream: inout Stream) {
    let root = 1 / Double(width).squareRoot()
    let along = stream.normals(m &* m)
    for a in 0..<m {
      for j in 0..<m {
        var sum = 0.0
        for k in 0...a { sum += branch[a &* m &+ k] * along[k &* m &+ j] }
        columns[a][j] = (j <= a ? factor[a &* m &+ j] : 0) + root * sum
      }
    }
    if norm == .layer {
      let g = stream.normals(m)
      for a in 0..<m {
        var sum = 0.0
        for k in 0...a { sum += branch[a &* m &+ k] * g[k] }
        mean[a] += root * sum
      }
    }
    Bartlett.write(&stream, m, degrees: Double(dimensions &- m), to: t)
    for a in 0..<m {
      for j in 0..<m {
        var sum = 0.0
        for k in j..<max(j, a &+ 1) { sum += branch[a &* m &+ k] * t[k &* m &+ j] }
        columns[a][m &+ j] = root * sum
      }
      for i in 2 &* m..<columns.stride { columns[a][i] = 0 }
    }
    sum.reset()
    sum.add(columns.data, stride: columns.stride, count: 2 &* m)
    // Equal inputs stay equal.
    sum.clearDependent()
    sum.write(lower: factor, scale: 1)
  }

  /// Puts the factor of `V = L L^T + r r^T` in the state.
  package func measure(_ state: NetworkState) {
    for a in 0..<m {
      for j in 0..<columns.stride { columns[a][j] = j <= a ? factor[a &* m &+ j] : 0 }
      columns[a][m] = norm == .layer ? mean[a] : 0
    }
    sum.reset()
    sum.add(columns.data, stride: columns.stride, count: m &+ 1)
    state.take(sum, scale: 1)
  }
}
