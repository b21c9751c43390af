import Experiments
import Kernels
import Randomness

/// A random variance v of the weights and biases of the output, or of all layers, one a draw (arXiv:2107.01408):
///
///     f = sqrt(v) (sqrt(c/n) v_o . phi(z_d) + sigma_b b),   v of the law `law`
///
/// Given v the output is what it is without; at infinite width $N(0, v K)$, whose mixture over v is Student's law with
/// $2 \alpha$ degrees of freedom for an inverse gamma v, Laplace's for an exponential one.
package struct ScaleMixture: Sendable, Equatable {
  package enum Law: Sendable, Equatable {
    /// $v = \beta / G$, G gamma of shape $\alpha$ and scale 1.
    case inverseGamma(alpha: Double, beta: Double)
    case exponential(mean: Double)
    case fixed(Double)
  }

  /// Whose variance it is.
  package enum Layers: String, CaseIterable, Sendable { case readout, all }

  package let law: Law
  package let layers: Layers

  package init(_ law: Law, of layers: Layers = .readout) { (self.law, self.layers) = (law, layers) }

  /// One variance.
  func draw(_ stream: inout Stream) -> Double {
    switch law {
    case .inverseGamma(let alpha, let beta): beta / stream.gamma(shape: alpha)
    case .exponential(let mean): -mean * Elementary.log(stream.uniform())
    case .fixed(let value): value
    }
  }

  /// $E v^p$; infinite where it does not exist.
  package func moment(_ p: Int) -> Double {
    switch law {
    case .inverseGamma(let alpha, let beta):
      guard alpha > Double(p) else { return .infinity }
      return (0..<p).reduce(1) { $0 * beta / (alpha - Double($1 + 1)) }
    case .exponential(let mean): return (0..<p).reduce(1) { $0 * mean * Double($1 + 1) }
    case .fixed(let value): return (0..<p).reduce(1) { product, _ in product * value }
    }
  }

  /// Moments of v of this order and above do not exist.
  var order: Double { if case .inverseGamma(let alpha, _) = law { alpha } else { .infinity } }

  // MARK: - Quadrature

  /// $E g(v)$ by the trapezoidal rule in the logarithm u of the gamma variable behind v, whose density
  /// $e^{\alpha u - e^u}$ is entire: the step h leaves out terms of order $e^{-\pi^2/h}$, $10^{-17}$ at twice the
  /// step, for a g that is analytic and bounded in $|\arg v| < \pi/2$.
  /// - Parameter power: g grows no faster than that power of v.
  /// - Returns: nil where g has no value at a node, half the step changes the mean by more than 1e-9 of that of $|g|$,
  ///   or all of the mean comes from v of less than 1e-17 of the mass.
  package func mean(growing power: Double = 0, _ g: (_ variance: Double) -> Double?) -> Double? {
    let shape: Double
    let variance: (Double) -> Double
    switch law {
    case .fixed(let value): return g(value)
    case .inverseGamma(let alpha, let beta): (shape, variance) = (alpha, { beta / $0 })
    case .exponential(let mean): (shape, variance) = (1, { mean * $0 })
    }
    guard power < order else { return nil }
    let step = min(0.125, 0.25 / shape.squareRoot())
    let centre = Elementary.log(shape)
    // From the mode to 1e-17 of the density there. v is large where a gamma variable of the inverse law is small, one
    // of the exponential law large.
    let least = 40 / (order == .infinity ? shape : shape - power) + (80 / shape).squareRoot()
    let below = Int((least / step).rounded(.up))
    var (sum, size, weights) = ([0.0, 0], 0.0, [0.0, 0])
    for i in -below...Int(5.5 / step) {
      let u = Double(i) * step
      let weight = Elementary.exp(shape * (u - Elementary.exp(u) + 1))
      guard weight > 0x1p-1000 else { continue }
      guard let value = g(variance(Elementary.exp(centre + u))) else { return nil }
      let parity = i & 1
      sum[parity] += weight * value
      weights[parity] += weight
      size += weight * value.magnitude
    }
    let all = (sum[0] + sum[1]) / (weights[0] + weights[1])
    let isSettled = (all - sum[0] / weights[0]).magnitude <= 1e-9 * size / (weights[0] + weights[1])
    return isSettled ? all : nil
  }
}

// MARK: - In jobs

extension ScaleMixture {
  static let key = "variance"
  static let words =
    "a table { law = \"inverse-gamma\", alpha = …, beta = … }, { law = \"exponential\", mean = … } or { law = \"fixed\", value = … }, with of = \"readout\" or \"all\""

  static let parameter = Parameter(
    key, .structured(words), optional: true,
    "v, a random variance of the weights and biases, one a draw, with the probe output: f = sqrt(v) times what it is without; 1 unless given"
  )

  private static let laws: [(name: String, keys: [Parameter])] = [
    (
      "inverse-gamma",
      [
        Parameter(
          "alpha", .real(.init(0.5, .infinity, openAbove: true)),
          "inverse-gamma: alpha, half the degrees of freedom of f"),
        Parameter("beta", .real(.above(0)), "inverse-gamma: beta, the scale of v"),
      ]
    ),
    ("exponential", [Parameter("mean", .real(.above(0)), "exponential: the mean of v")]),
    ("fixed", [Parameter("value", .real(.above(0)), "fixed: v")]),
  ]

  private static let common = [
    Parameter("law", .choice(laws.map(\.name)), "law of v"),
    Parameter(
      "of", .choice(Layers.allCases.map(\.rawValue)), default: .text(Layers.readout.rawValue),
      "readout: v is of the weights and bias of the outputs; all: the same v of every layer"),
  ]

  static let entry = TableEntry(
    name: "network.\(key)", summary: "the random variance of a network's weights",
    parameters: common + laws.flatMap(\.keys))

  /// Reads the key of a `[network]` table; nil if it is not there.
  static func read(_ p: Parameters) throws -> ScaleMixture? {
    guard let value = p[key] else { return nil }
    guard case .table(let table) = value else { throw p.invalid(key, "must be \(words)") }
    let named = laws.first { table["law"] == .text($0.name) }
    let own = try Parameters(value, path: "\(p.path).\(key)", allowed: common + (named?.keys ?? laws.flatMap(\.keys)))
    let law: Law =
      switch own.text("law") {
      case "inverse-gamma": .inverseGamma(alpha: own.real("alpha"), beta: own.real("beta"))
      case "exponential": .exponential(mean: own.real("mean"))
      default: .fixed(own.real("value"))
      }
    return ScaleMixture(law, of: Layers(rawValue: own.text("of"))!)
  }

  /// The power of v that the variance of an output grows like: 1 of the readout; of all layers one for each, as far as
  /// the activation hands it on, whose growth is read from its values at 1e4 and 1e8.
  package func power(_ activation: any Activation, depth: Int) -> Double {
    guard layers == .all else { return 1 }
    func size(_ x: Double) -> Double { max(activation.value(x).magnitude, activation.value(-x).magnitude) }
    let (near, far) = (size(1e4), size(1e8))
    guard far.isFinite, near > 0 else { return .infinity }
    let growth = max(0, Elementary.log(far / near) / Elementary.log(1e4))
    // To the hundredth: a constant next to the growth must not count.
    let rounded = (100 * growth).rounded() / 100
    return (0..<depth).reduce(1) { power, _ in 1 + rounded * power }
  }

  /// Refuses what has no mean, or no error of its mean, with a variance of this law.
  func check(_ p: Parameters, _ settings: NetworkSettings, _ activation: any Activation) throws {
    if layers == .all, let first = settings.measured.observables.first {
      throw p.invalid(
        "observables",
        "must be those of the outputs with \(Self.key).of = \"all\": V depends on v; leave out \(first.family)")
    }
    guard case .inverseGamma(let alpha, _) = law else { return }
    let power = power(activation, depth: settings.depth)
    let freedom = 2 * alpha / power
    let needed = [("f_fourth", 4.0, "E f^4"), ("f_product", 2, "the variance of f"), ("f", 2, "the variance of f")]
    for (name, least, words) in needed where settings.own.contains(name) && freedom <= least {
      let advice = power.isFinite ? ", or raise \(Self.key).alpha above \(0.5 * least * power)" : ""
      let reason =
        power.isFinite
        ? "\(words) needs more than \(Int(least)) degrees of freedom, and f has 2 alpha"
          + (power == 1 ? "" : " / \(power)") + " = \(freedom)"
        : "\(words) does not exist: the activation grows faster than any power"
      throw p.invalid("observables", "cannot hold \(name): \(reason); ask for f_tail\(advice)")
    }
  }
}
