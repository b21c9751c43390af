import Kernels
import Networks
import Experiments

/// Drift of the Neural Covariance SDE of shaped ReLU networks (arXiv:2206.02768, Theorem 3.2):
///
///     b_ab = sqrt(V_aa V_bb) nu(rho_ab),   nu(rho) = (c_plus - c_minus)^2 / (2 pi) (sqrt(1 - rho^2) - rho arccos rho).
///
/// It moves the correlations at fixed variances, by Heun's method. An Euler step maps rho to `rho + h nu(rho)`, a power
/// series with non-negative coefficients for `h (c_plus - c_minus)^2 <= 4`, so it keeps positive semi-definiteness
/// (Schur); Heun is an average of two such maps.
public struct ShapedReluDrift: CovarianceDrift {
  /// `(c_plus - c_minus)^2 / 2`, the factor of `(sin - t cos)/pi`.
  public let strength: Double

  public init(strength: Double) { self.strength = strength }

  @inlinable @inline(__always)
  public func move(_ lower: UnsafeMutablePointer<Double>, _ m: Int, _ h: Double, _ scratch: DiffusionScratch) {
    if strength == 0 || m == 1 { return }
    if m == 2 { driftOfTwo(lower, h) } else { driftOfMany(lower, m, h, scratch) }
  }

  @inlinable
  public func rounding(_ m: Int) -> Double { strength == 0 || m <= 2 ? 0 : 0x1p-50 * Double(m) }

  /// Two inputs: on (rho, sine), with no cancellation as rho -> 1.
  @inlinable @inline(__always)
  func driftOfTwo(_ lower: UnsafeMutablePointer<Double>, _ h: Double) {
    let norm = (lower[2] * lower[2] + lower[3] * lower[3]).squareRoot()
    if norm == 0 { return }
    let rho = lower[2] / norm
    let sine = lower[3] / norm
    let first = h * nu(rho, sine)
    let middle = rho + first
    let middleSine = max(sine * sine - first * (2 * rho + first), 0).squareRoot()
    let change = 0.5 * (first + h * nu(middle, middleSine))
    lower[2] = norm * (rho + change)
    lower[3] = norm * max(sine * sine - change * (2 * rho + change), 0).squareRoot()
  }

  @inlinable
  func driftOfMany(_ lower: UnsafeMutablePointer<Double>, _ m: Int, _ h: Double, _ scratch: DiffusionScratch) {
    let rho = scratch.second
    for a in 0..<m {
      var square = 0.0
      for k in 0...a { square += lower[a &* m &+ k] * lower[a &* m &+ k] }
      scratch.first[a] = square.squareRoot()
      let inverse = square > 0 ? 1 / scratch.first[a] : 0
      for k in 0...a { lower[a &* m &+ k] *= inverse }
    }
    for a in 0..<m {
      for b in 0..<a {
        var r = 0.0
        for k in 0...b { r += lower[a &* m &+ k] * lower[b &* m &+ k] }
        let first = h * nu(r, max(1 - r * r, 0).squareRoot())
        let middle = r + first
        let second = h * nu(middle, max(1 - middle * middle, 0).squareRoot())
        rho[a &* m &+ b] = r + 0.5 * (first + second)
      }
      rho[a &* m &+ a] = 1
    }
    // The average of Euler maps is positive semi-definite up to rounding.
    Triangular.clippedCholesky(rho, m: m, into: lower)
    for a in 0..<m {
      for k in 0...a { lower[a &* m &+ k] *= scratch.first[a] }
    }
  }

  @inlinable @inline(__always)
  func nu(_ rho: Double, _ sine: Double) -> Double {
    strength * Elementary.arcCosineDefect(rho: rho, sine: sine)
  }
}

extension NetworkLimits {
  static let shapedReluSDE = LimitEntry<NetworkModel>(
    name: "covariance-sde",
    summary: "Neural Covariance SDE of shaped ReLU and of linear networks, depth / width fixed",
    equation:
      "dV_ab = sqrt(V_aa V_bb) nu(rho_ab) dt + Sigma^{1/2} dB, nu = (c_plus - c_minus)^2/(2 pi) (sqrt(1 - rho^2) - rho arccos rho), Sigma_{ab,cd} = V_ac V_bd + V_ad V_bc",
    reference: "arXiv:2206.02768, Theorem 3.2",
    parameters: integrated
  ) { p, network in
    let linear = network.architecture is LinearMLP
    let perceptron = network.gaussianPerceptron
    let slopes = linear ? nil : perceptron.flatMap { _ in network.activation?.shapedSlopes }
    guard linear || slopes != nil else {
      throw p.invalid(
        "equation",
        "needs \(LinearMLP.entry.name), or \(MLP.entry.name) with Gaussian weights and activation shaped-relu or linear"
      )
    }
    guard let strength = slopes.map(\.drift) ?? 0 else {
      throw p.invalid(
        "equation",
        "needs shaped-relu of exponent 1/2, or above, where the limit is that of linear networks: with a smaller exponent all correlations tend to 1"
      )
    }
    guard network.standardGain, linear || perceptron?.bias == 0 else {
      throw p.invalid("equation", "needs the default gain c and bias = 0")
    }
    guard p.real("step") * strength <= 2 else {
      throw p.invalid(
        "step", "must be at most \(2 / strength), 4/(c_plus - c_minus)^2, to keep V positive semi-definite")
    }
    return try .diffusion(
      ShapedReluDrift(strength: strength), p, network,
      offset: "an offset of order \(slopes?.offset ?? "1/n") is expected of a finite width")
  }
}

extension ShapedSlopes {
  /// Order in the width n of what `covariance-sde` leaves out, with the reason where it is not 1/n.
  fileprivate var offset: String {
    let sum = plus + minus
    if exponent == 0.5 { return sum == 0 ? "1/n" : "n^-1/2 (c_plus + c_minus = \(sum) is not 0)" }
    return exponent < 1 && plus != minus ? "n^-\(2 * exponent - 1) (exponent \(exponent))" : "1/n"
  }
}
