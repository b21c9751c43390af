import Kernels

/// The inner loop over all pairs in two dimensions.
enum PairForces {
  /// Adds scale (x_i - y_j)/(|x_i - y_j|^2 + least) over all sources j, in their global order, to the targets of a tile.
  static func addRepulsion(
    _ count: Int, _ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ all: UnsafePointer<Double>,
    _ tiling: Tiling,
    _ least: Double, scale: Double, _ fx: UnsafeMutablePointer<Double>, _ fy: UnsafeMutablePointer<Double>
  ) {
    for source in 0..<tiling.total {
      let sx = all + source * tiling.size
      let sy = sx + tiling.lanes
      for j in 0..<tiling.count(source) {
        let (px, py) = (sx[j], sy[j])
        for i in 0..<count {
          let (dx, dy) = (x[i] - px, y[i] - py)
          let factor = scale / least.addingProduct(dx, dx).addingProduct(dy, dy)
          fx[i] = fx[i].addingProduct(dx, factor)
          fy[i] = fy[i].addingProduct(dy, factor)
        }
      }
    }
  }
}
