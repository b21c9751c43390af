import Experiments
import Kernels

/// How N particles of dimension d lie in memory and over ranks: tiles of 256 particles, coordinate by coordinate within a tile.
/// A rank holds whole tiles, and everything that crosses tiles is summed exactly, so no bit depends on the ranks.
package struct Tiling: Sendable {
  package static let width = 256

  let number: Int
  package let dimension: Int
  /// Lanes that a tile has in memory: less than 256 only if all particles fit in one.
  let lanes: Int
  let total: Int
  /// Tiles of this rank.
  package let mine: Range<Int>

  init(number: Int, dimension: Int, rank: Int = 0, of ranks: Int = 1) {
    self.number = number
    self.dimension = dimension
    total = (number + Self.width - 1) / Self.width
    lanes = number >= Self.width ? Self.width : (number + 7) / 8 * 8
    mine = Self.border(rank, ranks, total)..<Self.border(rank + 1, ranks, total)
  }

  static func border(_ rank: Int, _ ranks: Int, _ total: Int) -> Int { total * rank / ranks }

  /// Doubles of one tile.
  var size: Int { lanes * dimension }
  /// Particles of a tile.
  func count(_ tile: Int) -> Int { min(Self.width, number - tile * Self.width) }
  /// Tiles of every rank.
  func counts(ranks: Int) -> [Int] {
    (0..<ranks).map { Self.border($0 + 1, ranks, total) - Self.border($0, ranks, total) }
  }
}

/// One tile of an array: coordinate k of particle i stands at `base[k * lanes + i]`.
package struct Tile {
  package let base: UnsafeMutablePointer<Double>
  /// Particles, and the distance of coordinates.
  package let count: Int
  let lanes: Int
  package let dimension: Int
  /// Its number among all tiles, and among those of this rank.
  let index: Int
  let local: Int

  package subscript(_ k: Int) -> UnsafeMutablePointer<Double> { base + k &* lanes }
}

/// 32 particles of a tile, or fewer at its end.
struct LaneBlock {
  let start, count: Int
  var octets: Int { (count + 7) / 8 }

  /// Copies a given number of rows of a tile to a panel, zeros where there are no particles.
  func copy(_ rows: Int, of tile: UnsafePointer<Double>, _ lanes: Int, to panel: UnsafeMutablePointer<Double>) {
    for k in 0..<rows {
      let (source, target) = (tile + k &* lanes + start, panel + k &* PanelProduct.lanes)
      for i in 0..<PanelProduct.lanes { target[i] = i < count ? source[i] : 0 }
    }
  }

  /// Adds the rows of a panel to those of a tile.
  func add(_ panel: UnsafePointer<Double>, _ rows: Int, to tile: UnsafeMutablePointer<Double>, _ lanes: Int) {
    for k in 0..<rows {
      let (source, target) = (panel + k &* PanelProduct.lanes, tile + k &* lanes + start)
      for i in 0..<count { target[i] += source[i] }
    }
  }

  /// Calls `body` for pieces of a panel, begin and length, without the lanes that nobody uses.
  @inline(__always)
  func forEachPiece(_ rows: Int, _ body: (Int, Int) -> Void) {
    if octets == 4 { return body(0, rows &* PanelProduct.lanes) }
    for r in 0..<rows { body(r &* PanelProduct.lanes, 8 &* octets) }
  }
}

extension Tile {
  /// Its particles in blocks.
  var blocks: some Sequence<LaneBlock> {
    stride(from: 0, to: count, by: PanelProduct.lanes).lazy.map {
      LaneBlock(start: $0, count: min(PanelProduct.lanes, count - $0))
    }
  }
}

/// Numbers of the particles of this rank: d for each, or one.
package final class ParticleArray {
  let tiling: Tiling
  package let dimension: Int
  private(set) var base: UnsafeMutablePointer<Double>
  let count: Int

  package init(_ tiling: Tiling, dimension: Int? = nil) {
    self.tiling = tiling
    self.dimension = dimension ?? tiling.dimension
    count = tiling.mine.count * tiling.lanes * self.dimension
    base = .allocateAligned(capacity: max(count, 1))
    base.initialize(repeating: 0, count: max(count, 1))
  }

  deinit { base.deallocate() }

  var tiles: Range<Int> { 0..<tiling.mine.count }

  /// Exchanges the contents of two arrays of one shape.
  func swap(with other: ParticleArray) {
    precondition(count == other.count)
    Swift.swap(&base, &other.base)
  }

  package subscript(_ local: Int) -> Tile {
    let index = tiling.mine.lowerBound &+ local
    return Tile(
      base: base + local &* tiling.lanes &* dimension, count: tiling.count(index), lanes: tiling.lanes,
      dimension: dimension, index: index, local: local)
  }

  func copy(from other: ParticleArray) { base.update(from: other.base, count: count) }

  /// The values of all ranks, particle by particle (N x d), on every rank of the group.
  func gathered(_ group: any Collectives) throws -> [Double] {
    let all = try gatheredTiles(group)
    defer { all.deallocate() }
    var result: [Double] = []
    result.reserveCapacity(tiling.number * dimension)
    for tile in 0..<tiling.total {
      let start = all + tile * tiling.lanes * dimension
      for i in 0..<tiling.count(tile) {
        for k in 0..<dimension { result.append(start[k * tiling.lanes + i]) }
      }
    }
    return result
  }

  private func gatheredTiles(_ group: any Collectives) throws -> UnsafeMutablePointer<Double> {
    let length = tiling.lanes * dimension
    let all = UnsafeMutablePointer<Double>.allocate(capacity: max(tiling.total * length, 1))
    (all + tiling.mine.lowerBound * length).update(from: base, count: count)
    try group.gatherInPlace(all, counts: tiling.counts(ranks: group.size).map { $0 * length })
    return all
  }

  /// The values of this rank, particle by particle.
  func own() -> [Double] {
    var result: [Double] = []
    for local in 0..<tiling.mine.count {
      let tile = self[local]
      for i in 0..<tile.count { for k in 0..<dimension { result.append(tile[k][i]) } }
    }
    return result
  }

  /// Takes the values of those particles of this rank that are in `values`, which begins with particle `start`.
  func scatter(_ values: [Double], from start: Int = 0) {
    let range = start..<start + values.count / dimension
    for local in 0..<tiling.mine.count {
      let tile = self[local]
      for i in 0..<tile.count where range.contains(tile.index * Tiling.width + i) {
        let particle = (tile.index * Tiling.width + i - start) * dimension
        for k in 0..<dimension { tile[k][i] = values[particle + k] }
      }
    }
  }
}

/// Sums over the lanes of a tile: 32 running sums in a fixed order, whatever the instruction set; eight for what is left.
@inline(__always)
func laneSum(_ count: Int, _ term: (Int) -> Double) -> Double {
  @inline(__always)
  func octet(_ i: Int) -> SIMD8<Double> {
    SIMD8(
      term(i), term(i &+ 1), term(i &+ 2), term(i &+ 3), term(i &+ 4), term(i &+ 5), term(i &+ 6), term(i &+ 7))
  }
  var (sums, s1, s2, s3) = (SIMD8<Double>.zero, SIMD8<Double>.zero, SIMD8<Double>.zero, SIMD8<Double>.zero)
  var i = 0
  while i &+ 32 <= count {
    sums += octet(i)
    s1 += octet(i &+ 8)
    s2 += octet(i &+ 16)
    s3 += octet(i &+ 24)
    i &+= 32
  }
  sums = (sums + s1) + (s2 + s3)
  while i &+ 8 <= count {
    sums += octet(i)
    i &+= 8
  }
  while i < count {
    sums[i % 8] += term(i)
    i &+= 1
  }
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]))
}
