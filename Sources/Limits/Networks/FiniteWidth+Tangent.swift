import Experiments
import Kernels
import Networks

/// The neural tangent kernel of one input to order 1/n: arXiv:2106.10165, ch. 8, with orthogonal weights arXiv:2310.07765, in the metric of the
/// weights' variances ("NTK parametrisation").
///
/// $\Theta_{kk}$ is the kernel of unit k of a layer, $\Omega = c s^2 + c H s'^2$ what a unit adds to it.
extension FiniteWidth {
  package struct Tangent {
    /// $H = E \Theta$ at infinite width, and $n (E \Theta - H)$.
    package var (kernel, shift): (Double, Double)
    /// $n \operatorname{Cov}(\Theta_{ii}, \Theta_{kk})$, $n E \Theta_{ik}^2$.
    package var (between, across) = (0.0, 0.0)
    /// $n \operatorname{Cov}(z_i^2, \Theta_{kk})$, $n E z_i z_k \Theta_{ik}$, i != k.
    package var (withNorm, withProduct) = (0.0, 0.0)

    package init(kernel: Double) { (self.kernel, shift) = (kernel, 0) }

    /// $n \operatorname{Var} \Theta$ of a scalar output.
    package var variance: Double { between + 2 * across }
  }

  /// A layer further, from the state of the covariance in the same layer.
  package func next(_ state: Tangent, _ layer: Single, _ moments: UnitMoments) -> Tangent? {
    guard let unit = moments.single(layer.variance), let slopes = moments.slope(layer.variance) else { return nil }
    let (c, h, k) = (self.layer.gain, state.kernel, layer.variance)
    let vertex = layer.vertex - (self.layer.isOrthogonal ? 2 * k * k : 0)
    // First and second derivatives of expectations in K are halves and quarters of those with phi differentiated.
    let (squareRate, squareBend) = (2 * unit.slope, 4 * unit.curvature)
    let (slopeRate, slopeBend) = (2 * slopes.slope, 4 * slopes.curvature)
    let mean = c * unit.square + c * h * slopes.square
    let rate = c * squareRate + c * h * slopeRate
    let bend = c * squareBend + c * h * slopeBend
    let square = c * c * (unit.fourth + 2 * h * slopes.mixed + h * h * slopes.fourth)
    let (parallel, across) = (0.5 * c * squareRate, c * slopes.square)
    var next = Tangent(kernel: self.layer.bias * self.layer.bias + mean)
    next.between =
      square - mean * mean + 0.25 * vertex * rate * rate + across * state.withNorm * rate
      + across * across * state.between
    next.withNorm =
      c * (c * unit.fourth + c * h * slopes.mixed - unit.square * mean)
      + parallel * (0.5 * vertex * rate + across * state.withNorm)
    // Images of different units under an orthogonal matrix are not independent: Weingarten's terms.
    let (ownProduct, ownSquare) =
      self.layer.isOrthogonal ? (unit.square * slopes.square, slopes.square * slopes.square) : (0, 0)
    next.withProduct = c * c * h * (slopes.mixed - ownProduct) + parallel * parallel * state.withProduct
    next.across = c * c * h * h * (slopes.fourth - ownSquare) + across * across * state.across
    next.shift =
      0.5 * layer.shift * rate + 0.125 * vertex * bend + across * state.shift
      + 0.5 * c * slopeRate * (state.withNorm + 2 * state.withProduct)
    return next
  }

  /// Mean and variance of what is measured of the kernel of each input; nil where an expectation is infinite or not found.
  func values(_ settings: NetworkSettings, _ kernel: TangentKernelObservables) -> [PredictedStatistic]? {
    let moments = UnitMoments(layer.activation)
    let n = Double(width)
    var statistics: [PredictedStatistic] = []
    var states: [Int: Tangent] = [:]
    for a in 0..<settings.count {
      let variance = settings.inputs.gram[a * settings.count + a]
      var (covariance, tangent) = (Single(variance: variance), Tangent(kernel: variance))
      for _ in settings.inputs.layer..<settings.depth {
        guard let further = next(tangent, covariance, moments), let after = next(covariance, moments) else {
          return nil
        }
        (tangent, covariance) = (further, after)
      }
      states[a] = tangent
    }
    for (place, observable) in kernel.observables.enumerated() {
      guard Set(observable.indices).count == 1, let state = states[observable.indices[0]] else { continue }
      let h = state.kernel
      let isLog = observable.family == "log_NTK"
      let mean =
        isLog
        ? Elementary.log(h) + (state.shift / h - 0.5 * state.variance / (h * h)) / n : h + state.shift / n
      let variance = isLog ? state.variance / (h * h * n) : state.variance / n
      statistics.append(PredictedStatistic(.mean, record: 0, observable: place, value: mean))
      statistics.append(PredictedStatistic(.variance, record: 0, observable: place, value: variance))
    }
    return statistics
  }
}
