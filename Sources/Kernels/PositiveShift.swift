/// A diagonal that makes a sparse symmetric matrix positive semidefinite, proved: \(A + \operatorname{diag}(d) \succeq 0\).
public struct PositiveShift: Sendable {
  /// d; a few ulp above what the factorisation ran with.
  public let diagonal: [Double]
  /// What was added to every entry of the diagonal that was asked for.
  public let shift: Double
  public let factorisations: Int

  /// Raises a diagonal by one number as small as can be found.
  ///
  /// A shift whose factorisation runs to its end is lowered to the eigenvalue that Lanczos's method finds for the inverse, plus a hundredth of what was
  /// above it, until another round would gain less than `tolerance`: each round is one factorisation, and the last one that succeeded is the proof.
  ///
  /// Nil where nothing is proved: numbers that are not finite, or so small or large that products leave the range of numbers.
  /// - Parameters:
  ///   - diagonal: any numbers.
  ///   - radii: sums of the magnitudes of the rows.
  ///   - tolerance: of the shift; not below what rounding allows.
  public init?(_ factor: SparseFactor, diagonal: [Double], radii: [Double], tolerance: Double) {
    // Gershgorin: with this shift the matrix is diagonally dominant.
    let safe = zip(diagonal, radii).reduce(-Double.infinity) { max($0, $1.1 - $1.0) }
    let scale = zip(diagonal, radii).reduce(0) { max($0, $1.0.magnitude + $1.1) }
    var count = 0
    func tries(_ shift: Double) -> [Double]? {
      count += 1
      return Self.proved(factor, diagonal, shift)
    }
    var above = 1e-4 * scale
    var shift = 0.0
    var best: (shift: Double, diagonal: [Double])?
    while best == nil, count < 40 {
      // Above Gershgorin's shift only the margin of rounding is missing.
      let next = min(shift + above, safe + 1e-3 * scale)
      best = tries(next).map { (next, $0) }
      above *= best == nil ? 8 : 1
    }
    guard var found = best else { return nil }
    for _ in 0..<12 {
      // The matrix that was factorised lies below the one that was proved by the margin, which is part of the distance.
      let distance = SpectralEdge.smallest(factor)
      guard distance > tolerance else { break }
      shift = found.shift - distance * 0.99
      if let diagonal = tries(shift) {
        found = (shift, diagonal)
        continue
      }
      // The eigenvalue was taken too low, or the margin is all that is left.
      shift = found.shift - 0.5 * distance
      guard distance > 4 * tolerance, let diagonal = tries(shift) else { break }
      found = (shift, diagonal)
    }
    (self.diagonal, self.shift, factorisations) = (found.diagonal, found.shift, count)
  }

  /// Whether \(A + \operatorname{diag}(d) \succeq 0\) is proved.
  public static func proves(_ factor: SparseFactor, diagonal: [Double]) -> Bool {
    guard let lowered = lowered(factor, diagonal) else { return false }
    return factor.factorise(diagonal: lowered)
  }

  private static func proved(_ factor: SparseFactor, _ diagonal: [Double], _ shift: Double) -> [Double]? {
    let raised = diagonal.map { $0 + shift }
    return proves(factor, diagonal: raised) ? raised : nil
  }

  /// The diagonal less the margin of rounding, rounded down; nil if it is not positive, as that of no definite matrix is.
  private static func lowered(_ factor: SparseFactor, _ diagonal: [Double]) -> [Double]? {
    guard diagonal.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
    let margin = factor.margin(trace: diagonal.reduce(0, +))
    return diagonal.map { ($0 - margin).nextDown }
  }
}
