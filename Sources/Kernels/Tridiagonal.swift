/// Symmetric tridiagonal matrices.
package enum Tridiagonal {
  /// Eigenvalues in the place of the diagonal, by the QL method with implicit shifts; O(count^2).
  /// - Parameters:
  ///   - beside: the entries (i, i + 1), overwritten; room for `count`.
  ///   - row: if given, `count` numbers that are multiplied from the right by the matrix of eigenvectors: a row of the unit matrix becomes theirs.
  package static func eigenvalues(
    diagonal d: UnsafeMutablePointer<Double>, beside e: UnsafeMutablePointer<Double>, count n: Int,
    row z: UnsafeMutablePointer<Double>? = nil
  ) {
    guard n > 0 else { return }
    e[n - 1] = 0
    for low in 0..<n {
      // Converges cubically; two or three rounds an eigenvalue.
      for _ in 0..<60 {
        var high = low
        while high < n - 1, e[high].magnitude > 0x1p-53 * (d[high].magnitude + d[high + 1].magnitude) { high += 1 }
        if high == low { break }
        var g = (d[low + 1] - d[low]) / (2 * e[low])
        var r = (g * g + 1).squareRoot()
        g = d[high] - d[low] + e[low] / (g + (g >= 0 ? r : -r))
        var (s, c, p) = (1.0, 1.0, 0.0)
        var i = high - 1
        var isSplit = false
        while i >= low {
          let f = s * e[i]
          let b = c * e[i]
          r = (f * f + g * g).squareRoot()
          e[i + 1] = r
          if r == 0 {
            d[i + 1] -= p
            e[high] = 0
            isSplit = true
            break
          }
          s = f / r
          c = g / r
          g = d[i + 1] - p
          r = (d[i] - g) * s + 2 * c * b
          p = s * r
          d[i + 1] = g + p
          g = c * r - b
          if let z { (z[i], z[i + 1]) = (c * z[i] - s * z[i + 1], s * z[i] + c * z[i + 1]) }
          i -= 1
        }
        if isSplit { continue }
        d[low] -= p
        e[low] = g
        e[high] = 0
      }
    }
  }
}
