import Experiments
import Kernels
import Networks

/// What the theory of order 1/n says of observables.
extension FiniteWidth {
  /// Statistics of what is measured; nil where an expectation is infinite or not found.
  /// - Parameter own: what is measured besides the covariance, of the whole network.
  package func values(_ settings: NetworkSettings, _ own: [Observable]) -> ReferenceValues? {
    let moments = settings.moments
    let observables =
      settings.measured.only([.covariance, .logNorm, .correlation, .atanhCorrelation]).observables + moments.observables
    let axis = Axis.layers(settings.layers)
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
    var cumulants: [[String: Double]] = []
    var reached = settings.inputs.layer
    for (record, target) in settings.layers.enumerated() {
      while reached < target {
        for (a, state) in singles {
          guard let next = next(state, self.moments) else { return nil }
          singles[a] = next
        }
        // A pair that has become equal to rounding has no value from there on.
        for (pair, state) in doubles { doubles[pair] = next(state, self.moments) }
        reached += 1
      }
      for (place, observable) in observables.enumerated() {
        let found =
          GramObservables.Family(rawValue: observable.family) != nil
          ? moments.expansion(observable, singles, doubles, width: width)
          : expansion(observable, singles, doubles, gram)
        guard let found else { continue }
        let (mean, variance) = found
        for (statistic, value) in [(Statistic.mean, mean), (.variance, variance)] where value.isFinite {
          statistics.append(PredictedStatistic(statistic, record: record, observable: place, value: value + 0))
        }
      }
      cumulants.append(moments.cumulants(singles, doubles, width: width))
    }
    guard let whole = WholeNetwork(self, settings, own) else { return nil }
    for (place, observable) in own.enumerated() {
      for (statistic, value) in whole.statistics(of: observable) where value.isFinite {
        // What belongs to the whole network is measured at the last layer only.
        statistics.append(
          PredictedStatistic(statistic, record: axis.count - 1, observable: observables.count + place, value: value))
      }
    }
    return moments.adding(
      cumulants,
      to: ReferenceValues(
        schema: Schema(axis: axis, observables: observables + own), statistics: statistics,
        remainder: [Remainder("width", order: 2, along: .fixedValues)]))
  }

  /// Whether derivatives of the activation are needed.
  func needsKernel(_ own: [Observable]) -> Bool {
    own.contains { ["NTK", "log_NTK", "f_dNTK"].contains($0.family) }
  }

  /// The states of the whole network, of inputs one by one and in pairs, and what follows from them.
  private struct WholeNetwork {
    let theory: FiniteWidth
    let n: Double
    let level: Double
    private let isOneLayer: Bool
    let names: Set<String>
    private var singles: [Int: (covariance: Single, last: Double, tangent: Tangent?)] = [:]
    private var doubles: [[Int]: Pair] = [:]
    private var tangents: [[Int]: TangentPair] = [:]
    private let moments: UnitMoments

    init?(_ theory: FiniteWidth, _ settings: NetworkSettings, _ own: [Observable]) {
      self.theory = theory
      n = Double(theory.width)
      level = settings.measured.level
      isOneLayer = settings.depth == 1
      names = Set(own.map(\.name))
      moments = theory.moments
      let (m, gram) = (settings.count, settings.inputs.gram)
      let needsKernel = theory.needsKernel(own) && theory.layer.readout == theory.layer.law
      let layers = settings.inputs.layer..<settings.depth
      for a in Set(own.flatMap(Self.inputs)) {
        let start = gram[a * m + a]
        var (covariance, last) = (Single(variance: start), start)
        var tangent = needsKernel ? Tangent(kernel: theory.layer.firstKernel(start)) : nil
        for _ in layers {
          last = covariance.variance
          if let now = tangent {
            guard let further = theory.next(now, covariance, moments) else { return nil }
            tangent = further
          }
          guard let after = theory.next(covariance, moments) else { return nil }
          covariance = after
        }
        singles[a] = (covariance, last, tangent)
      }
      for observable in own {
        let pair = Self.inputs(observable)
        guard pair.count == 2, pair[0] != pair[1], doubles[pair] == nil, tangents[pair] == nil else { continue }
        let start = [gram[pair[0] * m + pair[0]], gram[pair[0] * m + pair[1]], gram[pair[1] * m + pair[1]]]
        // Of inputs that are parallel, or become so to rounding, nothing is said.
        if needsKernel {
          var tangent: TangentPair? = TangentPair(covariance: start, kernel: start.map(theory.layer.firstKernel))
          for _ in layers { tangent = tangent.flatMap { theory.next($0, moments) } }
          (tangents[pair], doubles[pair]) = (tangent, tangent?.covariance)
        } else {
          var covariance: Pair? = Pair(covariance: start)
          for _ in layers { covariance = covariance.flatMap { theory.next($0, moments) } }
          doubles[pair] = covariance
        }
      }
    }

    func statistics(of observable: Observable) -> [(Statistic, Double)] {
      let inputs = Self.inputs(observable)
      guard let a = inputs.first, let state = singles[a] else { return [] }
      // The variance of the weights of the output multiplies f^2.
      let mixture = theory.layer.mixture ?? ScaleMixture(.fixed(1))
      let scale = mixture.moment(1)
      let mean = scale * (state.covariance.variance + state.covariance.shift / n)
      switch observable.family {
      case "f": return [(.mean, 0), (.variance, mean)]
      case "f_tail": return tail(state.covariance, state.last, level).map { [(.mean, $0)] } ?? []
      case "f_fourth": return [(.mean, mixture.moment(2) * fourth(state.covariance, state.last))]
      case "f_dNTK": return state.tangent.map { [(.mean, $0.outputChange / n)] } ?? []
      case "log_NTK":
        guard let tangent = state.tangent else { return [] }
        let h = tangent.kernel
        return [
          (.mean, Elementary.log(h) + (tangent.shift / h - 0.5 * tangent.variance / (h * h)) / n),
          (.variance, tangent.variance / (h * h * n)),
        ]
      case "NTK" where Set(inputs).count == 1:
        guard let tangent = state.tangent else { return [] }
        return [(.mean, tangent.kernel + tangent.shift / n), (.variance, tangent.variance / n)]
      case "NTK":
        guard let tangent = tangents[inputs] else { return [] }
        return [(.mean, tangent.kernel[1] + tangent.shift[1] / n), (.variance, tangent.covariance(0, 1, 0, 1) / n)]
          + covariances(inputs, tangent)
      case "f_product" where Set(inputs).count == 1:
        let name = "NTK[\(a),\(a)]"
        guard let tangent = state.tangent, names.contains(name), inputs == observable.indices else {
          return [(.mean, mean)]
        }
        return [(.mean, mean), (.covariance(name), scale * tangent.covarianceWithSquare / n)]
      case "f_product":
        return doubles[inputs].map { [(.mean, scale * ($0.covariance[1] + $0.shift[1] / n))] } ?? []
      default: return []
      }
    }

    /// The inputs that an observable is of, if anything is said of it. With more outputs than one its first index is the output's.
    private static func inputs(_ observable: Observable) -> [Int] {
      switch observable.family {
      case "NTK", "f_product": observable.indices.suffix(2)
      case "f", "f_fourth", "f_tail", "f_dNTK", "log_NTK": observable.indices.suffix(1)
      default: []
      }
    }

    /// Of NTK_ab with NTK_aa and NTK_bb.
    private func covariances(_ pair: [Int], _ tangent: TangentPair) -> [(Statistic, Double)] {
      (0..<2).compactMap { i in
        let name = "NTK[\(pair[i]),\(pair[i])]"
        return names.contains(name) ? (.covariance(name), tangent.covariance(0, 1, i, i) / n) : nil
      }
    }

    /// $P(|f| > x)$ by Edgeworth's series: with the fourth cumulant, and of one hidden layer with the sixth; its mean over a random variance.
    private func tail(_ state: Single, _ last: Double, _ x: Double) -> Double? {
      let variance = state.variance + state.shift / n
      let fourth = fourth(state, last) / (variance * variance) - 3
      var (sixth, isWhole) = (0.0, false)
      if isOneLayer, theory.layer.bias == 0, let unit = moments.single(last), let sixthOfUnit = moments.sixth(last),
        theory.layer.readout != .orthogonal
      {
        let (r, r6) = (
          unit.fourth / (unit.square * unit.square), sixthOfUnit / (unit.square * unit.square * unit.square)
        )
        let law = theory.layer.readout
        sixth = (law.sixthMoment * r6 - 15 * (law.excessKurtosis + 3) * r + 30) / (n * n)
        isWhole = true
      }
      func series(_ y: Double) -> Double {
        let y2 = y * y
        var sum = fourth / 24 * y * (y2 - 3)
        if isWhole {
          sum += sixth / 720 * y * (y2 * (y2 - 10) + 15)
          sum += fourth * fourth / 1152 * y * (y2 * (y2 * (y2 - 21) + 105) - 105)
        }
        return 1 - Elementary.erf(y * 0.5.squareRoot()) + 2 * GaussianExpectation.density(y) * sum
      }
      let root = variance.squareRoot()
      let mixture = theory.layer.mixture ?? ScaleMixture(.fixed(1))
      return mixture.mean { series(x / (root * $0.squareRoot())) }.flatMap { $0 > 0 && $0 < 1 ? $0 : nil }
    }

    /// $E f^4$: three times $E V^2$ between units, and the fourth cumulant of the weights of the output.
    private func fourth(_ state: Single, _ last: Double) -> Double {
      let k = state.variance
      let isOrthogonal = theory.layer.readout == .orthogonal
      let between = state.vertex - (isOrthogonal ? 2 * k * k : 0)
      let c = theory.layer.gain
      let excess = theory.layer.readout.excessKurtosis
      let units = excess == 0 ? 0 : excess * c * c * (moments.single(last)?.fourth ?? .nan)
      return 3 * k * k + (3 * (2 * k * state.shift + between) + units) / n
    }
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
