import Kernels
import Networks
import Randomness
import Experiments

/// Eigenvalues of the covariance of a linear network, t = layer / width (docs/limits.md; arXiv:2206.02768 with no drift):
///
///     d log lambda_i = sqrt(2) dB_i + [sum_{j != i} lambda_j / (lambda_i - lambda_j) - 1] dt.
///
/// Euler's method on the logarithms with substeps bounded by the square of the smallest gap, and repulsion by what two values can gain
/// in a step. Equal
/// eigenvalues at the start are split by one exact step of the matrix.
struct EigenvalueSDE: Draw {
  let settings: NetworkSettings
  let step: Double
  let measured: CovarianceObservables
  let observables: [Observable]
  var layers: [Int] { settings.layers }
  var schema: Schema { Schema(axis: .layers(layers), observables: observables) }

  init(settings: NetworkSettings, step: Double) {
    self.settings = settings
    self.step = step
    measured = settings.measured.only([.logEigenvalue, .logDeterminant, .moment])
    observables = measured.observables
  }

  func makeScratch() -> DiffusionScratch { DiffusionScratch(settings.count) }

  func draw(
    using stream: inout Stream, scratch: DiffusionScratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    let m = settings.count
    let width = Double(settings.width)
    let (lower, log, drift) = (scratch.lower, scratch.first, scratch.second)
    // The first instant: the matrix itself moves by Wishart noise for a time far below the step.
    let instant = 1e-3 * min(step, Double(layers[0]) / width)
    for i in 0..<m * m { lower[i] = settings.initialFactor[i] }
    Bartlett.write(&stream, m, degrees: 1 / instant, to: scratch.third)
    Triangular.multiplyLower(lower, scratch.third, m: m, scale: instant.squareRoot())
    SingularValues.squares(lower, m: m, into: drift)
    for i in 0..<m { log[i] = Elementary.log(drift[i]) }
    var time = instant
    var events: DrawEvents = []
    var out = values
    for layer in layers {
      let end = Double(layer) / width
      while time < end {
        var gap = Double.infinity
        for i in 1..<max(m, 1) { gap = min(gap, log[i - 1] - log[i]) }
        let h = min(end - time, max(min(step, 0.02 * gap * gap), 1e-3 * time))
        let root = (2 * h).squareRoot()
        // Two values nearer than a step of the noise part by about as much as that, not by h over their distance.
        let most = 1 / root
        for i in 0..<m {
          drift[i] = -1
          for j in 0..<m where j != i {
            drift[i] += min(max(1 / Self.expm1(log[i] - log[j]), -1 - most), most)
          }
        }
        let g = stream.normals(m)
        for i in 0..<m { log[i] += root * g[i] + drift[i] * h }
        Self.sort(log, m)
        time += h
      }
      time = end
      for i in 0..<m { for j in 0..<m { lower[i * m + j] = i == j ? Elementary.exp(0.5 * log[i]) : 0 } }
      events.formUnion(measured.write(lower: lower, layer: Double(layer), work: scratch.work, to: out))
      out += observables.count
    }
    return events
  }

  /// `e^x - 1 = 2 sinh(x/2) e^{x/2}`
  private static func expm1(_ x: Double) -> Double { 2 * Elementary.sinh(0.5 * x) * Elementary.exp(0.5 * x) }

  /// Descending; the law does not tell eigenvalues apart.
  private static func sort(_ x: UnsafeMutablePointer<Double>, _ m: Int) {
    for i in 1..<max(m, 1) {
      let value = x[i]
      var k = i
      while k > 0 && x[k - 1] < value {
        x[k] = x[k - 1]
        k -= 1
      }
      x[k] = value
    }
  }
}

extension NetworkLimits {
  private static func linear(_ p: Parameters, _ network: NetworkModel) throws -> NetworkSettings {
    guard let network = network.architecture as? LinearMLP else {
      throw p.invalid("equation", "needs \(LinearMLP.entry.name)")
    }
    return network.settings
  }

  static let eigenvalueSDE = LimitEntry<NetworkModel>(
    name: "eigenvalue-sde",
    summary: "eigenvalues of the covariance of a linear network",
    equation: "d log lambda_i = sqrt(2) dB_i + [sum_{j != i} lambda_j/(lambda_i - lambda_j) - 1] dt",
    reference: "docs/limits.md, from arXiv:2206.02768, Theorem 3.2 with nu = 0", parameters: paths
  ) { p, network in
    let settings = try linear(p, network)
    guard (0..<settings.count).allSatisfy({ settings.initialFactor[$0 * settings.count + $0] > 0 }) else {
      throw Failure.invalid(
        key: "\(NetworkFamily.table).inputs", value: "…",
        allowed: "must be linearly independent: an eigenvalue 0 has no logarithm")
    }
    return LimitModel(
      .integrated(order: 1) { Experiment(EigenvalueSDE(settings: settings, step: $0)) },
      offset: "an offset of order 1/n is expected of a finite width")
  }

  /// Spectral moments of products of many Ginibre matrices started from the identity, depth m / width -> tau as m -> infinity:
  /// `m_k = (1/k) sum_j C(k, j) (k tau)^{k-1-j} / (k-1-j)!`.
  static let freeSpectrum = LimitEntry<NetworkModel>(
    name: "free-spectrum",
    summary: "spectral moments of a linear network with many orthonormal inputs, depth x inputs / width = tau fixed",
    equation: "E tr V^k / m = (1/k) sum_{j<k} C(k, j) (k tau)^{k-1-j}/(k-1-j)!: 1, 1 + tau, 1 + 3 tau + 3 tau^2/2",
    reference: "docs/limits.md", parameters: []
  ) { p, network in
    let settings = try linear(p, network)
    let m = settings.count
    guard zip(0..., settings.inputs.gram).allSatisfy({ abs($1 - ($0 / m == $0 % m ? 1 : 0)) < 1e-12 }) else {
      throw Failure.invalid(
        key: "\(NetworkFamily.table).inputs", value: "…",
        allowed: "must be orthonormal, as { correlation = 0.0, count = \(m) } is")
    }
    return try .known(
      p, settings, needed: "moment", offset: "an offset of order 1/m is expected of a finite number of inputs"
    ) { layer in
      let tau = Double(m * layer) / Double(settings.width)
      let moments = [1, 1 + tau, 1 + 3 * tau + 1.5 * tau * tau]
      return Dictionary(uniqueKeysWithValues: zip(1..., moments).map { ("moment[\($0)]", ($1, Double.nan)) })
    }
  }
}
