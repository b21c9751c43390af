import Kernels

/// Functions of formulas that `Elementary` lacks, made of what it has: without branches, so that loops over them become vector code.
enum Scalar {
  /// The larger one; NaN if either is.
  @inline(__always)
  static func maximum(_ a: Double, _ b: Double) -> Double { a > b || a != a ? a : b }

  @inline(__always)
  static func minimum(_ a: Double, _ b: Double) -> Double { a < b || a != a ? a : b }

  /// -1, 0 or 1; NaN and zeros stay what they are.
  @inline(__always)
  static func sign(_ x: Double) -> Double { x > 0 ? 1 : (x < 0 ? -1 : x) }

  /// Half the sum of e^|x| and its inverse: 2 ULP; infinite beyond 709.78.
  @inline(__always)
  static func cosh(_ x: Double) -> Double {
    let e = Elementary.exp(x.magnitude)
    return 0.5 * e + 0.5 / e
  }

  /// 4 ULP away from its poles.
  @inline(__always)
  static func tangent(_ x: Double) -> Double {
    let (s, c) = Elementary.sinCos(x)
    return s / c
  }

  /// `log(u) x/(u - 1)`, `u = 1 + x`: the rounding of u drops out of the quotient (Higham, Accuracy and Stability, section 1.14.1).
  @inline(__always)
  static func log1p(_ x: Double) -> Double {
    let u = 1 + x
    let value = Elementary.log(u) * (x / (u - 1))
    return u == 1 || u == .infinity ? x : value
  }

  /// From `expm1(|x|)`: for negative x it is -g/(1 + g).
  @inline(__always)
  static func expm1(_ x: Double) -> Double {
    let a = x.magnitude < 709 ? x.magnitude : 709
    let g = Elementary.expm1(a)
    let large = Elementary.exp(x)
    let value = x < 0 ? -g / (1 + g) : (x > 709 ? large : g)
    return x == 0 || x != x ? x : value
  }

  /// The angle of the point (x, y), with the sign of y.
  static func angle(_ y: Double, _ x: Double) -> Double {
    if x.isNaN || y.isNaN { return .nan }
    let value = Elementary.angle(x: x, y: y.magnitude)
    return y.sign == .minus ? -value : value
  }

  static func normal(_ x: Double) -> Double { x.isNaN ? x : GaussianIntegral.normal.value(x) }

  static func digamma(_ x: Double) -> Double { x > 0 ? Elementary.digamma(x) : .nan }
  static func trigamma(_ x: Double) -> Double { x > 0 ? Elementary.trigamma(x) : .nan }

  /// `e^(v log u)`: relative error about |v log u| ULP; NaN for negative u. `u^0 = 1`.
  @inline(__always)
  static func raise(_ u: Double, _ v: Double) -> Double { v == 0 ? 1 : Elementary.exp(v * Elementary.log(u)) }

  /// Products by the binary digits of |n|, from the lowest: the order of `Graph.product`.
  static func power(_ u: Double, _ n: Int) -> Double {
    var (rest, square) = (n.magnitude, u)
    var result: Double?
    while rest > 0 {
      if rest & 1 == 1 { result = result.map { $0 * square } ?? square }
      rest >>= 1
      if rest > 0 { square *= square }
    }
    let value = result ?? 1
    return n < 0 ? 1 / value : value
  }
}
