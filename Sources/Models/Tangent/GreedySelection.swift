import Kernels

/// Points chosen one by one so that $\log \det(1 + K_S/s^2)$ grows most at every step: Cholesky's factor of $K + s^2$ with the largest pivot first. Ties go to the lowest index, and no point is chosen twice.
///
/// Only the columns of K that are chosen are asked for: m columns of P numbers, O(m^2 P).
package final class GreedySelection {
  private let count, most: Int
  /// What is left of the diagonal of K; a row for every choice.
  private let rest, factor: UnsafeMutablePointer<Double>
  private let isChosen: UnsafeMutablePointer<Bool>
  package let picks: UnsafeMutablePointer<Int>

  package init(points: Int, picks: Int) {
    (count, most) = (points, picks)
    (rest, factor) = (.allocateZeros(points), .allocateZeros(points * picks))
    isChosen = .allocate(capacity: points)
    isChosen.initialize(repeating: false, count: points)
    self.picks = .allocate(capacity: picks)
    self.picks.initialize(repeating: 0, count: picks)
  }

  deinit {
    rest.deallocate()
    factor.deallocate()
    isChosen.deallocate()
    picks.deallocate()
  }

  /// - Parameters:
  ///   - noise: $s^2 > 0$.
  ///   - diagonal: of K.
  ///   - column: writes the column of K of a point.
  package func choose(
    noise: Double, diagonal: (_ a: Int) -> Double, column: (_ a: Int, _ to: UnsafeMutablePointer<Double>) -> Void
  ) {
    for a in 0..<count { (rest[a], isChosen[a]) = (diagonal(a), false) }
    for k in 0..<most {
      var best = -1
      for a in 0..<count where !isChosen[a] && (best < 0 || rest[a] > rest[best]) { best = a }
      (picks[k], isChosen[best]) = (best, true)
      let row = factor + k * count
      column(best, row)
      for l in 0..<k {
        let before = factor + l * count
        let along = -before[best]
        for a in 0..<count { row[a] = row[a].addingProduct(along, before[a]) }
      }
      let scale = 1 / (max(rest[best], 0) + noise).squareRoot()
      for a in 0..<count {
        row[a] *= scale
        rest[a] = rest[a].addingProduct(-row[a], row[a])
      }
    }
  }
}
