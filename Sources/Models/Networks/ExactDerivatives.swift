import Experiments

/// Exact moments at every width of derivatives of perceptrons with slopes s+ and s-, whose signs of units are independent of their sizes:
/// $m_1 = (s_+^2 + s_-^2)/2$, $m_2 = (s_+^4 + s_-^4)/2$.
struct ExactDerivatives {
  private let m1, m2: Double
  private let perceptron: Perceptron
  private let settings: NetworkSettings
  private let outputs, features: Int

  /// - Returns: nil where nothing is exact.
  init?(_ passes: PassSettings, _ perceptron: Perceptron) {
    guard let slopes = passes.activation as? SlopeActivation, perceptron.law.isInvariant else { return nil }
    let (plus, minus) = (slopes.plus * slopes.plus, slopes.minus * slopes.minus)
    (m1, m2) = (0.5 * (plus + minus), 0.5 * (plus * plus + minus * minus))
    (self.perceptron, settings) = (perceptron, passes.network)
    (outputs, features) = (passes.outputs, passes.features)
  }

  /// Mean and second moment by the name of an observable of input a.
  func values(_ a: Int) -> [String: (Double, Double)] {
    var values = jacobian(a)
    if perceptron.bias == 0, perceptron.law == .gaussian, perceptron.readout == .gaussian {
      values.merge(kernel(a)) { $1 }
    }
    return values
  }

  /// Of the kernel and its change, by the moments of $z_i, z_k, \Theta$ and $d\Theta$ of two units.
  private func kernel(_ a: Int) -> [String: (Double, Double)] {
    let n = Double(settings.width)
    let start = settings.inputs.gram[a * settings.count + a]
    let (u, v, lb) = (perceptron.gain / n, perceptron.weightRate / n, perceptron.biasRate)
    var (k, h) = (start, perceptron.firstKernel(start))
    // E z_i^2 z_k^2, E z_i^2 Theta_kk, E z_i z_k Theta_ik, E Theta_ii Theta_kk, E Theta_ik^2, E z_i dTheta_ikk, E z_i dTheta_kik; i != k.
    var (zz, d, f, between, across, p, q) = (k * k, k * h, 0.0, h * h, 0.0, 0.0, 0.0)
    func sum(_ x: Double, _ y: Double) -> Double { n * m2 * x + n * (n - 1) * m1 * m1 * y }
    for _ in 0..<settings.depth {
      let (fourth, mixed, square) = (sum(3 * zz, zz), sum(d + 2 * f, d), sum(between + 2 * across, between))
      let next = lb + n * m1 * (v * k + u * h)
      let changes = (u * u * sum(p + 2 * q, p), u * u * sum(p + 2 * q, q) + u * v * sum(d + 2 * f, f))
      let newAcross = u * u * sum(between + 2 * across, across)
      let newF = u * u * sum(d + 2 * f, f)
      d = u * v * fourth + u * u * mixed + lb * u * n * m1 * k
      between = v * v * fourth + 2 * u * v * mixed + u * u * square + 2 * lb * (next - lb) + lb * lb
      (zz, f, across) = (u * u * fourth, newF, newAcross)
      (p, q) = changes
      (k, h) = (u * n * m1 * k, next)
    }
    // A random variance multiplies f^2 once, or once a layer.
    let mixture = perceptron.mixture ?? ScaleMixture(.fixed(1))
    let power = mixture.layers == .all ? settings.depth + 1 : 1
    let (scale, square) = (mixture.moment(power), mixture.moment(2 * power))
    return [
      "NTK[\(a),\(a)]": (h, between + 2 * across), "f_product[\(a),\(a)]": (scale * k, square * 3 * zz),
      "f_fourth[\(a)]": (square * 3 * zz, .nan),
      "f_dNTK[\(a)]": (p + 2 * q, .nan),
    ]
  }

  /// Of Jacobians, by $E \operatorname{tr} M$, $E (\operatorname{tr} M)^2$ and $E \operatorname{tr} M^2$ of $M = J J^\top$.
  private func jacobian(_ a: Int) -> [String: (Double, Double)] {
    let (n, c) = (Double(settings.width), perceptron.gain)
    var size = Double(features)
    var (trace, square, fourth) = (size, size * size, size)
    for _ in 0..<settings.depth {
      let isOrthogonal = perceptron.law == .orthogonal
      let weight = isOrthogonal ? c : c / size
      let diagonal = isOrthogonal ? (square + 2 * fourth) / (n + 2) : n * (square + 2 * fourth)
      let whole = isOrthogonal ? fourth : n * square + n * (n + 1) * fourth
      let product = isOrthogonal ? square : n * n * square + 2 * n * fourth
      trace = (isOrthogonal ? c : weight * n) * m1 * trace
      fourth = weight * weight * (m1 * m1 * (whole - diagonal) + m2 * diagonal)
      square = weight * weight * (m1 * m1 * (product - diagonal) + m2 * diagonal)
      size = n
    }
    var values = [
      "spectral_moment[\(a),1]": (trace / n, square / (n * n)), "spectral_moment[\(a),2]": (fourth / n, Double.nan),
    ]
    if perceptron.readout == .gaussian {
      let (k, scale) = (Double(outputs), c / n)
      values["jacobian[\(a)]"] = (scale * k * trace, scale * scale * (k * k * square + 2 * k * fourth))
      values["jacobian_fourth[\(a)]"] = (scale * scale * (k * square + k * (k + 1) * fourth), .nan)
      values["projected_jacobian[\(a)]"] = (scale * k * trace, .nan)
    }
    return values
  }
}
