extension Elementary {
  /// `e^y - 1` for y in [0, 709]: relative accuracy down to 0.
  @inlinable @inline(__always)
  static func expm1(_ y: Double) -> Double {
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

  /// Hyperbolic tangent, from `expm1(2|x|)`: relative accuracy down to 0, saturates at |x| > 20.
  @inlinable @inline(__always)
  public static func tanh(_ x: Double) -> Double {
    let a = min(x.magnitude, 20)
    let growth = expm1(a + a)
    let value = growth / (growth + 2)
    return x.isNaN ? x : Double(bitPattern: value.bitPattern | (x.bitPattern & (1 << 63)))
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

  /// Error function. Below 1 an odd polynomial of degree 25; above, `1 - e^{-x^2} R(u)` with
  /// `u = (x-3)/(x+3)` and R of degree 16 fitted to `e^{x^2} erfc(x)` on [0, 6]; 1 beyond 6.
  @inlinable @inline(__always)
  public static func erf(_ x: Double) -> Double {
    let a = min(x.magnitude, 6)
    let z = a * a
    let inner = horner(
      z, 0x1.20dd750429b6dp+0, -0x1.812746b0379e6p-2, 0x1.ce2f21a042b30p-4,
      -0x1.b82ce31284e00p-6, 0x1.565bcd0dbaa38p-8,
      horner(
        z, -0x1.c02db3dac435fp-11, 0x1.f9a321d5b8e1ep-14, -0x1.f4d1e3183f7aep-17,
        0x1.b9df224ca4b97p-20, -0x1.5f1ecb6f0764cp-23,
        (0x1.f7b4bf3b13964p-27).addingProduct(
          z, (-0x1.389d4f2641625p-30).addingProduct(z, 0x1.05ffd737fb32ep-34))))
    let near = a * inner
    let far = 1 - scaledComplement(a) * exp(-z)
    let value = a < 1 ? near : (a < 6 ? far : 1)
    return x.isNaN ? x : Double(bitPattern: value.bitPattern | (x.bitPattern & (1 << 63)))
  }

  /// `e^{a^2} erfc(a)` for `a` in [0, 6], relative error 2^-60 before rounding.
  @inlinable @inline(__always)
  static func scaledComplement(_ a: Double) -> Double {
    let u = (a - 3) / (a + 3)
    return horner(
      u, 0x1.6e9827d229d2dp-3, -0x1.4e102b9cf8513p-2, 0x1.f6ff204105976p-3,
      -0x1.336ffbef08b18p-3, 0x1.258b13b017934p-4,
      horner(
        u, -0x1.8fa58eb5e1d42p-6, 0x1.17c838eec7b56p-8, 0x1.73101ea1b3803p-11,
        -0x1.39084c8034bb3p-11, 0x1.7ba0ce14ddbbep-15,
        horner(
          u, 0x1.0cac3a11fe28fp-14, -0x1.af7cf3e087bcfp-17, -0x1.0bafe44deb848p-17,
          0x1.1b86fc353f5b6p-19, 0x1.4e75dccc737abp-20,
          (-0x1.20ffd2643b2abp-22).addingProduct(u, -0x1.b521f5e62b937p-23))))
  }

  /// Gaussian error linear unit, `x Phi(x)`.
  @inlinable @inline(__always)
  public static func gelu(_ x: Double) -> Double {
    0.5 * x * (1 + erf(x * 0x1.6a09e667f3bcdp-1))
  }
}
