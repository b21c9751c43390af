/// The law of LMC on a grid by itself, for benchmarks.
package final class GridStepper {
  private let grid: LineGrid
  private let kernel: GridKernel
  private let q: UnsafeMutablePointer<Double>

  package init(alpha: Double, step: Double, reach: Double, points: Int) {
    let target = SmoothedPower(alpha: alpha)
    grid = LineGrid(target, reach: reach, count: points)
    kernel = GridKernel(grid, target, step: step, accepts: false)
    q = .allocateZeros(points)
  }

  deinit { q.deallocate() }

  package func start(mean: Double, std: Double) {
    for (i, value) in grid.normal(mean: mean, std: std).enumerated() { q[i] = value }
  }

  package func step() { kernel.step(q) }
  package func divergence() -> Double { grid.divergences(q, orders: [], infiniteFrom: .infinity).kl }
}
