import Analyses
import Experiments
import Foundation
import KernelMachines
import Kernels
import Testing

/// Draws of the prior by two routes, chains of the posterior against what is exact and against printed values, and weights that are refused.
@Suite struct DrawTests {
  private struct Drawn {
    let mean, square, error, squareError: [Double]

    init(_ draw: WishartDraw, _ count: Int, key: UInt64) {
      let experiment = Experiment(draw)
      let runner = experiment.makeRunner(key: key)
      let width = draw.schema.width
      var sums = [[Double]](repeating: Array(repeating: 0, count: width), count: 4)
      for i in 0..<UInt64(count) {
        for (j, x) in (runner?.values(i) ?? []).enumerated() {
          for k in 0..<4 { sums[k][j] += pow(x, Double(k + 1)) }
        }
      }
      let n = Double(count)
      (mean, square) = (sums[0].map { $0 / n }, sums[1].map { $0 / n })
      error = zip(sums[0], sums[1]).map { (($1 / n - $0 / n * $0 / n) / n).squareRoot() }
      squareError = zip(sums[1], sums[3]).map { (($1 / n - $0 / n * $0 / n) / n).squareRoot() }
    }
  }

  /// Bartlett's factors against unit by unit: means and second moments of 6 kinds, 3 kernels and 2 widths, at most 15 observables: 180 comparisons, |z| < 4.5, a false alarm in about 800 such suites.
  @Test(arguments: PairKernel.allCases, [3, 20]) func twoRoutesToThePrior(kernel: PairKernel, width: Int) {
    let settings = Machines.settings(kernel, depth: 2, width: width)
    let a = Drawn(WishartDraw(settings, .bartlett), 20_000, key: 11)
    let b = Drawn(WishartDraw(settings, .product), 20_000, key: 12)
    for i in a.mean.indices {
      let z = (a.mean[i] - b.mean[i]) / (a.error[i] * a.error[i] + b.error[i] * b.error[i]).squareRoot()
      let z2 =
        (a.square[i] - b.square[i])
        / (a.squareError[i] * a.squareError[i] + b.squareError[i] * b.squareError[i]).squareRoot()
      #expect(abs(z) < 4.5, "\(kernel) N = \(width), \(i): \(a.mean[i]) \(b.mean[i])")
      #expect(abs(z2) < 4.5, "\(kernel) N = \(width), square of \(i): \(a.square[i]) \(b.square[i])")
    }
  }

  /// Moments that are known: 3 kernels x 2 routes, 28 and 2 x 2 numbers each: 64 comparisons, |z| < 4.5.
  @Test(arguments: PairKernel.allCases, [WishartDraw.Sampler.bartlett, .product])
  func thePriorHasItsMoments(kernel: PairKernel, sampler: WishartDraw.Sampler) {
    let settings = Machines.settings(kernel, depth: 2, width: 12)
    let draw = WishartDraw(settings, sampler)
    let drawn = Drawn(draw, 40_000, key: 13)
    let known = PriorMoments(settings).statistics(draw.schema)
    #expect(known.count == (kernel == .linear ? 26 : 2))
    for entry in known {
      let i = entry.observable
      let (value, error) =
        entry.statistic == .mean ? (drawn.mean[i], drawn.error[i]) : (drawn.square[i], drawn.squareError[i])
      #expect(abs(value - entry.value) < 4.5 * error, "\(kernel) \(draw.schema.observables[i].name) \(value) \(entry)")
    }
  }

  // MARK: Chains

  /// One point against quadrature: 6 runs of at most 7 means and a certificate, |z| < 4.5 (Student's law with 23 degrees of freedom: 1.6e-4 each), a false alarm in about 130 such suites.
  @Test(arguments: [
    ["depth": "1", "width": "8"], ["depth": "2", "width": "8", "kernel": "\"relu\""],
    ["depth": "3", "width": "32"], ["depth": "2", "width": "128", "output_ratio": "0.5", "noise": "0.5"],
    ["depth": "2", "width": "8", "sampler": "\"metropolis\"", "step": "0.8", "steps": "20000", "warm_up": "200"],
    ["depth": "1", "width": "1", "steps": "4000", "step": "0.4"],
  ])
  func chainsHaveTheMeansOfQuadrature(keys: [String: String]) throws {
    let snapshot = try Machines.run(Machines.text(Machines.onePoint.merging(keys) { $1 }))
    let known = Machines.predicted(snapshot.job, "exact")
    #expect(known.count == 2 * (Int(keys["depth"] ?? "") ?? 0) + 1)
    for (name, value) in known {
      let found = Machines.mean(snapshot, name)
      #expect(abs(found.value - value) < 4.5 * found.error, "\(keys) \(name) \(found), \(value)")
    }
    let residual = Machines.mean(snapshot, "residual")
    #expect(abs(residual.value) < 4.5 * residual.error, "\(keys) \(residual)")
    #expect(Machines.verdict(snapshot, "exact")?.verdict != .differs)
  }

  /// Three points against chains of an independent program, value(error) of each entry of the top layer: 15 entries, 4.5 combined errors.
  @Test(arguments: [
    (
      "linear", "1", "64", [0.6324, -0.2739, 0.6132, 0.2164, -0.1369, 0.3718],
      [5e-4, 6e-4, 6e-4, 4e-4, 4e-4, 7e-4]
    ),
    ("linear", "2", "32", [0.6823, -0.4841, 0.6688], [7e-4, 7e-4, 7e-4]),
    ("relu", "2", "32", [0.9173, -0.0590, 0.8975], [11e-4, 11e-4, 12e-4]),
  ])
  func printedPosteriors(kernel: String, depth: String, width: String, printed: [Double], errors: [Double]) throws {
    let snapshot = try Machines.run(
      Machines.text(["kernel": "\"\(kernel)\"", "depth": depth, "width": width]))
    let names = ["0,0", "1,0", "1,1", "2,0", "2,1", "2,2"]
    for (name, (value, error)) in zip(names, zip(printed, errors)) {
      let found = Machines.mean(snapshot, "gram[\(depth),\(name)]")
      let both = (found.error * found.error + error * error).squareRoot()
      #expect(abs(found.value - value) < 4.5 * both, "\(kernel) \(name) \(found), \(value)")
    }
    let acceptance = Machines.mean(snapshot, "acceptance").value
    #expect(acceptance > 0.6 && acceptance < 1, "\(acceptance)")
  }

  /// The two samplers of chains, erf: 7 entries and pieces of the evidence, |z| < 4.5.
  @Test func samplersAgree() throws {
    let keys = ["kernel": "\"erf\"", "depth": "2", "width": "16", "noise": "0.2"]
    let hmc = try Machines.run(Machines.text(keys))
    let walk = try Machines.run(
      Machines.text(keys.merging(["sampler": "\"metropolis\"", "steps": "10000", "warm_up": "1000"]) { $1 }))
    for name in ["gram[1,0,0]", "gram[1,1,0]", "gram[2,0,0]", "gram[2,2,1]", "complexity[1]", "complexity[2]", "fit"] {
      let (a, b) = (Machines.mean(hmc, name), Machines.mean(walk, name))
      #expect(abs(a.value - b.value) < 4.5 * (a.error * a.error + b.error * b.error).squareRoot(), "\(name) \(a) \(b)")
    }
  }

  /// Suspended and continued, the same bits, those of diagnostics that are not a number included.
  @Test(arguments: ["hmc", "metropolis"]) func suspendedChainsContinue(sampler: String) throws {
    let job = try Machines.read(
      Machines.text(["sampler": "\"\(sampler)\"", "kernel": "\"relu\"", "depth": "2", "steps": "100"]))
    let factory = try #require(job.cases[0].legs[0].experiment?.replicas)
    let context = ReplicaContext(replica: 3, key: 9, group: SelfCommunicator())
    let whole = try factory.begin(context, nil)
    try whole.advance(factory.steps)
    let first = try factory.begin(context, nil)
    try first.advance(73)
    let second = try factory.begin(context, first.save())
    try second.advance(factory.steps - 73)
    #expect(try whole.finish().row.map(\.bitPattern) == second.finish().row.map(\.bitPattern))
  }

  // MARK: Weights

  /// At N = 8 weights do: 4.5 errors by the delta method.
  @Test func weightsAtSmallWidths() throws {
    let keys = ["depth": "1", "width": "8", "sampler": "\"importance\"", "draws": "200000"]
    let snapshot = try Machines.run(Machines.text(Machines.onePoint.merging(keys) { $1 }, chains: false))
    let known = Machines.predicted(snapshot.job, "exact")
    let rows = Analyses.estimands(snapshot)[0].rows
    #expect(rows.map(\.estimand.name) == ["posterior_gram[1,0,0]", "evidence_per_width"])
    for row in rows {
      let value = try #require(known[row.estimand.name])
      #expect(abs(row.value - value) < 4.5 * row.error, "\(row.estimand.name) \(row.value)(\(row.error)), \(value)")
      #expect(row.effectiveDraws > 200)
    }
    #expect(Machines.verdict(snapshot, "exact")?.verdict != .differs)
  }

  /// At N = 128 a handful of draws has all the weight: refused, not silently wrong.
  @Test func weightsAreRefusedAtLargeWidths() throws {
    let keys = ["depth": "1", "width": "128", "sampler": "\"importance\"", "draws": "200000"]
    let snapshot = try Machines.run(Machines.text(Machines.onePoint.merging(keys) { $1 }, chains: false))
    let rows = Analyses.estimands(snapshot)[0].rows
    #expect(rows.allSatisfy { $0.effectiveDraws < 20 && $0.reason == "few_effective_draws" })
    for reference in ["exact", "objective-maximum"] {
      let comparison = try #require(Machines.verdict(snapshot, reference))
      #expect(comparison.verdict == .undecided, "\(comparison.sentence)")
    }
  }
}
