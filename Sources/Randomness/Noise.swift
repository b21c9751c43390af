import Kernels

/// The random numbers of one replica. Every tile has a sequence of normals of its own, a pure function of (seed, leg, replica,
/// tile), so it is the same on whatever rank the tile lives; numbers of the whole system come from one more sequence.
package final class Noise {
  /// Chunks of one tile: 2^40 of 128 normals; 2^18 tiles fit into the counter of a draw.
  package static let chunksPerTile: UInt64 = 1 << 40
  package static let mostTiles = 1 << 18

  private var stream: Stream
  private let firstTile: Int
  /// Normals taken so far, by tile of this rank; uniforms of the whole system taken so far.
  package var taken: [UInt64]
  package private(set) var uniforms: UInt64

  private var scratch: UnsafeMutablePointer<Double>
  private var capacity = 0
  /// Normals of the one tile that is not full, ahead of time: those from `windowStart` on.
  private var window: [Double] = []
  private var windowStart: UInt64 = 0
  private var windowTile = -1

  package init(key: UInt64, replica: UInt64, tiles: Range<Int>, uniforms: UInt64 = 0) {
    stream = Stream(key: key)
    stream.start(draw: replica)
    firstTile = tiles.lowerBound
    taken = Array(repeating: 0, count: tiles.count)
    self.uniforms = uniforms
    scratch = .allocateAligned(capacity: 1)
  }

  deinit { scratch.deallocate() }

  /// The next `count` standard normals of a tile of this rank, valid until the next call.
  package func normals(_ local: Int, _ count: Int) -> UnsafePointer<Double> {
    let chunk = UInt64(NormalKernel.chunk)
    let start = taken[local]
    taken[local] = start &+ UInt64(count)
    let tile = firstTile &+ local
    let base = UInt64(tile) &* Self.chunksPerTile
    if start % chunk == 0 && UInt64(count) % chunk == 0 {
      reserve(count)
      stream.fill(scratch, chunks: count / NormalKernel.chunk, from: base &+ start / chunk)
      return UnsafePointer(scratch)
    }
    let inWindow =
      windowTile == tile && start >= windowStart && start &+ UInt64(count) <= windowStart &+ UInt64(window.count)
    if !inWindow {
      let first = start / chunk
      let needed = Int(start % chunk) + count
      let chunks = max(8, (needed + NormalKernel.chunk - 1) / NormalKernel.chunk)
      if window.count != chunks * NormalKernel.chunk {
        window = Array(repeating: 0, count: chunks * NormalKernel.chunk)
      }
      window.withUnsafeMutableBufferPointer { stream.fill($0.baseAddress!, chunks: chunks, from: base &+ first) }
      windowStart = first &* chunk
      windowTile = tile
    }
    reserve(count)
    let offset = Int(start &- windowStart)
    window.withUnsafeBufferPointer { scratch.update(from: $0.baseAddress! + offset, count: count) }
    return UnsafePointer(scratch)
  }

  private func reserve(_ count: Int) {
    guard count > capacity else { return }
    scratch.deallocate()
    scratch = .allocateAligned(capacity: count)
    capacity = count
  }

  /// A uniform on (0, 1) of the whole system: the same on every rank.
  package func uniform() -> Double {
    defer { uniforms &+= 1 }
    return stream.uniform(at: uniforms)
  }
}
