import Experiments
import Foundation
import Particles
import Statistics
import Testing

/// The law that LMC keeps to the next order in its step.
@Suite struct ModifiedLawTests {
  private static func keys(_ h: Double) -> [String: JobValue] {
    [
      "system": .text("cosine-well"), "number": .integer(1024), "step": .real(h), "warm_up": .integer(Int64(20 / h)),
      "steps": .integer(validating ? 40_000 : 2000), "measure_every": .integer(2), "replicas": .integer(12),
      "histogram_every": .integer(1000),
    ]
  }

  /// The stationary law of the step itself on a grid, by its kernel: no Monte Carlo. Mean of U, and Kullback-Leibler divergences to laws given by energies.
  private static func stationary(_ h: Double, against energies: [(Double) -> Double]) -> (energy: Double, kl: [Double])
  {
    let (count, reach) = (601, 6.0)
    let width = 2 * reach / Double(count - 1)
    let points = (0..<count).map { -reach + width * Double($0) }
    func slope(_ x: Double) -> Double { x - 2 * sin(2 * x) }
    func energy(_ x: Double) -> Double { 0.5 * x * x + cos(2 * x) }
    // Rows of a band: nothing is farther than 12 standard deviations.
    let rows = points.map { x -> (first: Int, weights: [Double]) in
      let centre = x - h * slope(x)
      let first = max(0, Int((centre - 12 * (2 * h).squareRoot() + reach) / width))
      let last = min(count - 1, Int((centre + 12 * (2 * h).squareRoot() + reach) / width) + 1)
      let weights = (first...last).map { exp(-(points[$0] - centre) * (points[$0] - centre) / (4 * h)) }
      let total = weights.reduce(0, +)
      return (first, weights.map { $0 / total })
    }
    var law = points.map { exp(-energy($0)) }
    for _ in 0..<Int(60 / h) {
      var next = Array(repeating: 0.0, count: count)
      for (i, row) in rows.enumerated() {
        for (k, weight) in row.weights.enumerated() { next[row.first + k] += law[i] * weight }
      }
      law = next
    }
    let total = law.reduce(0, +)
    law = law.map { $0 / total }
    return (
      zip(points, law).reduce(0) { $0 + $1.1 * energy($1.0) },
      energies.map { other in
        let masses = points.map { exp(-other($0)) }
        let whole = masses.reduce(0, +)
        return zip(law, masses).reduce(0) { $1.0 > 1e-300 ? $0 + $1.0 * log($1.0 * whole / $1.1) : $0 }
      }
    )
  }

  /// Printed: errors of E U to pi .0847, .0399, .01935 and to the modified law 8.2e-4, 1.7e-4, 3.3e-5 at h = .1, .05, .025; divergences .0124, .00297, 7.2e-4
  /// and 8.3e-5, 3.4e-6, 1.7e-7; E U = .4367346630. To the digits printed.
  @Test func printedValues() throws {
    for (h, toTarget, toModified, klTarget, klModified) in [
      (0.1, 0.0847, 8.2e-4, 0.0124, 8.3e-5), (0.05, 0.0399, 1.7e-4, 0.00297, 3.4e-6),
      (0.025, 0.01935, 3.3e-5, 7.2e-4, 1.7e-7),
    ] {
      let all = try legs(Self.keys(h), limits: ["modified-law", "stationary-limit"])
      let (target, modified) = (known(all, "stationary-limit", "energy"), known(all, "modified-law", "energy"))
      #expect((target - 0.4367346630).magnitude < 5e-11)
      let found = Self.stationary(
        h,
        against: [
          { 0.5 * $0 * $0 + cos(2 * $0) },
          { x in
            let slope = x - 2 * sin(2 * x)
            return 0.5 * x * x + cos(2 * x) - h * (0.25 * slope * slope - 0.5 * (1 - 4 * cos(2 * x)))
          },
        ])
      #expect(((found.energy - target) / toTarget - 1).magnitude < 0.005, "\(h): \(found.energy - target)")
      #expect(
        ((found.energy - modified).magnitude / toModified - 1).magnitude < 0.05, "\(h): \(found.energy - modified)")
      #expect((found.kl[0] / klTarget - 1).magnitude < 0.01, "\(h): \(found.kl)")
      #expect((found.kl[1] / klModified - 1).magnitude < 0.05, "\(h): \(found.kl)")
    }
  }

  /// Chains have the means of the kernel, and are nearer to the modified law than their error from the target: 2 means, |z| < 4.
  @Test func chainsFollowIt() throws {
    let all = try legs(Self.keys(0.1), limits: ["modified-law"])
    let state = try run(all[0], name: "modified")
    let found = moments(state, all[0], "energy")
    let exact = Self.stationary(0.1, against: []).energy
    #expect(z(found, exact).magnitude < 4, "\(found.mean) +- \(found.meanError), \(exact)")
    let residual = moments(state, all[0], "residual")
    #expect((residual.mean - known(all, "modified-law", "residual")).magnitude < 0.01 + 4 * residual.meanError)
    #expect(residual.mean > 0.04)
  }

  /// Of a harmonic potential it is the exact law 1/(1 - h/2) to order h^2, and the law at h -> 0 is that of the target.
  @Test func ofAHarmonicPotential() throws {
    for h in [0.2, 0.02] {
      let keys = Self.keys(h).merging(["system": .text("gaussian")]) { $1 }
      let all = try legs(keys, limits: ["modified-law"])
      // exp(-(1 - h/2) x^2/2): exact.
      #expect((known(all, "modified-law", "x^2") - 1 / (1 - h / 2)).magnitude < 1e-12)
      #expect((known(all, "exact", "x^2") - 1 / (1 - h / 2)).magnitude < 1e-12)
    }
  }

  @Test func refusals() throws {
    func formula(_ text: String) -> JobValue { .table(["formula": .text(text)]) }
    for (own, word) in [
      (["integrator": .text("ulmc")], "Euler-Maruyama"), (["warm_up": .integer(0)], "warm_up > 0"),
      (["system": .text("double-well"), "theta": .real(0)], "no finite integral for x^4/4 - x^2/2 with step = 0.1"),
      (["system": .text("double-well")], "without interaction"),
      (["system": .text("own"), "potential": formula("cosh(x)")], "no finite integral"),
      (["system": .text("own"), "potential": formula("x^2 + abs(x)")], "a kink at 0.0"),
      (["system": .text("gaussian"), "dimension": .integer(2)], "one coordinate"),
      (["system": .text("gaussian-mean"), "values": .list([.real(1)]), "batch": .integer(1)], "noise of its own"),
    ] as [([String: JobValue], String)] {
      let failure = #expect(throws: Failure.self) {
        _ = try legs(Self.keys(0.1).merging(own) { $1 }, limits: ["modified-law"])
      }
      #expect(failure?.message.contains(word) ?? false, "\(failure?.message ?? "")")
    }
    let own = ["system": .text("own"), "potential": formula("x^2/2 + cos(2*x)")] as [String: JobValue]
    let (a, b) = (
      try legs(Self.keys(0.1), limits: ["modified-law"]),
      try legs(Self.keys(0.1).merging(own) { $1 }, limits: ["modified-law"])
    )
    for name in ["x^2", "x^4", "energy", "residual"] {
      #expect((known(a, "modified-law", name) - known(b, "modified-law", name)).magnitude < 1e-10)
    }
  }
}
