/// Sums of Doubles that are exact, hence free of order: an integer superaccumulator.
///
/// A sum is 66 limbs of 32 bits in `Int64` words, limb j of weight 2^(32 j - 1074), so it spans every
/// finite Double; a 67th limb takes the carries, a 68th word counts the addends that were not finite.
/// The 31 spare bits of a word allow 2^30 additions between carries. After `carry` the words are
/// canonical: equal sums have equal words. Adding words adds sums, so `MPI_SUM` on Int64 reduces them.
public enum ExactSum {
  /// Words in one sum.
  public static let words = 68
  static let topLimb = 66
  static let notFinite = 67
  /// Additions allowed between two carries.
  public static let room = 1 << 29

  /// Adds `x` to the sum at `sum`.
  @inlinable @inline(__always)
  public static func add(_ x: Double, to sum: UnsafeMutablePointer<Int64>) {
    let bits = x.bitPattern
    let exponent = Int((bits >> 52) & 0x7ff)
    if exponent == 0x7ff {
      sum[67] &+= 1
      return
    }
    // A subnormal has the exponent of the smallest normal and no hidden bit.
    let hidden: UInt64 = exponent == 0 ? 0 : 1 << 52
    let mantissa = (bits & 0x000f_ffff_ffff_ffff) | hidden
    let shift = exponent &- (exponent == 0 ? 0 : 1)
    spread(mantissa, negative: Int64(bitPattern: bits) &>> 63, from: shift, to: sum)
  }

  /// Adds a mantissa, or subtracts it where `sign` is -1 and not 0, at a place above the bottom of a row of 32-bit limbs.
  @inlinable @inline(__always)
  static func spread(_ mantissa: UInt64, negative sign: Int64, from place: Int, to limbs: UnsafeMutablePointer<Int64>) {
    let limb = limbs + (place &>> 5)
    let offset = UInt64(truncatingIfNeeded: place & 31)
    let low = (mantissa & 0xffff_ffff) &<< offset
    let high = (mantissa &>> 32) &<< offset
    limb[0] &+= (Int64(bitPattern: low & 0xffff_ffff) ^ sign) &- sign
    limb[1] &+= (Int64(bitPattern: (low &>> 32) &+ (high & 0xffff_ffff)) ^ sign) &- sign
    limb[2] &+= (Int64(bitPattern: high &>> 32) ^ sign) &- sign
  }

  /// Brings every limb but the top one into 0 ..< 2^32.
  public static func carry(_ sum: UnsafeMutablePointer<Int64>) {
    var carried: Int64 = 0
    for j in 0..<topLimb {
      let value = sum[j] &+ carried
      sum[j] = value & 0xffff_ffff
      carried = value >> 32
    }
    sum[topLimb] &+= carried
  }

  /// The sum times a power of two as a Double (relative error below 2^-52); NaN if an addend was not finite. Call `carry` first.
  /// - Parameter exponent: of the power of two, for sums whose own value is out of the range of numbers.
  public static func value(_ sum: UnsafePointer<Int64>, exponent: Int = 0) -> Double {
    if sum[notFinite] != 0 { return .nan }
    // Negative sums have a negative top limb; their magnitude is read from the negated words.
    let negative = sum[topLimb] < 0
    var limbs = Array(UnsafeBufferPointer(start: sum, count: topLimb + 1))
    if negative {
      for j in limbs.indices { limbs[j] = -limbs[j] }
      limbs.withUnsafeMutableBufferPointer { buffer in
        var carried: Int64 = 0
        for j in 0..<topLimb {
          let value = buffer[j] &+ carried
          buffer[j] = value & 0xffff_ffff
          carried = value >> 32
        }
        buffer[topLimb] &+= carried
      }
    }
    guard let top = limbs.lastIndex(where: { $0 != 0 }) else { return 0 }
    var result = 0.0
    // Four limbs hold at least 97 significant bits; below them nothing reaches the result.
    for j in stride(from: max(0, top - 3), through: top, by: 1) {
      result += Double(sign: .plus, exponent: 32 * j - 1074 + exponent, significand: Double(limbs[j]))
    }
    return negative ? -result : result
  }
}
