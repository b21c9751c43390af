import Experiments
import Kernels

/// Slopes $s_\pm = 1 + c_\pm n^{-p}$ of an activation (arXiv:2206.02768, sections 3.1 and 3.3).
///
/// Where depth / width is fixed, p = 1/2 is the exponent with a limit of its own: with a larger one the network tends to a linear one, with a
/// smaller one all correlations tend to 1.
package struct ShapedSlopes: Sendable {
  /// $c_+$, $c_-$ and p.
  package let plus, minus, exponent: Double

  /// Slopes of 1.
  static let linear = ShapedSlopes(plus: 0, minus: 0, exponent: 0.5)

  static let parameters = [
    Parameter("c_plus", .real(.finite), default: .real(0), "shift of the slope above 0, times width^exponent"),
    Parameter("c_minus", .real(.finite), default: .real(-1), "shift of the slope below 0, times width^exponent"),
    Parameter("exponent", .real(.above(0)), default: .real(0.5), "p, exponent of the shaping"),
  ]

  private init(plus: Double, minus: Double, exponent: Double) {
    (self.plus, self.minus, self.exponent) = (plus, minus, exponent)
  }

  init(_ p: Parameters) {
    self.init(plus: p.real("c_plus"), minus: p.real("c_minus"), exponent: p.real("exponent"))
  }

  func activation(_ width: Int) -> SlopeActivation {
    let size = Elementary.power(Double(width), exponent)
    return SlopeActivation(plus: 1 + plus / size, minus: 1 + minus / size)
  }

  /// $(c_+ - c_-)^2 / 2$, the factor of the drift of the correlations in t = layer / width at infinite width: 0 for p > 1/2, nil for
  /// p < 1/2, where it grows with the width.
  package var drift: Double? {
    let difference = plus - minus
    if exponent > 0.5 || difference == 0 { return 0 }
    return exponent == 0.5 ? 0.5 * difference * difference : nil
  }

  /// $(c_+ - c_-)^2 d n^{-2p}$: twice that factor in t = layer / depth, at this size.
  package func rate(width: Int, depth: Int) -> Double {
    let difference = (plus - minus) / Elementary.power(Double(width), exponent)
    return difference * difference * Double(depth)
  }
}
