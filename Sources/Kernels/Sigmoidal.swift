extension Elementary {
  /// `e^y - 1` for y in [0, 709]: relative accuracy down to 0.
  @inlinable @inline(__always)
  package static func expm1(_ y: Double) -> Double {
    let magic = roundingMagic.addingProduct(y, 0x1.71547652b82fep+0)
    let k = magic - roundingMagic
    let head = y.addingProduct(k, -0x1.62e42fee00000p-1)
    let r = head.addingProduct(k, -0x1.a39ef35793c76p-33)
    let low = (head - r).addingProduct(k, -0x1.a39ef35793c76p-33)
    let p = expm1Reduced(r)
    let power = Double(
      bitPattern: (magic.bitPattern &- roundingMagic.bitPattern &+ 1023) << 52)
    // expm1(y) = (2^k - 1) + 2^k p; the correction of r moves p by (1 + p) low.
    return (power - 1).addingProduct(power, p + low.addingProduct(p, low))
  }

  /// Hyperbolic tangent, `n / (2 - n)` with `n = 1 - e^{-2|x|}`: relative accuracy down to 0, saturates at |x| > 20.
  ///
  /// Rounding n and 2 - n alone would cost 2 ULP: what they lose goes into the remainder of the quotient.
  @inlinable @inline(__always)
  public static func tanh(_ x: Double) -> Double {
    let a = min(x.magnitude, 20)
    let magic = roundingMagic.addingProduct(a, -0x1.71547652b82fep+1)
    let k = magic - roundingMagic
    let r = (-2 * a).addingProduct(k, -0x1.62e42fee00000p-1).addingProduct(k, -0x1.a39ef35793c76p-33)
    let p = expm1Reduced(r)
    let power = Double(
      bitPattern: (magic.bitPattern &- roundingMagic.bitPattern &+ 1023) << 52)
    let n = (1 - power).addingProduct(-power, p)
    let d = 2 - n
    let lostOfN = ((1 - power) - n).addingProduct(-power, p)
    let lostOfD = ((2 - d) - n) - lostOfN
    let (t, inverse) = quotientEstimate(n, d)
    let remainder = n.addingProduct(-t, d) + lostOfN.addingProduct(-t, lostOfD)
    let value = t.addingProduct(inverse, remainder)
    // Below 2^-30 the tangent is x to rounding; NaN comes out here as well.
    return a > 0x1p-30 ? Double(bitPattern: value.bitPattern | (x.bitPattern & (1 << 63))) : x
  }

  /// Hyperbolic sine, `(g + g/(g + 1))/2` with `g = expm1(|x|)`; infinite beyond 709.
  @inlinable @inline(__always)
  public static func sinh(_ x: Double) -> Double {
    let growth = expm1(min(x.magnitude, 709))
    let inside = 0.5 * (growth + growth / (growth + 1))
    let value = x.magnitude > 709 ? Double.infinity : inside
    return x.isNaN ? x : Double(bitPattern: value.bitPattern | (x.bitPattern & (1 << 63)))
  }

  /// `1 / (1 + e^{-x})`.
  @inlinable @inline(__always)
  public static func sigmoid(_ x: Double) -> Double { x < -745 ? 0 : 1 / (1 + exp(-x)) }

  /// Sigmoid linear unit, `x / (1 + e^{-x})`.
  @inlinable @inline(__always)
  public static func silu(_ x: Double) -> Double { x < -745 ? 0 : x / (1 + exp(-x)) }

  /// `log(1 + e^x)`, as `max(x, 0) + log(1 + e^{-|x|})`; absolute accuracy below -37.
  @inlinable @inline(__always)
  public static func softplus(_ x: Double) -> Double {
    (x > 0 ? x : 0) + log(1 + exp(-x.magnitude))
  }

  /// Error function; `GaussianIntegral.apply` is faster for many.
  @inlinable
  public static func erf(_ x: Double) -> Double { erf(x, GaussianIntegral.erf.value(x.magnitude)) }

  /// Error function of x from that of |x|.
  @inlinable @inline(__always)
  public static func erf(_ x: Double, _ value: Double) -> Double {
    x.isNaN ? x : Double(bitPattern: value.bitPattern | (x.bitPattern & (1 << 63)))
  }

  /// Gaussian error linear unit, `x Phi(x)`; `GaussianIntegral.apply` is faster for many.
  @inlinable
  public static func gelu(_ x: Double) -> Double { gelu(x, GaussianIntegral.normal.value(x)) }

  /// Gaussian error linear unit from Phi(x).
  @inlinable @inline(__always)
  public static func gelu(_ x: Double, _ value: Double) -> Double { (x < -40 ? -40 : x) * value }
}
