import Experiments
import Kernels
import Randomness

/// Draws of random-feature ridge regression in which neither features nor, of blocks of equal eigenvalues, modes are drawn (arXiv:2311.14646).
///
/// The model: n examples that are rows of normals X, $y = X v + \sigma \epsilon$; features $F = \Lambda^{1/2} G/\sqrt k$, G modes x k; $P = X F$, $b = (P^T P + \delta)^{-1} P^T y$, w = F b.
///
/// Only $K = X \Lambda X^T$, $H = X \Lambda^2 X^T$, $X v$ and $X \Lambda v$ matter. *A block of c modes of one eigenvalue* is turned so that its teacher lies along its first mode: that mode is a column of n
/// normals, and the others are a Wishart matrix with c - 1 degrees of freedom, which is drawn by Bartlett's factor, n columns whatever c.
///
/// *Given X, k drops out*: with $K = U^T U$, $S = P P^T = U^T T T^T U/k$, T Bartlett's factor of n x n with k degrees of freedom (n x k normals where k < n). With $a = (S + \delta)^{-1} y$,
/// $u = K^{-1} S a$, the rest of F is independent of P, and its mean is taken exactly,
///
/// $$ \mathbb E[\mathrm{test}\,|\,X, y, S] = |v|^2 - 2\, (X \Lambda v) \cdot u + u^T H u + \frac{a^T S a}{k} (\mathrm{tr} \Lambda - \mathrm{tr} K^{-1} H) + \sigma^2 . $$
///
/// $S a = y - \delta a$ loses nothing where S is small, and where k < n the same follows from the k x k system of b, $a^T S a = |b|^2$. One K, one S and one y serve all ridges. At
/// infinitely many features S = K, and the draw is the plain one but for rounding.
struct ReducedRegression: Draw {
  let problem: EigenbasisRegression
  let schema: Schema

  private var n: Int { problem.samples }

  final class Scratch {
    /// Rows of normals, each of n, and the same times their eigenvalues.
    let rows, scaled: UnsafeMutablePointer<Double>
    /// K and H; K becomes U, with y and H behind it: $U^{-T} y$ and $U^{-T} H$.
    let kernel: UnsafeMutablePointer<Double>
    let square: UnsafeMutablePointer<Double>
    let kernelStride, squareStride: Int
    /// Bartlett's factor, or normals; what it makes of U.
    let triangle, product: UnsafeMutablePointer<Double>
    /// y, X Lambda v, u, P^T y.
    let targets, images, seen, right: UnsafeMutablePointer<Double>
    let system: RidgeSystem

    init(_ p: EigenbasisRegression) {
      let n = p.samples
      let k = min(p.features ?? n, n)
      (rows, scaled) = (.allocateZeros(ReducedRegression.group * n), .allocateZeros(ReducedRegression.group * n))
      (kernelStride, squareStride) = (
        MatrixProduct.padded(2 * n + 1, Double.self), MatrixProduct.padded(n, Double.self)
      )
      (kernel, square) = (.allocateZeros(n * kernelStride), .allocateZeros(n * squareStride))
      (triangle, product) = (.allocateZeros(n * max(n, k)), .allocateZeros(n * max(n, k)))
      (targets, images, seen, right) = (.allocateZeros(n), .allocateZeros(n), .allocateZeros(n), .allocateZeros(n))
      system = RidgeSystem(k)
    }

    deinit {
      for place in [rows, scaled, kernel, square, triangle, product, targets, images, seen, right] {
        place.deallocate()
      }
    }
  }

  /// Rows that are added at a time: a part of the second-level cache at some hundred examples.
  fileprivate static let group = 128

  func makeScratch() -> Scratch { Scratch(problem) }

  func draw(
    using stream: inout Stream, scratch s: Scratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let teacher = drawExamples(s, &stream)
    for i in 0..<n { s.targets[i] += problem.deviation * stream.normal() }
    guard let features = problem.features else { return kernelRegression(s, teacher, values) }
    guard let unseen = factorise(s) else { return forEachRidge(values) { _ in nil } }
    return features < n
      ? primal(s, &stream, features, teacher, unseen, values) : dual(s, &stream, features, teacher, unseen, values)
  }

  // MARK: Examples

  /// K, H, X v in the place of the targets and X Lambda v.
  /// - Returns: |v|^2.
  private func drawExamples(_ s: Scratch, _ stream: inout Stream) -> Double {
    for place in [s.targets, s.images] { place.update(repeating: 0, count: n) }
    for i in 0..<n {
      (s.kernel + i * s.kernelStride).update(repeating: 0, count: n)
      (s.square + i * s.squareStride).update(repeating: 0, count: n)
    }
    var (used, total) = (0, 0.0)
    func flush(_ columns: Int? = nil) {
      addGroup(s, used, from: columns)
      used = 0
    }
    func addRow(_ eigenvalue: Double, _ stream: inout Stream) -> UnsafePointer<Double> {
      if used == Self.group { flush() }
      let (row, scaled) = (s.rows + used * n, s.scaled + used * n)
      let normals = stream.normals(n)
      for i in 0..<n { (row[i], scaled[i]) = (normals[i], eigenvalue * normals[i]) }
      used += 1
      return UnsafePointer(row)
    }
    for block in problem.spectrum.blocks {
      let square =
        problem.drawsTeacher ? block.eigenvalue * 2 * stream.gamma(shape: 0.5 * block.count) : block.teacher
      total += square
      let along = square.squareRoot()
      let row = addRow(block.eigenvalue, &stream)
      add(along, row, to: s.targets, n)
      add(along * block.eigenvalue, row, to: s.images, n)
      let rest = block.count - 1
      if rest <= Double(n) {
        for _ in 0..<Int(rest) { _ = addRow(block.eigenvalue, &stream) }
        continue
      }
      flush()
      for first in Swift.stride(from: 0, to: n, by: Self.group) {
        let last = min(first + Self.group, n)
        for j in first..<last {
          let (row, scaled) = (s.rows + used * n, s.scaled + used * n)
          writeBartlett(j, degrees: rest, row, &stream)
          for i in 0..<n { scaled[i] = block.eigenvalue * row[i] }
          used += 1
        }
        flush(first)
      }
    }
    flush()
    return total
  }

  /// Column j of Bartlett's factor, as a row.
  private func writeBartlett(
    _ j: Int, degrees: Double, _ row: UnsafeMutablePointer<Double>, _ stream: inout Stream
  ) {
    let normals = stream.normals(n - j)
    row.update(repeating: 0, count: j)
    for i in j..<n { row[i] = normals[i - j] }
    // The normal in the place of the diagonal is given up: the others are where they would be without it.
    row[j] = (2 * stream.gamma(shape: 0.5 * (degrees - Double(j)))).squareRoot()
  }

  /// K += Z^T Lambda Z and H += Z^T Lambda^2 Z over the rows Z of a group.
  /// - Parameter first: of rows of Bartlett's factor, the number of the first: row j is zero before j.
  private func addGroup(_ s: Scratch, _ count: Int, from first: Int? = nil) {
    guard count > 0 else { return }
    for i in Swift.stride(from: 0, to: n, by: RidgeSystem.strip) {
      let height = min(RidgeSystem.strip, n - i)
      let inner = first.map { min(max(i + height - $0, 0), count) } ?? count
      guard inner > 0 else { continue }
      MatrixProduct.add(
        s.kernel + i * (s.kernelStride + 1), s.kernelStride, rows: height, columns: n - i, s.scaled + i, rowStride: 1,
        columnStride: n, inner: inner, s.rows + i, n)
      MatrixProduct.add(
        s.square + i * (s.squareStride + 1), s.squareStride, rows: height, columns: n - i, s.scaled + i, rowStride: 1,
        columnStride: n, inner: inner, s.scaled + i, n)
    }
  }

  /// u.H u, from the upper triangle.
  private func energy(_ s: Scratch, _ u: UnsafePointer<Double>) -> Double {
    var sum = 0.0
    for i in 0..<n {
      let row = s.square + i * s.squareStride
      sum += u[i] * (row[i] * u[i] + 2 * Cholesky.dot(row + (i + 1), u + (i + 1), n - i - 1))
    }
    return sum
  }

  // MARK: Ridges

  /// U in the place of K.
  /// - Returns: tr Lambda - tr K^-1 H, nil where K is not positive definite.
  private func factorise(_ s: Scratch) -> Double? {
    for i in 0..<n {
      let (row, square) = (s.kernel + i * s.kernelStride, s.square + i * s.squareStride)
      for j in i..<n {
        row[n + j] = square[j]
        s.kernel[j * s.kernelStride + n + i] = square[j]
      }
    }
    guard Cholesky.factor(s.kernel, stride: s.kernelStride, count: n, columns: 2 * n) == nil else { return nil }
    Cholesky.backward(
      s.kernel, stride: s.kernelStride, count: n, s.kernel + n, bStride: s.kernelStride, columns: n)
    var seen = 0.0
    for i in 0..<n { seen += s.kernel[i * s.kernelStride + n + i] }
    return problem.spectrum.trace - seen
  }

  /// K^-1 x, in its place.
  private func divide(_ s: Scratch, _ x: UnsafeMutablePointer<Double>) {
    Cholesky.forward(s.kernel, stride: s.kernelStride, count: n, x)
    Cholesky.backward(s.kernel, stride: s.kernelStride, count: n, x)
  }

  /// The errors at a ridge, once `seen` holds u.
  private func errors(_ s: Scratch, _ teacher: Double, unseen: Double, train: Double) -> RegressionErrors {
    let test =
      teacher - 2 * Cholesky.dot(s.images, s.seen, n) + energy(s, s.seen) + unseen + problem.noise
    return RegressionErrors(test: test, train: train)
  }

  private func forEachRidge(
    _ values: UnsafeMutablePointer<Double>, _ body: (_ ridge: Double) -> RegressionErrors?
  ) -> DrawEvents {
    RegressionErrors.write(problem.ridges, schema, to: values, body)
  }

  /// Infinitely many features: u = a.
  private func kernelRegression(_ s: Scratch, _ teacher: Double, _ values: UnsafeMutablePointer<Double>) -> DrawEvents {
    for i in 0..<n {
      (s.system.matrix + i * (s.system.stride + 1)).update(from: s.kernel + i * (s.kernelStride + 1), count: n - i)
    }
    return forEachRidge(values) { ridge in
      guard s.system.solve(s.targets, ridge: ridge) else { return nil }
      let a = s.system.solution
      s.seen.update(from: a, count: n)
      return errors(s, teacher, unseen: 0, train: ridge * ridge * Cholesky.dot(a, a, n) / Double(n))
    }
  }

  /// At least as many features as examples: n x n.
  private func dual(
    _ s: Scratch, _ stream: inout Stream, _ features: Int, _ teacher: Double, _ unseen: Double,
    _ values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    for j in 0..<n { writeBartlett(j, degrees: Double(features), s.triangle + j * n, &stream) }
    // T^T U, upper triangular.
    for i in Swift.stride(from: 0, to: n, by: RidgeSystem.strip) {
      let height = min(RidgeSystem.strip, n - i)
      MatrixProduct.add(
        s.product + i * (n + 1), n, fresh: true, rows: height, columns: n - i, s.triangle + i * (n + 1), rowStride: n,
        columnStride: 1, inner: n - i, s.kernel + i * (s.kernelStride + 1), s.kernelStride)
    }
    for i in Swift.stride(from: 0, to: n, by: RidgeSystem.strip) {
      let height = min(RidgeSystem.strip, n - i)
      MatrixProduct.add(
        s.system.matrix + i * (s.system.stride + 1), s.system.stride, fresh: true, rows: height, columns: n - i,
        s.product + i, rowStride: 1, columnStride: n, inner: i + height, s.product + i, n)
    }
    let scale = 1 / Double(features)
    for i in 0..<n { for j in i..<n { s.system.matrix[i * s.system.stride + j] *= scale } }
    return forEachRidge(values) { ridge in
      guard s.system.solve(s.targets, ridge: ridge) else { return nil }
      let a = s.system.solution
      for i in 0..<n { s.seen[i] = s.targets[i].addingProduct(-ridge, a[i]) }
      let norm = Cholesky.dot(a, s.seen, n)
      divide(s, s.seen)
      return errors(
        s, teacher, unseen: norm * scale * unseen, train: ridge * ridge * Cholesky.dot(a, a, n) / Double(n))
    }
  }

  /// Fewer features than examples: k x k.
  private func primal(
    _ s: Scratch, _ stream: inout Stream, _ features: Int, _ teacher: Double, _ unseen: Double,
    _ values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let k = features
    let scale = 1 / Double(k).squareRoot()
    for i in 0..<n {
      let normals = stream.normals(k)
      for j in 0..<k { s.triangle[i * k + j] = scale * normals[j] }
    }
    MatrixProduct.add(
      s.product, k, fresh: true, rows: n, columns: k, s.kernel, rowStride: 1, columnStride: s.kernelStride, inner: n,
      s.triangle, k)
    s.system.addGram(s.product, k, inner: n, fresh: true)
    s.right.update(repeating: 0, count: k)
    for i in 0..<n { add(s.targets[i], s.product + i * k, to: s.right, k) }
    return forEachRidge(values) { ridge in
      guard s.system.solve(s.right, ridge: ridge) else { return nil }
      let b = s.system.solution
      var train = 0.0
      for i in 0..<n {
        s.seen[i] = Cholesky.dot(s.product + i * k, b, k)
        train += (s.targets[i] - s.seen[i]) * (s.targets[i] - s.seen[i])
      }
      divide(s, s.seen)
      return errors(s, teacher, unseen: Cholesky.dot(b, b, k) / Double(k) * unseen, train: train / Double(n))
    }
  }
}
