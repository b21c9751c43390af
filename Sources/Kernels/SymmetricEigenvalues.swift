/// Eigenvalues of a dense symmetric matrix, and the squared coefficients of one vector on its eigenvectors, without an eigenvector: Householder's reduction to a tridiagonal matrix that
/// begins with that vector, then the QL method, of which the first row of the eigenvectors is kept (Golub and Welsch).
///
/// The reflection that is due and the product with the next vector are one pass over the lower triangle, so n^3/6 numbers are read and written once, with four fused operations each.
public enum SymmetricEigenvalues {
  /// - Parameters:
  ///   - a: count x count, row by row; the lower triangle is read, and overwritten.
  ///   - vector: `count` numbers, not all 0.
  ///   - values: receives the eigenvalues, in no order.
  ///   - squares: receives $(u_i \cdot \text{vector})^2$.
  public static func find(
    _ a: UnsafeMutablePointer<Double>, count n: Int, along vector: UnsafePointer<Double>,
    into values: UnsafeMutablePointer<Double>, squares: UnsafeMutablePointer<Double>
  ) {
    withAlignedRoom(5 * n) { room in
      let beside = room
      reduce(a, n, vector, values, beside, room + n)
      let row = room + n
      row.update(repeating: 0, count: n)
      row[0] = 1
      Tridiagonal.eigenvalues(diagonal: values, beside: beside, count: n, row: row)
      let length = Cholesky.dot(vector, vector, n)
      for i in 0..<n { squares[i] = length * row[i] * row[i] }
    }
  }

  /// From the last row up, once the vector is a multiple of the last unit vector: `d[k]` and `e[k]` of row n - 1 - k.
  private static func reduce(
    _ a: UnsafeMutablePointer<Double>, _ n: Int, _ vector: UnsafePointer<Double>, _ d: UnsafeMutablePointer<Double>,
    _ e: UnsafeMutablePointer<Double>, _ room: UnsafeMutablePointer<Double>
  ) {
    var due = Reflection(room, room + n)
    var next = Reflection(room + 2 * n, room + 3 * n)
    _ = due.turn(vector, n)
    due.multiply(a, n, n, after: nil)
    for size in stride(from: n, to: 0, by: -1) {
      let (rest, last) = (size - 1, a + (size - 1) * n)
      due.apply(to: last, rest)
      d[n - size] = last[rest]
      guard rest > 0 else { break }
      e[n - size] = next.turn(last, rest)
      next.multiply(a, n, rest, after: due)
      swap(&due, &next)
    }
  }

  /// $H = 1 - \beta u u^T$, and w with $H A H = A - u w^T - w u^T$.
  private struct Reflection {
    let u, w: UnsafeMutablePointer<Double>
    private var beta = 0.0

    init(_ u: UnsafeMutablePointer<Double>, _ w: UnsafeMutablePointer<Double>) { (self.u, self.w) = (u, w) }

    /// Makes it the one that takes x to a multiple of the last unit vector: none where it is one already.
    /// - Returns: the multiple.
    mutating func turn(_ x: UnsafePointer<Double>, _ n: Int) -> Double {
      let rest = Cholesky.dot(x, x, n - 1)
      let last = x[n - 1]
      u.update(from: x, count: n)
      guard rest > 0 else {
        u.update(repeating: 0, count: n)
        beta = 0
        return last
      }
      let length = rest.addingProduct(last, last).squareRoot()
      let alpha = last > 0 ? -length : length
      u[n - 1] = last - alpha
      beta = 2 / rest.addingProduct(u[n - 1], u[n - 1])
      return alpha
    }

    /// Takes its part off row i of the lower triangle.
    @inline(__always)
    func apply(to row: UnsafeMutablePointer<Double>, _ i: Int) {
      let (p, q) = (-u[i], -w[i])
      for j in 0...i { row[j] = row[j].addingProduct(p, w[j]).addingProduct(q, u[j]) }
    }

    /// Finds w, of the leading part of A once `due` has been taken off it, which happens on the way.
    func multiply(_ a: UnsafeMutablePointer<Double>, _ n: Int, _ size: Int, after due: Reflection?) {
      w.update(repeating: 0, count: size)
      for i in 0..<size {
        let (row, x) = (a + i * n, u[i])
        due?.apply(to: row, i)
        w[i] += Cholesky.dot(row, u, i).addingProduct(row[i], x)
        for j in 0..<i { w[j] = w[j].addingProduct(x, row[j]) }
      }
      let half = 0.5 * beta * beta * Cholesky.dot(u, w, size)
      for i in 0..<size { w[i] = (beta * w[i]).addingProduct(-half, u[i]) }
    }
  }
}
