import Experiments
import Foundation
import Kernels
import Testing
import Walks

/// Limits of walks: printed values, and several routes to each.
@Suite struct SpectrumTests {
  private static let strengths = [0.0, 1, 2, 5, 10]

  /// tr V of three chains, to the digits that are printed: by inverses, and by eigenvalues.
  @Test(arguments: [
    ("petersen", [1.08, 0.320727, 0.192180, 0.088229, 0.046579]),
    ("ring", [2.074074, 0.507625, 0.293697, 0.131331, 0.068947]),
    ("karate", [8.335436, 1.809520, 1.017274, 0.439954, 0.226127]),
  ])
  func tracesAreThosePrinted(name: String, printed: [Double]) throws {
    let chain = try name == "petersen" ? Walking.petersen() : name == "ring" ? Walking.ring() : Walking.karate()
    let even = try #require(chain.evenMeasure)
    for (alpha, value) in zip(Self.strengths, printed) {
      let trace = try #require(chain.variances(alpha: alpha)).reduce(0, +)
      #expect(abs(trace - value) < 6e-7, "alpha \(alpha): \(trace)")
      #expect(abs(even.sum { SpectralMeasure.repellent($0, alpha: alpha) } - trace) < 1e-11)
    }
  }

  /// Chains whose law is not uniform, against eigenvectors: V of a vertex, the variance of a function, and the stationary law itself.
  @Test func unevenChains() throws {
    let graph = try Walking.karateGraph()
    for target in [nil, (0..<34).map { 1 + 0.1 * Double($0) }] as [[Double]?] {
      let chain = BaseChain(graph, target: target)
      let n = chain.count
      var s = Array(repeating: 0.0, count: n * n)
      for i in 0..<n {
        var total = 0.0
        for e in chain.offsets[i]..<chain.offsets[i + 1] {
          let j = Int(chain.columns[e])
          s[i * n + j] = (chain.target[i] / chain.target[j]).squareRoot() * chain.probabilities[e]
          total += chain.probabilities[e]
        }
        #expect(abs(total - 1) < 1e-14)
      }
      for i in 0..<n { for j in 0..<n { #expect(abs(s[i * n + j] - s[j * n + i]) < 1e-14, "reversible") } }
      let (values, vectors) = SymmetricEigenvectors.sorted(s, count: n)
      #expect(abs(values[n - 1] - 1) < 1e-13 && values[n - 2] < 1 - 1e-3)
      let f = (0..<n).map { cos(Double($0)) }
      for alpha in Self.strengths {
        func g(_ x: Double) -> Double { (1 + x) / (1 - x) / (2 * alpha * (1 + x) + 1) }
        let own = try #require(chain.variances(alpha: alpha))
        var square = 0.0
        for (x, w) in zip(values.dropLast(), vectors.dropLast()) {
          let part = (0..<n).reduce(0.0) { $0 + chain.target[$1].squareRoot() * w[$1] * f[$1] }
          square += g(x) * part * part
        }
        for j in 0..<n {
          let expected = zip(values, vectors).dropLast().reduce(0.0) {
            $0 + g($1.0) * chain.target[j] * $1.1[j] * $1.1[j]
          }
          #expect(abs(own[j] - expected) < 1e-12)
        }
        for dense in [1024, 2] {
          let found = try #require(chain.measure(of: f, dense: dense))
          #expect(abs(found.sum { SpectralMeasure.repellent($0, alpha: alpha) } - square) < 1e-10 * square, "\(dense)")
        }
      }
    }
  }

  /// The method of Lanczos on a torus, whose eigenvalues are cosines, and where it gives up.
  @Test func lanczosOnATorus() throws {
    let chain = BaseChain(
      try Walking.graph(["graph": .text("torus"), "rows": .integer(40), "columns": .integer(31)]), target: nil)
    let found = try #require(chain.measure(of: Walking.indicator(chain.count)))
    var exact = 0.0
    for k in 0..<40 {
      for l in 0..<31 where k + l > 0 {
        let x = 0.5 * (cos(2 * .pi * Double(k) / 40) + cos(2 * .pi * Double(l) / 31))
        exact += SpectralMeasure.repellent(x, alpha: 1.5) / Double(1240 * 1240)
      }
    }
    #expect(abs(found.sum { SpectralMeasure.repellent($0, alpha: 1.5) } / exact - 1) < 1e-8)
    #expect(chain.variances(alpha: 1) == nil && chain.evenMeasure == nil)
  }

  /// U of Petersen's graph, as printed; with equal steps 1/n what a token learns is the mean of the walk.
  @Test func tokensOfPetersen() throws {
    let chain = try Walking.petersen()
    let objective = NodeObjective(mean: Walking.indicator(10), chain)
    func variance(_ alpha: Double, _ p: Double, _ q: Double) throws -> Double {
      let token = TokenLearning(
        chain, objective, alpha: alpha, shareExponent: p, stepExponent: q, start: WalkStart(vertex: 0), records: [1])
      return try #require(token.variances)[0]
    }
    for (alpha, value, digits) in [(0.0, 0.108, 1e-9), (1, 0.02287, 6e-6), (5, 0.00283, 6e-6), (10, 0.00091, 6e-6)] {
      #expect(abs(try variance(alpha, 0.6, 1) - value) < digits, "alpha \(alpha)")
    }
    // Half of U below 1, printed as .0014 at alpha = 5.
    #expect(abs(try variance(5, 0.6, 0.9) - 0.0014) < 6e-5)
    let measure = try #require(chain.measure(of: Walking.indicator(10)))
    for alpha in Self.strengths {
      let plain = measure.sum { SpectralMeasure.repellent($0, alpha: alpha) }
      #expect(abs(try variance(alpha, 1, 1) - plain) < 1e-13)
      #expect(abs(try variance(alpha, 1, 0.8) - 0.054) < 1e-12, "the slower x does nothing")
    }
  }

  /// The three cases of the Lyapunov equation against the recursion of second moments of the linearised walk, one eigenvalue at a time, with a curvature that is not 1. What is left after so many
  /// steps is of order n^-0.4 times alpha, n^-0.2, 1/n and n^-0.4.
  @Test(arguments: [(0.6, 1.0, 0.02), (0.8, 0.8, 0.06), (1.0, 1.0, 2e-4), (1.0, 0.6, 0.03)])
  func lyapunov(p: Double, q: Double, tolerance: Double) throws {
    let chain = try Walking.karate()
    let objective = NodeObjective(logistic: 2, ridge: 0.2, seed: 3, chain)
    let (alpha, gain) = (0.7, 3.0)
    let token = TokenLearning(
      chain, objective, alpha: alpha, shareExponent: p, stepExponent: q, gain: gain, start: WalkStart(vertex: 0),
      records: [1])
    let found = try #require(token.variances)
    let steps = 300_000
    for (k, curvature) in objective.curvatures.enumerated() {
      let measure = try #require(chain.measure(of: objective.noise(along: k)))
      var sum = 0.0
      for (x, weight) in zip(measure.values, measure.weights) where weight > 1e-12 {
        let (s, c) = ((1 + x) / (1 - x), alpha * (1 + x))
        var (xx, xt, tt) = (0.0, 0.0, 0.0)
        for n in 1...steps {
          let (b, g) = (gain * pow(Double(n), -q), pow(Double(n + 1), -p))
          let (stay, keep) = (1 - g * (1 + c), 1 - b * curvature)
          tt = keep * keep * tt + b * b * (c * c * xx + s) - 2 * keep * b * c * xt
          xt = stay * (keep * xt - b * c * xx) + g * b * s
          xx = stay * stay * xx + g * g * s
        }
        sum += weight * tt / (gain * pow(Double(steps), -q))
      }
      #expect(abs(found[k] / sum - 1) < tolerance, "\(found[k]), \(sum)")
    }
  }

  /// The minimum, its Hessian by differences, and the mean of the noise, which is 0 there: F is flat to rounding within 1e-8.
  @Test func logisticMinimum() throws {
    let chain = BaseChain(try Walking.karateGraph(), target: nil)
    let objective = NodeObjective(logistic: 3, ridge: 0.1, seed: 1, chain)
    let h = 1e-4
    for k in 0..<3 {
      #expect(abs(chain.mean(objective.noise(along: k))) < 1e-7)
      func moved(_ t: Double) -> Double {
        var theta = zip(objective.minimiser, objective.directions[k]).map { $0 + t * $1 }
        return objective.value(&theta)
      }
      let second = (moved(h) + moved(-h) - 2 * objective.least) / (h * h)
      #expect(abs(second / objective.curvatures[k] - 1) < 1e-5)
    }
  }

  @Test func rotations() {
    let n = 7
    let a = (0..<n * n).map { cos(Double(($0 / n) * ($0 % n)) + Double($0 / n + $0 % n)) }
    let (values, vectors) = SymmetricEigenvectors.sorted(a, count: n)
    for k in 0..<n {
      for i in 0..<n {
        let product = (0..<n).reduce(0.0) { $0 + a[i * n + $1] * vectors[k][$1] }
        #expect(abs(product - values[k] * vectors[k][i]) < 1e-13)
      }
      for l in 0..<n {
        let dot = zip(vectors[k], vectors[l]).reduce(0.0) { $0 + $1.0 * $1.1 }
        #expect(abs(dot - (k == l ? 1 : 0)) < 1e-14)
      }
    }
    #expect(zip(values, values.dropFirst()).allSatisfy(<=))
  }
}
