extension Elementary {
  /// `(sin t - t cos t) / pi` at `cos t = rho`, `sin t = sine`: the part of the arc-cosine kernel that is not linear
  /// in rho, which drives correlations in ReLU-like layers. Relative accuracy kept as t -> 0.
  @inlinable @inline(__always)
  public static func arcCosineDefect(rho: Double, sine: Double) -> Double {
    let t = angle(x: rho, y: sine)
    if t > 0.25 { return (sine - t * rho) * 0x1.45f306dc9c883p-2 }
    // sum over k of (-1)^(k+1) 2k / (2k+1)! t^(2k+1); the next term is below 1e-17 of the first.
    let z = t * t
    let series = horner(
      z, 1.0 / 3, -1.0 / 30, 1.0 / 840, -1.0 / 45360, 1.0 / 3_991_680, -1.0 / 518_918_400)
    return t * z * series * 0x1.45f306dc9c883p-2
  }
}
