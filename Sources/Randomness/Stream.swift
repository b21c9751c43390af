import Kernels

/// The random numbers of one draw: a pure function of (key, draw).
///
/// The 128-bit counter is (draw, block). Blocks from 0 up feed the vectorised normals, blocks from 2^63
/// up the scalar words, so the two sequences never meet and neither depends on how the other is used.
///
/// A stream owns its buffers: make one a thread, and call `start(draw:)` for every draw.
public struct Stream: ~Copyable {
  @usableFromInline let key: (UInt64, UInt64)
  /// The draw in halves below 2^32, low one first, as Philox takes it.
  @usableFromInline var draw: (UInt64, UInt64) = (0, 0)
  /// Next chunk of normals, next block of words.
  @usableFromInline var chunk: UInt64 = 0
  @usableFromInline var block: UInt64 = 0
  @usableFromInline let buffer: UnsafeMutablePointer<Double>
  @usableFromInline var begin = 0
  @usableFromInline var end = 0
  /// The second 64-bit word of the last block, if unused; the second normal of the last scalar pair.
  @usableFromInline var spareWord: UInt64 = 0
  @usableFromInline var hasSpareWord = false
  @usableFromInline var spareNormal = 0.0
  @usableFromInline var hasSpareNormal = false

  /// The most normals that one call of `normals` hands out.
  public static let capacity = 4096

  /// - Parameter key: made by `Stream.key(seed:path:)`.
  public init(key: UInt64) {
    self.key = (key & 0xffff_ffff, key >> 32)
    buffer = .allocateAligned(capacity: Self.capacity + 2 * NormalKernel.chunk)
  }

  deinit { buffer.deallocate() }

  /// Places the stream at the beginning of a draw.
  @inlinable
  public mutating func start(draw: UInt64) {
    self.draw = (draw & 0xffff_ffff, draw >> 32)
    restart()
  }

  /// Places the stream back at the beginning of its draw.
  @inlinable
  public mutating func restart() {
    chunk = 0
    block = 1 << 63
    begin = 0
    end = 0
    hasSpareWord = false
    hasSpareNormal = false
  }

  /// The key that it was made with.
  package var fullKey: UInt64 { key.1 << 32 | key.0 }

  /// The number of the draw that it was started for.
  @inlinable public var number: UInt64 { draw.1 << 32 | draw.0 }

  /// The next `count` standard normals (`count <= capacity`), valid until the next call.
  @inlinable @inline(__always)
  public mutating func normals(_ count: Int) -> UnsafePointer<Double> {
    if end &- begin < count { refill(count) }
    let result = UnsafePointer(buffer + begin)
    begin &+= count
    return result
  }

  /// Makes the next `count` normals at once (`count <= capacity`), which takes less time than some for every call; they are the same.
  @inlinable
  public mutating func prepare(_ count: Int) {
    if end &- begin < count { refill(count) }
  }

  @inlinable @inline(never)
  mutating func refill(_ count: Int) {
    precondition(count <= Self.capacity, "at most \(Self.capacity) normals at once")
    let left = end &- begin
    if begin > 0 { for i in 0..<left { buffer[i] = buffer[begin &+ i] } }
    begin = 0
    end = left
    let chunks = (count &- left &+ NormalKernel.chunk &- 1) / NormalKernel.chunk
    NormalKernel.fill(buffer + end, chunks: chunks, index: chunk, draw: draw, key: key)
    chunk &+= UInt64(chunks)
    end &+= chunks &* NormalKernel.chunk
  }

  /// Fills a buffer with chunks of normals from number `index` on, without moving the stream: a pure function of
  /// (key, draw, index). Chunk numbers must be below 2^58.
  public func fill(_ out: UnsafeMutablePointer<Double>, chunks: Int, from index: UInt64) {
    NormalKernel.fill(out, chunks: chunks, index: index, draw: draw, key: key)
  }

  /// The uniform number `index` of the draw, on (0, 1), without moving the stream; from the words of `word()`.
  public func uniform(at index: UInt64) -> Double {
    let place = (1 << 63) &+ index
    let (bits, _) = Philox.rounds((place & 0xffff_ffff, place >> 32, draw.0, draw.1), key: key)
    return Double(bitPattern: (bits >> 12) | (1.0).bitPattern) - (1 - 0x1p-53)
  }

  /// 64 random bits.
  @inlinable
  public mutating func word() -> UInt64 {
    if hasSpareWord {
      hasSpareWord = false
      return spareWord
    }
    let w = Philox.rounds(
      (block & 0xffff_ffff, block >> 32, draw.0, draw.1), key: key)
    block &+= 1
    spareWord = w.1
    hasSpareWord = true
    return w.0
  }

  /// Uniform on the open interval (0, 1): the odd multiples of 2^-53.
  @inlinable
  public mutating func uniform() -> Double {
    Double(bitPattern: (word() >> 12) | (1.0).bitPattern) - (1 - 0x1p-53)
  }

  /// One standard normal, from the words (the buffer of `normals` stays untouched).
  @inlinable
  public mutating func normal() -> Double {
    if hasSpareNormal {
      hasSpareNormal = false
      return spareNormal
    }
    let bits = word()
    let (a, b) = NormalKernel.pair(bits, squaredRadius: NormalKernel.squaredRadius(bits))
    spareNormal = b
    hasSpareNormal = true
    return a
  }

  /// The 64-bit key of a stream named by a path such as "case/leg" under a seed: the bytes are absorbed
  /// eight at a time as Philox keys, the counter carries the state (Matyas-Meyer-Oseas).
  public static func key(seed: UInt64, path: String) -> UInt64 {
    var state: (UInt32, UInt32, UInt32, UInt32) = (
      UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32), 0x6661_7468, 0x6f6d_0001
    )
    var bytes = Array(path.utf8)
    bytes.append(0x80)
    while bytes.count % 8 != 0 { bytes.append(0) }
    for start in stride(from: 0, to: bytes.count, by: 8) {
      var word: UInt64 = 0
      for i in (0..<8).reversed() { word = (word << 8) | UInt64(bytes[start + i]) }
      let out = Philox.block(
        counter: state,
        key: (UInt32(truncatingIfNeeded: word), UInt32(truncatingIfNeeded: word >> 32)))
      state = (state.0 ^ out.0, state.1 ^ out.1, state.2 ^ out.2, state.3 ^ out.3)
    }
    return UInt64(state.0) | (UInt64(state.1) << 32)
  }
}
