import Kernels
import Limits
import Networks
import Randomness
import Testing

/// Regression with a covariance, its derivatives, and the theory of order 1/n of whole Gram matrices: each by a second route.
@Suite struct RegressionTests {
  private static let gram = [
    1.65, 0.53, 1.33, 0.5, 0.53, 1.49, 1.586, 0.2, 1.33, 1.586, 2.098, 0.45, 0.5, 0.2, 0.45, 0.8,
  ]

  private static func regression(_ noise: Double = 0.1) -> GaussianRegression {
    GaussianRegression(inputs: 4, train: [0, 3, 1], targets: [1, 0.2, -0.5], noise: noise, test: [2, 0])
  }

  /// By the formulas with an inverse, Cramer's rule for three training inputs.
  private static func plain(_ v: [Double], noise: Double) -> (likelihood: Double, means: [Double], variances: [Double])
  {
    let (train, y) = ([0, 3, 1], [1, 0.2, -0.5])
    var a = train.map { i in train.map { v[i * 4 + $0] } }
    for i in 0..<3 { a[i][i] += noise }
    func minor(_ i: Int, _ j: Int) -> Double {
      let (r, c) = ((0..<3).filter { $0 != i }, (0..<3).filter { $0 != j })
      return a[r[0]][c[0]] * a[r[1]][c[1]] - a[r[0]][c[1]] * a[r[1]][c[0]]
    }
    let determinant = a[0][0] * minor(0, 0) - a[0][1] * minor(0, 1) + a[0][2] * minor(0, 2)
    let inverse = (0..<3).map { i in (0..<3).map { j in ((i + j) % 2 == 0 ? 1 : -1) * minor(i, j) / determinant } }
    func form(_ x: [Double], _ z: [Double]) -> Double {
      (0..<3).reduce(0) { s, i in s + (0..<3).reduce(0) { $0 + x[i] * inverse[i][$1] * z[$1] } }
    }
    let cross = [2, 0].map { t in train.map { v[$0 * 4 + t] } }
    return (
      -0.5 * form(y, y) - 0.5 * Elementary.log(determinant) - 1.5 * Elementary.log(2 * Double.pi),
      cross.map { form($0, y) }, zip([2, 0], cross).map { v[$0 * 5] - form($1, $1) }
    )
  }

  private func isClose(_ a: Double, _ b: Double, _ tolerance: Double) -> Bool {
    (a - b).magnitude <= tolerance * max(1, b.magnitude)
  }

  @Test(arguments: [0.1, 1e-6, 0])
  func theFactorGivesTheFormulas(noise: Double) throws {
    let found = try #require(Self.regression(noise).solve(covariance: Self.gram))
    let expected = Self.plain(Self.gram, noise: noise)
    #expect(isClose(found.likelihood, expected.likelihood, 1e-11))
    for k in 0..<2 {
      #expect(isClose(found.means[k], expected.means[k], 1e-11))
      #expect(isClose(found.variances[k], expected.variances[k], 1e-11))
    }
    // Without noise the training input is known.
    if noise == 0 { #expect(isClose(found.means[1], 1, 1e-12) && found.variances[1].magnitude < 1e-12) }
  }

  /// Two equal inputs with noise are two measurements of one output: the mean of both with half the noise, and the density of their difference.
  @Test func equalInputsAreTwoMeasurements() throws {
    let twice = GaussianRegression(inputs: 3, train: [0, 1], targets: [0.7, 0.3], noise: 0.2, test: [2])
    let once = GaussianRegression(inputs: 3, train: [0], targets: [0.5], noise: 0.1, test: [2])
    let gram = [1.2, 1.2, 0.4, 1.2, 1.2, 0.4, 0.4, 0.4, 0.9]
    let (a, b) = (try #require(twice.solve(covariance: gram)), try #require(once.solve(covariance: gram)))
    #expect(isClose(a.means[0], b.means[0], 1e-13) && isClose(a.variances[0], b.variances[0], 1e-13))
    let difference = -0.5 * 0.16 / 0.4 - 0.5 * Elementary.log(2 * Double.pi * 0.4)
    #expect(isClose(a.likelihood, b.likelihood + difference, 1e-13))
    // Without noise there is no density.
    let none = GaussianRegression(inputs: 3, train: [0, 1], targets: [0.7, 0.3], noise: 0, test: [2])
    #expect(none.solve(covariance: gram)?.likelihood == -.infinity)
    #expect(none.condition(covariance: gram) == .infinity)
    #expect(isClose(once.condition(covariance: gram), 1, 1e-14))
  }

  /// 20 equal inputs, unit variance and noise, a true output of 0.5: the expected log of p(y | f) / p(y) is 1.16512 (log likelihoods are quadratic in y, so
  /// their expectation is that of the mean and of unit vectors). Over outputs of the prior it is the information, (1/2) log 21.
  @Test func regretOfAGaussian() throws {
    let (n, truth) = (20, 0.5)
    func likelihood(_ y: [Double]) throws -> Double {
      let all = GaussianRegression(inputs: n, train: Array(0..<n), targets: y, noise: 1, test: [0])
      let found = try #require(all.solve(covariance: Array(repeating: 1, count: n * n)))
      #expect(isClose(found.information, 0.5 * Elementary.log(21), 1e-13))
      return found.likelihood
    }
    let none = try likelihood(Array(repeating: 0, count: n))
    var mixture = try likelihood(Array(repeating: truth, count: n))
    for i in 0..<n { mixture += try likelihood((0..<n).map { $0 == i ? 1 : 0 }) - none }
    let known = -0.5 * Double(n) * (Elementary.log(2 * Double.pi) + 1)
    #expect(isClose(known - mixture, 1.16512, 5e-6), "\(known - mixture)")
  }

  /// All entries, first and second derivatives, by central differences of the plain formulas.
  @Test func derivativesAreThoseOfDifferences() throws {
    let derivatives = try #require(RegressionDerivatives(Self.regression(), covariance: Self.gram, inputs: 4))
    let entries = (0..<4).flatMap { a in (a..<4).map { (a, $0) } }
    func moved(_ steps: [((Int, Int), Double)]) -> (likelihood: Double, means: [Double], variances: [Double]) {
      var v = Self.gram
      for ((a, b), step) in steps {
        v[a * 4 + b] += step
        if a != b { v[b * 4 + a] += step }
      }
      return Self.plain(v, noise: 0.1)
    }
    let h = 1e-4
    for e in entries {
      let first = derivatives.first(derivatives.direction { ($0, $1) == e })
      let (up, down) = (moved([(e, h)]), moved([(e, -h)]))
      #expect(isClose(first.likelihood, (up.likelihood - down.likelihood) / (2 * h), 1e-6))
      for k in 0..<2 {
        #expect(isClose(first.means[k], (up.means[k] - down.means[k]) / (2 * h), 1e-6))
        #expect(isClose(first.variances[k], (up.variances[k] - down.variances[k]) / (2 * h), 1e-6))
      }
      for f in entries {
        let second = derivatives.second(
          derivatives.direction { ($0, $1) == e }, derivatives.direction { ($0, $1) == f })
        let corners = [(h, h, 1.0), (h, -h, -1), (-h, h, -1), (-h, -h, 1)].map {
          (moved([(e, $0.0), (f, $0.1)]), $0.2)
        }
        func difference(_ value: ((likelihood: Double, means: [Double], variances: [Double])) -> Double) -> Double {
          corners.reduce(0) { $0 + $1.1 * value($1.0) } / (4 * h * h)
        }
        #expect(isClose(second.likelihood, difference { $0.likelihood }, 1e-5), "\(e) \(f)")
        for k in 0..<2 {
          #expect(isClose(second.means[k], difference { $0.means[k] }, 1e-5), "\(e) \(f)")
          #expect(isClose(second.variances[k], difference { $0.variances[k] }, 1e-5), "\(e) \(f)")
        }
      }
    }
  }

  private func activation(_ text: String) throws -> any Activation {
    try ActivationChoice(.text(text), path: "activation", width: 4).function
  }

  private static func block(_ inputs: [Int]) -> [Double] { inputs.flatMap { a in inputs.map { gram[a * 4 + $0] } } }

  /// Of sinh, whose products are sums of exponentials of the signs, and of linear units (Isserlis).
  @Test func productsOfThreeAndFour() throws {
    let k = Self.gram.map { 0.3 * $0 }
    // E prod sinh(u_i)^p_i over the inputs in `all`, each as often as its power.
    func exact(_ all: [Int]) -> Double {
      (0..<(1 << all.count)).reduce(0.0) { sum, mask in
        let signs = all.indices.map { mask >> $0 & 1 == 1 ? -1.0 : 1 }
        var variance = 0.0
        for (i, a) in all.enumerated() {
          for (j, b) in all.enumerated() { variance += signs[i] * signs[j] * k[a * 4 + b] }
        }
        return sum + signs.reduce(1, *) * Elementary.exp(0.5 * variance)
      } / Double(1 << all.count)
    }
    let formula = try ActivationChoice(table(["formula": .text("sinh(x)")]), path: "activation", width: 4).function
    let moments = UnitMoments(formula)
    let four = try #require(moments.products(k, inputs: 4, powers: [[1, 1, 1, 1]]))
    #expect(isClose(four[0], exact([0, 1, 2, 3]), 1e-8))
    let three = try #require(
      moments.products(
        Self.block([0, 1, 3]).map { 0.3 * $0 }, inputs: 3, powers: [[2, 1, 1], [1, 2, 1], [1, 1, 2]]))
    for (found, all) in zip(three, [[0, 0, 1, 3], [0, 1, 1, 3], [0, 1, 3, 3]]) {
      #expect(isClose(found, exact(all), 1e-8))
    }
    // relu(x) relu(-x) = 0: with kinks, of x, -x shifted apart; and E relu(u)^2 relu(v) relu(w) of independent ones is 1/2 (1/2pi).
    let relu = UnitMoments(try activation("relu"))
    let independent = try #require(
      relu.products([1, 0, 0, 0, 1, 0, 0, 0, 1], inputs: 3, powers: [[2, 1, 1]]))
    #expect(isClose(independent[0], 0.25 / Double.pi, 1e-9))
    #expect(relu.products(Self.gram, inputs: 4, powers: [[1, 1, 1, 1]]) == nil)
    // E u_a^2 u_b u_c = K_aa K_bc + 2 K_ab K_ac.
    let linear = UnitMoments(try activation("linear"))
    let found = try #require(linear.products(Self.block([0, 1, 3]), inputs: 3, powers: [[2, 1, 1]]))
    #expect(isClose(found[0], 1.65 * 0.2 + 2 * 0.53 * 0.5, 1e-9))
  }

  /// The entries of two inputs are those of the theory of pairs; those of three and four of a linear network are Wishart's, whatever the depth's
  /// order: C' = C + K_ac K_bd + K_ad K_bc.
  @Test func gramMatricesAreThoseOfPairs() throws {
    let theory = FiniteWidth(Perceptron(activation: try activation("tanh"), gain: 1.6, bias: 0.2), width: 1)
    let moments = UnitMoments(try activation("tanh"))
    var state = FiniteWidth.Gram(Self.gram, inputs: 4)
    var pair = FiniteWidth.Pair(covariance: [1.49, 1.586, 2.098])
    for _ in 0..<2 {
      state = try #require(theory.next(state, moments))
      pair = try #require(theory.next(pair, moments))
    }
    let places = [(1, 1), (1, 2), (2, 2)].map { e in state.entries.firstIndex { $0 == e }! }
    for (i, own) in places.enumerated() {
      #expect(isClose(state.covariance[own], pair.covariance[i], 1e-12))
      #expect(isClose(state.shift[own], pair.shift[i], 1e-10))
      for (j, other) in places.enumerated() { #expect(isClose(state.vertex[own][other], pair.vertex[i][j], 1e-10)) }
    }
    let linear = try activation("linear")
    let plain = FiniteWidth(Perceptron(activation: linear, gain: 1), width: 1)
    var wishart = FiniteWidth.Gram(Self.gram, inputs: 4)
    for _ in 0..<3 { wishart = try #require(plain.next(wishart, UnitMoments(linear))) }
    for (i, ab) in wishart.entries.enumerated() {
      for (j, cd) in wishart.entries.enumerated() {
        func k(_ a: Int, _ b: Int) -> Double { Self.gram[a * 4 + b] }
        let one = k(ab.a, cd.a) * k(ab.b, cd.b) + k(ab.a, cd.b) * k(ab.b, cd.a)
        #expect(isClose(wishart.vertex[i][j], 3 * one, 1e-7), "\(ab) \(cd)")
      }
    }
  }
}
