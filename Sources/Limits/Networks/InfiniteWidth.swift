import Kernels
import Networks
import Simulation

/// The recursion of the covariance in the limit of infinite width at fixed depth.
///
/// `E phi(u) phi(v)` in closed form for activations with slopes (arc-cosine kernel, Cho and Saul 2009) and erf
/// (Williams 1997), the others by `GaussianExpectation`.
public struct ActivationKernel: Sendable {
  public let activation: any Activation

  public init(_ activation: any Activation) { self.activation = activation }

  /// `E phi(u) phi(v)` for the variances and covariance of (u, v).
  public func product(_ vu: Double, _ vv: Double, _ cov: Double) -> Double {
    if let slopes = activation as? SlopeActivation {
      let scale = (vu * vv).squareRoot()
      guard scale > 0 else { return 0 }
      let rho = min(max(cov / scale, -1), 1)
      let sine = max((1 - rho) * (1 + rho), 0).squareRoot()
      let difference = slopes.plus - slopes.minus
      // rho (s+^2 + s-^2)/2 + (s+ - s-)^2 (sin t - t cos t)/(2 pi)
      return scale
        * (0.5 * (slopes.plus * slopes.plus + slopes.minus * slopes.minus) * rho
          + 0.5 * difference * difference * Elementary.arcCosineDefect(rho: rho, sine: sine))
    }
    if let erf = (activation as? Erf)?.scaling {
      // (2/pi) asin(2 cov / sqrt((1 + 2 vu)(1 + 2 vv))), the arc sine as pi/2 less the angle.
      let inner = erf.inner * erf.inner
      let sine = 2 * cov * inner / ((1 + 2 * vu * inner) * (1 + 2 * vv * inner)).squareRoot()
      let cosine = max((1 - sine) * (1 + sine), 0).squareRoot()
      let angle = Elementary.angle(x: cosine, y: sine.magnitude)
      return erf.outer * erf.outer * (sine < 0 ? -angle : angle) * 2 / Double.pi
    }
    return GaussianExpectation.ofProduct({ activation.value($0) }, varianceU: vu, varianceV: vv, covariance: cov)
  }

  /// `E phi'(u) phi'(v)`.
  public func derivativeProduct(_ vu: Double, _ vv: Double, _ cov: Double) -> Double {
    guard let slopes = activation as? SlopeActivation else {
      return GaussianExpectation.ofProduct(
        { activation.derivative($0) }, varianceU: vu, varianceV: vv, covariance: cov)
    }
    let scale = (vu * vv).squareRoot()
    let rho = scale > 0 ? min(max(cov / scale, -1), 1) : 1
    // Both of a sign with probability (pi - theta)/pi.
    let apart = Elementary.angle(x: rho, y: max((1 - rho) * (1 + rho), 0).squareRoot()) / Double.pi
    return slopes.secondMoment * (1 - apart) + slopes.plus * slopes.minus * apart
  }

  /// All pairs of an m x m covariance.
  public func apply(_ k: [Double], _ m: Int) -> [Double] { Self.pairs(k, m, product) }

  /// A symmetric matrix from variances and covariance, pair by pair.
  static func pairs(_ k: [Double], _ m: Int, _ entry: (Double, Double, Double) -> Double) -> [Double] {
    var result = k
    for a in 0..<m {
      for b in 0...a {
        let value = entry(k[a * m + a], k[b * m + b], k[a * m + b])
        result[a * m + b] = value
        result[b * m + a] = value
      }
    }
    return result
  }
}

/// A recursion over covariances of inputs, or of pairs of position and input.
struct InfiniteWidth {
  /// K_0 and its size.
  var start: [Double]
  var size: Int
  let next: ([Double]) -> [Double]
  /// V from K: the mean over `positions` blocks on the diagonal.
  var positions = 1

  /// The recursion of an architecture; a message where there is none.
  static func of(_ network: NetworkModel) throws -> InfiniteWidth? {
    let m = network.settings.count
    let p = network.parameters
    let v0 = network.settings.inputs.gram
    let kernel = network.activation.map { ActivationKernel($0.function) }
    func mixed(_ k: [Double], _ keep: Double, _ image: [Double], _ scale: Double) -> [Double] {
      zip(k, image).map { keep * $0 + scale * $1 }
    }
    switch network.architecture {
    case "linear-mlp": return InfiniteWidth(start: v0, size: m) { $0 }
    case "mlp", "orthogonal-mlp", "ntk-mlp":
      let bias = network.architecture == "orthogonal-mlp" ? 0 : p.real("bias")
      return InfiniteWidth(start: v0, size: m) { k in kernel!.apply(k, m).map { network.gain * $0 + bias * bias } }
    case "gated-mlp":
      return InfiniteWidth(start: v0, size: m) { k in zip(kernel!.apply(k, m), k).map { network.gain * $0 * $1 } }
    case "resnet":
      let (alpha, lambda) = try p.residual(depth: network.settings.depth)
      return InfiniteWidth(start: v0, size: m) { k in
        mixed(k, alpha * alpha, kernel!.apply(k, m), lambda * lambda * network.gain)
      }
    case "conv-resnet":
      let (alpha, lambda) = try p.residual(depth: network.settings.depth)
      let (positions, width) = (p.integer("positions"), p.integer("kernel"))
      let sites = positions * m
      let start = ConvolutionalResNet.siteGram(
        network.settings.inputs, positions: positions, cut: p["inputs"]?["file"] != nil)
      return InfiniteWidth(
        start: start, size: sites,
        next: { k in
          let image = kernel!.apply(k, sites)
          let patches = (0..<sites * sites).map { index -> Double in
            let (s, t) = (index / sites, index % sites)
            return (-(width / 2)...(width / 2)).reduce(0.0) { sum, offset in
              let from = (s / m + offset + positions) % positions * m + s % m
              let to = (t / m + offset + positions) % positions * m + t % m
              return sum + image[from * sites + to]
            }
          }
          return mixed(k, alpha * alpha, patches, lambda * lambda * network.gain / Double(width))
        }, positions: positions)
    case "transformer":
      guard p.text("temperature") == "shaped" else { return nil }
      let gamma = p.real("gamma")
      let lambda2 = p["lambda"] != nil ? p.real("lambda") * p.real("lambda") : 1 - gamma * gamma
      let (centred, causal) = (p.boolean("centred"), p.boolean("causal"))
      return InfiniteWidth(start: v0, size: m) { k in
        // The temperature grows with the width: attention becomes uniform, and centred attention the identity.
        let reach = { (a: Int) in causal ? a + 1 : m }
        let attended = (0..<m * m).map { index -> Double in
          let (a, b) = (index / m, index % m)
          if centred { return k[index] }
          var sum = 0.0
          for x in 0..<reach(a) { for y in 0..<reach(b) { sum += k[x * m + y] } }
          return sum / Double(reach(a) * reach(b))
        }
        let after = mixed(k, lambda2, attended, gamma * gamma)
        guard let kernel else { return after }
        return mixed(after, lambda2, kernel.apply(after, m), gamma * gamma * network.gain)
      }
    default: return nil
    }
  }

  /// What follows from V alone, and keeps a value where V no longer fluctuates.
  static let families: [CovarianceObservables.Family] = [
    .covariance, .logNorm, .correlation, .atanhCorrelation, .q, .inverseRootQ, .clipped, .logEigenvalue, .moment,
    .logDeterminant,
  ]
  static let offset = "an offset of order depth/width is expected of a finite width"

  /// Observables of a covariance; NaN where they have no value.
  static func row(_ measured: CovarianceObservables, _ covariance: [Double], layer: Int) -> [Double] {
    var row = Array(repeating: Double.nan, count: measured.observables.count)
    let m = measured.inputs
    if let lower = Triangular.cholesky(covariance, m: m, tolerance: 1e-9) {
      _ = measured.write(lower: lower, layer: Double(layer), work: DiffusionScratch(m).work, to: &row)
    }
    return row.map { $0.isFinite ? $0 : .nan }
  }

  /// V of a state of the recursion.
  func covariance(_ k: [Double]) -> [Double] {
    let m = size / positions
    return (0..<m * m).map { index in
      (0..<positions).reduce(0.0) { $0 + k[($1 * m + index / m) * size + $1 * m + index % m] } / Double(positions)
    }
  }
}

extension LimitEntry {
  static let infiniteWidth = LimitEntry(
    name: "infinite-width",
    summary: "recursion of the covariance at infinite width and fixed depth, for every architecture; no randomness",
    equation:
      "K_{l+1} = c E[phi(u_a) phi(u_b)] + sigma_b^2, u ~ N(0, K_l), and its residual, convolutional and attention forms",
    reference: "arXiv:1711.00165, eq. 5; arXiv:1810.05148; docs/limits.md", parameters: []
  ) { p, network in
    guard let recursion = try InfiniteWidth.of(network) else {
      throw p.invalid("equation", "has no deterministic limit for the usual temperature: scores stay random")
    }
    let settings = network.settings
    let measured = settings.measured.only(InfiniteWidth.families)
    var k = recursion.start
    var layer = settings.inputs.layer
    var means: [Double] = []
    for target in settings.layers {
      while layer < target {
        k = recursion.next(k)
        layer += 1
      }
      means += InfiniteWidth.row(measured, recursion.covariance(k), layer: layer)
    }
    return LimitModel(
      content: .known(
        KnownValues(
          observables: measured.observables, layers: settings.layers, means: means, secondMoments: means.map { $0 * $0 }
        )),
      offset: InfiniteWidth.offset)
  }
}
