import Experiments
import Kernels
import Networks

extension NetworkLimits {
  static let finiteWidth = LimitEntry<NetworkModel>(
    name: "finite-width",
    summary:
      "means and variances of V, of the tangent kernel and its change, and of the output, to order 1/n at fixed depth, for perceptrons with Gaussian or orthogonal weights; no randomness",
    equation:
      "E V = K + mu/n, Cov(V, V') = C/n; C' = Q + J (C - S) J^T, mu' = J mu + (1/2) d^2F:(C - S), F = c E[phi_a phi_b] + sigma_b^2, J = dF, Q = c^2 Cov(phi_a phi_b), S = 0 of Gaussian weights",
    reference: "arXiv:2106.10165, ch. 4; arXiv:1910.00019; of orthogonal weights arXiv:2310.07765; docs/limits.md",
    parameters: []
  ) { p, network in
    guard let activation = network.activation, let perceptron = network.perceptron, perceptron.law.isInvariant else {
      throw p.invalid("equation", "is known for perceptrons with Gaussian or orthogonal weights")
    }
    guard perceptron.mixture?.layers != .all else {
      throw p.invalid(
        "equation",
        "is not known with variance.of = \"all\", whose fluctuations are not of order 1/n: ask for \(scaleMixture.name)"
      )
    }
    let theory = FiniteWidth(perceptron, width: network.settings.width)
    let own = network.architecture.ownObservables
    if theory.needsKernel(own), let missing = activation.function.missingDerivative {
      throw p.invalid("equation", "needs the activation's derivative for the tangent kernel: \(missing)")
    }
    if own.contains(where: { $0.family == "f_dNTK" }), let kink = activation.function.firstLiveKink {
      throw p.invalid(
        "equation",
        "needs phi = 0 where phi' jumps for the change of the kernel, whose mean is that of phi'' in the sense of distributions: phi(\(kink)) = \(activation.function.value(kink))"
      )
    }
    guard var known = theory.values(network.settings, own) else {
      throw p.invalid(
        "equation",
        "needs Gaussian expectations of the activation, which are not finite or not found to 1e-11\(activation.eventRemark)"
      )
    }
    if let posterior = try network.regressionPosterior(p) {
      known = try theory.adding(posterior, to: known, network.settings, p)
    }
    if let asked = network.information { known = theory.adding(asked, to: known, network.settings) }
    guard !known.statistics.isEmpty else {
      throw p.invalid(
        "equation",
        "needs V, log_V, rho, atanh_rho, ntk, log_ntk, f_dntk, f, f_product or f_fourth among the observables")
    }
    return LimitModel(.known(known), offset: "an offset of order (depth/width)^2 is expected of a finite width")
  }
}

extension Activation {
  /// The first point where phi' jumps though phi is not 0. Passes see no $\phi''$ there, expectations by Hermite polynomials do.
  fileprivate var firstLiveKink: Double? {
    kinks.first { kink in
      let step = 0x1p-30 * max(1, kink.magnitude)
      return value(kink).magnitude > 1e-12 && (derivative(kink + step) - derivative(kink - step)).magnitude > 1e-6
    }
  }
}

/// The linear response of the covariance of a perceptron to the fluctuations of its layers, of which each adds some of order 1/n.
///
/// The state of a pair of inputs are $K = (K_{aa}, K_{ab}, K_{bb})$, $n$ times the covariance C of the three entries of V and n times the
/// shift mu of their means. With orthogonal weights a layer's pre-activations are uniform on a Stiefel manifold: their products
/// have the covariance $C - S$ between units, $S_{ab,cd} = K_{ac} K_{bd} + K_{ad} K_{bc}$.
package struct FiniteWidth {
  let layer: Perceptron
  let width: Int
  /// Expectations over one unit.
  let moments: UnitMoments

  /// - Parameter moments: those of the activation unless given.
  package init(_ layer: Perceptron, width: Int, moments: UnitMoments? = nil) {
    (self.layer, self.width) = (layer, width)
    self.moments = moments ?? UnitMoments(layer.activation)
  }

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
    let between = state.vertex - (layer.law == .orthogonal ? 2 * k * k : 0)
    let slope = c * unit.slope
    var next = Single(variance: c * unit.square + layer.bias * layer.bias)
    next.vertex = c * c * (unit.fourth - unit.square * unit.square) + slope * slope * between
    next.shift = slope * state.shift + 0.5 * c * unit.curvature * between
    return next
  }

  /// $n$ times the covariance of products of the pre-activations of different units.
  func between(_ state: Pair) -> [[Double]] {
    guard layer.law == .orthogonal else { return state.vertex }
    let (k, places) = (state.covariance, [(0, 0), (0, 1), (1, 1)])
    return places.enumerated().map { i, ab in
      places.enumerated().map { j, cd in
        state.vertex[i][j] - k[ab.0 + cd.0] * k[ab.1 + cd.1] - k[ab.0 + cd.1] * k[ab.1 + cd.0]
      }
    }
  }

  package func next(_ state: Pair, _ moments: UnitMoments) -> Pair? {
    Products(moments, state.covariance).map { next(state, $0) }
  }

  func next(_ state: Pair, _ unit: Products) -> Pair {
    let c = layer.gain
    let between = between(state)
    let jacobian = unit.gradients.map { $0.map { c * $0 } }
    var next = state
    for i in 0..<3 {
      next.covariance[i] = c * unit.means[i] + layer.bias * layer.bias
      next.shift[i] = 0
      for j in 0..<3 {
        next.shift[i] += jacobian[i][j] * state.shift[j]
        var sum = c * c * (unit.fourth[i][j] - unit.means[i] * unit.means[j])
        for a in 0..<3 {
          next.shift[i] += 0.5 * c * unit.hessians[i][j][a] * between[j][a]
          for b in 0..<3 { sum += jacobian[i][a] * between[a][b] * jacobian[j][b] }
        }
        next.vertex[i][j] = sum
      }
    }
    return next
  }

  /// Means of the products of a function of two inputs, their gradients and Hessians in K, and means of products of two.
  struct Products {
    let means: [Double]
    let gradients: [[Double]]
    let hessians: [[[Double]]]
    let fourth: [[Double]]

    init?(_ moments: UnitMoments, _ k: [Double]) {
      guard let left = moments.single(k[0]), let right = moments.single(k[2]), let pair = moments.pair(k[0], k[1], k[2])
      else { return nil }
      means = [left.square, pair.product, right.square]
      gradients = [[left.slope, 0, 0], pair.gradient, [0, 0, right.slope]]
      let none = [0.0, 0, 0]
      hessians = [[[left.curvature, 0, 0], none, none], pair.hessian, [none, none, [0, 0, right.curvature]]]
      let (cube, square, other) = pair.fourth
      fourth = [[left.fourth, cube, square], [cube, square, other], [square, other, right.fourth]]
    }
  }
}
