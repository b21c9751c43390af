import Kernels

extension Stream {
  /// Gamma with the given shape (at least 1/2) and scale 1: Marsaglia and Tsang (2000), exact by rejection.
  @inlinable
  public mutating func gamma(shape: Double) -> Double {
    precondition(shape >= 0.5, "gamma: shape \(shape) below 1/2")
    if shape < 1 {
      let power = Elementary.exp(Elementary.log(uniform()) / shape)
      return gamma(shape: shape + 1) * power
    }
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let t = 1 + c * x
      if t <= 0 { continue }
      let v = t * t * t
      if Elementary.log(uniform()) < 0.5 * x * x + d * (1 - v + Elementary.log(v)) { return d * v }
    }
  }

  /// Chi-square with `k >= 0` degrees of freedom (0 gives 0).
  @inlinable
  public mutating func chiSquare(_ k: Int) -> Double {
    precondition(k >= 0, "chi-square: \(k) degrees of freedom")
    if k > 8 { return 2 * gamma(shape: 0.5 * Double(k)) }
    var total = 0.0
    for _ in 0..<k {
      let g = normal()
      total += g * g
    }
    return total
  }

  /// Binomial: `n >= 0` trials of probability p in 0...1. Bits are counted for p = 1/2 and small n, small
  /// means are inverted, the rest is Hörmann's transformed rejection BTRS (1993).
  @inlinable
  public mutating func binomial(_ n: Int, _ p: Double) -> Int {
    precondition(n >= 0 && p >= 0 && p <= 1, "binomial: n = \(n), p = \(p)")
    if p > 0.5 { return n - binomial(n, 1 - p) }
    if p == 0.5 && n <= 512 {
      var left = n
      var count = 0
      while left > 0 {
        let bits = left >= 64 ? word() : word() >> UInt64(64 - left)
        count += bits.nonzeroBitCount
        left -= 64
      }
      return count
    }
    return Double(n) * p < 10 ? inverted(n, p) : transformedRejection(n, p)
  }

  @usableFromInline
  mutating func inverted(_ n: Int, _ p: Double) -> Int {
    if p == 0 || n == 0 { return 0 }
    // log(1 - p) with the rounding of 1 - p put back; p <= 1/2.
    let q = 1 - p
    let logQ = Elementary.log(q) + ((1 - q) - p) / q
    let ratio = p / q
    while true {
      var u = uniform()
      var mass = Elementary.exp(Double(n) * logQ)
      // The mean is below 10: 200 is never reached but by a rounded tail, which is drawn again.
      for k in 0...min(n, 200) {
        if u < mass { return k }
        u -= mass
        mass *= ratio * Double(n - k) / Double(k + 1)
      }
    }
  }

  @usableFromInline
  mutating func transformedRejection(_ trials: Int, _ p: Double) -> Int {
    let n = Double(trials)
    let q = 1 - p
    let spread = (n * p * q).squareRoot()
    let b = 1.15 + 2.53 * spread
    let a = -0.0873 + 0.0248 * b + 0.01 * p
    let c = n * p + 0.5
    let alpha = (2.83 + 5.1 / b) * spread
    let accepted = 0.92 - 4.2 / b
    let m = ((n + 1) * p).rounded(.down)
    let r = p / q
    let log = Elementary.log
    while true {
      let v = uniform()
      let u = uniform() - 0.5
      let us = 0.5 - u.magnitude
      let k = ((2 * a / us + b) * u + c).rounded(.down)
      if us >= 0.07 && v <= accepted { return Int(k) }
      if k < 0 || k > n { continue }
      let left = log(v * alpha / (a / (us * us) + b))
      let right =
        (m + 0.5) * log((m + 1) / (r * (n - m + 1))) + (n + 1) * log((n - m + 1) / (n - k + 1))
        + (k + 0.5) * log(r * (n - k + 1) / (k + 1))
      let tails = stirlingTail(m) + stirlingTail(n - m) - stirlingTail(k) - stirlingTail(n - k)
      if left <= right + tails { return Int(k) }
    }
  }
}

/// `log k! - [log sqrt(2 pi) + (k + 1/2) log(k + 1) - (k + 1)]`.
@usableFromInline
func stirlingTail(_ k: Double) -> Double {
  switch k {
  case 0: return 0.08106146679532726
  case 1: return 0.04134069595540929
  case 2: return 0.02767792568499834
  case 3: return 0.02079067210376509
  case 4: return 0.01664469118982119
  case 5: return 0.01387612882307075
  case 6: return 0.01189670994589177
  case 7: return 0.01041126526197209
  case 8: return 0.009255462182712733
  case 9: return 0.008330563433362871
  default:
    let x = k + 1
    let z = 1 / (x * x)
    return (1.0 / 12 - (1.0 / 360 - z / 1260) * z) / x
  }
}
