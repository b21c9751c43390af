import Experiments
import Kernels
import Networks

/// The neural tangent kernel of one input to order 1/n, and its change: arXiv:2106.10165, ch. 8 and 11, with orthogonal weights arXiv:2310.07765.
///
/// $\Theta_{kk}$ is the kernel of unit k of a layer, $\Omega = \lambda_W s^2 + c H s'^2$ what a unit adds to it.
extension FiniteWidth {
  package struct Tangent {
    /// $H = E \Theta$ at infinite width, and $n (E \Theta - H)$.
    package var (kernel, shift): (Double, Double)
    /// $n \operatorname{Cov}(\Theta_{ii}, \Theta_{kk})$, $n E \Theta_{ik}^2$.
    package var (between, across) = (0.0, 0.0)
    /// $n \operatorname{Cov}(z_i^2, \Theta_{kk})$, $n E z_i z_k \Theta_{ik}$, i != k.
    package var (withNorm, withProduct) = (0.0, 0.0)
    /// $n E z_i \, d\Theta_{i;kk}$, $n E z_i \, d\Theta_{k;ik}$, i != k, with $d\Theta_{i;kl} = g_k^\top (\nabla^2 z_i) g_l$.
    package var (change, crossChange) = (0.0, 0.0)

    package init(kernel: Double) { (self.kernel, shift) = (kernel, 0) }

    /// $n \operatorname{Var} \Theta$ of a scalar output.
    package var variance: Double { between + 2 * across }
    /// $n \operatorname{Cov}(f^2, \Theta)$ and $n E f \, d\Theta$ of a scalar output.
    package var covarianceWithSquare: Double { withNorm + 2 * withProduct }
    package var outputChange: Double { change + 2 * crossChange }
  }

  /// A layer further, from the state of the covariance in the same layer.
  package func next(_ state: Tangent, _ layer: Single, _ moments: UnitMoments) -> Tangent? {
    guard let unit = moments.single(layer.variance), let slopes = moments.slope(layer.variance) else { return nil }
    let (c, h, k) = (self.layer.gain, state.kernel, layer.variance)
    let rateW = self.layer.weightRate
    let isOrthogonal = self.layer.law == .orthogonal
    let vertex = layer.vertex - (isOrthogonal ? 2 * k * k : 0)
    // First and second derivatives of expectations in K are halves and quarters of those with phi differentiated.
    let (squareRate, squareBend) = (2 * unit.slope, 4 * unit.curvature)
    let (slopeRate, slopeBend) = (2 * slopes.slope, 4 * slopes.curvature)
    let mean = rateW * unit.square + c * h * slopes.square
    let rate = rateW * squareRate + c * h * slopeRate
    let bend = rateW * squareBend + c * h * slopeBend
    let square = rateW * rateW * unit.fourth + c * h * (2 * rateW * slopes.mixed + c * h * slopes.fourth)
    let (parallel, across) = (0.5 * c * squareRate, c * slopes.square)
    var next = Tangent(kernel: self.layer.biasRate + mean)
    next.between = square - mean * mean + 0.25 * vertex * rate * rate
    next.between += across * (state.withNorm * rate + across * state.between)
    next.withNorm =
      c * (rateW * unit.fourth + c * h * slopes.mixed - unit.square * mean)
      + parallel * (0.5 * vertex * rate + across * state.withNorm)
    // Images of different units under an orthogonal matrix are not independent: Weingarten's terms.
    let (ownProduct, ownSquare) =
      isOrthogonal ? (unit.square * slopes.square, slopes.square * slopes.square) : (0, 0)
    next.withProduct = c * c * h * (slopes.mixed - ownProduct) + parallel * parallel * state.withProduct
    next.across = c * c * h * h * (slopes.fourth - ownSquare) + across * across * state.across
    next.shift =
      0.5 * layer.shift * rate + 0.125 * vertex * bend + across * state.shift
      + 0.5 * c * slopeRate * state.covarianceWithSquare
    // <s s''> and <s s'' s'^2>, which need no second derivative.
    let (bent, bentSlopes) = (unit.slope - slopes.square, (slopes.product - slopes.fourth) / 3)
    next.change =
      c * c * (h * h * bentSlopes + bent * slopes.square * state.across) + parallel * across * state.change
    next.crossChange =
      c * h * (rateW * slopes.mixed + c * h * bentSlopes)
      + state.withProduct * parallel * (rateW * parallel / c + c * h * slopes.slope)
      + parallel * across * state.crossChange
    return next
  }
}
