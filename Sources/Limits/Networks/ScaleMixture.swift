import Experiments
import Kernels
import Networks
import Statistics

extension NetworkLimits {
  static let scaleMixture = LimitEntry<NetworkModel>(
    name: "scale-mixture",
    summary:
      "law, moments and tails of the output at infinite width and fixed depth with a random variance of the weights of the output, or of all layers; no randomness",
    equation:
      "f | v ~ N(0, v K), K' = c E[phi(u)^2] + sigma_b^2, u ~ N(0, K); inverse gamma v: sqrt((beta/alpha) K) times Student's t with 2 alpha degrees of freedom; exponential v: P(|f| > x) = exp(-x sqrt(2/(mean K))); variance.of = \"all\": K' = v (c E[phi(u)^2] + sigma_b^2), K_1 = v V_0, by quadrature over v",
    reference: "arXiv:2107.01408; docs/limits.md", parameters: []
  ) { p, network in
    guard let perceptron = network.perceptron, let mixture = perceptron.mixture, perceptron.law.isInvariant else {
      throw p.invalid(
        "equation",
        "needs a random variance, such as network.variance = { law = \"inverse-gamma\", alpha = 2.5, beta = 1.8 }, of a perceptron with Gaussian or orthogonal weights"
      )
    }
    let settings = network.settings
    let own = network.architecture.ownObservables
    let axis = Axis.layers(settings.layers)
    var statistics: [PredictedStatistic] = []
    var found: [Int: MixtureLaw] = [:]
    for (place, observable) in own.enumerated() {
      let inputs = observable.indices.suffix(observable.family == "f_product" ? 2 : 1)
      // Of products of two inputs nothing is said.
      guard let a = inputs.first, Set(inputs).count == 1 else { continue }
      if found[a] == nil {
        let law = MixtureLaw(perceptron, mixture, settings, input: a)
        guard let law else {
          throw p.invalid(
            "equation",
            "needs Gaussian expectations of the activation, which are not finite or not found to 1e-11\(network.activation?.eventRemark ?? "")"
          )
        }
        found[a] = law
      }
      for (statistic, value, law) in found[a]!.statistics(of: observable, level: settings.measured.level) {
        guard law != nil || value.isFinite else { continue }
        statistics.append(
          PredictedStatistic(statistic, record: axis.count - 1, observable: place, value: value, law: law))
      }
    }
    return LimitModel(
      .known(
        ReferenceValues(
          schema: Schema(axis: axis, observables: own), statistics: statistics,
          remainder: [Remainder("width", order: 1, along: .fixedValues)])),
      offset: "an offset of order depth/width is expected of a finite width")
  }
}

/// The law of one output of one input at infinite width, a mixture of $N(0, K_v)$ over the random variance v.
struct MixtureLaw {
  private let mixture: ScaleMixture
  /// K where v = 1, and K_v / v at the nodes of the quadrature, by v: one value where only the output has a random
  /// variance.
  private let kernel: Double
  private let kernels: Kernels?
  /// What $E f^2$ grows like, as a power of v.
  private let power: Double

  /// K_v / v of a random variance of all layers, each found once.
  private final class Kernels {
    let find: (Double) -> Double?
    var found: [Double: Double?] = [:]

    init(_ find: @escaping (Double) -> Double?) { self.find = find }

    subscript(_ v: Double) -> Double? {
      if let known = found[v] { return known }
      let value = find(v)
      found[v] = .some(value)
      return value
    }
  }

  /// - Returns: nil where an expectation is infinite or not found.
  init?(_ perceptron: Perceptron, _ mixture: ScaleMixture, _ settings: NetworkSettings, input a: Int) {
    self.mixture = mixture
    let start = settings.inputs.gram[a * settings.count + a]
    let moments =
      mixture.layers == .all ? UnitMoments(graded: perceptron.activation) : UnitMoments(perceptron.activation)
    func kernel(_ v: Double) -> Double? {
      (0..<settings.depth).reduce(start) { k, _ in
        k.flatMap { moments.single(v * $0) }.map { perceptron.gain * $0.square + perceptron.bias * perceptron.bias }
      }
    }
    guard let plain = kernel(1) else { return nil }
    self.kernel = plain
    kernels = mixture.layers == .all ? Kernels(kernel) : nil
    power = mixture.power(perceptron.activation, depth: settings.depth)
  }

  /// $P(|f| > x)$; nil where an expectation is not found.
  func tail(_ x: Double) -> Double? {
    guard let kernels else { return mixture.tail(x, kernel: kernel) }
    return mixture.mean { v in kernels[v].map { Gaussian.twoSided(x / (v * $0).squareRoot()) } }
  }

  func statistics(of observable: Observable, level: Double) -> [(Statistic, Double, TabulatedLaw?)] {
    switch observable.family {
    case "f":
      var found: [(Statistic, Double, TabulatedLaw?)] = [(.mean, 0, nil), (.variance, moment(1), nil)]
      if kernels == nil {
        found.append((.law, .nan, TabulatedLaw(name: mixture.name) { mixture.tail($0, kernel: kernel) }))
      }
      return found
    case "f_product": return [(.mean, moment(1), nil)]
    case "f_fourth": return [(.mean, 3 * moment(2), nil)]
    case "f_tail": return [(.mean, tail(level) ?? .nan, nil)]
    default: return []
    }
  }

  /// $E K_v^k$.
  private func moment(_ k: Int) -> Double {
    guard let kernels else { return mixture.moment(k) * ExactMoments.power(kernel, k) }
    return mixture.mean(growing: Double(k) * power) { v in kernels[v].map { ExactMoments.power(v * $0, k) } } ?? .nan
  }
}

extension ScaleMixture {
  /// $P(|f| > x)$ of $f \sim N(0, v K)$: Student's law, Laplace's or the normal one.
  package func tail(_ x: Double, kernel: Double) -> Double {
    switch law {
    case .inverseGamma(let alpha, let beta): StudentProcess(alpha: alpha, beta: beta, variance: kernel).tail(x)
    case .exponential(let mean): Elementary.exp(-x * (2 / (mean * kernel)).squareRoot())
    case .fixed(let value): Gaussian.twoSided(x / (value * kernel).squareRoot())
    }
  }

  var name: String {
    switch law {
    case .inverseGamma(let alpha, _): "Student's law, \(2 * alpha) degrees of freedom"
    case .exponential: "Laplace's law"
    case .fixed: "the normal law"
    }
  }
}

/// One value of a Student process: of a Gaussian process whose kernel is multiplied by an inverse gamma variance
/// (arXiv:2107.01408; Shah, Wilson and Ghahramani, arXiv:1402.4306).
package struct StudentProcess: Sendable {
  package let degreesOfFreedom, mean, squaredScale: Double

  /// $\sqrt{(\beta/\alpha) K}$ times Student's t with $2 \alpha$ degrees of freedom.
  package init(alpha: Double, beta: Double, variance: Double) {
    (degreesOfFreedom, mean, squaredScale) = (2 * alpha, 0, beta / alpha * variance)
  }

  /// Given N values without noise: $\nu = 2 \alpha + N$, mean $K_{*y} K_{yy}^{-1} y$,
  /// $$ s^2 = \frac{2 \beta + y^\top K_{yy}^{-1} y}{2 \alpha + N} (K_{**} - K_{*y} K_{yy}^{-1} K_{y*}). $$
  /// - Parameters:
  ///   - kernel: (N + 1) x (N + 1), the given points first, row by row.
  ///   - values: y.
  /// - Returns: nil where $K_{yy}$ is singular: a value is then given twice, or contradicts another one.
  package init?(alpha: Double, beta: Double, kernel: [Double], given values: [Double]) {
    let n = values.count
    precondition(kernel.count == (n + 1) * (n + 1))
    // Of the last row of the factor: its entries but one are K_*y L^-T, the last one squared is the variance that is
    // left.
    guard let lower = Triangular.cholesky(kernel, m: n + 1) else { return nil }
    var white: [Double] = []
    for i in 0..<n {
      let pivot = lower[i * (n + 1) + i]
      guard pivot > 0 else { return nil }
      white.append((0..<i).reduce(values[i]) { $0 - lower[i * (n + 1) + $1] * white[$1] } / pivot)
    }
    let last = lower[(n * (n + 1))...]
    degreesOfFreedom = 2 * alpha + Double(n)
    mean = zip(last, white).reduce(0) { $0 + $1.0 * $1.1 }
    let left = last.last!
    squaredScale = (2 * beta + white.reduce(0) { $0 + $1 * $1 }) / degreesOfFreedom * left * left
  }

  /// $P(|f - m| > x)$, m the mean.
  package func tail(_ x: Double) -> Double {
    Student.twoSided(x / squaredScale.squareRoot(), degreesOfFreedom: degreesOfFreedom)
  }
}
