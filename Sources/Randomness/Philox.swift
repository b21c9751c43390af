/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC'11): four 32-bit words from a 128-bit counter and a 64-bit key.
///
/// Words live in the low halves of `UInt64`, because a 32 x 32 -> 64 bit product is one vector instruction
/// (`vpmuludq`) that ignores the high halves: no masking is needed between rounds.
@frozen
public enum Philox {
  public typealias Words = (UInt64, UInt64, UInt64, UInt64)

  /// The ten rounds. In: words below 2^32. Out: the words of the block in pairs, `w0 << 32 | w1` and `w2 << 32 | w3`.
  @inlinable @inline(__always)
  static func rounds(_ counter: Words, key: (UInt64, UInt64)) -> (UInt64, UInt64) {
    let mask: UInt64 = 0xffff_ffff
    var (c0, c1, c2, c3) = counter
    var (k0, k1) = key
    for _ in 0..<9 {
      let p0 = 0xD251_1F53 &* (c0 & mask)
      let p1 = 0xCD9E_8D57 &* (c2 & mask)
      c0 = (p1 >> 32) ^ c1 ^ k0
      c1 = p1
      c2 = (p0 >> 32) ^ c3 ^ k1
      c3 = p0
      k0 = (k0 &+ 0x9E37_79B9) & mask
      k1 = (k1 &+ 0xBB67_AE85) & mask
    }
    // The tenth leaves its products where they are: the high half is the word to be mixed, the low half the next.
    let p0 = 0xD251_1F53 &* (c0 & mask)
    let p1 = 0xCD9E_8D57 &* (c2 & mask)
    return (p1 ^ ((c1 ^ k0) &<< 32), p0 ^ ((c3 ^ k1) &<< 32))
  }

  /// One block, as in Random123: `philox4x32(10, counter, key)`.
  @inlinable
  public static func block(
    counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)
  ) -> (UInt32, UInt32, UInt32, UInt32) {
    let w = rounds(
      (UInt64(counter.0), UInt64(counter.1), UInt64(counter.2), UInt64(counter.3)),
      key: (UInt64(key.0), UInt64(key.1)))
    return (
      UInt32(truncatingIfNeeded: w.0 >> 32), UInt32(truncatingIfNeeded: w.0),
      UInt32(truncatingIfNeeded: w.1 >> 32), UInt32(truncatingIfNeeded: w.1)
    )
  }
}
