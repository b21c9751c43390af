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
    withAlignedRoom(Tiling.width) { square in
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

  /// In two dimensions, adds scale (x_i - y_j)/(|x_i - y_j|^2 + least) over all sources j, in their global order, to the targets
  /// of a tile.
  ///
  /// Four sources at a time share one division, 1/a = b c d/(a b c d): it runs beside the 33 multiplications and sums of the
  /// four, where a division for each would take four times as long as they do. The sources beyond a multiple of four in a
  /// tile come one by one.
  static func addRepulsion(
    _ count: Int, _ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ all: UnsafePointer<Double>,
    _ tiling: Tiling,
    _ least: Double, scale: Double, _ fx: UnsafeMutablePointer<Double>, _ fy: UnsafeMutablePointer<Double>
  ) {
    withAlignedRoom(2 * Tiling.width) { gx in
      // Of its own, where nothing else points: no checks for overlap in the loop.
      let gy = gx + Tiling.width
      for i in 0..<count {
        gx[i] = 0
        gy[i] = 0
      }
      for source in 0..<tiling.total {
        let sx = all + source * tiling.size
        let sy = sx + tiling.lanes
        let sources = tiling.count(source)
        var j = 0
        while j + 4 <= sources {
          let (ax, bx, cx, dx) = (sx[j], sx[j + 1], sx[j + 2], sx[j + 3])
          let (ay, by, cy, dy) = (sy[j], sy[j + 1], sy[j + 2], sy[j + 3])
          for i in 0..<count {
            let (ux, uy) = (x[i], y[i])
            let (px, py, qx, qy) = (ux - ax, uy - ay, ux - bx, uy - by)
            let (rx, ry, tx, ty) = (ux - cx, uy - cy, ux - dx, uy - dy)
            let a = least.addingProduct(px, px).addingProduct(py, py)
            let b = least.addingProduct(qx, qx).addingProduct(qy, qy)
            let c = least.addingProduct(rx, rx).addingProduct(ry, ry)
            let d = least.addingProduct(tx, tx).addingProduct(ty, ty)
            let (ab, cd) = (a * b, c * d)
            let inverse = 1 / (ab * cd)
            let (first, second) = (inverse * cd, inverse * ab)
            let (fa, fb, fc, fd) = (first * b, first * a, second * d, second * c)
            gx[i] = gx[i].addingProduct(px, fa).addingProduct(qx, fb).addingProduct(rx, fc).addingProduct(tx, fd)
            gy[i] = gy[i].addingProduct(py, fa).addingProduct(qy, fb).addingProduct(ry, fc).addingProduct(ty, fd)
          }
          j += 4
        }
        while j < sources {
          let (ax, ay) = (sx[j], sy[j])
          for i in 0..<count {
            let (px, py) = (x[i] - ax, y[i] - ay)
            let factor = 1 / least.addingProduct(px, px).addingProduct(py, py)
            gx[i] = gx[i].addingProduct(px, factor)
            gy[i] = gy[i].addingProduct(py, factor)
          }
          j += 1
        }
      }
      for i in 0..<count {
        fx[i] = fx[i].addingProduct(scale, gx[i])
        fy[i] = fy[i].addingProduct(scale, gy[i])
      }
    }
  }
}
