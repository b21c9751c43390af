/// Whole numbers below a bound, two from each Philox block, as examples of batches are drawn: uniform to within 2^-52.
enum IndexKernel {
  /// Numbers in one chunk: 32 blocks of 2.
  static let chunk = 64

  /// Writes `chunks` chunks from block `first` on.
  /// - Parameter bound: at least 1.
  @inline(never)
  static func fill(
    _ out: UnsafeMutablePointer<Int32>, below bound: Int32, chunks: Int, first: UInt64, draw: (UInt64, UInt64),
    key: (UInt64, UInt64)
  ) {
    let scale = Double(bound)
    for c in 0..<chunks {
      let block = first &+ UInt64(truncatingIfNeeded: c) &<< 5
      // A chunk begins at a multiple of its length: the low half does not overflow within it.
      let (low, high) = (block & 0xffff_ffff, block >> 32)
      let target = out + c &* chunk
      for i in 0..<32 {
        let w = Philox.rounds((low &+ UInt64(truncatingIfNeeded: i), high, draw.0, draw.1), key: key)
        target[i] = index(w.0, scale)
        target[i &+ 32] = index(w.1, scale)
      }
    }
  }

  /// The uniform of a word, as `Stream.uniform` makes it, times the bound, rounded down.
  @inline(__always)
  private static func index(_ bits: UInt64, _ scale: Double) -> Int32 {
    let u = Double(bitPattern: (bits >> 12) | (1.0).bitPattern) - (1 - 0x1p-53)
    // 1.5 x 2^52 leaves whole numbers in the low bits, rounded to the nearest.
    return Int32(truncatingIfNeeded: (u * scale - 0.5 + 0x1.8p52).bitPattern)
  }
}

extension Stream {
  /// Fills a buffer with chunks of 64 whole numbers below a bound from chunk `index` on, without moving the stream: a pure function of
  /// (key, draw, index). Their blocks are those from 3 x 2^62 on: they meet neither the normals nor the words, of which there are at most 2^62
  /// blocks. Chunk numbers must be below 2^57.
  package func fill(_ out: UnsafeMutablePointer<Int32>, below bound: Int32, chunks: Int, from index: UInt64) {
    IndexKernel.fill(out, below: bound, chunks: chunks, first: 3 << 62 &+ index &<< 5, draw: draw, key: key)
  }
}
