import Experiments
import Kernels

/// The squared coefficients of a vector on the eigenvectors of $S = D^{1/2} P D^{-1/2}$, D = diag $\mu$: nodes $\lambda_i < 1$ and weights $(u_i \cdot f)^2$, $u_i = D^{1/2} w_i$, $S w_i = \lambda_i w_i$.
package struct SpectralMeasure: Sendable {
  package let values, weights: [Double]

  package func sum(_ g: (Double) -> Double) -> Double {
    var total = 0.0
    for i in values.indices { total = total.addingProduct(weights[i], g(values[i])) }
    return total
  }

  /// Asymptotic variance of a chain: $(1+\lambda)/(1-\lambda)$.
  package static func plain(_ x: Double) -> Double { (1 + x) / (1 - x) }

  /// Of a self-repellent walk: $\frac{1+\lambda}{1-\lambda} \frac{1}{2\alpha(1+\lambda)+1}$.
  package static func repellent(_ x: Double, alpha: Double) -> Double { plain(x) / (2 * alpha * (1 + x) + 1) }

  /// n times the variance of a mean over n steps of a stationary chain.
  package static func finite(_ x: Double, steps n: Int) -> Double {
    var (power, base, rest) = (1.0, x, n)
    while rest > 0 {
      if rest & 1 == 1 { power *= base }
      base *= base
      rest >>= 1
    }
    return plain(x) - 2 * x * (1 - power) / (Double(n) * (1 - x) * (1 - x))
  }
}

/// What is known of chains by their spectrum: dense to 1024 vertices, and beyond by the method of Lanczos for one function at a time.
extension BaseChain {
  /// Most vertices of dense matrices.
  package static let dense = 1024
  /// Most steps of the method of Lanczos, and the relative change between two numbers of them at which it ends.
  private static let lanczos = (steps: 4000, change: 1e-9)

  /// Roots of $\mu$: the eigenvector of 1.
  private var roots: [Double] { target.map { $0.squareRoot() } }

  /// S in rows of `count`, less `removed` times the projection on the eigenvector of 1.
  private func fill(_ s: UnsafeMutablePointer<Double>, removing removed: Double) {
    let (n, r) = (count, roots)
    for i in 0..<n {
      for j in 0..<n { s[i * n + j] = -removed * r[i] * r[j] }
      for e in offsets[i]..<offsets[i + 1] {
        let j = Int(columns[e])
        s[i * n + j] += r[i] / r[j] * probabilities[e]
      }
    }
  }

  /// $D^{1/2}(f - \mu f)$.
  private func centred(_ f: [Double]) -> [Double] {
    let mean = mean(f)
    return zip(roots, f).map { $0 * ($1 - mean) }
  }

  /// The measure of a function; nil if the method of Lanczos does not find it.
  package func measure(of f: [Double], dense: Int = BaseChain.dense) -> SpectralMeasure? {
    let vector = centred(f)
    // Of a constant function nothing is left but rounding.
    let scale = f.reduce(0) { max($0, $1.magnitude) }
    guard vector.contains(where: { $0.magnitude > 1e-14 * scale }) else {
      return SpectralMeasure(values: [], weights: [])
    }
    return count <= dense ? denseMeasure(vector) : lanczosMeasure(vector)
  }

  private func denseMeasure(_ vector: [Double]) -> SpectralMeasure {
    let n = count
    let room = UnsafeMutablePointer<Double>.allocateZeros(n * n + 2 * n)
    defer { room.deallocate() }
    // The eigenvalue 1 is moved to -3, and left out.
    fill(room, removing: 4)
    SymmetricEigenvalues.find(room, count: n, along: vector, into: room + n * n, squares: room + n * n + n)
    let kept = (0..<n).filter { room[n * n + $0] > -2 }
    return SpectralMeasure(
      values: kept.map { room[n * n + $0] }, weights: kept.map { room[n * n + n + $0] })
  }

  /// Of all vertices together, where $\mu$ is the same everywhere: $|u_i|^2 = 1/N$ then. Nil otherwise, and for large graphs.
  package var evenMeasure: SpectralMeasure? {
    guard isUniform, count <= Self.dense else { return nil }
    let values = denseMeasure(roots).values
    return SpectralMeasure(values: values, weights: values.map { _ in 1 / Double(count) })
  }

  /// Gauss quadrature of the measure: eigenvalues of a tridiagonal matrix, without the vectors that make it.
  private func lanczosMeasure(_ vector: [Double]) -> SpectralMeasure? {
    let (n, r) = (count, roots)
    let length = Cholesky.dot(vector, vector, n)
    let norm = length.squareRoot()
    var (before, here, next) = (
      Array(repeating: 0.0, count: n), vector.map { $0 / norm }, Array(repeating: 0.0, count: n)
    )
    var (diagonal, beside) = ([Double](), [Double]())
    var (look, last) = (32, Double.nan)
    while diagonal.count < Self.lanczos.steps {
      for i in 0..<n {
        var sum = 0.0
        for e in offsets[i]..<offsets[i + 1] {
          sum = sum.addingProduct(probabilities[e] / r[Int(columns[e])], here[Int(columns[e])])
        }
        next[i] = r[i] * sum
      }
      let a = Cholesky.dot(next, here, n)
      // What rounding brings back of the eigenvector of 1 would grow.
      let top = Cholesky.dot(next, r, n)
      let b = beside.last ?? 0
      for i in 0..<n { next[i] -= a * here[i] + b * before[i] + top * r[i] }
      let size = Cholesky.dot(next, next, n).squareRoot()
      diagonal.append(a)
      let isWhole = size < 1e-13 || diagonal.count == n
      if isWhole || diagonal.count == look || diagonal.count == Self.lanczos.steps {
        let found = quadrature(diagonal, beside, length)
        let value = found.sum { 1 / (1 - $0) }
        if isWhole || (value - last).magnitude <= Self.lanczos.change * value { return found }
        last = value
        look += max(8, look / 4)
      }
      beside.append(size)
      for i in 0..<n { (before[i], here[i]) = (here[i], next[i] / size) }
    }
    return nil
  }

  private func quadrature(_ diagonal: [Double], _ beside: [Double], _ length: Double) -> SpectralMeasure {
    var (d, e) = (diagonal, beside + [0])
    var row = Array(repeating: 0.0, count: d.count)
    row[0] = 1
    Tridiagonal.eigenvalues(diagonal: &d, beside: &e, count: d.count, row: &row)
    return SpectralMeasure(values: d, weights: row.map { length * $0 * $0 })
  }

  /// $V_{jj}(\alpha)$ of every vertex, without a spectrum: with $g(\lambda) = \frac{1+\lambda}{1-\lambda} \frac{1}{2\alpha(1+\lambda)+1}$ in partial fractions,
  ///
  /// $$ V = D^{1/2} \Big[\frac{2}{4\alpha+1} (1-S)^{-1} - \frac{1}{4\alpha+1} (2\alpha+1+2\alpha S)^{-1}\Big] D^{1/2} $$
  ///
  /// without the eigenvector of 1. Nil for large graphs.
  package func variances(alpha: Double) -> [Double]? {
    guard count <= Self.dense else { return nil }
    let a = 4 * alpha + 1
    // With the eigenvector of 1 each inverse has a known part on it: 1 - S + rr^T has the eigenvalue 1 there, the other matrix 4 alpha + 1.
    guard let first = inverseDiagonal(plus: 1, times: -1, removing: 1),
      let second = inverseDiagonal(plus: 2 * alpha + 1, times: 2 * alpha, removing: 0)
    else { return nil }
    return target.indices.map { j in
      let mu = target[j]
      return mu * (2 / a * (first[j] - mu) - 1 / a * (second[j] - mu / a))
    }
  }

  /// Diagonal of $(\text{shift} + \text{factor} S)^{-1}$, by $U^{-T}$.
  private func inverseDiagonal(plus shift: Double, times factor: Double, removing: Double) -> [Double]? {
    let n = count
    let width = 2 * n
    let room = UnsafeMutablePointer<Double>.allocateZeros(n * width)
    let s = UnsafeMutablePointer<Double>.allocateZeros(n * n)
    defer {
      room.deallocate()
      s.deallocate()
    }
    fill(s, removing: removing)
    for i in 0..<n {
      for j in 0..<n { room[i * width + j] = factor * s[i * n + j] + (i == j ? shift : 0) }
      room[i * width + n + i] = 1
    }
    guard Cholesky.factor(room, stride: width, count: n, columns: width) == nil else { return nil }
    var found = Array(repeating: 0.0, count: n)
    for i in 0..<n {
      for j in 0..<n { found[j] = found[j].addingProduct(room[i * width + n + j], room[i * width + n + j]) }
    }
    return found
  }
}
