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

  /// In two dimensions, adds scale sum_j (x_i - x_j)/(|x_i - x_j|^2 + least) to the gradients of the particles of this rank.
  ///
  /// A pair of tiles of this rank is worked through once, for both; one that another rank has a part in, for ours alone. A
  /// particle gets its forces tile by tile in their global order either way: from the tiles before its own as a source, from its own
  /// and those behind as a lane.
  static func addRepulsion(
    _ all: UnsafePointer<Double>, _ least: Double, scale: Double, to gradient: ParticleArray
  ) {
    let tiling = gradient.tiling
    let (mine, lanes) = (tiling.mine, tiling.lanes)
    let sumsOfTile = PlanarRepulsion.sumsOfSource * Tiling.width
    withAlignedRoom(gradient.count + sumsOfTile + PlanarRepulsion.ringSize + 1) { forces in
      forces.update(repeating: 0, count: gradient.count)
      let sums = forces + gradient.count
      let ring = sums + sumsOfTile
      let square = ring + PlanarRepulsion.ringSize
      square[0] = least
      func pair(_ i: Int, _ j: Int) -> PlanarRepulsion {
        let (x, s) = (all + i * tiling.size, all + j * tiling.size)
        return PlanarRepulsion(
          x: x, y: x + lanes, octets: (tiling.count(i) + 7) / 8, sx: s, sy: s + lanes, sources: tiling.count(j),
          least: square, ring: ring)
      }
      for j in 0..<tiling.total {
        let isSource = mine.contains(j)
        if isSource { sums.update(repeating: 0, count: sumsOfTile) }
        for i in isSource ? 0..<j : mine.lowerBound..<max(min(mine.upperBound, j), mine.lowerBound) {
          let force = forces + (i - mine.lowerBound) * tiling.size
          switch (mine.contains(i), isSource) {
          case (true, true): pair(i, j).addToBoth(force, force + lanes, sums)
          case (true, false): pair(i, j).addToLanes(force, force + lanes)
          default: pair(i, j).addToSources(sums)
          }
        }
        if isSource {
          let force = forces + (j - mine.lowerBound) * tiling.size
          for i in 0..<tiling.count(j) {
            (force[i], force[lanes + i]) = PlanarRepulsion.force(sums + i * PlanarRepulsion.sumsOfSource)
          }
          pair(j, j).addToLanes(force, force + lanes)
        }
      }
      for i in 0..<gradient.count { gradient.base[i] = gradient.base[i].addingProduct(scale, forces[i]) }
    }
  }
}
