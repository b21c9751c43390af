import Kernels

/// One step of LMC or MALA as a banded matrix on a grid: q'(x_j) = sum_i K(x_j, x_i) q(x_i) dx.
///
///     LMC:  K(y, x) = N(y; x - h U'(x), 2h)
///     MALA: the same times the probability of acceptance, and the probability of rejection on the diagonal.
///
/// A row holds the targets of one source as far as 9 standard deviations from the mean of its step, so the matrix is a strip of constant width, and a step is a sum of strips, in the order of the
/// sources: the same bits whatever the width of vectors. A dense matrix would be read from memory in every step; the strip stays in the second cache.
final class GridKernel {
  let grid: LineGrid
  /// Entries of a row.
  private let width: Int
  private let weights: UnsafeMutablePointer<Double>
  /// Where the row of a source begins, in points of `sums`, which has room beyond both ends of the grid.
  private let starts: [Int]
  private let stays: [Double]
  private let sums: UnsafeMutablePointer<Double>
  private var room: Int { grid.count + 2 * width }

  static let standardDeviations = 9.0

  /// Numbers that the strip of a grid has.
  static func size(_ count: Int, spacing: Double, step: Double) -> Int { count * width(spacing, step) }

  private static func width(_ spacing: Double, _ step: Double) -> Int {
    (Int(2 * standardDeviations * (2 * step).squareRoot() / spacing) + 9) & ~7
  }

  init(_ grid: LineGrid, _ target: any LineTarget, step h: Double, accepts: Bool) {
    self.grid = grid
    let width = Self.width(grid.spacing, h)
    self.width = width
    weights = .allocateZeros(grid.count * width)
    sums = .allocateZeros(grid.count + 2 * width)
    let (dx, count) = (grid.spacing, grid.count)
    let scale = dx / (4 * Double.pi * h).squareRoot()
    var (starts, stays) = ([Int](), [Double]())
    for i in 0..<count {
      let mean = grid.points[i] - h * grid.slopes[i]
      // The place of the mean among the points of the grid; what is far outside of it counts as there.
      let place = min(max(mean / dx + 0.5 * Double(count - 1), -Double(width)), Double(count + width))
      let start = min(max(Int(place.rounded()) - width / 2, -width), count)
      starts.append(start + width)
      let row = weights + i * width
      for k in 0..<width {
        let z = (Double(start + k) - 0.5 * Double(count - 1)) * dx - mean
        row[k] = scale * Elementary.exp(-z * z / (4 * h))
      }
      guard accepts else { continue }
      var moved = 0.0
      for k in 0..<width {
        let j = start + k
        guard grid.points.indices.contains(j) else {
          row[k] = 0
          continue
        }
        let cost = Metropolis.cost(
          grid.points[i], grid.energies[i], grid.slopes[i], to: grid.points[j], grid.energies[j], grid.slopes[j],
          step: h)
        if cost > 0 { row[k] *= Elementary.exp(-cost) }
        moved += row[k]
      }
      stays.append(max(0, 1 - moved))
    }
    (self.starts, self.stays) = (starts, stays)
  }

  deinit {
    weights.deallocate()
    sums.deallocate()
  }

  /// Makes a step of the density q.
  func step(_ q: UnsafeMutablePointer<Double>) {
    sums.update(repeating: 0, count: room)
    for i in 0..<grid.count {
      let density = q[i]
      // Nothing comes of what has underflowed.
      guard density > 1e-290 else { continue }
      let (row, target) = (weights + i &* width, sums + starts[i])
      for k in 0..<width { target[k] = target[k].addingProduct(density, row[k]) }
    }
    if stays.isEmpty {
      q.update(from: sums + width, count: grid.count)
    } else {
      for i in 0..<grid.count { q[i] = sums[width &+ i].addingProduct(stays[i], q[i]) }
    }
  }
}
