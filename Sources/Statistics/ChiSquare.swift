import Kernels

/// The chi-square law.
public enum ChiSquare {
  /// A fit whose chi-square is less likely than this is called bad.
  public static let badFit = 1e-4

  /// `P(X > x)` for a chi-square variable X with k degrees of freedom; 1 for k = 0 (nothing was tested), NaN for a NaN.
  ///
  /// With $y = x/2$ the closed forms are
  /// $$ P = e^{-y} \sum_{j=0}^{k/2-1} \frac{y^j}{j!} \ (k\ \text{even}), \qquad
  ///    P = \operatorname{erfc}\sqrt y + e^{-y} \sum_{j=1}^{(k-1)/2} \frac{y^{j-1/2}}{\Gamma(j+1/2)} \ (k\ \text{odd}). $$
  /// Absolute error about 1e-15; from x = 1400 on, where the exponential underflows in the sum, Wilson and Hilferty's cube root
  /// (Proc. Natl. Acad. Sci. 17 (1931) 684) takes its place.
  public static func tail(_ x: Double, degreesOfFreedom k: Int) -> Double {
    precondition(k >= 0)
    if x.isNaN { return .nan }
    if k == 0 || x <= 0 { return 1 }
    if x == .infinity { return 0 }
    if x > 1400 {
      let width = 2 / (9 * Double(k))
      let cube = Elementary.exp(Elementary.log(x / Double(k)) / 3)
      let z = (cube - 1 + width) / width.squareRoot()
      return z > 0 ? 0.5 * Gaussian.twoSided(z) : 1 - 0.5 * Gaussian.twoSided(z)
    }
    let y = 0.5 * x
    let odd = k % 2 == 1
    // First term of the sum: y^0 / 0!, or y^{1/2} / Gamma(3/2) = 2 sqrt(y / pi).
    var term = Elementary.exp(-y) * (odd ? y.squareRoot() * 0x1.20dd750429b6dp+0 : 1)
    var total = odd ? Gaussian.twoSided(x.squareRoot()) : 0
    for j in 0..<k / 2 {
      total += term
      term *= y / (Double(j) + (odd ? 1.5 : 1))
    }
    return min(total, 1)
  }
}
