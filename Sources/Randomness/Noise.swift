import Kernels

/// The random numbers of one replica of a process. Every tile (a piece of the system that lives on one rank) has a sequence of normals
/// of its own, a pure function of (key, replica, tile), so it is the same on any rank; uniforms of the whole system come from one more
/// sequence. A process that is not divided has one tile: `Noise(key: context.key, replica: context.replica)`.
///
/// `taken` and `uniforms` are all of its state: set them to continue where another left off.
package final class Noise {
  /// Chunks of one tile: 2^40 of 128 normals; 2^18 tiles fit into the counter of a draw.
  package static let chunksPerTile: UInt64 = 1 << 40
  package static let mostTiles = 1 << 18
  /// Chunks of 64 whole numbers of one tile.
  package static let indexChunksPerTile: UInt64 = 1 << 39

  private var stream: Stream
  private let firstTile: Int
  /// Normals taken so far, by tile of this rank.
  package var taken: [UInt64]
  /// Uniforms of the whole system taken so far.
  package var uniforms: UInt64 = 0

  private var scratch: UnsafeMutablePointer<Double>
  private var capacity = 0
  /// Normals of the one tile that is not full, ahead of time: those from `windowStart` on.
  private var window: [Double] = []
  private var windowStart: UInt64 = 0
  private var windowTile = -1

  /// - Parameter tiles: numbers of the tiles of this rank.
  package init(key: UInt64, replica: UInt64, tiles: Range<Int> = 0..<1) {
    stream = Stream(key: key)
    stream.start(draw: replica)
    firstTile = tiles.lowerBound
    taken = Array(repeating: 0, count: tiles.count)
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

  /// Chunks that hold `count` whole numbers.
  package static func indexChunks(_ count: Int) -> Int { (count + IndexKernel.chunk - 1) / IndexKernel.chunk }

  /// Room that `count` whole numbers take.
  package static func indexRoom(_ count: Int) -> Int { indexChunks(count) * IndexKernel.chunk }

  /// Writes set `number` of `count` whole numbers below a bound of a tile: a pure function of (key, replica, tile, number), so that no state goes
  /// with them. Sets of one tile must have one size, and room for
  /// `indexRoom(count)`.
  package func indices(
    _ tile: Int, set number: Int, count: Int, below bound: Int, to out: UnsafeMutablePointer<Int32>
  ) {
    let chunks = Self.indexChunks(count)
    stream.fill(
      out, below: Int32(bound), chunks: chunks,
      from: UInt64(tile) &* Self.indexChunksPerTile &+ UInt64(number) &* UInt64(chunks))
  }

  /// A uniform on (0, 1) of the whole system: the same on every rank.
  package func uniform() -> Double {
    defer { uniforms &+= 1 }
    return stream.uniform(at: uniforms)
  }
}
