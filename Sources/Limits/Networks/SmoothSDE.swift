import Kernels
import Networks
import Randomness
import Experiments

/// Drift of the covariance SDE of smooth shaped activations `s phi(x/s)`, s = a sqrt(n), phi(0) = 0, phi'(0) = 1
/// (arXiv:2206.02768, Theorem 3.9):
///
///     b_ab = phi''(0)^2/(4 a^2) [V_aa V_bb + V_ab (2 V_ab - 3)] + phi'''(0)/(2 a^2) V_ab (V_aa + V_bb - 2).
///
/// By Heun's method on V.
public struct SmoothDrift: CovarianceDrift {
  /// `phi''^2 / (4 a^2)` and `phi''' / (2 a^2)`.
  public let second, third: Double

  public init(second: Double, third: Double, a: Double) {
    self.second = second * second / (4 * a * a)
    self.third = third / (2 * a * a)
  }

  /// kappa of the diagonal, `dV = kappa V (V - 1) dt + sqrt(2) V dB`: it explodes if and only if kappa > 0.
  public var kappa: Double { 3 * second + 2 * third }

  @inlinable @inline(__always)
  func rate(_ v: UnsafePointer<Double>, _ m: Int, _ a: Int, _ b: Int) -> Double {
    let (vaa, vbb, vab) = (v[a &* m &+ a], v[b &* m &+ b], v[a &* m &+ b])
    return second * (vaa * vbb + vab * (2 * vab - 3)) + third * vab * (vaa + vbb - 2)
  }

  @inlinable
  public func move(_ lower: UnsafeMutablePointer<Double>, _ m: Int, _ h: Double, _ scratch: DiffusionScratch) {
    heun(lower, m, h, scratch) { v, a, b in rate(v, m, a, b) }
  }
}

extension CovarianceDrift {
  /// Heun's method on V, for a drift given entry by entry (a >= b), and back to the factor.
  @inlinable @inline(__always)
  func heun(
    _ lower: UnsafeMutablePointer<Double>, _ m: Int, _ h: Double, _ scratch: DiffusionScratch,
    _ rate: (UnsafePointer<Double>, Int, Int) -> Double
  ) {
    let (v, middle, result) = (scratch.first, scratch.second, scratch.third)
    Triangular.square(lower, m: m, into: v)
    for a in 0..<m {
      for b in 0...a {
        let r = rate(v, a, b)
        let step = v[a &* m &+ b] + h * r
        middle[a &* m &+ b] = step
        middle[b &* m &+ a] = step
        result[a &* m &+ b] = v[a &* m &+ b] + 0.5 * h * r
      }
    }
    for a in 0..<m { for b in 0...a { result[a &* m &+ b] += 0.5 * h * rate(middle, a, b) } }
    Triangular.clippedCholesky(result, m: m, into: lower)
  }
}

extension NetworkLimits {
  private static let derivatives: [Parameter] = [
    Parameter("second", .real(.finite), optional: true, "phi''(0); that of the network's activation unless given"),
    Parameter("third", .real(.finite), optional: true, "phi'''(0); that of the network's activation unless given"),
  ]

  private static func smoothDrift(_ p: Parameters, _ network: NetworkModel) throws -> SmoothDrift {
    guard let perceptron = network.gaussianPerceptron, let shape = network.activation?.smoothShape,
      network.standardGain, perceptron.bias == 0
    else {
      throw p.invalid(
        "equation",
        "needs \(MLP.entry.name) with Gaussian weights, a smooth activation shaped by a (a formula: by shape), the default gain c and bias = 0"
      )
    }
    return SmoothDrift(
      second: p["second"] != nil ? p.real("second") : shape.second,
      third: p["third"] != nil ? p.real("third") : shape.third, a: shape.a)
  }

  static let smoothSDE = LimitEntry<NetworkModel>(
    name: "smooth-covariance-sde",
    summary: "covariance SDE of smooth shaped activations, which may explode",
    equation:
      "dV_ab = {phi''^2/(4a^2) [V_aa V_bb + V_ab (2 V_ab - 3)] + phi'''/(2a^2) V_ab (V_aa + V_bb - 2)} dt + Sigma^{1/2} dB",
    reference: "arXiv:2206.02768, Theorem 3.9",
    parameters: integrated + derivatives
  ) { p, network in
    let drift = try smoothDrift(p, network)
    guard drift.kappa <= 0 || network.settings.measured.bound < .infinity else {
      throw Failure.invalid(
        key: "\(NetworkFamily.table).bound", value: nil,
        allowed:
          "it must be given, because kappa = \(drift.kappa) > 0, so this limit explodes with positive probability")
    }
    return try .diffusion(drift, p, network, offset: "an offset of order 1/n is expected of a finite width")
  }

  static let explosionLaw = LimitEntry<NetworkModel>(
    name: "explosion-law",
    summary: "one input of a smooth shaped network: the explicit solution of its SDE, and its explosion",
    equation:
      "V_t = E_t / (1/V_0 - kappa int_0^t E_s ds), E_t = exp(sqrt(2) B_t - (kappa + 1) t); P(ever explodes) = P(Gamma(kappa + 1) < kappa V_0)",
    reference: "arXiv:2206.02768, Proposition 3.10",
    parameters: paths + derivatives
  ) { p, network in
    let drift = try smoothDrift(p, network)
    let settings = network.settings
    guard settings.count == 1 else { throw p.invalid("equation", "needs one input") }
    let kappa = drift.kappa
    let ever =
      kappa > 0 ? SpecialFunctions.regularisedGamma(kappa + 1, kappa * settings.inputs.gram[0]) : 0
    return LimitModel(
      .integrated(order: 2) { Experiment(ExplicitVariance(kappa: kappa, settings: settings, step: $0)) },
      offset:
        "an offset of order 1/n is expected of a finite width; kappa = \(kappa), the limit ever explodes with probability \(ever)"
    )
  }
}

/// The explicit solution of `dV = kappa V (V - 1) dt + sqrt(2) V dB`: y = 1/V obeys a linear equation. The integral is
/// summed by the trapezoidal rule along a Brownian path.
struct ExplicitVariance: Draw {
  let kappa: Double
  let settings: NetworkSettings
  let step: Double
  var observables: [Observable] { settings.measured.observables }
  var layers: [Int] { settings.layers }
  var schema: Schema { Schema(axis: .layers(layers), observables: observables) }

  func makeScratch() -> DiffusionScratch { DiffusionScratch(1) }

  func draw(
    using stream: inout Stream, scratch: DiffusionScratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let width = Double(settings.width)
    let inverse = 1 / settings.inputs.gram[0]
    var (time, exponent, integral, value) = (0.0, 0.0, 0.0, settings.inputs.gram[0])
    var crossing = Double.infinity
    var events: DrawEvents = []
    var out = values
    for layer in layers {
      let span = Double(layer) / width - time
      let steps = max(1, Int((span / step - 1e-9).rounded(.up)))
      let h = span / Double(steps)
      let root = (2 * h).squareRoot()
      for i in 0..<steps where crossing == .infinity {
        let before = Elementary.exp(exponent)
        exponent += root * stream.normals(1)[0] - (kappa + 1) * h
        let after = Elementary.exp(exponent)
        integral += 0.5 * h * (before + after)
        let rest = inverse - kappa * integral
        value = rest > 0 ? after / rest : .infinity
        if !(value < settings.measured.bound) {
          crossing = (time + Double(i + 1) * h) * width
          // The path is continuous: it stops at the bound itself.
          value = settings.measured.bound
        }
      }
      time = Double(layer) / width
      scratch.lower[0] = value.squareRoot()
      events.formUnion(
        settings.measured.write(
          lower: scratch.lower, layer: Double(layer), crossing: crossing, work: scratch.work, to: out))
      out += observables.count
    }
    return events
  }
}

/// Special functions of closed forms.
public enum SpecialFunctions {
  /// log Gamma(x), x > 0, by Stirling's series from 40 up.
  public static func logGamma(_ x: Double) -> Double {
    var (y, shift) = (x, 0.0)
    while y < 40 {
      shift += Elementary.log(y)
      y += 1
    }
    let z = 1 / (y * y)
    return (y - 0.5) * Elementary.log(y) - y + 0.918938533204672742 + (1.0 / 12 - z * (1.0 / 360 - z / 1260)) / y
      - shift
  }

  /// `P(Gamma(a) < x)`, by the series `x^a e^-x sum x^k / Gamma(a + k + 1)`.
  public static func regularisedGamma(_ a: Double, _ x: Double) -> Double {
    if x <= 0 { return 0 }
    var term = Elementary.exp(a * Elementary.log(x) - x - logGamma(a + 1))
    var (total, k) = (term, a + 1)
    while term > 1e-17 * total && k < a + 10_000 {
      term *= x / k
      total += term
      k += 1
    }
    return min(total, 1)
  }
}
