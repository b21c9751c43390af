/// Selection of N children among weighted particles: resampling.
///
/// Goals, in this order:
/// 1. the same ancestors however the particles are split into parts, so on any number of ranks;
/// 2. the law of each scheme, up to N 2^-40;
/// 3. O(N), without division where a comparison does.
///
/// Weights are integers, $W_i = \lfloor 2^{40} w_i / \max w \rfloor$. The maximum does not depend on an order, and sums and prefix sums of integers are exact, so a part needs three numbers of the others
/// (`Share`) and finds every ancestor by comparing integers. Rejected: a floating-point cumulative sum, which depends on where the parts begin (`SelectionTests.floatingPointSumsDependOnParts`).
///
/// Random numbers belong to children or particles: `words[k]` is a pure function of the stream and of k.
public enum Selection {
  public enum Scheme: String, CaseIterable, Sendable {
    /// Every child draws its ancestor. Var of the offspring of i: N w (1 - w).
    case multinomial
    /// Child k takes the particle at (k + u)/N of the cumulative weights, one u for all. Var: f (1 - f), f the fraction of N w.
    case systematic
    /// The whole part of N w copies of each, the rest multinomially by the fractions.
    case residual
    /// The whole part, and one more by the pivotal method on the fractions (SSP): var f (1 - f), negatively associated.
    case pivotal
  }

  /// Bits of the largest weight.
  public static let bits = 40
  /// The sum of the weights of this number of particles fits into 64 bits.
  public static let mostParticles = 1 << 24 - 1
  /// The pivotal method goes through all particles one after another.
  public static let mostPivotal = 1 << 20

  /// An integer of this part with those of the parts before it and of all.
  public struct Share: Sendable {
    public let before, own, total: UInt64

    public init(before: UInt64 = 0, own: UInt64, total: UInt64) {
      (self.before, self.own, self.total) = (before, own, total)
    }

    /// Of all particles together.
    public static func whole(_ own: UInt64) -> Share { Share(own: own, total: own) }
  }

  /// The integer weights of the particles of a part.
  /// - Parameters:
  ///   - logWeights: logarithms of weights, up to a constant; NaN counts as weight 0.
  ///   - maximum: their largest over all parts; finite.
  /// - Returns: their sum.
  public static func weigh(
    _ logWeights: UnsafePointer<Double>, _ count: Int, maximum: Double, into weights: UnsafeMutablePointer<UInt64>
  ) -> UInt64 {
    var sum: UInt64 = 0
    for i in 0..<count {
      let difference = logWeights[i] - maximum
      let weight = difference > -28 ? UInt64(0x1p40 * Elementary.exp(difference)) : 0
      weights[i] = weight
      sum &+= weight
    }
    return sum
  }

  /// The largest of the logarithms of weights; -infinity of none. NaN is passed over.
  public static func maximum(_ logWeights: UnsafePointer<Double>, _ count: Int) -> Double {
    var largest = -Double.infinity
    for i in 0..<count where logWeights[i] > largest { largest = logWeights[i] }
    return largest
  }

  /// A whole number below `bound` from 64 random bits, uniform to within bound 2^-64.
  @inlinable @inline(__always)
  public static func number(_ word: UInt64, below bound: UInt64) -> UInt64 {
    word.multipliedFullWidth(by: bound).high
  }

  /// Child k takes the particle whose interval of cumulative weights holds (k + u)S/N.
  ///
  /// With 32 bits of u that is ((k 2^32) + u) S < C N 2^32 for the cumulative weight C: both sides grow by additions of 128 bits, exactly.
  /// - Parameters:
  ///   - first: number of the first particle of this part.
  ///   - ancestors: N numbers, of which those of the children of this part are written.
  public static func systematic(
    _ weights: UnsafePointer<UInt64>, _ count: Int, first: Int, _ share: Share, children: Int, word: UInt64,
    into ancestors: UnsafeMutablePointer<Int32>
  ) {
    let u = word >> 32
    let scale = UInt128(children) << 32
    let step = UInt128(share.total) << 32
    let start = UInt128(u) * UInt128(share.total)
    var reached = UInt128(share.before) * scale
    // Pointers below what lies before: the least k with start + k step >= reached.
    var k = reached <= start ? 0 : Int((reached - start + step - 1) / step)
    var pointer = start + UInt128(k) * step
    for i in 0..<count {
      reached += UInt128(weights[i]) * scale
      while pointer < reached && k < children {
        ancestors[k] = Int32(truncatingIfNeeded: first + i)
        k += 1
        pointer += step
      }
    }
  }

  /// Children `numbers` draw their ancestors by weight; those with an ancestor in this part are written.
  /// - Parameter table: of the weights of this part.
  public static func multinomial(
    _ table: SelectionTable, first: Int, _ share: Share, children numbers: Range<Int>, words: UnsafePointer<UInt64>,
    into ancestors: UnsafeMutablePointer<Int32>
  ) {
    for k in numbers {
      let pointer = number(words[k], below: share.total) &- share.before
      // What lies before wraps around to a large number.
      if pointer < share.own { ancestors[k] = Int32(truncatingIfNeeded: first + table.find(pointer)) }
    }
  }

  /// Splits N w into its whole part and a weight for the fraction.
  /// - Parameter fractions: receives weights of at most 40 bits, in proportion to the fractions.
  /// - Returns: copies that the particles of this part have for certain, and the sum of their fractions.
  public static func split(
    _ weights: UnsafePointer<UInt64>, _ count: Int, total: UInt64, children: Int,
    into fractions: UnsafeMutablePointer<UInt64>
  ) -> (copies: UInt64, fractions: UInt64) {
    let shift = UInt64(Int.bitWidth - (children - 1).leadingZeroBitCount)
    var (copies, sum): (UInt64, UInt64) = (0, 0)
    for i in 0..<count {
      let (whole, rest) = (weights[i] &* UInt64(children)).quotientAndRemainder(dividingBy: total)
      copies &+= whole
      fractions[i] = rest >> shift
      sum &+= fractions[i]
    }
    return (copies, sum)
  }

  /// The certain copies of each particle come first, in order; the remaining children draw by the fractions.
  /// - Parameters:
  ///   - copies: of the certain copies, by part.
  ///   - fractions: of the sums of fractions, by part.
  ///   - table: of the fractions of this part.
  public static func residual(
    _ weights: UnsafePointer<UInt64>, _ count: Int, first: Int, total: UInt64, copies: Share, table: SelectionTable,
    fractions: Share, children: Int, words: UnsafePointer<UInt64>, into ancestors: UnsafeMutablePointer<Int32>
  ) {
    var k = Int(copies.before)
    for i in 0..<count {
      for _ in 0..<Int(weights[i] &* UInt64(children) / total) {
        ancestors[k] = Int32(truncatingIfNeeded: first + i)
        k += 1
      }
    }
    guard Int(copies.total) < children else { return }
    guard fractions.total > 0 else {
      // What is left is below 2^-40 of everyone: the first particle takes it.
      if first == 0 { for k in Int(copies.total)..<children { ancestors[k] = 0 } }
      return
    }
    multinomial(
      table, first: first, fractions, children: Int(copies.total)..<children, words: words, into: ancestors)
  }

  /// The certain copies of each particle, and one more of some by the pivotal method; all particles together, at most `mostPivotal`.
  ///
  /// Two fractions a, b meet: below one, one of them takes both, i with probability a/(a + b); from one on, one of them becomes 1, i with probability (1 - b)/(2 - a - b), and the other keeps the rest.
  /// As integers out of S their sum is a multiple of S, so nothing is left at the end.
  /// - Parameter words: one a particle.
  public static func pivotal(
    _ weights: UnsafePointer<UInt64>, _ count: Int, total: UInt64, children: Int, words: UnsafePointer<UInt64>,
    extra: UnsafeMutablePointer<UInt64>, into ancestors: UnsafeMutablePointer<Int32>
  ) {
    var (carrier, carried) = (0, UInt64(0))
    for j in 0..<count {
      extra[j] = 0
      let own = weights[j] &* UInt64(children) % total
      let sum = carried + own
      if own == 0 { continue }
      if sum < total {
        if number(words[j], below: sum) >= carried { carrier = j }
        carried = sum
      } else {
        let takes = number(words[j], below: 2 * total - sum) < total - own
        extra[takes ? carrier : j] = 1
        if takes { carrier = j }
        carried = sum - total
      }
    }
    var k = 0
    for i in 0..<count {
      for _ in 0..<Int(weights[i] &* UInt64(children) / total + extra[i]) {
        ancestors[k] = Int32(truncatingIfNeeded: i)
        k += 1
      }
    }
  }

  /// (sum W)^2 / sum W^2, from exact sums.
  public static func effectiveSize(_ weights: UnsafePointer<UInt64>, _ count: Int, total: UInt64) -> Double {
    var squares: UInt128 = 0
    for i in 0..<count {
      let (high, low) = weights[i].multipliedFullWidth(by: weights[i])
      squares += UInt128(high) << 64 | UInt128(low)
    }
    return Double(total) / Double(squares) * Double(total)
  }
}

/// Finds the particle that a pointer into the cumulative weights meets, in a few comparisons: cumulative weights, and a guide to them by the leading bits of the pointer.
public final class SelectionTable {
  private let ends: UnsafeMutablePointer<UInt64>
  private let guide: UnsafeMutablePointer<Int32>
  private var shift: UInt64 = 0
  /// Sum of the weights.
  public private(set) var total: UInt64 = 0

  /// - Parameter capacity: the most particles.
  public init(capacity: Int) {
    ends = .allocate(capacity: max(capacity, 1))
    guide = .allocate(capacity: 2 * capacity + 2)
  }

  deinit {
    ends.deallocate()
    guide.deallocate()
  }

  /// Takes the weights of a part.
  public func fill(_ weights: UnsafePointer<UInt64>, _ count: Int) {
    total = 0
    for i in 0..<count {
      total &+= weights[i]
      ends[i] = total
    }
    guard total > 0 else { return }
    // At most 2 count + 1 places.
    shift = 0
    while total >> shift > 2 * UInt64(count) { shift += 1 }
    var place = 0
    for b in 0...Int(total >> shift) {
      while place < count - 1 && ends[place] <= UInt64(b) << shift { place += 1 }
      guide[b] = Int32(truncatingIfNeeded: place)
    }
  }

  /// The particle whose interval holds the pointer.
  /// - Parameter pointer: below `total`.
  @inline(__always)
  public func find(_ pointer: UInt64) -> Int {
    var place = Int(guide[Int(truncatingIfNeeded: pointer >> shift)])
    while ends[place] <= pointer { place &+= 1 }
    return place
  }
}
