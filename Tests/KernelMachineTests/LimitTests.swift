import Experiments
import Foundation
import KernelMachines
import Kernels
import Testing

/// The maximum of the objective: printed values, the stationary equation, certificates; and one point at every N by quadrature.
@Suite struct LimitTests {
  /// Values of an independent program, to the digits printed.
  @Test(arguments: [
    (PairKernel.linear, 1, [0.62204, -0.27485, 0.60298, 0.21366, -0.13765, 0.36277]),
    (.linear, 2, [0.66580, -0.47542, 0.65149]), (.relu, 2, [0.89763, -0.06307, 0.88566]),
  ])
  func printedGramMatrices(kernel: PairKernel, depth: Int, printed: [Double]) throws {
    let found = Optimum(Machines.settings(kernel, depth: depth))
    for (a, b) in zip(found.grams[depth - 1], printed) { #expect(abs(a - b) < 6e-6, "\(found.grams[depth - 1])") }
    #expect(found.gradient < 1e-12)
  }

  @Test(arguments: [(1, 1.926127), (2, 2.429141), (3, 2.731861)])
  func printedLimitsOfOnePoint(depth: Int, printed: Double) {
    let found = Optimum(Machines.settings(.linear, depth: depth, gram: [1], targets: [[2]]))
    #expect(abs(found.grams[depth - 1][0] - printed) < 6e-7)
  }

  /// One layer, linear: $K^{-1} - G^{-1} + \nu (C^{-1} - C^{-1} \hat Y C^{-1}) = 0$, multiplied by G from the left and by C on both sides of its place: residual of 12 points.
  @Test(arguments: [0.3, 1, 4]) func theStationaryEquationHolds(nu: Double) {
    let p = 12
    let x = scattered(p * 20, scale: 1)
    let gram = (0..<p * p).map { i in
      (0..<20).reduce(i / p == i % p ? 0.2 : 0.0) { $0 + x[i / p * 20 + $1] * x[i % p * 20 + $1] / 20 }
    }
    let y = scattered(p, scale: 2)
    let settings = Machines.settings(.linear, depth: 1, nu: nu, gram: gram, targets: [y])
    let found = Optimum(settings)
    #expect(found.gradient < Optimum.tolerance)
    var g = Array(repeating: 0.0, count: p * p)
    for a in 0..<p {
      for b in 0...a {
        g[a * p + b] = found.grams[0][a * (a + 1) / 2 + b]
        g[b * p + a] = g[a * p + b]
      }
    }
    var c = g
    for i in 0..<p { c[i * p + i] += settings.noise }
    let (kInverse, gInverse, cInverse) = (Self.inverse(gram, p), Self.inverse(g, p), Self.inverse(c, p))
    let v = (0..<p).map { i in (0..<p).reduce(0.0) { $0 + cInverse[i * p + $1] * y[$1] } }
    let scale = gInverse.reduce(0) { max($0, abs($1)) }
    for i in 0..<p * p {
      let rest = kInverse[i] - gInverse[i] + nu * (cInverse[i] - v[i / p] * v[i % p])
      #expect(abs(rest) < 1e-8 * scale)
    }
  }

  private static func inverse(_ a: [Double], _ p: Int) -> [Double] {
    var (a, b) = (a, (0..<p * p).map { $0 / p == $0 % p ? 1.0 : 0 })
    for k in 0..<p {
      let pivot = a[k * p + k]
      for j in 0..<p {
        a[k * p + j] /= pivot
        b[k * p + j] /= pivot
      }
      for i in 0..<p where i != k {
        let f = a[i * p + k]
        for j in 0..<p {
          a[i * p + j] -= f * a[k * p + j]
          b[i * p + j] -= f * b[k * p + j]
        }
      }
    }
    return b
  }

  /// Without outputs to speak of nothing is learned.
  @Test func fewOutputsLeaveTheKernelsOfThePrior() {
    for kernel in PairKernel.allCases {
      let settings = Machines.settings(kernel, depth: 3, nu: 1e-9)
      let found = Optimum(settings)
      for (own, prior) in zip(found.grams, settings.priorLimit) {
        for a in 0..<3 { for b in 0...a { #expect(abs(own[a * (a + 1) / 2 + b] - prior[a * 3 + b]) < 1e-7) } }
      }
    }
  }

  /// Forty points and three layers: a gradient that is small, though above the one that the limit asks for.
  @Test func manyPoints() {
    let p = 40
    let gram = (0..<p * p).map { exp(-0.5 * pow(Double($0 / p - $0 % p) / 3, 2)) + ($0 / p == $0 % p ? 0.1 : 0) }
    let found = Optimum(Machines.settings(.relu, depth: 3, gram: gram, targets: [scattered(p, scale: 1.5)]))
    #expect(found.gradient < 1e-5, "\(found.gradient) after \(found.iterations)")
  }

  /// The other points follow the inducing ones by the conditional mean, and every inducing point raises the objective, to that of all points.
  @Test(arguments: PairKernel.allCases) func inducingPointsBoundTheObjective(kernel: PairKernel) {
    let settings = Machines.settings(kernel, depth: 2)
    let found = (1...3).map { Optimum(settings, inducing: $0) }
    let all = Optimum(settings)
    #expect(found[0].objective < found[1].objective && found[1].objective < found[2].objective - 1e-4)
    #expect(abs(found[2].objective - all.objective) < 1e-12)
    for one in found { #expect(one.gradient < 1e-10) }
    // One point: G_a0 = k_a0 G_00/k_00, and G_ab = k_ab - k_a0 k_b0/k_00 (1 - G_00/k_00).
    let (k, g) = (settings.kernelMatrix(settings.start), found[0].grams[0])
    let ratio = g[0] / k[0]
    #expect(abs(ratio - 1) > 0.01)
    for a in 1..<3 {
      #expect(abs(g[a * (a + 1) / 2] - k[3 * a] * ratio) < 1e-12)
      for b in 1...a {
        let known = k[3 * a + b] - k[3 * a] * k[3 * b] / k[0] * (1 - ratio)
        #expect(abs(g[a * (a + 1) / 2 + b] - known) < 1e-12)
      }
    }
  }

  // MARK: One point

  /// Values of an independent quadrature, to one in the last digit printed.
  @Test(arguments: [
    (1, [1.981284, 1.940091, 1.929630]), (2, [2.550120, 2.459037, 2.436591]), (3, [2.908168, 2.774676, 2.742484]),
  ])
  func printedMeansOfOnePoint(depth: Int, printed: [Double]) throws {
    for (width, value) in zip([8, 32, 128], printed) {
      let settings = Machines.settings(.linear, depth: depth, width: width, gram: [1], targets: [[2]])
      let means = try #require(OnePoint(settings)?.means)
      #expect(abs(means.gram[depth - 1] - value) < 1.5e-6, "N = \(width): \(means.gram)")
      let finer = try #require(OnePoint(settings, refinement: 1.7)?.means)
      for (a, b) in zip(
        means.gram + means.complexity + [means.fit, means.evidence],
        finer.gram + finer.complexity + [finer.fit, finer.evidence])
      { #expect(abs(a - b) < 1e-11, "N = \(width), \(a), \(b)") }
    }
  }

  /// The limit and a term of order 1/N; where the prior's probability underflows there are no values.
  @Test func onePointTendsToTheObjective() throws {
    func settings(_ width: Int) -> MachineSettings {
      Machines.settings(.linear, depth: 2, width: width, nu: 0.5, noise: 0.3, gram: [1.5], targets: [[2]])
    }
    let limit = Optimum(settings(2))
    let offsets = try [300, 1200].map { n -> [Double] in
      let means = try #require(OnePoint(settings(n))?.means)
      let known = limit.grams.map { $0[0] } + limit.complexities + [limit.fit, limit.objective]
      return zip(means.gram + means.complexity + [means.fit, means.evidence], known).map { Double(n) * ($0 - $1) }
    }
    for (a, b) in zip(offsets[0], offsets[1]) { #expect(abs(a - b) < 0.05 * max(1, abs(b)), "\(offsets)") }
    #expect(OnePoint(settings(20_000))?.means == nil)
  }
}
