import Foundation
import Networks
import Testing

/// Probabilities of quadratic forms of normal variables, and the regret, against closed forms.
@Suite struct HypothesesTests {
  /// Independent outputs of the given variances.
  private func hypotheses(_ variances: [Double], truth: [Double]) -> Hypotheses {
    let m = variances.count
    let found = Hypotheses(inputs: m)
    found.take(
      lower: (0..<m * m).map { $0 / m == $0 % m ? variances[$0 / m].squareRoot() : 0 }, train: Array(0..<m),
      truth: truth)
    return found
  }

  private func check(_ found: Double, _ exact: Double, _ name: String, within tolerance: Double = 1e-9) {
    #expect((found / exact - 1).magnitude < tolerance, "\(name): \(found), exact \(exact)")
  }

  /// One output: a difference of normal distribution functions.
  @Test(arguments: [0.0, 0.5, 3]) func oneOutput(truth: Double) {
    for x in [1e-8, 0.01, 1, 30] {
      let found = hypotheses([1.7], truth: [truth]).mass(within: x)
      let (low, high) = ((truth - x.squareRoot()) / 3.4.squareRoot(), (truth + x.squareRoot()) / 3.4.squareRoot())
      let exact = low > 0 ? 0.5 * (erfc(low) - erfc(high)) : 0.5 * (erf(high) - erf(low))
      check(found, exact, "\(truth) \(x)", within: 1e-7)
    }
  }

  /// Fifty equal variances, as small as 1e-90: chi-square, $P = e^{-x/2} \sum_{j \ge 25} (x/2)^j/j!$.
  @Test func chiSquare() {
    let equal = hypotheses(Array(repeating: 1, count: 50), truth: Array(repeating: 0, count: 50))
    for x in [0.005, 1, 20, 50, 90] {
      var (term, sum) = (1.0, 0.0)
      for j in 1...400 {
        term *= 0.5 * x / Double(j)
        if j >= 25 { sum += term }
      }
      check(equal.mass(within: x), exp(-0.5 * x) * sum, "\(x)")
    }
  }

  /// Variances in pairs: a sum of exponentials, of which the small ones do not vanish in the large ones.
  @Test func pairsOfVariances() {
    let rates = [1.0, 0.1, 0.003]
    let pairs = hypotheses(rates.flatMap { [$0, $0] }, truth: Array(repeating: 0, count: 6))
    for x in [0.3, 2, 9] {
      let exact =
        1
        - rates.reduce(0) { sum, v in
          sum + rates.filter { $0 != v }.reduce(exp(-0.5 * x / v)) { $0 * v / (v - $1) }
        }
      check(pairs.mass(within: x), exact, "\(x)")
    }
  }

  /// Two outputs and a truth, and one that V does not reach: a sum over the first output.
  @Test func aTruthOffTheCentre() {
    let (v, w, b, c, rest) = (2.0, 0.05, 0.7, -0.4, 0.3)
    let found = hypotheses([v, w, 0], truth: [b, c, rest.squareRoot()])
    for x in [0.31, 0.8, 3.0] {
      let radius = (x - rest).squareRoot()
      // f_1 = b + radius sin(t): smooth at its ends.
      let parts = 4000
      var exact = 0.0
      for i in 0..<parts {
        let t = Double.pi * ((Double(i) + 0.5) / Double(parts) - 0.5)
        let (f, reach) = (b + radius * sin(t), radius * cos(t))
        let other = 0.5 * (erf((c + reach) / (2 * w).squareRoot()) - erf((c - reach) / (2 * w).squareRoot()))
        exact += exp(-0.5 * f * f / v) / (2 * Double.pi * v).squareRoot() * other * reach
      }
      check(found.mass(within: x), exact * Double.pi / Double(parts), "\(x)", within: 1e-7)
    }
    #expect(found.mass(within: 0.29) == 0 && found.mass(within: 1e6) <= 1)
    check(found.mass(within: 1e3), 1, "all", within: 1e-10)
    // (1/2) E of the divergence with and without the process: terms of each output.
    let noise = 0.2
    let regret = [(v, b), (w, c)].reduce(0.5 * rest / noise) { sum, entry in
      let (v, b) = entry
      return sum + 0.5 * (log(1 + v / noise) + (b * b - v) / (v + noise))
    }
    check(found.regret(noise: noise), regret, "regret", within: 1e-12)
    // The bound is above it, and least where it is said to be.
    let best = found.bestDivergence(noise: noise)
    func bound(_ e: Double) -> Double { e - log(found.mass(within: 2 * noise * e)) }
    #expect(bound(best) > regret)
    for factor in [0.9, 0.999, 1.001, 1.1] {
      let least = 0.5 * rest / noise
      #expect(bound(least + factor * (best - least)) > bound(best))
    }
  }

  /// Correlated outputs are their principal axes.
  @Test func rotations() {
    let (cosine, sine) = (0.6, 0.8)
    let (v, w) = (1.5, 0.2)
    let (a, b, c) = (
      cosine * cosine * v + sine * sine * w, sine * cosine * (v - w), sine * sine * v + cosine * cosine * w
    )
    let found = Hypotheses(inputs: 3)
    // The second input has no target.
    found.take(
      lower: [a.squareRoot(), 0, 0, 0.3, 1, 0, b / a.squareRoot(), 0, (c - b * b / a).squareRoot()], train: [0, 2],
      truth: [0.9, -0.3])
    let turned = hypotheses([v, w], truth: [cosine * 0.9 - sine * 0.3, -sine * 0.9 - cosine * 0.3])
    for x in [0.1, 1, 4] { check(found.mass(within: x), turned.mass(within: x), "\(x)") }
    check(found.regret(noise: 0.1), turned.regret(noise: 0.1), "regret")
  }
}
