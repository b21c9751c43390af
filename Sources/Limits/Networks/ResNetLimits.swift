import Kernels
import Networks
import Randomness
import Experiments

/// Constants of the proportional limit of ResNets (arXiv:2106.04013; docs/limits.md).
struct LogGaussianLaw {
  let alpha, lambda: Double
  let balanced: Bool

  /// `F(r) = (2/pi) [(1 + 2 r^2) asin r + 3 r sqrt(1 - r^2)]`: n times the covariance of the energy fractions of two layers
  /// whose pre-activations have correlation r.
  static func energyCovariance(_ r: Double) -> Double {
    let cosine = max((1 - r) * (1 + r), 0).squareRoot()
    return 2 / Double.pi * ((1 + 2 * r * r) * Elementary.angle(x: cosine, y: r) + 3 * r * cosine)
  }

  /// `A(r) = (2/pi) (sqrt(1 - r^2) + r asin r)`.
  static func absolute(_ r: Double) -> Double {
    let cosine = max((1 - r) * (1 + r), 0).squareRoot()
    return 2 / Double.pi * (cosine + r * Elementary.angle(x: cosine, y: r))
  }

  /// `sum_{k=1}^{reach} f(alpha^k)`, to the end of double precision.
  private func sum(_ reach: Int, _ f: (Double) -> Double) -> Double {
    var (total, power) = (0.0, alpha)
    for _ in 0..<reach {
      total += f(power)
      power *= alpha
      if power < 1e-18 { break }
    }
    return total
  }

  /// Variance and mean of log |z|^2 a unit of t = layer / width.
  var rates: (mean: Double, variance: Double) {
    let (a2, l2) = (alpha * alpha, lambda * lambda)
    let own = 4 * a2 * l2 + 5 * l2 * l2
    if balanced { return (-0.5 * own, own) }
    return (
      -2 * l2 * l2 * sum(1_000_000) { $0 * Self.absolute($0) } - 0.5 * own,
      own + 2 * l2 * l2 * sum(1_000_000) { Self.energyCovariance($0) }
    )
  }

  /// `n (E active fraction - 1/2)` where z_l enters layer l + 1, l layers after the start.
  func activeOffset(_ layers: Int) -> Double {
    balanced
      ? 0 : -lambda * lambda / Double.pi * sum(layers) { $0 * max((1 - $0) * (1 + $0), 0).squareRoot() }
  }
}

/// Independent Gaussian log-norms: marginals of the limit laws of log V_aa.
struct GaussianLogNorm: Draw {
  let settings: NetworkSettings
  /// Mean and standard deviation of log V_aa - log V_aa(0), layer by layer.
  let laws: [(mean: Double, deviation: Double)]
  let observables: [Observable]
  let measured: CovarianceObservables
  var layers: [Int] { settings.layers }
  var schema: Schema { Schema(axis: .layers(layers), observables: observables) }

  init(settings: NetworkSettings, laws: [(mean: Double, deviation: Double)]) {
    self.settings = settings
    self.laws = laws
    measured = settings.measured.only([.logNorm])
    observables = measured.observables
  }

  /// The limit that these laws are, for a job that measures log V.
  static func limit(
    _ p: Parameters, _ settings: NetworkSettings, offset: String,
    _ law: (_ layer: Int) -> (mean: Double, deviation: Double)
  ) throws -> LimitModel {
    guard settings.measured.families.contains(.logNorm) else {
      throw p.invalid("equation", "needs log_V among the observables")
    }
    return LimitModel(
      .exact(Experiment(GaussianLogNorm(settings: settings, laws: settings.layers.map(law)))),
      offset: offset)
  }

  func makeScratch() -> DiffusionScratch { DiffusionScratch(settings.count) }

  func draw(
    using stream: inout Stream, scratch: DiffusionScratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    var out = values
    for law in laws {
      for a in 0..<observables.count {
        out[a] =
          Elementary.log(measured.initialNorms[a]) + law.mean + law.deviation * stream.normals(1)[0]
      }
      out += observables.count
    }
    return []
  }
}

extension NetworkLimits {
  private static func proportional(_ p: Parameters, _ network: NetworkModel) throws -> (ResNet, LogGaussianLaw) {
    guard let resnet = network.residual, resnet.activation.isRelu, network.standardGain,
      resnet.strength.exponent == nil
    else {
      throw p.invalid(
        "equation", "needs \(ResNet.entry.name) with activation relu, the default gain c and constant branches")
    }
    let (alpha, lambda) = (resnet.strength.alpha, resnet.strength.unscaled)
    guard abs(alpha * alpha + lambda * lambda - 1) < 1e-12, lambda > 0 else {
      throw p.invalid("equation", "needs alpha^2 + lambda^2 = 1, lambda > 0")
    }
    return (resnet, LogGaussianLaw(alpha: alpha, lambda: lambda, balanced: resnet.balanced))
  }

  static let logGaussian = LimitEntry<NetworkModel>(
    name: "log-gaussian",
    summary: "log-Gaussian law of the norm in deep and wide ResNets, vanilla and Balanced; each input by itself",
    equation:
      "log V_aa(t)/V_aa(0) ~ N(mean t, variance t), t = layer / width; Balanced: variance 4 alpha^2 lambda^2 + 5 lambda^4, mean -variance/2; vanilla: docs/limits.md",
    reference: "arXiv:2106.04013, Theorem 1 and section 4", parameters: [draws]
  ) { p, network in
    let (resnet, law) = try proportional(p, network)
    let rates = law.rates
    return try GaussianLogNorm.limit(
      p, resnet.settings, offset: "an offset of order 1/n is expected of a finite width"
    ) { layer in
      let t = Double(layer) / Double(resnet.settings.width)
      return (rates.mean * t, (rates.variance * t).squareRoot())
    }
  }

  static let hypoactivation = LimitEntry<NetworkModel>(
    name: "hypoactivation",
    summary: "fraction of active units and covariance of the energy fractions of two layers, to order 1/n",
    equation:
      "E active fraction = 1/2 - (lambda^2/(pi n)) sum_k alpha^k sqrt(1 - alpha^2k) (vanilla), 1/2 (Balanced); E interlayer[a,k] = F(alpha^k)/n",
    reference: "arXiv:2106.04013, section 3", parameters: []
  ) { p, network in
    let (resnet, law) = try proportional(p, network)
    let n = Double(resnet.settings.width)
    return try .known(
      p, resnet.settings, own: resnet.ownObservables, needed: "active_fraction or interlayer",
      offset: "an offset of order n^-2 is expected of a finite width"
    ) { layer in
      var known: [String: (Double, Double)] = [:]
      for a in 0..<resnet.settings.count {
        known["active_fraction[\(a)]"] = (0.5 + law.activeOffset(layer - 1) / n, .nan)
        for lag in resnet.lags where !law.balanced {
          known["interlayer[\(a),\(lag)]"] = (
            LogGaussianLaw.energyCovariance(ExactMoments.power(law.alpha, lag)) / n, .nan
          )
        }
      }
      return known
    }
  }
}

// MARK: - Branches of order 1/sqrt(depth)

/// The flow at infinite depth of ResNets whose branches lambda_l have squares that sum up to lambda^2, t the share of the layers so far in that sum
/// (layer / depth where all are equal), and its fluctuation (docs/limits.md):
/// `V_aa = V_aa(0) e^{r t / 2}`, `d rho / dt = (r/2) (K(rho) - rho)`, r = lambda^2 c.
///
/// Correlations of shaped ReLU networks that are much wider than deep follow it with r = (c_+ - c_-)^2 d n^{-2p}, at constant norms.
struct ResidualFlow {
  let rate: Double
  /// Whether the norms grow.
  var grows = true

  func correlation(_ start: Double, time: Double) -> Double {
    let steps = max(1, Int((time * rate * 200).rounded(.up)))
    let h = time / Double(steps)
    func slope(_ x: Double) -> Double {
      let rho = min(max(x, -1), 1)
      return 0.5 * rate
        * Elementary.arcCosineDefect(rho: rho, sine: max((1 - rho) * (1 + rho), 0).squareRoot())
    }
    var rho = start
    for _ in 0..<steps {
      let k1 = slope(rho)
      let k2 = slope(rho + 0.5 * h * k1)
      let k3 = slope(rho + 0.5 * h * k2)
      let k4 = slope(rho + h * k3)
      rho += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    }
    return rho
  }

  /// `lim n var log V(t)`. In the clock s in which units are independent Brownian motions, v(s) = 1 + s, the means of z^2
  /// and relu(z)^2 fluctuate as X and Y, and `log V` as `X(s)/v + 2 int Y(u)/v(u)^2 du`, so with tau = log v
  ///
  ///     2 + 4 (1 - e^{-tau}) + 4 int int_0^tau [J(e^{-|a - b|/2}) - 1/4] da db,
  ///     J(r) = [3 r sqrt(1 - r^2) + (1 + 2 r^2)(pi - arccos r)] / (2 pi).
  ///
  /// A start with V_0 exactly takes away 2.
  func fluctuation(time: Double, exactStart: Bool) -> Double {
    let tau = 0.5 * rate * time
    func covariance(_ distance: Double) -> Double {
      let r = Elementary.exp(-0.5 * distance)
      let sine = max((1 - r) * (1 + r), 0).squareRoot()
      return (3 * r * sine + (1 + 2 * r * r) * (Double.pi - Elementary.angle(x: r, y: sine))) / (2 * Double.pi) - 0.25
    }
    // int int f(|a - b|) = 2 int (tau - x) f(x) dx; x = y^2 takes the root at 0 away; Simpson's rule.
    let count = 400
    let top = tau.squareRoot()
    var total = 0.0
    for i in 0...count {
      let y = top * Double(i) / Double(count)
      let weight = i == 0 || i == count ? 1.0 : (i % 2 == 1 ? 4 : 2)
      total += weight * (tau - y * y) * covariance(y * y) * 2 * y
    }
    let integral = 2 * total * top / Double(count) / 3
    return 2 + 4 * (1 - Elementary.exp(-tau)) + 4 * integral - (exactStart ? 2 : 0)
  }
}

extension NetworkLimits {
  private static func flow(_ network: NetworkModel) -> (ResNet, ResidualFlow)? {
    guard let resnet = network.residual, resnet.activation.isRelu, resnet.strength.exponent == 0.5,
      resnet.strength.growth >= -1, resnet.strength.alpha == 1, !resnet.balanced
    else { return nil }
    let lambda = resnet.strength.unscaled
    return (resnet, ResidualFlow(rate: lambda * lambda * resnet.gain))
  }

  /// What `flow` asks for.
  private static let flowing =
    "\(ResNet.entry.name) with activation relu, alpha = 1, not balanced, branch_scaling = \"1/sqrt(depth)\" (with another exponent the squares of the branches sum up to 0 or infinity) and branch_growth of at least -1 (below, the first branches stay large)"

  /// The flow of shaped ReLU networks of this size.
  private static func shapedFlow(_ network: NetworkModel) -> ResidualFlow? {
    guard let slopes = network.activation?.shapedSlopes, network.standardGain, let layer = network.perceptron,
      layer.bias == 0, layer.law.isInvariant
    else { return nil }
    let settings = network.settings
    return ResidualFlow(rate: slopes.rate(width: settings.width, depth: settings.depth), grows: false)
  }

  static let residualFlow = LimitEntry<NetworkModel>(
    name: "residual-flow",
    summary:
      "covariance of ResNets with branches of order 1/sqrt(depth) at infinite width and depth, in either order; and of shaped ReLU networks much wider than deep",
    equation:
      "V_aa = V_aa(0) e^{r t/2}, d rho/dt = (r/2)(K(rho) - rho), K the arc-cosine kernel, r = lambda^2 c, t = sum of lambda_k^2 so far / lambda^2 (layer / depth); shaped ReLU: V_aa = V_aa(0), r = (c_plus - c_minus)^2 depth width^(-2 exponent)",
    reference: "arXiv:2302.00453, Theorem 1", parameters: []
  ) { p, network in
    let resnet = flow(network)
    guard let flow = resnet?.1 ?? shapedFlow(network) else {
      throw p.invalid(
        "equation", "needs \(flowing); or \(MLP.entry.name) with shaped-relu, the default gain c and bias = 0")
    }
    let settings = network.settings
    let m = settings.count
    let v0 = settings.inputs.gram
    return try .known(
      p, settings, needed: "V, log_V or rho",
      offset: resnet == nil
        ? "an offset of order depth/width, and of 1/depth, 1/sqrt(depth) where c_plus + c_minus is not 0, is expected"
        : "an offset of order 1/width + 1/depth is expected of a finite network"
    ) { layer in
      let t = resnet?.0.strength.share(layer) ?? Double(layer) / Double(settings.depth)
      let growth = flow.grows ? Elementary.exp(0.5 * flow.rate * t) : 1
      var known: [String: (Double, Double)] = [:]
      for a in 0..<m {
        known["V[\(a),\(a)]"] = (v0[a * m + a] * growth, .nan)
        known["log_V[\(a)]"] = (Elementary.log(v0[a * m + a] * growth), .nan)
        for b in a + 1..<max(m, a + 1) {
          let scale = (v0[a * m + a] * v0[b * m + b]).squareRoot()
          let rho = flow.correlation(v0[a * m + b] / scale, time: t)
          known["rho[\(a),\(b)]"] = (rho, .nan)
          known["V[\(a),\(b)]"] = (rho * scale * growth, .nan)
        }
      }
      return known
    }
  }

  static let residualFluctuation = LimitEntry<NetworkModel>(
    name: "residual-fluctuation",
    summary:
      "Gaussian fluctuation of order 1/n of the log-norm of ResNets with branches of order 1/sqrt(depth); each input by itself",
    equation:
      "log V_aa ~ N(log V_aa(0) + r t/2, s(t)/n); s(1) = 4.6753 for r = 1 from a Gaussian start; docs/limits.md",
    reference: "docs/limits.md, from arXiv:2302.00453", parameters: [draws]
  ) { p, network in
    guard let (resnet, flow) = flow(network) else { throw p.invalid("equation", "needs \(flowing)") }
    return try GaussianLogNorm.limit(
      p, resnet.settings, offset: "an offset of order n^-1/2 standard deviations is expected of a finite width"
    ) { layer in
      let t = resnet.strength.share(layer)
      let variance = flow.fluctuation(time: t, exactStart: resnet.embedding == .exact) / Double(resnet.settings.width)
      return (0.5 * flow.rate * t, variance.squareRoot())
    }
  }
}
