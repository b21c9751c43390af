import Kernels
import Networks
import Experiments

extension NetworkLimits {
  static let infiniteWidth = LimitEntry<NetworkModel>(
    name: "infinite-width",
    summary:
      "recursion of the covariance at infinite width and fixed depth, for every architecture, with its regression where there is a [posterior]; no randomness",
    equation:
      "K_{l+1} = c E[phi(u_a) phi(u_b)] + sigma_b^2, u ~ N(0, K_l), and its residual, convolutional and attention forms; f | y ~ N(K_*y (K_yy + s^2)^-1 y, K_** - K_*y (K_yy + s^2)^-1 K_y*)",
    reference: "arXiv:1711.00165, eq. 5; arXiv:1810.05148; docs/limits.md", parameters: []
  ) { p, network in
    guard let architecture = network.architecture as? any CovarianceRecursive else {
      throw p.invalid("equation", "has no recursion for this architecture")
    }
    guard let recursion = architecture.covarianceRecursion() else {
      throw p.invalid("equation", architecture.noRecursion)
    }
    var k = recursion.start
    var reached = network.settings.inputs.layer
    let model = LimitModel.infiniteWidth(
      network.settings, ofManyHeads: recursion.ofManyHeads, posterior: try network.regressionPosterior(p)
    ) { layer in
      while reached < layer {
        reached += 1
        k = recursion.next(k, reached)
      }
      return (recursion.covariance(k), [], true)
    }
    try network.refuse(model, p)
    return model
  }
}

extension NetworkModel {
  /// Throws if nothing is known at infinite width because an expectation has no value.
  func refuse(_ model: LimitModel, _ p: Parameters) throws {
    guard case .known(let values) = model.content, values.statistics.isEmpty, let activation,
      !(activation.function is any ClosedKernel)
    else { return }
    throw p.invalid(
      "equation",
      "needs Gaussian expectations of the activation, which are not finite or not found to 1e-11\(activation.eventRemark)"
    )
  }
}

extension LimitModel {
  /// Values at infinite width, where nothing fluctuates. What they leave out of the mean of a smooth function of V, or of the tangent
  /// kernel, is of order 1/n at a fixed depth (arXiv:1909.11304).
  /// - Parameters:
  ///   - own: observables besides those of the covariance.
  ///   - ofManyHeads: whether it leaves out one over the number of heads as well.
  ///   - posterior: what is measured of it, if that is: regression with the covariance.
  ///   - state: V of a measured layer, the values of `own` there, and whether those are smooth functions, so that an order is promised; called for the
  ///     layers in ascending order.
  static func infiniteWidth(
    _ settings: NetworkSettings, own: [Observable] = [], ofManyHeads: Bool = false, posterior: Posterior? = nil,
    _ state: (_ layer: Int) -> (covariance: [Double], own: [Double], isSmooth: Bool)
  ) -> LimitModel {
    let (measured, moments) = (settings.measured.only(deterministic), settings.moments)
    let own = own + (posterior?.deterministic ?? [])
    var promised = [Remainder("width", order: 1, along: .fixedValues)]
    var regressions: [[String: Double]] = []
    var cumulants: [[String: Double]] = []
    let means = settings.layers.flatMap { layer -> [Double] in
      let (covariance, own, isSmooth) = state(layer)
      if !isSmooth || measured.hasCoincidingEigenvalues(covariance, layer: layer) { promised = [] }
      let before = values(measured, covariance, layer: layer) + moments.values(covariance) + own
      cumulants.append(moments.cumulants)
      guard let posterior else { return before }
      regressions.append(posterior.atInfiniteWidth(covariance, record: regressions.count))
      return before + posterior.values(covariance)
    }
    let known = moments.adding(
      cumulants,
      to: ReferenceValues(
        axis: .layers(settings.layers), observables: measured.observables + moments.observables + own, means: means,
        secondMoments: means.map { $0 * $0 },
        remainder: promised + (ofManyHeads ? [Remainder("heads", order: 1)] : [])))
    return LimitModel(
      .known(posterior?.adding(regressions, to: known) ?? known),
      offset: "an offset of order depth/width is expected of a finite width"
        + (ofManyHeads ? ", and one of order 1/heads of a finite number of heads" : ""),
      attributes: posterior.map { ["condition": $0.condition.description] } ?? [:])
  }

  /// What follows from V alone, and keeps a value where V no longer fluctuates.
  private static let deterministic: [CovarianceObservables.Family] = [
    .covariance, .logNorm, .correlation, .atanhCorrelation, .q, .inverseRootQ, .clipped, .logEigenvalue, .moment,
    .logDeterminant,
  ]

  /// Every layer rounds a few times, some dozen times where its expectation is a quadrature: what is 0 to within that is 0.
  fileprivate static func rounding(_ layer: Int) -> Double { 0x1p-48 * Double(layer + 4) }

  /// Observables of a covariance; NaN where they have no value, or none within the range of numbers.
  private static func values(_ measured: CovarianceObservables, _ covariance: [Double], layer: Int) -> [Double] {
    let observables = measured.observables
    var values = Array(repeating: Double.nan, count: observables.count)
    let m = measured.inputs
    // A variance that has become 0 has left the range of numbers on the way.
    let isInRange = (0..<m).allSatisfy { covariance[$0 * m + $0].isNormal }
    if isInRange, let lower = Triangular.cholesky(covariance, m: m, tolerance: 1e-9) {
      // Exactly the room that `write` asks for, in memory that lives as long as the call.
      withUnsafeTemporaryAllocation(of: Double.self, capacity: m * (m + 1)) { work in
        _ = measured.write(lower: lower, layer: Double(layer), work: work.baseAddress!, to: &values)
      }
    }
    let rounding = rounding(layer)
    return zip(observables, values).map { observable, value in
      let family = CovarianceObservables.Family(rawValue: observable.family)
      switch family {
      case .covariance:
        let scale = observable.indices.reduce(1) { $0 * covariance[$1 * m + $1].squareRoot() }
        return value.magnitude <= rounding * scale ? 0 : value
      case .logNorm, .correlation, .atanhCorrelation, .logEigenvalue, .logDeterminant:
        return !value.isFinite ? .nan : value.magnitude <= rounding ? 0 : value
      case .clipped, .moment: return value.isNormal ? value : .nan
      default: return value.isFinite ? value : .nan
      }
    }
  }

  /// Values by observable name, layer by layer.
  /// - Parameter needed: the observables that it has values of, for a job that asks for none of them.
  static func known(
    _ p: Parameters, _ settings: NetworkSettings, own: [Observable] = [], needed: String, offset: String,
    _ values: (_ layer: Int) -> [String: (Double, Double)]
  ) throws -> LimitModel {
    guard let known = ReferenceValues(settings, own: own, values) else {
      throw p.invalid("equation", "needs \(needed) among the observables")
    }
    return LimitModel(.known(known), offset: offset)
  }
}

extension CovarianceObservables {
  /// Whether eigenvalues are measured of a covariance some of whose coincide: these are no smooth functions of it, and move apart by the root of what
  /// moves it.
  fileprivate func hasCoincidingEigenvalues(_ covariance: [Double], layer: Int) -> Bool {
    guard families.contains(.logEigenvalue), var lower = Triangular.cholesky(covariance, m: inputs, tolerance: 1e-9)
    else { return false }
    var eigenvalues = Array(repeating: 0.0, count: inputs)
    SingularValues.squares(&lower, m: inputs, into: &eigenvalues)
    let rounding = Double(inputs) * LimitModel.rounding(layer)
    return !TangentKernelObservables.areApart(eigenvalues, rounding: rounding)
  }
}
