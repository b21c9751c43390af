import Experiments
import Kernels
import Networks
import Randomness

/// Networks of one hidden layer at some points, $f(x) = \sqrt{c/N} \sum_j v_j \phi(u_j(x))$ with $u_j(x) = \sigma_w w_j \cdot x + \sigma_b b_j$, all of w, b, v standard normal and all trained. With
/// $Q(x, x') = \sigma_w^2 x \cdot x' + \sigma_b^2$, the covariance of the $u_j$, their tangent kernel is
///
/// $$ \Theta_N(x, x') = \frac cN \sum_j \big[\phi(u_j) \phi(u_j') + v_j^2\, \phi'(u_j) \phi'(u_j')\, Q(x, x')\big],
///    \qquad \mathbb E\, \Theta_N = \Theta = c\, (\mathbb E \phi(u) \phi(u') + Q\, \mathbb E \phi'(u) \phi'(u')) , $$
///
/// at every width. v and -v are as probable, and $\Theta_N$ does not know which it is.
package struct ShallowNetwork: Sendable {
  /// P, and components of an input with its bias.
  package let count, components: Int
  /// $(\sigma_w x, \sigma_b)$ of every point, component by component, rows of full lanes.
  private let inputs: [Double]
  package let stride: Int
  /// Q, P x P.
  package let covariances: [Double]
  package let activation: any Activation
  /// c, $\sigma_w^2$.
  package let gain, weightVariance: Double

  /// - Parameters:
  ///   - points: P rows of d numbers.
  ///   - areNormalised: whether all have length 1, so that Q_aa is the same number for all.
  package init(
    _ points: [[Double]], areNormalised: Bool, activation: any Activation, gain: Double, weight: Double, bias: Double
  ) {
    let (count, d) = (points.count, points.first?.count ?? 0)
    let components = bias == 0 ? d : d + 1
    let stride = MatrixProduct.padded(count, Double.self)
    var inputs = Array(repeating: 0.0, count: components * stride)
    for (a, x) in points.enumerated() {
      for i in 0..<d { inputs[i * stride + a] = weight * x[i] }
      if components > d { inputs[d * stride + a] = bias }
    }
    var q = Array(repeating: 0.0, count: count * count)
    MatrixProduct.add(
      &q, count, fresh: true, rows: count, columns: count, inputs, rowStride: 1, columnStride: stride,
      inner: components, inputs, stride)
    if areNormalised { for a in 0..<count { q[a * count + a] = weight * weight + bias * bias } }
    // An angle near 0 is half lost to rounding: equal points have the variance itself.
    var first: [[Double]: Int] = [:]
    for (a, x) in points.enumerated() {
      guard let b = first[x] else {
        first[x] = a
        continue
      }
      for (i, j) in [(a, b), (b, a)] { q[i * count + j] = q[b * count + b] }
      q[a * count + a] = q[b * count + b]
    }
    (self.count, self.components, self.inputs, self.stride, covariances) = (count, components, inputs, stride, q)
    (self.activation, self.gain, weightVariance) = (activation, gain, weight * weight)
  }

  /// The networks of one thread, one after another.
  package final class State {
    package let width: Int
    /// v; w and b, a row a unit.
    package let readout: UnsafeMutablePointer<Double>
    fileprivate let weights: UnsafeMutablePointer<Double>
    /// $\phi(u_j)$ and $v_j \phi'(u_j)$ at all points, a row a unit.
    package let posts, slopes: UnsafeMutablePointer<Double>

    package init(_ network: ShallowNetwork, width: Int) {
      self.width = width
      (readout, weights) = (.allocateZeros(width), .allocateZeros(width * network.components))
      (posts, slopes) = (.allocateZeros(width * network.stride), .allocateZeros(width * network.stride))
    }

    deinit { for place in [readout, weights, posts, slopes] { place.deallocate() } }
  }

  /// Numbers that a state holds.
  package func size(width: Int) -> Double { Double(width) * Double(2 * stride + components + 1) }

  package func draw(_ s: State, _ stream: inout Stream) {
    WeightLaw.gaussian.fill(s.readout, s.width, &stream)
    WeightLaw.gaussian.fill(s.weights, s.width * components, &stream)
    MatrixProduct.add(
      s.posts, stride, fresh: true, rows: s.width, columns: stride, s.weights, rowStride: components, columnStride: 1,
      inner: components, inputs, stride)
    activation.apply(s.posts, slopes: s.slopes, s.width * stride)
    for j in 0..<s.width {
      let (v, row) = (s.readout[j], s.slopes + j * stride)
      for a in 0..<stride { row[a] *= v }
    }
  }

  /// $f$ at all points; room for `stride` numbers.
  package func outputs(_ s: State, into f: UnsafeMutablePointer<Double>) {
    let scale = (gain / Double(s.width)).squareRoot()
    MatrixProduct.add(
      f, stride, fresh: true, rows: 1, columns: stride, s.readout, rowStride: s.width, columnStride: 1, inner: s.width,
      s.posts, stride)
    for a in 0..<count { f[a] *= scale }
  }

  /// $\Theta_N$ between some rows and some columns.
  /// - Parameters:
  ///   - kernel: row `rows.lowerBound + i` at `kernel + i * length`.
  ///   - room: as many numbers as `kernel` has.
  package func tangent(
    _ s: State, rows: Range<Int>, columns: Range<Int>, into kernel: UnsafeMutablePointer<Double>, stride length: Int,
    room: UnsafeMutablePointer<Double>
  ) {
    for (result, features) in [(kernel, s.posts), (room, s.slopes)] {
      MatrixProduct.add(
        result, length, fresh: true, rows: rows.count, columns: columns.count, features + rows.lowerBound, rowStride: 1,
        columnStride: stride, inner: s.width, features + columns.lowerBound, stride)
    }
    let scale = gain / Double(s.width)
    for (i, a) in rows.enumerated() {
      for (k, b) in columns.enumerated() {
        let place = i * length + k
        kernel[place] = scale * kernel[place].addingProduct(covariances[a * count + b], room[place])
      }
    }
  }

  /// Covariance of the outputs and tangent kernel at infinite width, P x P.
  package func limits() -> (outputs: [Double], tangent: [Double]) {
    let found = ActivationKernel(activation).applyWithDerivative(covariances, count)
    let outputs = found.products.map { gain * $0 }
    return (
      outputs,
      outputs.indices.map { outputs[$0].addingProduct(gain * covariances[$0], found.slopes[$0]) }
    )
  }

  /// $\mathbb E |\nabla f|^2$ at point a at infinite width: with u of variance Q, $\sigma_w^2 w$ has the mean $\sigma_w^2 x u/Q$ given u.
  package func gradientSquare(_ a: Int, dimension: Int, squaredLength: Double) -> Double {
    let q = covariances[a * count + a]
    let slope = ActivationKernel(activation).derivativeProduct(q, q, q)
    let along = weightVariance * weightVariance * squaredLength / q
    // E g^2 phi'(sqrt(q) g)^2, from either side of a kink.
    let deviation = q.squareRoot()
    let activation = activation
    let tilted = Self.expectation(kinks: activation.kinks.map { $0 / deviation }) { g in
      let y = activation.derivative(deviation * g)
      return g * g * y * y
    }
    return gain * ((weightVariance * Double(dimension) - along) * slope + along * tilted)
  }

  private static func expectation(kinks: [Double], _ f: (Double) -> Double) -> Double {
    var sum = 0.0
    GaussLegendre.forEachNode(in: -13...13, breaks: kinks, panel: 0.25) { x, weight in
      sum += weight * GaussianExpectation.density(x) * f(x)
    }
    return sum
  }

  // MARK: - Reading

  static let parameters: [Parameter] = [
    Parameter("gain", .real(.above(0)), optional: true, "c; 1/E phi(g)^2, g standard normal, unless given"),
    Parameter("sigma_weight", .real(.above(0)), default: .real(1), "sigma_w, of the weights of the hidden layer"),
    Parameter("sigma_bias", .real(.init(0, .infinity, openAbove: true)), default: .real(0), "sigma_b, of its biases"),
  ]

  /// - Parameter chosen: the table with the key `activation`.
  init(
    _ points: [[Double]], areNormalised: Bool, activation: any Activation, of chosen: Parameters, _ p: Parameters
  ) throws {
    if let missing = activation.missingDerivative {
      throw chosen.invalid("activation", "must have a derivative: \(missing)")
    }
    let gain = p["gain"] == nil ? 1 / activation.secondMoment : p.real("gain")
    guard gain.isFinite, gain > 0 else {
      throw chosen.invalid("activation", "has E phi(g)^2 = \(activation.secondMoment): give gain")
    }
    self.init(
      points, areNormalised: areNormalised, activation: activation, gain: gain, weight: p.real("sigma_weight"),
      bias: p.real("sigma_bias"))
  }

  /// Most numbers of a draw: 1 GiB.
  static let mostNumbers = Double(1 << 27)
}
