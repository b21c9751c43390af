extension Elementary {
  /// `psi(x) = Gamma'(x) / Gamma(x)` for x > 0: recurrence up to 10, then the asymptotic series.
  public static func digamma(_ x: Double) -> Double {
    var y = x
    var result = 0.0
    while y < 10 {
      result -= 1 / y
      y += 1
    }
    let z = 1 / (y * y)
    let series =
      z
      * (1.0 / 12 - z * (1.0 / 120 - z * (1.0 / 252 - z * (1.0 / 240 - z * (1.0 / 132 - z * (691.0 / 32760 - z / 12))))))
    return result + log(y) - 0.5 / y - series
  }

  /// `psi'(x)` for x > 0.
  public static func trigamma(_ x: Double) -> Double {
    var y = x
    var result = 0.0
    while y < 10 {
      result += 1 / (y * y)
      y += 1
    }
    let z = 1 / (y * y)
    let series =
      z * (1.0 / 6 - z * (1.0 / 30 - z * (1.0 / 42 - z * (1.0 / 30 - z * (5.0 / 66 - z * (691.0 / 2730 - z * 7 / 6))))))
    return result + 1 / y + 0.5 * z + series / y
  }
}
