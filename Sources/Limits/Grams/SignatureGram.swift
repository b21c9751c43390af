import Kernels
import Signatures

/// The signature kernel at time 1 between many paths, with Richardson's extrapolation of two grids.
package final class SignatureGram: GramRows {
  package let count: Int
  private let equation: SignatureEquation
  /// Steps of the coarse and of the fine grid.
  private let steps: [Int]
  private let moves: [[[Double]]]
  private let variances: [[[Double]]]

  /// - Parameter refine: steps of the coarse grid for each straight piece.
  package init(_ equation: SignatureEquation, _ paths: [SignaturePath], refine: Int) {
    count = paths.count
    self.equation = equation
    let pieces = paths[0].segments!
    let steps = [refine * pieces, 2 * refine * pieces]
    self.steps = steps
    let moves = steps.map { steps in paths.map { $0.increments(steps: steps) } }
    self.moves = moves
    variances = zip(steps, moves).map { steps, moves in
      moves.map { equation.variances($0, steps: steps, .trapezoid) }
    }
  }

  package func write(_ rows: Range<Int>, to band: UnsafeMutablePointer<Double>, stride length: Int) throws {
    for a in rows {
      for b in 0...a {
        let values = (0..<2).map { grid -> Double in
          let (own, moves, steps) = (variances[grid], moves[grid], steps[grid])
          if a == b { return own[a][steps] }
          return equation.kernel(moves[a], moves[b], own[a], own[b], steps: steps, .trapezoid)[steps]
        }
        band[(a - rows.lowerBound) * length + b] = SignatureKernel.extrapolated(values[1], values[0])
      }
    }
  }

  package var bytes: Double {
    // Increments and variances.
    8
      * (moves.joined().reduce(0.0) { $0 + Double($1.count) } + variances.joined().reduce(0.0) { $0 + Double($1.count) })
  }
}
