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
      let value = 0x1p40 * Elementary.exp(difference)
      // Added to 2^52 a whole number stands in the low bits.
      let whole = (difference > -28 ? value : 0).rounded(.down) + 0x1p52
      let weight = whole.bitPattern & (1 << 52 - 1)
      weights[i] = weight
      sum &+= weight
    }
    return sum
  }

  /// The largest of the logarithms of weights; -infinity of none. NaN is passed over.
  public static func maximum(_ logWeights: UnsafePointer<Double>, _ count: Int) -> Double {
    // As whole numbers in the order of the numbers, of which a loop finds the largest in vectors.
    var largest = key(-.infinity)
    for i in 0..<count {
      let x = logWeights[i]
      largest = max(largest, x.isNaN ? Int64.min : key(x))
    }
    return Double(bitPattern: UInt64(bitPattern: largest < 0 ? largest ^ Int64.max : largest))
  }

  /// A whole number for each number, in the same order.
  @inline(__always)
  private static func key(_ x: Double) -> Int64 {
    let bits = Int64(bitPattern: x.bitPattern)
    return bits < 0 ? bits ^ Int64.max : bits
  }

  /// A whole number below `bound` from 64 random bits, uniform to within bound 2^-64.
  @inlinable @inline(__always)
  public static func number(_ word: UInt64, below bound: UInt64) -> UInt64 {
    word.multipliedFullWidth(by: bound).high
  }

  /// Child k takes the particle whose interval of cumulative weights holds (k + u)S/N, u of 32 bits: the least number of children before the end C of a particle is
  ///
  /// $$ \lceil C N/S - u \rceil . $$
  ///
  /// Doubles say it, to 2^-27, unless what is rounded lies within 2^-20 of a whole number; then integers of 128 bits do. So the ancestors are those of exact arithmetic.
  /// - Parameters:
  ///   - first: number of the first particle of this part.
  ///   - ancestors: N numbers, of which those of the children of this part are written.
  public static func systematic(
    _ weights: UnsafePointer<UInt64>, _ count: Int, first: Int, _ share: Share, children: Int, word: UInt64,
    into ancestors: UnsafeMutablePointer<Int32>
  ) {
    let pointers = Pointers(share.total, children: children, word: word)
    let (begin, end) = (pointers.below(share.before), pointers.below(share.before + share.own))
    guard begin < end else { return }
    // Each particle writes its number where its children begin. Where one has none the next begins at the same place, and writes over it.
    ancestors.advanced(by: begin).update(repeating: 0, count: end - begin)
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: block) { ends in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: block) { borders in
        let (ends, borders) = (ends.baseAddress!, borders.baseAddress!)
        let last = Int32(truncatingIfNeeded: end)
        var (reached, place, done) = (share.before, Int32(truncatingIfNeeded: begin), 0)
        while done < count {
          let size = min(block, count &- done)
          for i in 0..<size {
            reached &+= weights[done &+ i]
            ends[i] = reached
          }
          pointers.below(ends, size, into: borders)
          for i in 0..<size {
            if place >= last { break }
            ancestors[Int(place)] = Int32(truncatingIfNeeded: first &+ done &+ i)
            place = borders[i]
          }
          done &+= size
        }
      }
    }
    RunningMaximum.fill(ancestors + begin, end - begin, from: 0)
  }

  /// The children whose ancestors `systematic` finds in a part.
  public static func systematicChildren(_ share: Share, children: Int, word: UInt64) -> Range<Int> {
    let pointers = Pointers(share.total, children: children, word: word)
    return pointers.below(share.before)..<pointers.below(share.before + share.own)
  }

  /// Particles that go through the passes of `systematic` together.
  private static let block = 256

  /// The pointers (k + u)S/N of systematic selection.
  private struct Pointers {
    private let total, fraction: UInt64
    private let children: Int
    private let slope, shift: Double

    init(_ total: UInt64, children: Int, word: UInt64) {
      (self.total, fraction, self.children) = (total, word >> 32, children)
      (slope, shift) = (Double(children) / Double(total), Double(fraction) * 0x1p-32)
    }

    /// How many lie below a cumulative weight: the least k with $(k 2^{32} + u) S \ge C N 2^{32}$.
    func below(_ reached: UInt64) -> Int {
      let (start, step) = (UInt128(fraction) * UInt128(total), UInt128(total) << 32)
      let scaled = UInt128(reached) * (UInt128(children) << 32)
      return scaled <= start ? 0 : min(children, Int((scaled - start + step - 1) / step))
    }

    func below(_ reached: UnsafePointer<UInt64>, _ count: Int, into found: UnsafeMutablePointer<Int32>) {
      var close: UInt64 = 0
      for i in 0..<count {
        let value = (-shift).addingProduct(Double(reached[i]), slope)
        let whole = value.rounded(.down)
        found[i] = Int32(truncatingIfNeeded: (whole + 0x1.8p52).bitPattern) &+ 1
        // The sign of what is left of the distance.
        close |= (0.5 - 0x1p-20 - (value - whole - 0.5).magnitude).bitPattern
      }
      if close >> 63 == 0 { return }
      for i in 0..<count {
        let value = (-shift).addingProduct(Double(reached[i]), slope)
        if 0.5 - 0x1p-20 - (value - value.rounded(.down) - 0.5).magnitude < 0 {
          found[i] = Int32(truncatingIfNeeded: below(reached[i]))
        }
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

  /// The copies that particles of a part have for certain, of which `before` lie before them.
  public static func copies(
    _ weights: UnsafePointer<UInt64>, _ count: Int, first: Int, total: UInt64, before: UInt64, children: Int,
    into ancestors: UnsafeMutablePointer<Int32>
  ) {
    var k = Int(before)
    for i in 0..<count {
      for _ in 0..<Int(weights[i] &* UInt64(children) / total) {
        ancestors[k] = Int32(truncatingIfNeeded: first + i)
        k += 1
      }
    }
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
    self.copies(weights, count, first: first, total: total, before: copies.before, children: children, into: ancestors)
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
    effectiveSize(squares(weights, count), total: total)
  }

  /// Sums of a^2, ab and b^2 over the weights 2^20 a + b of a part: with those of other parts they add up to the sum of squares, exactly.
  public static func squares(_ weights: UnsafePointer<UInt64>, _ count: Int) -> (
    high: UInt64, mixed: UInt64, low: UInt64
  ) {
    var sums: (high: UInt64, mixed: UInt64, low: UInt64) = (0, 0, 0)
    for i in 0..<count {
      let (a, b) = ((weights[i] >> 20) & 0xff_ffff, weights[i] & 0xf_ffff)
      sums.high &+= a &* a
      sums.mixed &+= a &* b
      sums.low &+= b &* b
    }
    return sums
  }

  /// The same from the sums over all parts.
  public static func effectiveSize(_ sums: (high: UInt64, mixed: UInt64, low: UInt64), total: UInt64) -> Double {
    let squares = UInt128(sums.high) << 40 + UInt128(sums.mixed) << 21 + UInt128(sums.low)
    return Double(total) / Double(squares) * Double(total)
  }
}
