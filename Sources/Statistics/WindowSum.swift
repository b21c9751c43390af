/// Sums of Doubles that are free of order, small enough to be reduced in every step of a coupled system: `ExactSum` on the
/// window 2^-192 to 2^127. Bits below the window are cut from each addend, by itself, so the order still does not matter;
/// addends above it, or not finite, make the sum NaN.
///
/// Ten limbs of 32 bits in `Int64` words, limb j of weight 2^(32 j - 192), and a word that counts what did not fit. Words add
/// as sums do, 2^30 additions between carries, so `MPI_SUM` on Int64 reduces them.
public enum WindowSum {
  public static let words = 11
  static let limbs = 10

  /// Adds `x` to the sum at `sum`.
  @inlinable @inline(__always)
  public static func add(_ x: Double, to sum: UnsafeMutablePointer<Int64>) {
    guard x.magnitude < 0x1p127 else {
      sum[10] &+= 1
      return
    }
    let bits = x.bitPattern
    // Place of the last bit of the mantissa above the bottom of the window.
    var place = Int((bits >> 52) & 0x7ff) &- 883
    var mantissa = (bits & 0x000f_ffff_ffff_ffff) | (1 << 52)
    if place < 0 {
      if place < -52 { return }
      mantissa &>>= UInt64(truncatingIfNeeded: -place)
      place = 0
    }
    ExactSum.spread(mantissa, negative: Int64(bitPattern: bits) &>> 63, from: place, to: sum)
  }

  /// Whether a sum of `x` alone is `x` itself, with every bit.
  @inlinable @inline(__always)
  public static func holds(_ x: Double) -> Bool { x == 0 || (x.magnitude >= 0x1p-130 && x.magnitude < 0x1p127) }

  /// The sum as a Double, relative error below 2^-52; NaN if something did not fit. Changes the words to canonical ones.
  public static func value(_ sum: UnsafeMutablePointer<Int64>) -> Double {
    if sum[limbs] != 0 { return .nan }
    func carry() {
      var carried: Int64 = 0
      for j in 0..<limbs - 1 {
        let value = sum[j] &+ carried
        sum[j] = value & 0xffff_ffff
        carried = value >> 32
      }
      sum[limbs - 1] &+= carried
    }
    carry()
    let negative = sum[limbs - 1] < 0
    if negative {
      for j in 0..<limbs { sum[j] = 0 &- sum[j] }
      carry()
    }
    var top = limbs - 1
    while top > 0 && sum[top] == 0 { top -= 1 }
    var result = 0.0
    for j in max(0, top - 3)...top {
      result += Double(sign: .plus, exponent: 32 * j - 192, significand: Double(sum[j]))
    }
    return negative ? -result : result
  }
}
