/// Random words that belong to things rather than to ranks: to item k of step t of a replica, in one of several uses. Each is a pure function of all four, so whoever needs a word makes it,
/// in any order and on any rank.
///
/// Philox counter: item, step, low half of the replica, and use above the next 16 bits of the replica. The key is derived from that of the stream, so they meet no other words of it.
public struct KeyedWords: Sendable {
  let key: (UInt64, UInt64)

  /// Uses of one step; items and steps go to 2^32, replicas to 2^48.
  public static let mostUses = 1 << 15

  /// - Parameter key: of the stream of a leg.
  public init(key: UInt64) {
    let own = Stream.key(seed: key, path: "things")
    self.key = (own & 0xffff_ffff, own >> 32)
  }

  /// The words of one step, use and replica.
  public func set(replica: UInt64, step: Int, use: Int) -> Set { Set(self, replica: replica, step: step, use: use) }

  /// Two words of 64 bits for each item.
  public struct Set: Sendable {
    let key: (UInt64, UInt64)
    let step, low, high: UInt64

    init(_ words: KeyedWords, replica: UInt64, step: Int, use: Int) {
      precondition(step >= 0 && step <= UInt32.max && use >= 0 && use < 1 << 16, "step \(step), use \(use)")
      key = words.key
      self.step = UInt64(step)
      low = replica & 0xffff_ffff
      high = UInt64(use) << 16 | (replica >> 32) & 0xffff
    }

    /// The words of one item.
    @inline(__always)
    public func words(of item: UInt32) -> (UInt64, UInt64) {
      Philox.rounds((UInt64(item), step, low, high), key: key)
    }

    /// The words of several items, the first ones and the second ones.
    @inline(never)
    public func fill(
      _ first: UnsafeMutablePointer<UInt64>, _ second: UnsafeMutablePointer<UInt64>, of items: UnsafePointer<UInt32>,
      count: Int
    ) {
      for i in 0..<count {
        let w = words(of: items[i])
        first[i] = w.0
        second[i] = w.1
      }
    }

    /// The words of successive items.
    @inline(never)
    public func fill(
      _ first: UnsafeMutablePointer<UInt64>, _ second: UnsafeMutablePointer<UInt64>, from item: Int, count: Int
    ) {
      let start = UInt32(truncatingIfNeeded: item)
      for i in 0..<count {
        let w = words(of: start &+ UInt32(truncatingIfNeeded: i))
        first[i] = w.0
        second[i] = w.1
      }
    }
  }
}

extension Stream {
  /// Writes the words of the next `blocks` blocks, two each: those that `word()` would give, eight blocks at a time. A word that `word()` has left over is
  /// passed by, and stays.
  @inline(never)
  package mutating func fill(words out: UnsafeMutablePointer<UInt64>, blocks: Int) {
    let first = block
    block &+= UInt64(blocks)
    for i in 0..<blocks {
      let place = first &+ UInt64(truncatingIfNeeded: i)
      let w = Philox.rounds((place & 0xffff_ffff, place >> 32, draw.0, draw.1), key: key)
      out[2 &* i] = w.0
      out[2 &* i &+ 1] = w.1
    }
  }
}
