import Kernels
import Limits
import Networks
import Testing

/// The theory of order 1/n of perceptrons against published and closed values; against networks it stands in
/// jobs/four-point-vertex.toml.
@Suite struct FiniteWidthTests {
  private func formula(_ text: String) throws -> any Activation {
    try ActivationChoice(table(["formula": .text(text)]), path: "activation", width: 4).function
  }

  private func layers(_ layer: Perceptron, _ start: Double, _ depth: Int) throws -> FiniteWidth.Single {
    let theory = FiniteWidth(layer, width: 1)
    let moments = UnitMoments(layer.activation)
    var state = FiniteWidth.Single(variance: start)
    for _ in 0..<depth { state = try #require(theory.next(state, moments)) }
    return state
  }

  private func isClose(_ a: Double, _ b: Double, _ tolerance: Double) -> Bool {
    (a - b).magnitude <= tolerance * max(1, b.magnitude)
  }

  /// K, V and G of arXiv:2106.10165, ch. 4, by an independent program (eight digits).
  @Test func theVertexOfThreeLayers() throws {
    let tanh = try layers(Perceptron(activation: try formula("tanh(x)"), gain: 1), 1, 3)
    #expect(isClose(tanh.variance, 0.16665635, 1e-8))
    #expect(isClose(tanh.vertex, 0.05014660, 1e-8))
    #expect(isClose(tanh.shift, -0.05268247, 1e-8))
    let gelu = try layers(
      Perceptron(activation: try formula("gelu(x)"), gain: 1.5, bias: 0.1.squareRoot()), 1.3, 3)
    #expect(isClose(gelu.variance, 0.52778248, 1e-8))
    #expect(isClose(gelu.vertex, 3.4899871, 1e-7))
    #expect(isClose(gelu.shift, 0.37623903, 1e-8))
  }

  /// `V / K^2` between units at depths of arXiv:2310.07765 (three digits), with orthogonal and with Gaussian weights.
  @Test(arguments: [(2, -1.798, 0.627), (6, -1.806, 3.02), (21, -1.909, 12.6), (51, -1.956, 32.3), (201, -1.988, 132)])
  func orthogonalWeightsSaturate(layer: Int, orthogonal: Double, gaussian: Double) throws {
    let tanh = try formula("tanh(x)")
    let haar = try layers(Perceptron(activation: tanh, gain: 1, law: .orthogonal), 1, layer - 1)
    #expect((haar.vertex / (haar.variance * haar.variance) - 2 - orthogonal).magnitude < 6e-4)
    let normal = try layers(Perceptron(activation: tanh, gain: 1), 1, layer - 1)
    #expect((normal.vertex / (normal.variance * normal.variance) / gaussian - 1).magnitude < 5e-3)
  }

  private func tangent(_ layer: Perceptron, _ start: Double, _ depth: Int) throws -> FiniteWidth.Tangent {
    let theory = FiniteWidth(layer, width: 1)
    let moments = UnitMoments(layer.activation)
    var (state, kernel) = (FiniteWidth.Single(variance: start), FiniteWidth.Tangent(kernel: layer.firstKernel(start)))
    for _ in 0..<depth {
      kernel = try #require(theory.next(kernel, state, moments))
      state = try #require(theory.next(state, moments))
    }
    return kernel
  }

  /// H, n Var and n (E - H) of the tangent kernel of three layers, by an independent program; of orthogonal weights arXiv:2310.07765.
  @Test func theTangentKernelOfThreeLayers() throws {
    let tanh = try formula("tanh(x)")
    let gaussian = try tangent(Perceptron(activation: tanh, gain: 1), 1, 3)
    #expect(isClose(gaussian.kernel, 0.73572093, 1e-8))
    #expect(isClose(gaussian.variance, 1.270777, 1e-6))
    #expect(isClose(gaussian.withNorm + 2 * gaussian.withProduct, 0.150845, 1e-6))
    #expect(isClose(gaussian.shift, -0.122738, 1e-6))
    let orthogonal = try tangent(Perceptron(activation: tanh, gain: 1, law: .orthogonal), 1, 3)
    #expect(isClose(orthogonal.variance, 0.214801, 1e-6))
    #expect(isClose(orthogonal.withNorm + 2 * orthogonal.withProduct, -0.117019, 1e-6))
  }

  /// `F / (K H)` and `B / H^2` over depth (three digits), orthogonal and Gaussian.
  @Test(arguments: [
    (2, [-0.319, 0.171], [0.222, 0.463]), (6, [-0.513, 0.173], [1.10, 1.84]), (21, [-0.618, 0.080], [4.72, 6.87]),
    (51, [-0.648, 0.037], [12.2, 16.9]), (201, [-0.663, 0.010], [49.6, 67.1]),
  ])
  func tangentKernelsOverDepth(layer: Int, orthogonal: [Double], gaussian: [Double]) throws {
    let tanh = try formula("tanh(x)")
    for (isOrthogonal, expected) in [(true, orthogonal), (false, gaussian)] {
      let part = Perceptron(activation: tanh, gain: 1, law: isOrthogonal ? .orthogonal : .gaussian)
      let (k, found) = (try layers(part, 1, layer - 1).variance, try tangent(part, 1, layer - 1))
      let h = found.kernel
      for (value, printed) in zip([found.withProduct / (k * h), found.across / (h * h)], expected) {
        #expect((value - printed).magnitude <= max(5.1e-4, 5e-3 * printed.magnitude), "\(isOrthogonal)")
      }
    }
  }

  /// Homogeneous functions in closed form: the relative variance grows by `(3 m_2 / m_1^2 - 1)` a layer, the mean stays.
  @Test(arguments: [(1.0, 0.0), (1, -0.4), (1, 1)])
  func homogeneousFunctions(plus: Double, minus: Double) throws {
    let slopes = SlopeActivation(plus: plus, minus: minus)
    let (m1, m2) = ((plus * plus + minus * minus) / 2, (plus * plus * plus * plus + minus * minus * minus * minus) / 2)
    let state = try layers(Perceptron(activation: slopes, gain: 1 / m1), 0.7, 5)
    #expect(isClose(state.variance, 0.7, 1e-12) && state.shift.magnitude < 1e-11)
    #expect(isClose(state.vertex, 5 * 0.49 * (3 * m2 / (m1 * m1) - 1), 1e-11))
  }

  /// Linear layers are products of Wishart matrices: `n Cov(V_ab, V_cd)` grows by `K_ac K_bd + K_ad K_bc` a layer; orthogonal ones change
  /// nothing.
  @Test(arguments: [false, true])
  func linearPairs(isOrthogonal: Bool) throws {
    let linear = SlopeActivation(plus: 1, minus: 1)
    let theory = FiniteWidth(
      Perceptron(activation: linear, gain: 1, law: isOrthogonal ? .orthogonal : .gaussian), width: 1)
    let k = [1, 0.3, 0.8]
    var state = FiniteWidth.Pair(covariance: k)
    for _ in 0..<4 { state = try #require(theory.next(state, UnitMoments(linear))) }
    let places = [(0, 0), (0, 1), (1, 1)]
    for (i, ab) in places.enumerated() {
      #expect(isClose(state.covariance[i], k[i], 1e-12) && state.shift[i].magnitude < 1e-11)
      for (j, cd) in places.enumerated() {
        let wishart = k[ab.0 + cd.0] * k[ab.1 + cd.1] + k[ab.0 + cd.1] * k[ab.1 + cd.0]
        #expect(isClose(state.vertex[i][j], isOrthogonal ? 0 : 4 * wishart, 1e-10))
      }
    }
  }

  /// Expectations and their derivatives in K against closed kernels and their differences, with kinks and without.
  @Test(arguments: ["relu", "erf"])
  func momentsOfPairs(name: String) throws {
    let activation = try ActivationChoice(.text(name), path: "activation", width: 4).function
    let kernel = ActivationKernel(activation)
    let k = [1.3, -0.4, 0.7]
    let found = try #require(UnitMoments(activation).pair(k[0], k[1], k[2]))
    func value(_ change: [Double]) -> Double {
      let at = zip(k, change).map { $0 + $1 }
      return kernel.product(at[0], at[2], at[1])
    }
    let h = 1e-3
    func unit(_ i: Int, _ sign: Double) -> [Double] { (0..<3).map { $0 == i ? sign * h : 0 } }
    func sum(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 + $1 } }
    #expect(isClose(found.product, value([0, 0, 0]), 1e-11))
    for i in 0..<3 {
      #expect(isClose(found.gradient[i], (value(unit(i, 1)) - value(unit(i, -1))) / (2 * h), 2e-5))
      for j in 0..<3 {
        let difference =
          value(sum(unit(i, 1), unit(j, 1))) - value(sum(unit(i, 1), unit(j, -1)))
          - value(sum(unit(i, -1), unit(j, 1))) + value(sum(unit(i, -1), unit(j, -1)))
        #expect(isClose(found.hessian[i][j], difference / (4 * h * h), 2e-4))
      }
    }
  }

  @Test func whatHasNoMomentsIsNil() throws {
    #expect(UnitMoments(try formula("exp(x^2)")).single(1) == nil)
    #expect(UnitMoments(try formula("tanh(x)")).pair(1, 1, 1) == nil)
  }

  private func tangents(_ layer: Perceptron, _ start: [Double], _ depth: Int) throws -> FiniteWidth.TangentPair {
    let theory = FiniteWidth(layer, width: 1)
    let moments = UnitMoments(layer.activation)
    var state = FiniteWidth.TangentPair(covariance: start, kernel: start.map(layer.firstKernel))
    for _ in 0..<depth { state = try #require(theory.next(state, moments)) }
    return state
  }

  /// n Cov(z^2, Theta) and n E z dTheta of three layers, by an independent program.
  @Test func theChangeOfTheKernel() throws {
    let gaussian = try tangent(Perceptron(activation: try formula("tanh(x)"), gain: 1), 1, 3)
    #expect(isClose(gaussian.outputChange, -0.245884, 1e-6))
    let orthogonal = try tangent(Perceptron(activation: try formula("tanh(x)"), gain: 1, law: .orthogonal), 1, 3)
    #expect(isClose(orthogonal.outputChange, -0.166021, 1e-6))
    // With learning rates of its own, and q0 = 0.8 from V_0 = C_b + C_W q0.
    let gelu = Perceptron(
      activation: try formula("gelu(x)"), gain: 1.5, bias: 0.1.squareRoot(),
      metric: LearningMetric(biases: 0.3, weights: 1.1))
    let found = try tangent(gelu, 1.3, 3)
    #expect(isClose(found.kernel, 1.8762802, 1e-7))
    #expect(isClose(found.variance, 29.404289, 1e-6))
    #expect(isClose(found.covarianceWithSquare, 13.231527, 1e-6))
    #expect(isClose(found.outputChange, 9.820071, 1e-6))
    #expect(isClose(found.shift, 1.129314, 1e-6))
  }

  /// Two inputs: kernels and n Cov of their entries, by an independent program; x = (1, .5, .2), (.3, -1, .8), the readout without its gain, so
  /// Theta is c times as large here.
  @Test func kernelsOfTwoInputs() throws {
    let gram = [1.29, -0.04, 1.73].map { $0 / 3 }
    for (text, c, kernel, covariance) in [
      ("tanh(x)", 1.5, [1.06479548, -0.02314882, 1.15319188], [2.846194, 0.755699, 3.573148]),
      ("gelu(x)", 1.98305826, [0.9686228, 0.17455412, 1.52166654], [17.136056, .nan, .nan]),
    ] {
      let found = try tangents(Perceptron(activation: try formula(text), gain: c), gram.map { c * $0 }, 3)
      for i in 0..<3 {
        #expect(isClose(found.kernel[i] / c, kernel[i], 1e-7), "\(text) H \(i): \(found.kernel[i] / c)")
        let own = found.covariance(i / 2, (i + 1) / 2, i / 2, (i + 1) / 2) / (c * c)
        #expect(!covariance[i].isFinite || isClose(own, covariance[i], 1e-5), "\(text) \(i): \(own)")
      }
      if text == "gelu(x)" {
        let own = found.covariance(0, 0, 0, 1) / (c * c)
        #expect(isClose(own, 2.421570, 1e-5), "\(own)")
      }
    }
  }

  /// Two inputs that are almost one are one, entry by entry, with learning rates of their own; Gaussian and orthogonal.
  @Test(arguments: [WeightLaw.gaussian, .orthogonal])
  func pairsOfOneInput(law: WeightLaw) throws {
    let layer = Perceptron(
      activation: try formula("gelu(x)"), gain: 1.5, bias: 0.3, law: law,
      metric: LearningMetric(biases: 0.2, weights: 0.9))
    let (one, pair) = (try tangent(layer, 1.1, 3), try tangents(layer, [1.1, 1.1 * 0.9999, 1.1], 3))
    let single = try layers(layer, 1.1, 3)
    for i in 0..<3 {
      #expect(isClose(pair.covariance.vertex[i][i], single.vertex, 3e-3))
      #expect(
        isClose(pair.kernel[i], one.kernel, 3e-3) && isClose(pair.shift[i], one.shift, 6e-3),
        "\(pair.shift[i]) \(one.shift)")
      for j in 0..<3 {
        #expect(isClose(pair.mixed[i][j], one.withNorm, 6e-3), "\(pair.mixed[i][j]) \(one.withNorm)")
        let own = pair.covariance(i / 2, (i + 1) / 2, j / 2, (j + 1) / 2)
        #expect(isClose(own, one.variance, 6e-3), "\(own) \(one.variance)")
      }
    }
    #expect(pair.products.allSatisfy { isClose($0, one.withProduct, 6e-3) })
    #expect(pair.across.allSatisfy { isClose($0, one.across, 6e-3) })
  }
}
