import Kernels

/// Loops over all pairs: the targets are the particles of a tile, the sources all particles in their global order.
enum PairForces {
  /// A source: the place of its coordinate k is `base[k * lanes]`.
  struct Source {
    let base: UnsafePointer<Double>
    let lanes: Int
  }

  /// Calls `body` for every source with the squared distances of all targets of the tile, which it may overwrite.
  @inline(__always)
  static func forEachSource(
    _ x: Tile, _ all: UnsafePointer<Double>, _ tiling: Tiling,
    _ body: (_ square: UnsafeMutablePointer<Double>, _ source: Source) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: Tiling.width) { room in
      let square = room.baseAddress!
      for tile in 0..<tiling.total {
        for j in 0..<tiling.count(tile) {
          let source = Source(base: all + tile * tiling.size + j, lanes: tiling.lanes)
          for i in 0..<x.count { square[i] = 0 }
          for k in 0..<x.dimension {
            let (row, y) = (x[k], source.base[k * source.lanes])
            for i in 0..<x.count { square[i] = square[i].addingProduct(row[i] - y, row[i] - y) }
          }
          body(square, source)
        }
      }
    }
  }

  /// Adds factor_i (x_i - y) to the gradient of the targets.
  @inline(__always)
  static func push(
    _ x: Tile, from source: Source, by factor: UnsafePointer<Double>, _ gradient: UnsafeMutablePointer<Double>
  ) {
    for k in 0..<x.dimension {
      let (row, target, y) = (x[k], gradient + k * x.lanes, source.base[k * source.lanes])
      for i in 0..<x.count { target[i] = target[i].addingProduct(factor[i], row[i] - y) }
    }
  }

  /// In two dimensions, adds scale (x_i - y_j)/(|x_i - y_j|^2 + least) over all sources j, in their global order, to the targets of a tile.
  static func addRepulsion(
    _ count: Int, _ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ all: UnsafePointer<Double>,
    _ tiling: Tiling,
    _ least: Double, scale: Double, _ fx: UnsafeMutablePointer<Double>, _ fy: UnsafeMutablePointer<Double>
  ) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * Tiling.width) { sums in
      // On the stack, where nothing else points: no checks for overlap in the loop.
      let (gx, gy) = (sums.baseAddress!, sums.baseAddress! + Tiling.width)
      for i in 0..<count {
        gx[i] = 0
        gy[i] = 0
      }
      for source in 0..<tiling.total {
        let sx = all + source * tiling.size
        let sy = sx + tiling.lanes
        for j in 0..<tiling.count(source) {
          let (px, py) = (sx[j], sy[j])
          for i in 0..<count {
            let (dx, dy) = (x[i] - px, y[i] - py)
            let factor = Elementary.reciprocal(least.addingProduct(dx, dx).addingProduct(dy, dy))
            gx[i] = gx[i].addingProduct(dx, factor)
            gy[i] = gy[i].addingProduct(dy, factor)
          }
        }
      }
      for i in 0..<count {
        fx[i] = fx[i].addingProduct(scale, gx[i])
        fy[i] = fy[i].addingProduct(scale, gy[i])
      }
    }
  }
}
