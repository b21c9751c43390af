import Kernels
import Networks
import Simulation

/// The recursion of the covariance in the limit of infinite width at fixed depth:
///
///     K_0 = V_0,   K_{l+1} = c E[phi(u_a) phi(u_b)] + sigma_b^2,   u ~ N(0, K_l).
///
/// Closed forms: activations with slopes (arc-cosine kernel, Cho and Saul 2009) and erf (Williams 1997); tanh
/// and GELU by `GaussianExpectation`.
public struct InfiniteWidth: Sendable {
  public let activation: ActivationChoice
  public let gain, bias: Double
  public let inputs: Int

  public init(activation: ActivationChoice, gain: Double, bias: Double, inputs: Int) {
    self.activation = activation
    self.gain = gain
    self.bias = bias
    self.inputs = inputs
  }

  /// `K_{l+1}` from `K_l`, both m x m.
  public func next(_ k: [Double]) -> [Double] {
    let m = inputs
    var result = k
    for a in 0..<m {
      for b in 0...a {
        let value = gain * product(k[a * m + a], k[b * m + b], k[a * m + b]) + bias * bias
        result[a * m + b] = value
        result[b * m + a] = value
      }
    }
    return result
  }

  /// `E phi(u) phi(v)` for the variances and covariance of (u, v).
  func product(_ vu: Double, _ vv: Double, _ cov: Double) -> Double {
    switch activation {
    case .slopes(let slopes):
      let scale = (vu * vv).squareRoot()
      guard scale > 0 else { return 0 }
      let rho = min(max(cov / scale, -1), 1)
      let sine = max((1 - rho) * (1 + rho), 0).squareRoot()
      let difference = slopes.plus - slopes.minus
      // rho (s+^2 + s-^2)/2 + (s+ - s-)^2 (sin t - t cos t)/(2 pi)
      return scale
        * (0.5 * (slopes.plus * slopes.plus + slopes.minus * slopes.minus) * rho
          + 0.5 * difference * difference * Elementary.arcCosineDefect(rho: rho, sine: sine))
    case .erf:
      // (2/pi) asin(2 cov / sqrt((1 + 2 vu)(1 + 2 vv))), the arc sine as pi/2 less the angle.
      let sine = 2 * cov / ((1 + 2 * vu) * (1 + 2 * vv)).squareRoot()
      let cosine = max((1 - sine) * (1 + sine), 0).squareRoot()
      let angle = Elementary.angle(x: cosine, y: sine.magnitude)
      return (sine < 0 ? -angle : angle) * 2 / Double.pi
    case .tanh(let f):
      return GaussianExpectation.ofProduct({ f.value($0) }, varianceU: vu, varianceV: vv, covariance: cov)
    case .gelu(let f):
      return GaussianExpectation.ofProduct({ f.value($0) }, varianceU: vu, varianceV: vv, covariance: cov)
    }
  }

  /// The observables along the recursion.
  public func values(from v0: [Double], layers: [Int], measured: CovarianceObservables) -> KnownValues {
    var k = v0
    var layer = 0
    var means: [Double] = []
    for target in layers {
      while layer < target {
        k = next(k)
        layer += 1
      }
      var row = Array(repeating: Double.nan, count: measured.observables.count)
      if let lower = Triangular.cholesky(k, m: inputs, tolerance: 1e-9) {
        _ = measured.write(lower: lower, layer: Double(layer), to: &row)
      }
      means += row
    }
    return KnownValues(
      observables: measured.observables, layers: layers, means: means,
      secondMoments: means.map { $0 * $0 })
  }
}
