/// The smallest eigenvalue of a matrix whose factor with a shift is at hand, by Lanczos's method for the inverse.
enum SpectralEdge {
  /// Most steps: the inverse of a matrix that is close to singular has one eigenvalue, or one cluster, far above the others.
  private static let steps = 24

  /// An approximation from above of the smallest eigenvalue of \(R^T R\): no bound in floating point.
  static func smallest(_ factor: SparseFactor) -> Double {
    let n = factor.count
    let steps = min(Self.steps, n)
    let basis = UnsafeMutablePointer<Double>.allocateZeros((steps + 1) * n)
    defer { basis.deallocate() }
    // A start that is orthogonal to no eigenvector in particular: the golden ratio's sequence.
    for i in 0..<n {
      let x = Double(i + 1) * 0x1.3c6ef372fe950p-1
      basis[i] = 0.25 + (x - x.rounded(.down))
    }
    scale(basis, n, by: 1 / dot(basis, basis, n).squareRoot())
    var (diagonal, beside) = ([Double](), [Double]())
    var largest = 0.0
    for step in 0..<steps {
      let (q, w) = (basis + step * n, basis + (step + 1) * n)
      w.update(from: q, count: n)
      factor.solve(w)
      diagonal.append(dot(q, w, n))
      // Orthogonal to all before, twice: once leaves what rounding has brought back.
      for _ in 0..<2 {
        for j in 0...step {
          let s = -dot(basis + j * n, w, n)
          for i in 0..<n { w[i] = w[i].addingProduct(s, basis[j * n + i]) }
        }
      }
      let norm = dot(w, w, n).squareRoot()
      let value = largestEigenvalue(diagonal, beside)
      if step > 3, value - largest <= 1e-4 * value { return 1 / value }
      largest = value
      guard norm > 1e-13 * value else { break }
      beside.append(norm)
      scale(w, n, by: 1 / norm)
    }
    return 1 / largest
  }

  private static func largestEigenvalue(_ diagonal: [Double], _ beside: [Double]) -> Double {
    var (d, e) = (diagonal, beside + [0])
    Tridiagonal.eigenvalues(diagonal: &d, beside: &e, count: d.count)
    return d.max()!
  }

  private static func scale(_ x: UnsafeMutablePointer<Double>, _ n: Int, by s: Double) {
    for i in 0..<n { x[i] *= s }
  }

  /// In eight running sums.
  private static func dot(_ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ n: Int) -> Double {
    var sums = Vector8(0)
    let whole = n & ~7
    for i in stride(from: 0, to: whole, by: 8) { sums.add(Vector8(x + i), Vector8(y + i)) }
    var rest = sums.total
    for i in whole..<n { rest = rest.addingProduct(x[i], y[i]) }
    return rest
  }
}
