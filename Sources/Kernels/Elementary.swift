/// Elementary functions for draws and limits.
///
/// Goals, in this order:
/// 1. the same bits on every CPU: IEEE operations only, FMA only where written, no libm (glibc picks
///    an implementation by CPU);
/// 2. no branch, so that a plain loop over a buffer becomes AVX2 or AVX-512 code;
/// 3. at most 2 ULP (`Tests/KernelsTests`, against 30-digit values).
///
/// Rejected: table-driven kernels for what a short polynomial does (look-ups do not vectorise; `GaussianIntegral` is where they
/// pay) and `SIMD8<Double>.addingProduct` (lowered lane by lane to scalar code by Swift 6.3).
public enum Elementary {}

/// Horner's scheme with fused steps, unrolled by the compiler: `c[0] + c[1] x + c[2] x^2 + …`.
@inlinable @inline(__always)
public func horner(
  _ x: Double, _ c0: Double, _ c1: Double, _ c2: Double, _ c3: Double, _ c4: Double,
  _ c5: Double
) -> Double {
  c0.addingProduct(
    x,
    c1.addingProduct(
      x, c2.addingProduct(x, c3.addingProduct(x, c4.addingProduct(x, c5)))))
}

extension Elementary {
  /// 1.5 * 2^52: adding and subtracting it rounds to the nearest integer, and the low bits of the sum
  /// hold that integer (a conversion that vectorises, which `Int64(x)` does not on AVX2).
  @inlinable @inline(__always) static var roundingMagic: Double { 0x1.8p52 }

  /// `n / d` to 0.52 ULP for d from 2^-1000 to 2^1000 and n = 0 or above 2^-960 in magnitude, where nothing
  /// overflows. In `log` 6% faster than the instruction.
  @inlinable @inline(__always)
  package static func quotient(_ n: Double, _ d: Double) -> Double {
    let (q, inverse) = quotientEstimate(n, d)
    return q.addingProduct(inverse, n.addingProduct(-q, d))
  }

  /// `n / d` to 2^-44 and `1 / d` to 2^-15 (constants: analysis/reference/minimax.py).
  @inlinable @inline(__always)
  static func quotientEstimate(_ n: Double, _ d: Double) -> (quotient: Double, inverse: Double) {
    let guess = Double(bitPattern: 0x7fde_6238_22fc_16e6 &- d.bitPattern)
    let error = (1.0).addingProduct(-d, guess)
    let c = 0x1.007e18260de89p+0
    let inverse = guess * (1.0).addingProduct(error, c.addingProduct(error, c))
    let rest = (1.0).addingProduct(-d, inverse)
    let first = n * inverse
    return (first.addingProduct(first, rest.addingProduct(rest, rest)), inverse)
  }

  /// `e^x` for every Double; NaN stays NaN, overflow is +infinity, underflow goes through subnormals to 0.
  @inlinable @inline(__always)
  public static func exp(_ x: Double) -> Double {
    let clamped = x > 746 ? 746 : (x < -746 ? -746 : x)
    let magic = roundingMagic.addingProduct(clamped, 0x1.71547652b82fep+0)
    let k = magic - roundingMagic
    let r = clamped.addingProduct(k, -0x1.62e42fefa39efp-1).addingProduct(k, -0x1.abc9e3b39803fp-56)
    let result = scale(1 + expm1Reduced(r), byPowerOf: magic)
    return x.isNaN ? x : result
  }

  /// `e^r - 1` for `|r| <= ln(2)/2`, as `r + r^2 (1/2 + r/6 + …)`: Taylor to r^13, truncation 4e-18.
  @inlinable @inline(__always)
  static func expm1Reduced(_ r: Double) -> Double {
    let high = horner(
      r, 1.0 / 40320, 1.0 / 362880, 1.0 / 3_628_800, 1.0 / 39_916_800, 1.0 / 479_001_600,
      1.0 / 6_227_020_800)
    let r2 = r * r
    let low = horner(r, 0.5, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040)
    let r6 = r2 * r2 * r2
    return r.addingProduct(r2, low.addingProduct(r6, high))
  }

  /// `x * 2^k`, with k in the low bits of `roundingMagic + k`; two factors, so that k from -1076 to
  /// 1076 neither overflows nor underflows early.
  @inlinable @inline(__always)
  static func scale(_ x: Double, byPowerOf magic: Double) -> Double {
    let k = Int64(bitPattern: magic.bitPattern &- roundingMagic.bitPattern)
    // An offset makes the halving a logical shift; AVX2 has no arithmetic one on 64 bits.
    let half = Int64(bitPattern: UInt64(bitPattern: k &+ 4096) >> 1) &- 2048
    let first = Double(bitPattern: UInt64(bitPattern: (half &+ 1023) &<< 52))
    let second = Double(bitPattern: UInt64(bitPattern: ((k &- half) &+ 1023) &<< 52))
    return x * first * second
  }

  /// Natural logarithm: `log(0) = -inf`, NaN below zero, subnormals included.
  ///
  /// `x = 2^e m`, `m` in [sqrt(1/2), sqrt(2)), `s = (m-1)/(m+1)`, `log m = 2 atanh s`, summed as in
  /// fdlibm's `e_log.c` so that the leading part is exact.
  @inlinable @inline(__always)
  public static func log(_ x: Double) -> Double {
    let tiny = x < 0x1p-1022
    let scaled = tiny ? x * 0x1p54 : x
    let (m, e) = splitExponent(scaled)
    let exponent = tiny ? e - 54 : e
    let f = m - 1
    let s = quotient(f, 2 + f)
    let z = s * s
    let r =
      z
      * horner(
        z, 0x1.5555555555593p-1, 0x1.999999997fa04p-2, 0x1.2492494229359p-2,
        0x1.c71c51d8e78afp-3, 0x1.7466496cb03dep-3,
        (0x1.39a09d078c69fp-3).addingProduct(z, 0x1.2f112df3e5244p-3))
    let half = 0.5 * f * f
    let tail = (s * (half + r)).addingProduct(exponent, 0x1.a39ef35793c76p-33)
    let finite = (0.0).addingProduct(exponent, 0x1.62e42fee00000p-1) - ((half - tail) - f)
    let special = x == 0 ? -Double.infinity : (x == .infinity ? x : .nan)
    return x > 0 && x < .infinity ? finite : special
  }

  /// $x^p$ of a positive x, the root itself for p = 1/2; no libm.
  package static func power(_ x: Double, _ p: Double) -> Double { p == 0.5 ? x.squareRoot() : exp(p * log(x)) }

  /// `(m, e)` with `x = 2^e m` and `m` in [sqrt(1/2), sqrt(2)), for positive normal `x`.
  @inlinable @inline(__always)
  public static func splitExponent(_ x: Double) -> (mantissa: Double, exponent: Double) {
    // sqrt(1/2) lowered by 2^11 binades keeps the difference positive and the shift logical.
    let root: UInt64 = 0x3fe6_a09e_667f_3bcd
    let offset = x.bitPattern &- root &+ (1024 << 52)
    let exponent =
      Double(bitPattern: (offset >> 52) | (0x1p52).bitPattern) - (0x1p52 + 1024)
    let mantissa = Double(bitPattern: (offset & 0x000f_ffff_ffff_ffff) &+ root)
    return (mantissa, exponent)
  }
}
