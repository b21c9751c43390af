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
  /// A pair of tiles of this rank is worked through once, for both; one that another rank has a part in, for ours alone. Either
  /// way a particle gets its forces in one order: from its own tile, from the tiles before it as one of the sources, and from those
  /// behind it, tile by tile, as one of the lanes.
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
      /// Octets of tile i as lanes, particles of tile j as sources.
      func pair(_ i: Int, _ octets: Range<Int>, _ j: Int, _ sources: Range<Int>) -> PlanarRepulsion {
        let x = all + i * tiling.size + 8 * octets.lowerBound
        let s = all + j * tiling.size + sources.lowerBound
        return PlanarRepulsion(
          x: x, y: x + lanes, octets: octets.count, sx: s, sy: s + lanes, sources: sources.count, least: square,
          ring: ring)
      }
      func force(_ tile: Int) -> UnsafeMutablePointer<Double> { forces + (tile - mine.lowerBound) * tiling.size }
      for j in 0..<tiling.total {
        let (isSource, sources) = (mine.contains(j), 0..<tiling.count(j))
        if isSource { sums.update(repeating: 0, count: sumsOfTile) }
        for i in isSource ? 0..<j : mine.lowerBound..<max(min(mine.upperBound, j), mine.lowerBound) {
          let tiles = pair(i, 0..<lanes / 8, j, sources)
          switch (mine.contains(i), isSource) {
          case (true, true): tiles.addToBoth(force(i), force(i) + lanes, sums)
          case (true, false): tiles.addToLanes(force(i), force(i) + lanes)
          default: tiles.addToSources(sums)
          }
        }
        guard isSource else { continue }
        let own = force(j)
        let octets = (sources.count + 7) / 8
        if sources.count % 8 == 0 {
          for k in 0..<octets {
            let eight = 8 * k..<8 * k + 8
            pair(j, k..<k + 1, j, eight).addToLanes(own + 8 * k, own + 8 * k + lanes)
            pair(j, k + 1..<octets, j, eight).addToBoth(
              own + 8 * (k + 1), own + 8 * (k + 1) + lanes, sums + 8 * k * PlanarRepulsion.sumsOfSource)
          }
        } else {
          pair(j, 0..<octets, j, sources).addToLanes(own, own + lanes)
        }
        for i in sources {
          let (x, y) = PlanarRepulsion.force(sums + i * PlanarRepulsion.sumsOfSource)
          own[i] += x
          own[lanes + i] += y
        }
      }
      for i in 0..<gradient.count { gradient.base[i] = gradient.base[i].addingProduct(scale, forces[i]) }
    }
  }
}
