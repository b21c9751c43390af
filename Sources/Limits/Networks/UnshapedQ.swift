import Kernels
import Networks
import Randomness
import Experiments

/// The singular SDE of `q = l^2 (1 - rho_l)` for unshaped ReLU networks, t = layer / width (arXiv:2206.02768, Theorem
/// 3.3, with the drift 2q of the correlations' own noise):
///
///     dq = [(2 q - c q^{3/2})/t + 2 q] dt + 2 sqrt(2) q dB,   c = 2 sqrt(2)/(3 pi).
///
/// `y = q^{-1/2}` is linear, so
///
///     t y_t = e^{u + sqrt(2) B_u} [t_0 y_0 + (c/2) int_0^u e^{-s - sqrt(2) B_s} ds],   u = t - t_0:
///
/// `functional` sums that integral by the trapezoidal rule along a Brownian path (weak order 2) and may start at t_0 = 0.
/// `euler` steps log q by Euler's method (weak order 1), and shares nothing with it; it needs a start at t_0 > 0.
public struct UnshapedQ: Draw {
  let settings: NetworkSettings
  /// q at the start; not needed at t_0 = 0.
  let start: Double
  let step: Double
  let functional: Bool
  /// Coefficient of q in the drift that the correlations' own noise makes: 2.
  let growth: Double
  /// q and what follows from it alone; V is not part of this limit.
  let measured: CovarianceObservables
  public let observables: [Observable]
  public var layers: [Int] { settings.layers }
  public var schema: Schema { Schema(axis: .layers(layers), observables: observables) }

  static let c = 2 * 2.0.squareRoot() / (3 * Double.pi)

  public init(settings: NetworkSettings, start: Double, step: Double, functional: Bool, growth: Double = 2) {
    self.growth = growth
    self.settings = settings
    self.start = start
    self.step = step
    self.functional = functional
    measured = settings.measured.only([.correlation, .atanhCorrelation, .q, .inverseRootQ, .collapsed])
    observables = measured.observables
  }

  public func makeScratch() -> DiffusionScratch { DiffusionScratch(2) }

  public func draw(
    using stream: inout Stream, scratch: DiffusionScratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let width = Double(settings.width)
    let origin = Double(settings.inputs.layer) / width
    var time = origin
    var q = start
    // log of the exponential, and the integral.
    var (exponent, integral) = (0.0, 0.0)
    var events: DrawEvents = []
    var out = values
    for layer in layers {
      let span = Double(layer) / width - time
      let steps = max(1, Int((span / step - 1e-9).rounded(.up)))
      let h = span / Double(steps)
      let root = (2 * h).squareRoot()
      for i in 0..<steps {
        let g = stream.normals(1)[0]
        if functional {
          let before = Elementary.exp(-exponent)
          exponent += (growth - 1) * h + root * g
          integral += 0.5 * h * (before + Elementary.exp(-exponent))
        } else {
          let t = time + Double(i) * h
          let drift = (2 - Self.c * q.squareRoot()) / t + growth - 4
          q *= Elementary.exp(drift * h - 2 * root * g)
        }
      }
      time = Double(layer) / width
      if functional {
        let head = origin > 0 ? origin / start.squareRoot() : 0
        let y = Elementary.exp(exponent) * (head + 0.5 * Self.c * integral) / time
        q = 1 / (y * y)
      }
      let delta = min(q / (Double(layer) * Double(layer)), 2)
      scratch.lower[0] = 1
      scratch.lower[1] = 0
      scratch.lower[2] = 1 - delta
      scratch.lower[3] = (delta * (2 - delta)).squareRoot()
      events.formUnion(
        measured.write(lower: scratch.lower, layer: Double(layer), work: scratch.work, to: out))
      out += observables.count
    }
    return events
  }
}

extension NetworkLimits {
  static let unshapedQ = LimitEntry<NetworkModel>(
    name: "unshaped-q",
    summary: "singular SDE of q = layer^2 (1 - rho) for two inputs of an unshaped ReLU network",
    equation:
      "dq = [(2 q - c q^{3/2})/t + 2 q] dt + 2 sqrt(2) q dB, c = 2 sqrt(2)/(3 pi); E q^{-1/2} = (c/2)(e^{2t} - 1)/(2t) from t = 0",
    reference: "arXiv:2206.02768, Theorem 3.3",
    parameters: paths + [
      Parameter(
        "integrator", .choice(["functional", "euler"]), default: .text("functional"),
        "functional: the explicit solution along a Brownian path; euler: steps of log q, from t > 0")
    ]
  ) { p, network in
    guard let perceptron = network.gaussianPerceptron, perceptron.activation.isRelu,
      network.settings.count == 2, network.standardGain, perceptron.bias == 0
    else {
      throw p.invalid(
        "equation",
        "needs \(MLP.entry.name) with Gaussian weights, activation relu, two inputs, the default gain c and bias = 0")
    }
    let settings = network.settings
    let functional = p.text("integrator") == "functional"
    guard functional || settings.inputs.layer > 0 else {
      throw p.invalid("integrator", "euler needs inputs given by q and layer: the equation is singular at t = 0")
    }
    let sine = settings.initialFactor[3]
    let layer = Double(settings.inputs.layer)
    // 1 - rho = sine^2 / (1 + rho)
    let q = layer * layer * sine * sine / (1 + settings.initialFactor[2])
    return LimitModel(
      .integrated(order: functional ? 2 : 1) {
        Experiment(UnshapedQ(settings: settings, start: q, step: $0, functional: functional))
      },
      offset: layer > 0
        ? "an offset of order 1/n is expected of a finite width"
        : "an offset of order log(layer)/layer is expected of a start at the inputs")
  }
}
