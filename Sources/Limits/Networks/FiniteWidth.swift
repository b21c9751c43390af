import Experiments
import Kernels
import Networks

extension NetworkLimits {
  static let finiteWidth = LimitEntry<NetworkModel>(
    name: "finite-width",
    summary:
      "means and variances of V, and of the tangent kernel, to order 1/n at fixed depth, for perceptrons with Gaussian or orthogonal weights; no randomness",
    equation:
      "E V = K + mu/n, Cov(V, V') = C/n; C' = Q + J (C - S) J^T, mu' = J mu + (1/2) d^2F:(C - S), F = c E[phi_a phi_b] + sigma_b^2, J = dF, Q = c^2 Cov(phi_a phi_b), S = 0 of Gaussian weights",
    reference: "arXiv:2106.10165, ch. 4; arXiv:1910.00019; of orthogonal weights arXiv:2310.07765; docs/limits.md",
    parameters: []
  ) { p, network in
    guard let activation = network.activation, let layer = PerceptronLayer(network) else {
      throw p.invalid("equation", "is known for perceptrons with Gaussian or orthogonal weights")
    }
    let theory = FiniteWidth(layer, width: network.settings.width)
    let kernel = (network.architecture as? TangentMLP)?.kernel
    if kernel != nil, let missing = (activation.function as? FormulaActivation)?.missingDerivative {
      throw p.invalid("equation", "needs the activation's derivative for the tangent kernel: \(missing)")
    }
    guard var known = theory.values(network.settings, kernel) else {
      throw p.invalid(
        "equation",
        "needs Gaussian expectations of the activation, which are not finite or not found to 1e-11\(activation.eventRemark)"
      )
    }
    if let posterior = network.posterior { known = try theory.adding(posterior, to: known, network.settings, p) }
    guard !known.statistics.isEmpty else {
      throw p.invalid("equation", "needs V, log_V, rho, atanh_rho, NTK or log_NTK among the observables")
    }
    return LimitModel(.known(known), offset: "an offset of order (depth/width)^2 is expected of a finite width")
  }
}

/// What the theory of order 1/n needs of a perceptron.
package struct PerceptronLayer {
  package let activation: any Activation
  let gain, bias: Double
  let isOrthogonal: Bool

  init?(_ network: NetworkModel) {
    switch network.architecture {
    case let network as MLP:
      (activation, gain, bias, isOrthogonal) = (network.activation, network.gain, network.bias, false)
    case let network as TangentMLP:
      (activation, gain, bias, isOrthogonal) = (network.activation, network.gain, network.bias, network.orthogonal)
    case let network as OrthogonalMLP:
      (activation, gain, bias, isOrthogonal) = (network.activation, network.gain, 0, true)
    default: return nil
    }
  }

  package init(activation: any Activation, gain: Double, bias: Double = 0, isOrthogonal: Bool = false) {
    (self.activation, self.gain, self.bias, self.isOrthogonal) = (activation, gain, bias, isOrthogonal)
  }
}

/// The linear response of the covariance of a perceptron to the fluctuations of its layers, of which each adds some of order 1/n.
///
/// The state of a pair of inputs are $K = (K_{aa}, K_{ab}, K_{bb})$, $n$ times the covariance C of the three entries of V and n times the
/// shift mu of their means. With orthogonal weights a layer's pre-activations are uniform on a Stiefel manifold: their products
/// have the covariance $C - S$ between units, $S_{ab,cd} = K_{ac} K_{bd} + K_{ad} K_{bc}$.
package struct FiniteWidth {
  let layer: PerceptronLayer
  let width: Int

  package init(_ layer: PerceptronLayer, width: Int) { (self.layer, self.width) = (layer, width) }

  /// Of one input.
  package struct Single {
    /// K.
    package var variance: Double
    /// $n \operatorname{Var} V$.
    package var vertex = 0.0
    /// $n (E V - K)$.
    package var shift = 0.0

    package init(variance: Double) { self.variance = variance }
  }

  /// Of two inputs, in the order $V_{aa}, V_{ab}, V_{bb}$.
  package struct Pair {
    package var covariance: [Double]
    package var vertex = Array(repeating: [0.0, 0, 0], count: 3)
    package var shift = [0.0, 0, 0]

    package init(covariance: [Double]) { self.covariance = covariance }
  }

  /// A layer further; nil where an expectation is infinite or not found.
  package func next(_ state: Single, _ moments: UnitMoments) -> Single? {
    guard let unit = moments.single(state.variance) else { return nil }
    let (c, k) = (layer.gain, state.variance)
    let between = state.vertex - (layer.isOrthogonal ? 2 * k * k : 0)
    let slope = c * unit.slope
    var next = Single(variance: c * unit.square + layer.bias * layer.bias)
    next.vertex = c * c * (unit.fourth - unit.square * unit.square) + slope * slope * between
    next.shift = slope * state.shift + 0.5 * c * unit.curvature * between
    return next
  }

  package func next(_ state: Pair, _ moments: UnitMoments) -> Pair? {
    let k = state.covariance
    guard let left = moments.single(k[0]), let right = moments.single(k[2]), let pair = moments.pair(k[0], k[1], k[2])
    else { return nil }
    let c = layer.gain
    var between = state.vertex
    if layer.isOrthogonal {
      let places = [(0, 0), (0, 1), (1, 1)]
      func entry(_ a: Int, _ b: Int) -> Double { k[a + b] }
      for (i, ab) in places.enumerated() {
        for (j, cd) in places.enumerated() {
          between[i][j] -= entry(ab.0, cd.0) * entry(ab.1, cd.1) + entry(ab.0, cd.1) * entry(ab.1, cd.0)
        }
      }
    }
    let jacobian = [[c * left.slope, 0, 0], pair.gradient.map { c * $0 }, [0, 0, c * right.slope]]
    let means = [left.square, pair.product, right.square]
    let fourth = [
      [left.fourth, pair.fourth.0, pair.fourth.1], [pair.fourth.0, pair.fourth.1, pair.fourth.2],
      [pair.fourth.1, pair.fourth.2, right.fourth],
    ]
    var next = state
    for i in 0..<3 {
      next.covariance[i] = c * means[i] + layer.bias * layer.bias
      let hessian =
        i == 1
        ? pair.hessian : [[i == 0 ? left.curvature : 0, 0, 0], [0, 0, 0], [0, 0, i == 2 ? right.curvature : 0]]
      next.shift[i] = 0
      for j in 0..<3 {
        next.shift[i] += jacobian[i][j] * state.shift[j]
        var sum = c * c * (fourth[i][j] - means[i] * means[j])
        for a in 0..<3 {
          next.shift[i] += 0.5 * c * hessian[j][a] * between[j][a]
          for b in 0..<3 { sum += jacobian[i][a] * between[a][b] * jacobian[j][b] }
        }
        next.vertex[i][j] = sum
      }
    }
    return next
  }
}

extension FiniteWidth {
  /// Mean, variance and covariance of what is measured; nil where an expectation is infinite or not found.
  /// - Parameter kernel: what is measured of the tangent kernel, if that is.
  func values(_ settings: NetworkSettings, _ kernel: TangentKernelObservables?) -> ReferenceValues? {
    let observables = settings.measured.only([.covariance, .logNorm, .correlation, .atanhCorrelation]).observables
    let axis = Axis.layers(settings.layers)
    let moments = UnitMoments(layer.activation)
    let m = settings.count
    let gram = settings.inputs.gram
    let known = Set(observables.flatMap(\.indices))
    let pairs = Set(observables.filter { $0.indices.count == 2 && $0.indices[0] != $0.indices[1] }.map(\.indices))
    var singles = known.reduce(into: [Int: Single]()) {
      $0[$1] = Single(variance: gram[$1 * m + $1])
    }
    var doubles: [[Int]: Pair] = pairs.reduce(into: [:]) { all, pair in
      let (a, b) = (pair[0], pair[1])
      all[pair] = Pair(covariance: [gram[a * m + a], gram[a * m + b], gram[b * m + b]])
    }
    var statistics: [PredictedStatistic] = []
    var reached = settings.inputs.layer
    for (record, target) in settings.layers.enumerated() {
      while reached < target {
        for (a, state) in singles {
          guard let next = next(state, moments) else { return nil }
          singles[a] = next
        }
        // A pair that has become equal to rounding has no value from there on.
        for (pair, state) in doubles { doubles[pair] = next(state, moments) }
        reached += 1
      }
      for (place, observable) in observables.enumerated() {
        guard let found = expansion(observable, singles, doubles, gram) else { continue }
        let (mean, variance) = found
        for (statistic, value) in [(Statistic.mean, mean), (.variance, variance)] where value.isFinite {
          statistics.append(PredictedStatistic(statistic, record: record, observable: place, value: value + 0))
        }
      }
    }
    var all = observables
    if let kernel {
      guard let own = values(settings, kernel) else { return nil }
      // The kernel belongs to the whole network: to the last layer, which is the only one that is measured then.
      statistics += own.map {
        PredictedStatistic($0.statistic, record: axis.count - 1, observable: all.count + $0.observable, value: $0.value)
      }
      all += kernel.observables
    }
    return ReferenceValues(
      schema: Schema(axis: axis, observables: all), statistics: statistics,
      remainder: [Remainder("width", order: 2, along: .fixedValues)])
  }

  /// Whether two inputs are one and the same, and stay so.
  private func areEqual(_ pair: [Int], _ gram: [Double]) -> Bool {
    let m = Int(Double(gram.count).squareRoot())
    let entries = [gram[pair[0] * m + pair[0]], gram[pair[0] * m + pair[1]], gram[pair[1] * m + pair[1]]]
    return entries.allSatisfy { $0 == entries[0] }
  }

  /// Mean and variance of a smooth function of V to order 1/n, from its gradient and Hessian at K.
  private func expansion(
    _ observable: Observable, _ singles: [Int: Single], _ doubles: [[Int]: Pair], _ gram: [Double]
  ) -> (mean: Double, variance: Double)? {
    let indices = observable.indices
    let n = Double(width)
    func ofOne(_ a: Int, _ value: Double, _ first: Double, _ second: Double) -> (Double, Double)? {
      guard let state = singles[a] else { return nil }
      return (value + (first * state.shift + 0.5 * second * state.vertex) / n, first * first * state.vertex / n)
    }
    let family = CovarianceObservables.Family(rawValue: observable.family)
    if indices.count == 1 || indices[0] == indices[1] || (family == .covariance && areEqual(indices, gram)) {
      guard let state = singles[indices[0]], state.variance > 0 else { return nil }
      let k = state.variance
      if family == .covariance { return ofOne(indices[0], k, 1, 0) }
      return ofOne(indices[0], Elementary.log(k), 1 / k, -1 / (k * k))
    }
    guard let state = doubles[indices] else { return nil }
    let (a, b, c) = (state.covariance[0], state.covariance[1], state.covariance[2])
    var (value, gradient, hessian) = (b, [0.0, 1, 0], Array(repeating: [0.0, 0, 0], count: 3))
    if family != .covariance {
      let root = (a * c).squareRoot()
      let rho = b / root
      gradient = [-0.5 * rho / a, 1 / root, -0.5 * rho / c]
      let mixed = (-0.5 / (a * root), -0.5 / (c * root))
      hessian = [
        [0.75 * rho / (a * a), mixed.0, 0.25 * rho / (a * c)], [mixed.0, 0, mixed.1],
        [0.25 * rho / (a * c), mixed.1, 0.75 * rho / (c * c)],
      ]
      value = rho
      if family == .atanhCorrelation {
        let rest = (1 - rho) * (1 + rho)
        for i in 0..<3 {
          for j in 0..<3 {
            hessian[i][j] = hessian[i][j] / rest + 2 * rho / (rest * rest) * gradient[i] * gradient[j]
          }
        }
        gradient = gradient.map { $0 / rest }
        value = 0.5 * Elementary.log((1 + rho) / (1 - rho))
      }
    }
    var (shift, variance) = (0.0, 0.0)
    for i in 0..<3 {
      shift += gradient[i] * state.shift[i]
      for j in 0..<3 {
        shift += 0.5 * hessian[i][j] * state.vertex[i][j]
        variance += gradient[i] * state.vertex[i][j] * gradient[j]
      }
    }
    return (value + shift / n, variance / n)
  }
}
