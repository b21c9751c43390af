import Foundation
import Kernels
import Statistics
import Testing

@Suite struct UnitInformationTests {
  /// A law of log V by its density on a fine grid.
  private static func information(
    _ range: ClosedRange<Double>, units: (Int, Int) = (1, 1), count: Int = 12, _ logDensity: (Double) -> Double
  ) -> UnitInformation {
    let points = (0...4000).map { range.lowerBound + (range.upperBound - range.lowerBound) * Double($0) / 4000 }
    let law = GaussNodes(points: points, weights: points.map { exp(logDensity($0)) }, count: count)
    return UnitInformation(logarithms: law.nodes, weights: law.weights, units: units)
  }

  /// log V of one linear layer of width n: V = chi^2_n/n.
  private static func linear(_ n: Double) -> UnitInformation {
    let reach = 12 * (2 / n).squareRoot()
    return information(-1.5 * reach...0.7 * reach) { 0.5 * n * ($0 - exp($0) + 1) }
  }

  /// Degree 2k - 1 of the law's own moments, and Legendre's rule for a uniform law.
  @Test func gaussNodesHaveTheMomentsOfTheLaw() {
    let points = (0..<50).map { sin(Double(7 * $0)) + 0.02 * Double($0) }
    let weights = (0..<50).map { 1 + Double($0 % 5) }
    let law = GaussNodes(points: points, weights: weights, count: 4)
    #expect(law.nodes.count == 4 && law.nodes == law.nodes.sorted())
    for power in 0...7 {
      let exact = zip(points, weights).reduce(0) { $0 + $1.1 * pow($1.0, Double(power)) } / weights.reduce(0, +)
      let found = zip(law.nodes, law.weights).reduce(0) { $0 + $1.1 * pow($1.0, Double(power)) }
      #expect(abs(found - exact) < 1e-12 * max(1, abs(exact)), "moment \(power): \(found), \(exact)")
    }
    // Three points have three nodes at most, and are these.
    let few = GaussNodes(points: [1, 2, 4], weights: [1, 1, 2], count: 6)
    #expect(zip(few.nodes, [1, 2, 4]).allSatisfy { abs($0 - $1) < 1e-12 } && few.nodes.count == 3)
    #expect(zip(few.weights, [0.25, 0.25, 0.5]).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(GaussNodes(points: [3, 3], weights: [1, 2], count: 5).nodes == [3])
  }

  /// I/(v^2/8) of a linear layer, v = 2/n, as printed.
  @Test(arguments: [(8.0, 0.570), (16, 0.699), (64, 0.889)]) func printedValues(n: Double, ratio: Double) {
    let found = Self.linear(n)
    #expect(abs(found.fluctuation.value * n / 2 - 1) < 1e-5)
    #expect(abs(found.exact.value / (0.5 / (n * n)) - ratio) < 5.1e-4, "\(found.exact.value / (0.5 / (n * n)))")
  }

  /// 1/V of a gamma law makes z multivariate t, whose entropies are known: another route to I, with groups of any sizes.
  @Test(arguments: [(20.0, 1, 1), (20, 2, 5), (60, 1, 3)]) func studentsLaw(nu: Double, m1: Int, m2: Int) {
    func entropy(_ m: Int) -> Double {
      let (a, b) = (0.5 * (nu + Double(m)), 0.5 * nu)
      let gammas: Double = lgamma(b) - lgamma(a)
      let slopes: Double = Elementary.digamma(a) - Elementary.digamma(b)
      return 0.5 * Double(m) * log(nu * Double.pi) + gammas + a * slopes
    }
    let exact = entropy(m1) + entropy(m2) - entropy(m1 + m2)
    // V = nu/chi^2_nu.
    let reach = 14 * (2 / nu).squareRoot()
    let found = Self.information(-0.7 * reach...1.5 * reach, units: (m1, m2), count: 16) {
      0.5 * nu * (-$0 - exp(-$0) + 1)
    }
    #expect(abs(found.exact.value / exact - 1) < 2e-6, "\(found.exact.value), \(exact)")
  }

  /// To the third order, with the constant of arXiv:2106.10165; what is left is of the fourth.
  @Test func series() {
    #expect(UnitInformation.loss((1, 1)) == 26.0 / 6)
    for m in 1...5 {
      #expect(abs(UnitInformation.loss((m, m)) - (20 + 6 * Double(m)) / 6) < 1e-12)
    }
    let rest = [1000.0, 4000].map { n -> Double in
      let found = Self.linear(n)
      return found.exact.value / found.series.value - 1
    }
    // (1 - 13/3 v + q v^2) has q v^2 left: sixteen times less for a quarter of v.
    #expect(abs(rest[0]) < 3e-4 && abs(rest[0] / rest[1] - 16) < 1.5, "\(rest)")
  }

  /// Units that share nothing: V is constant.
  @Test func nothingIsShared() {
    let found = UnitInformation(logarithms: [0.7], weights: [1], units: (1, 1))
    #expect(abs(found.exact.value) < 1e-14 && found.fluctuation.value == 0 && found.exact.deviation < 1e-14)
  }
}
