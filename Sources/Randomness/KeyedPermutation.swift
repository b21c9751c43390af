/// A random bijection of 0 ..< N that any rank can evaluate at any place, in both directions, without a table: everybody finds its own partner.
///
/// Goals, in this order:
/// 1. the same bits however the places are split among ranks: integers only, a pure function of (key, replica, step, use);
/// 2. the law of pairs of a uniform permutation;
/// 3. a few nanoseconds a place, in a loop that becomes vector code.
///
/// A Feistel network of six rounds on the b bits of the place, at least ten, in halves $L$ (high, $\lceil b/2 \rceil$ bits) and $R$: $L \leftarrow L \oplus F_1(R)$, $R \leftarrow R \oplus F_2(L)$, …,
/// with $F_r(x) = \lfloor (a_r x + c_r \bmod 2^{32})\, 2^{m - 32} \rfloor$ to m bits, and $a_r$, $c_r$ uniform words of 32 bits. From a place of N or beyond it is evaluated again until the image is below N: at most two
/// evaluations on average from N = 512 on.
///
/// *The law of two places.* $F_r$ is strongly universal (Dietzfelbinger 1996) as long as the bits of its argument and of its value are 33 or fewer: its values at any two places are independent and uniform. So the images of two
/// places under the network have the very law of a network of ideal random functions, whose distance from that of a uniform permutation is below $2^{-6 \lfloor b/2 \rfloor}$: $10^{-9}$ for ten bits.
///
/// Rejected: a floating-point key for each particle and a sort, which needs all keys on all ranks and breaks ties by place; fewer than ten bits, where the law of whole pairings is off by a percent
/// (`KeyedPermutationTests.everyPairingIsEquallyLikely` sees it).
public struct KeyedPermutation: Sendable {
  /// N.
  public let count: Int
  @usableFromInline typealias Round = (a: UInt32, c: UInt32)
  @usableFromInline let rounds: (Round, Round, Round, Round, Round, Round)
  @usableFromInline let bound: UInt32
  /// Bits of R, and what leaves m bits of 32.
  @usableFromInline let low, toHigh, toLow, mask: UInt32

  static let leastBits = 10
  /// Most places.
  public static let mostPlaces = 1 << 31

  /// - Parameters:
  ///   - count: N, in 1 ... 2^31.
  ///   - use: below `KeyedWords.mostUses`; no other permutation of this step and replica may have it.
  public init(_ count: Int, by words: KeyedWords, replica: UInt64, step: Int, use: Int) {
    precondition((1...Self.mostPlaces).contains(count), "a permutation of \(count) places")
    precondition(use < KeyedWords.mostUses, "use \(use)")
    self.count = count
    bound = UInt32(count)
    let bits = max(Self.leastBits, Int.bitWidth - (count - 1).leadingZeroBitCount)
    low = UInt32(bits / 2)
    mask = 1 << low &- 1
    (toHigh, toLow) = (UInt32(32 - (bits - bits / 2)), UInt32(32 - bits / 2))
    // Uses from `mostUses` on are those of permutations: no item takes their words.
    let set = words.set(replica: replica, step: step, use: use + KeyedWords.mostUses)
    func pair(_ item: UInt32) -> (Round, Round) {
      let w = set.words(of: item)
      func round(_ word: UInt64) -> Round { (UInt32(truncatingIfNeeded: word >> 32), UInt32(truncatingIfNeeded: word)) }
      return (round(w.0), round(w.1))
    }
    let (first, second, third) = (pair(0), pair(1), pair(2))
    rounds = (first.0, first.1, second.0, second.1, third.0, third.1)
  }

  @inlinable @inline(__always)
  func high(_ r: UInt32, _ round: Round) -> UInt32 { (round.a &* r &+ round.c) &>> toHigh }

  @inlinable @inline(__always)
  func low(_ l: UInt32, _ round: Round) -> UInt32 { (round.a &* l &+ round.c) &>> toLow }

  /// The network, on all places of b bits.
  @inlinable @inline(__always)
  func forward(_ place: UInt32) -> UInt32 {
    var (l, r) = (place &>> low, place & mask)
    l ^= high(r, rounds.0)
    r ^= low(l, rounds.1)
    l ^= high(r, rounds.2)
    r ^= low(l, rounds.3)
    l ^= high(r, rounds.4)
    r ^= low(l, rounds.5)
    return l &<< low | r
  }

  @inlinable @inline(__always)
  func backward(_ image: UInt32) -> UInt32 {
    var (l, r) = (image &>> low, image & mask)
    r ^= low(l, rounds.5)
    l ^= high(r, rounds.4)
    r ^= low(l, rounds.3)
    l ^= high(r, rounds.2)
    r ^= low(l, rounds.1)
    l ^= high(r, rounds.0)
    return l &<< low | r
  }

  /// The image of a place.
  @inlinable @inline(__always)
  public subscript(_ place: Int) -> Int {
    var image = forward(UInt32(truncatingIfNeeded: place))
    while image >= bound { image = forward(image) }
    return Int(image)
  }

  /// The place whose image this is.
  @inlinable @inline(__always)
  public func place(of image: Int) -> Int {
    var place = backward(UInt32(truncatingIfNeeded: image))
    while place >= bound { place = backward(place) }
    return Int(place)
  }

  /// Whom a particle meets where the images of places 2k and 2k + 1 meet; nil for the one that is left over of an odd number.
  public func partner(of particle: Int) -> Int? {
    let other = place(of: particle) ^ 1
    return other < count ? self[other] : nil
  }

  /// Writes the images of `number` places from `first` on.
  @inline(never)
  public func fill(images out: UnsafeMutablePointer<UInt32>, from first: Int, count number: Int) {
    let start = UInt32(truncatingIfNeeded: first)
    for i in 0..<number { out[i] = forward(start &+ UInt32(truncatingIfNeeded: i)) }
    for i in 0..<number {
      var image = out[i]
      while image >= bound { image = forward(image) }
      out[i] = image
    }
  }

  /// Writes the places of `number` images from `first` on.
  @inline(never)
  public func fill(places out: UnsafeMutablePointer<UInt32>, from first: Int, count number: Int) {
    let start = UInt32(truncatingIfNeeded: first)
    for i in 0..<number { out[i] = backward(start &+ UInt32(truncatingIfNeeded: i)) }
    for i in 0..<number {
      var place = out[i]
      while place >= bound { place = backward(place) }
      out[i] = place
    }
  }
}
