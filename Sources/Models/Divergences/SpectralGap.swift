import Kernels

/// The spectral gap of the generator L = -U' d/dx + d^2/dx^2 of Langevin dynamics on the line: variances fall at least as e^{-2 gap t}, and so does KL in the end.
enum SpectralGap {
  /// On [-reach, reach] with reflecting ends; of order 1e-8 by Richardson's rule from two grids.
  static func of(_ target: any LineTarget, reach: Double, cells: Int = 2000) -> Double {
    let (coarse, fine) = (gap(target, reach, cells), gap(target, reach, 2 * cells))
    return fine + (fine - coarse) / 3
  }

  /// Jumps between neighbours with the rates e^{U(x) - U(middle)}/dx^2 leave e^{-U} as it is; made symmetric, -L is a tridiagonal matrix of which the least eigenvalue is 0 and the next one is
  /// found by bisection on the number of eigenvalues below.
  private static func gap(_ target: any LineTarget, _ reach: Double, _ cells: Int) -> Double {
    let dx = 2 * reach / Double(cells)
    func energy(_ halves: Int) -> Double { target.energy((Double(halves) * 0.5 - 0.5 * Double(cells)) * dx) }
    // Cells have their centres at odd halves, their borders at even ones.
    let centres = (0..<cells).map { energy(2 * $0 + 1) }
    let borders = (0...cells).map { energy(2 * $0) }
    func rate(_ cell: Int, _ border: Int) -> Double {
      border == 0 || border == cells ? 0 : Elementary.exp(min(centres[cell] - borders[border], 600)) / (dx * dx)
    }
    let diagonal = (0..<cells).map { rate($0, $0) + rate($0, $0 + 1) }
    // The square of an entry beside the diagonal is the product of the rates there and back.
    let beside = (0..<cells - 1).map { rate($0, $0 + 1) * rate($0 + 1, $0 + 1) }
    /// Eigenvalues below x: negative pivots of the factorisation of A - x.
    func below(_ x: Double) -> Int {
      var (found, pivot) = (0, 1.0)
      for i in 0..<cells {
        pivot = diagonal[i] - x - (i == 0 ? 0 : beside[i - 1] / pivot)
        if pivot.magnitude < 1e-300 { pivot = -1e-300 }
        if pivot < 0 { found += 1 }
      }
      return found
    }
    var (low, high) = (0.0, 1.0)
    while below(high) < 2 { high *= 2 }
    for _ in 0..<60 {
      let middle = 0.5 * (low + high)
      if below(middle) < 2 { low = middle } else { high = middle }
    }
    return 0.5 * (low + high)
  }
}
