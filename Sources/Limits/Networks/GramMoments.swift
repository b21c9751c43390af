import Experiments
import Kernels
import Networks

/// What limits say of moments of pre-activations.
extension GramObservables {
  /// At infinite width, where G is K; NaN where that has no value.
  func values(_ covariance: [Double]) -> [Double] {
    guard !families.isEmpty else { return [] }
    guard let lower = Triangular.cholesky(covariance, m: inputs, tolerance: 1e-9) else {
      return observables.map { _ in .nan }
    }
    return [Double](unsafeUninitializedCapacity: observables.count) { buffer, count in
      write(lower: lower, to: buffer.baseAddress!)
      count = observables.count
    }.map { $0.isFinite ? $0 : .nan }
  }

  /// The estimands at infinite width: units are independent and Gaussian.
  var cumulants: [String: Double] { Dictionary(uniqueKeysWithValues: estimands.map { ($0.name, 0) }) }

  /// A reference that predicts the estimands as well, record by record.
  func adding(_ values: [[String: Double]], to known: ReferenceValues) -> ReferenceValues {
    let estimands = estimands
    guard !estimands.isEmpty, let place = known.observables.firstIndex(where: { $0.family == Family.gram.rawValue })
    else { return known }
    let found = values.enumerated().flatMap { record, own in
      estimands.compactMap { estimand in own[estimand.name].flatMap { $0.isFinite ? (estimand.name, $0) : nil } }
        .map { PredictedStatistic(.estimand($0.0), record: record, observable: place, value: $0.1) }
    }
    return ReferenceValues(
      schema: known.schema, statistics: known.statistics + found, remainder: known.remainder,
      holdsFromTheStart: known.holdsFromTheStart)
  }

  /// Mean and variance of a function of G to order 1/n, from its gradient and Hessian at K; nil of another observable, or where nothing is known.
  func expansion(
    _ observable: Observable, _ singles: [Int: FiniteWidth.Single], _ doubles: [[Int]: FiniteWidth.Pair], width: Int
  ) -> (mean: Double, variance: Double)? {
    guard let family = Family(rawValue: observable.family), let a = observable.indices.first else { return nil }
    let n = Double(width)
    let b = observable.indices.last!
    if a == b {
      guard let state = singles[a] else { return nil }
      let k = state.variance
      let (value, first, second) = Self.derivatives(family, k, level)
      return (value + (first * state.shift + 0.5 * second * state.vertex) / n, first * first * state.vertex / n)
    }
    guard let state = doubles[[a, b]] else { return nil }
    let (p, r, q) = (state.covariance[0], state.covariance[1], state.covariance[2])
    var (value, gradient, bend) = (r, [0.0, 1, 0], (ends: 0.0, across: 0.0))
    if family != .gram {
      let twice = family == .squareProduct ? 2.0 : 0
      (value, gradient, bend) = (p * q + twice * r * r, [q, 2 * twice * r, p], (1, 2 * twice))
    }
    var shift = bend.ends * state.vertex[0][2] + 0.5 * bend.across * state.vertex[1][1]
    var variance = 0.0
    for i in 0..<3 {
      shift += gradient[i] * state.shift[i]
      for j in 0..<3 { variance += gradient[i] * state.vertex[i][j] * gradient[j] }
    }
    return (value + shift / n, variance / n)
  }

  /// A function of one variance and its derivatives.
  private static func derivatives(_ family: Family, _ k: Double, _ x: Double) -> (Double, Double, Double) {
    switch family {
    case .gram: return (k, 1, 0)
    case .fourth: return (3 * k * k, 6 * k, 6)
    case .sixth: return (15 * k * k * k, 45 * k * k, 90 * k)
    case .gramProduct, .squareProduct: return (k * k, 2 * k, 2)
    case .tail:
      // d/dk of 2 Phi(-x / sqrt k).
      let first = x / (k * k.squareRoot()) * GaussianExpectation.density(x / k.squareRoot())
      return (tail(k, x), first, first * (0.5 * x * x / (k * k) - 1.5 / k))
    }
  }

  /// The estimands to order 1/n.
  func cumulants(
    _ singles: [Int: FiniteWidth.Single], _ doubles: [[Int]: FiniteWidth.Pair], width: Int
  ) -> [String: Double] {
    var found: [String: Double] = [:]
    for a in kurtoses {
      guard let state = singles[a] else { continue }
      found[Self.kurtosisName(a)] = 3 * state.vertex / (state.variance * state.variance * Double(width))
    }
    for (a, b) in covariances {
      let vertex = a == b ? singles[a]?.vertex : doubles[[a, b]]?.vertex[0][2]
      if let vertex { found[Self.covarianceName(a, b)] = vertex / Double(width) }
    }
    return found
  }
}
