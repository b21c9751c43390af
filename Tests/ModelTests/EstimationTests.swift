import Estimation
import Experiments
import Foundation
import Limits
import Randomness
import Statistics
import Testing

/// A problem of `[estimation]`, as a job would ask for it.
private struct Estimates {
  let model: DrawnProblemModel
  let legs: [Leg]

  init(_ problem: String, _ keys: [String: any Sendable]) throws {
    let table = ProblemRuns.value(["problem": problem, "draws": 2].merging(keys) { $1 })
    let found = try EstimationFamily.read(table, JobContext(path: "estimation", options: [:], data: NoData()))
    (model, legs) = (found.model, found.legs)
  }

  func sample(_ name: String, _ draws: Int, record: Int = 0) throws -> [Double] {
    let schema = model.problem.schema
    let place = schema.index(record, try #require(schema.place(of: name)))
    let runner = try #require(model.experiment.makeRunner(key: Stream.key(seed: 2026, path: "estimation")))
    return (0..<draws).map { runner.values(UInt64($0))[place] }
  }

  /// What is exact at this size.
  func exact(_ name: String, _ statistic: Statistic = .mean, record: Int = 0) throws -> Double {
    let known = try #require(model.known)
    let place = try #require(known.schema.place(of: name))
    return try #require(
      known.statistics.first { $0.observable == place && $0.statistic == statistic && $0.record == record }
    ).value
  }

  /// What a limit says of a mean.
  func limit(_ equation: String, _ name: String, _ keys: [String: any Sendable] = [:]) throws -> Double {
    let entry = try #require(EstimationLimits.all.first { $0.name == equation })
    let table = ProblemRuns.value(["equation": equation].merging(keys) { $1 })
    let p = try Parameters(table, path: "limit", allowed: entry.parameters)
    guard case .known(let values) = try entry.make(p, model).content else { return .nan }
    return try #require(values.mean(of: name, record: 0))
  }
}

/// Estimators on drawn data. Two hundred statistical tests in all: 4.5 standard errors each keep the probability of a false alarm below .002.
@Suite struct EstimationTests {
  private static func check(_ values: [Double], _ expected: Double, sourceLocation: SourceLocation = #_sourceLocation) {
    let found = Moments(values: values)
    #expect(
      (found.mean - expected).magnitude < 4.5 * found.meanError, "\(found.mean) +- \(found.meanError), \(expected)",
      sourceLocation: sourceLocation)
  }

  /// The reduced law against every number of the data: means, and squares, of every observable.
  @Test(
    arguments: [
      ("pretraining", ["dimension": 6, "unlabelled": 20, "samples": 14, "signal": 1.5]),
      ("pretraining", ["dimension": 9, "unlabelled": 4, "samples": 5, "signal": 3.0]),
      ("mle-risk", ["dimension": 3, "samples": 14]), ("mle-risk", ["model": "gamma", "shape": 1.5, "samples": 9]),
      ("adaptive-queries", ["samples": 7, "queries": 5]),
      ("adaptive-queries", ["samples": 64, "queries": 9, "noise": 0.1]), ("magnitude", ["samples": 6, "scale": 4.0]),
      ("sensors", ["samples": 5, "length": 0.3]), ("conformal", ["samples": 9, "level": 0.25, "width": 6]),
      ("conformal", ["samples": 12, "width": 5, "train": 8]),
      ("kernel-density", ["dimension": 8, "points": 1000, "bandwidths": [0.2, 0.6, 1.5]]),
      ("determinantal-design", ["functions": 4, "samples": 4, "design": "volume"]),
      ("determinantal-design", ["functions": 3, "samples": 6, "design": "repeated", "basis": "hermite"]),
    ] as [(String, [String: any Sendable])])
  func reducedLawIsThePlainOne(problem: String, keys: [String: any Sendable]) throws {
    let plain = ["sensors": "path", "determinantal-design": "chain"][problem] ?? "data"
    let sides = try [problem == "determinantal-design" ? "tridiagonal" : "reduced", plain].map {
      try Estimates(problem, keys.merging(["sampler": $0]) { $1 })
    }
    for observable in sides[0].model.problem.observables where observable.role != .heavyTailed {
      let record = sides[0].model.problem.axis.count / 2
      let values = try sides.map { try $0.sample(observable.name, 6000, record: record) }
      for power in [{ $0 }, { $0 * $0 }] as [(Double) -> Double] {
        let z = zScore(Moments(values: values[0].map(power)), Moments(values: values[1].map(power)))
        #expect(z.magnitude < 4.5, "\(problem) \(observable.name): z = \(z)")
      }
    }
  }

  /// Overlap and risks of an independent program, and their limits (theory, more.md M12).
  @Test func pretraining() throws {
    let few = try Estimates("pretraining", ["dimension": 200, "unlabelled": 800, "samples": 20])
    let many = try Estimates("pretraining", ["dimension": 200, "unlabelled": 800, "samples": 300])
    expectMean(try few.sample("overlap", 4000), 0.836, 0.002)
    expectMean(try few.sample("risk", 4000), 0.661, 0.006)
    expectMean(try many.sample("risk", 4000), 0.6269, 0.0008)
    expectMean(try many.sample("direct_risk", 4000), 1.741, 0.016)
    #expect((try few.limit("spiked-covariance", "overlap") - 0.833333).magnitude < 1e-6)
    #expect((try few.limit("spiked-covariance", "risk") - 0.6597).magnitude < 5e-5)
    #expect((try many.limit("spiked-covariance", "risk") - 0.6271).magnitude < 5e-5)
    #expect((try many.exact("direct_risk") - 1.7618).magnitude < 5e-5)
    Self.check(try many.sample("direct_risk", 20_000), try many.exact("direct_risk"))
    // Below theta^2 = D/m nothing is learned; and no direction is as good as u.
    let blind = try Estimates(
      "pretraining", ["dimension": 400, "unlabelled": 100, "samples": 20, "signal": 1.0])
    #expect(try blind.limit("spiked-covariance", "overlap") == 0)
    #expect(Moments(values: try blind.sample("overlap", 200)).mean < 0.05)
  }

  /// Exact means, variances and the whole law of the coverage, whatever the network (more.md M14).
  @Test func conformal() throws {
    let reduced = try Estimates("conformal", ["samples": 19])
    #expect((try reduced.exact("coverage") - 0.9).magnitude < 1e-15)
    #expect((try reduced.exact("coverage", .variance) - 0.0042857).magnitude < 5e-8)
    for keys in [["sampler": "reduced"], ["sampler": "data", "width": 3], ["sampler": "data", "train": 40]]
      as [[String: any Sendable]]
    {
      let side = try Estimates("conformal", keys.merging(["samples": 19]) { $1 })
      let values = try side.sample("coverage", 5000)
      Self.check(values, 0.9)
      Self.check(values.map { ($0 - 0.9) * ($0 - 0.9) }, 18.0 * 2 / (400 * 21))
      // Kolmogorov-Smirnov against the law of the exact leg, at probability 1e-5.
      let law = try #require(side.model.known?.statistics.compactMap(\.law).first)
      let sorted = values.sorted()
      var distance = 0.0
      for (i, x) in sorted.enumerated() {
        let p = law.probability(below: x)
        distance = max(
          distance, Double(i + 1) / Double(sorted.count) - p.upperBound, p.lowerBound - Double(i) / Double(sorted.count)
        )
      }
      #expect(distance < 2.47 / Double(sorted.count).squareRoot(), "\(keys): \(distance)")
    }
  }

  /// Closed forms and their expansion (more.md M15), and draws on them.
  @Test func riskOfTheLikelihoodEstimate() throws {
    let normal = try Estimates("mle-risk", ["dimension": 3, "samples": 30])
    #expect((try normal.exact("risk") - 0.20162).magnitude < 5e-6)
    #expect((try normal.limit("risk-expansion", "risk", ["order": 1]) - 0.15).magnitude < 1e-12)
    Self.check(try normal.sample("risk", 20_000), try normal.exact("risk"))
    let gamma = try Estimates("mle-risk", ["model": "gamma", "samples": 10])
    #expect((try gamma.exact("risk") - 0.0602786).magnitude < 5e-8)
    #expect((try gamma.limit("risk-expansion", "risk") - 0.0591667).magnitude < 5e-8)
    Self.check(try gamma.sample("risk", 20_000), try gamma.exact("risk"))
    // The expansions leave out order n^-3: ten times the examples, a thousandth of the rest.
    for keys in [["dimension": 4], ["model": "gamma", "shape": 2.5]] as [[String: any Sendable]] {
      let rests = try [100, 1000].map { n in
        let side = try Estimates("mle-risk", keys.merging(["samples": n]) { $1 })
        return try side.exact("risk") - side.limit("risk-expansion", "risk")
      }
      #expect((rests[0] / rests[1] / 1000 - 1).magnitude < 0.2, "\(rests)")
    }
  }

  /// Printed biases (more.md M17), their limit, and the binomial sum for odd, even and few examples.
  @Test func adaptiveQueries() throws {
    for (k, noise, printed, limit) in [(100, 0.0, 0.797, 0.798), (400, 0, 1.595, 1.596), (400, 0.2, 0.715, 0.714)] {
      let side = try Estimates("adaptive-queries", ["samples": 100, "queries": k, "noise": noise])
      #expect((try side.exact("bias") - printed).magnitude < 0.004)
      #expect((try side.limit("gaussian-answers", "bias") - limit).magnitude < 5e-4)
      Self.check(try side.sample("bias", 4000), try side.exact("bias"))
      Self.check(try side.sample("fresh", 4000), 0)
    }
    for n in [1, 2, 3, 8] {
      let side = try Estimates("adaptive-queries", ["samples": n, "queries": 3, "noise": 0.3])
      let values = try side.sample("bias", 20_000)
      Self.check(values, try side.exact("bias"))
      let mean = try side.exact("bias")
      Self.check(values.map { ($0 - mean) * ($0 - mean) }, try side.exact("bias", .variance))
    }
  }

  /// Printed magnitudes of the interval and of the ball, and the bodies they fill (more.md M18).
  @Test func magnitude() throws {
    for (n, printed, exact) in [(10, 2.914, 2.9104), (40, 3.3617, 3.3620)] {
      let side = try Estimates("magnitude", ["samples": n, "scale": 5.0])
      #expect((try side.exact("magnitude") - exact).magnitude < 5e-5)
      Self.check(try side.sample("magnitude", 20_000), try side.exact("magnitude"))
      expectMean(try side.sample("magnitude", 4000), printed, n == 10 ? 0.004 : 0.0013)
      #expect(try side.limit("filled-body", "magnitude") == 3.5)
    }
    let ball = try Estimates("magnitude", ["samples": 100, "dimension": 3])
    expectMean(try ball.sample("magnitude", 150), 3.300, 0.005)
    #expect((try ball.limit("filled-body", "magnitude") - 25.0 / 6).magnitude < 1e-14)
  }

  /// Hulls of points of a disc: mean numbers of vertices, and what the points say of them by values of another program (NumPy and SciPy, 20,000 sets).
  @Test func hull() throws {
    for n in [4, 5] {
      let side = try Estimates("magnitude", ["samples": n, "dimension": 2])
      Self.check(try side.sample("hull_size", 20_000), try side.exact("hull_size"))
    }
    for (scale, weight, loss) in [
      (0.5, (0.97547627, 0.00035), (0.91699791, 0.00061)), (5, (0.75052, 0.00083), (0.71444, 0.00087)),
      (20, (0.58057, 0.00096), (0.58036, 0.00096)),
    ] {
      let side = try Estimates("magnitude", ["samples": 20, "dimension": 2, "scale": scale])
      for (name, printed) in [("hull_size", (8.2653, 0.0052)), ("weight_recall", weight), ("loss_recall", loss)] {
        expectMean(try side.sample(name, 4000), printed.0, printed.1)
      }
    }
  }

  /// Exact errors of sensors against the double integral in closed form, and their limit (more.md M19).
  @Test func sensors() throws {
    for (m, exact, limit) in [(10, 3.563e-5, 3.473e-5), (20, 2.184e-6, 2.170e-6), (40, 1.3586e-7, 1.3565e-7)] {
      let side = try Estimates("sensors", ["samples": m])
      #expect((try side.exact("square_error") / exact - 1).magnitude < 2e-4)
      #expect((try side.limit("dense-sensors", "square_error") / limit - 1).magnitude < 2e-4)
      Self.check(try side.sample("square_error", 20_000), try side.exact("square_error"))
    }
    let l = 0.4
    let whole =
      2 * (l * (Double.pi / 2).squareRoot() * erf(1 / (l * 2.0.squareRoot())) - l * l * (1 - exp(-1 / (2 * l * l))))
    #expect(
      (try Estimates("sensors", ["samples": 3, "length": l]).exact("integral", .variance) - whole).magnitude < 1e-12)
  }

  /// Density estimates of 2,981 points in 16 dimensions against an independent program and exact integrals (theory, kernels.md 8).
  @Test func kernelDensity() throws {
    let widths = [0.3260725, 0.652145, 0.922272]
    let side = try Estimates("kernel-density", ["dimension": 16, "points": 2981, "bandwidths": widths])
    let printed = [(-40.584 / 16, 0.8158), (-24.035 / 16, 0.3462), (-24.014 / 16, 0.0750)]
    for (record, (logDensity, participation)) in printed.enumerated() {
      #expect((try side.exact("log_density", record: record) - logDensity).magnitude < 5e-5)
      #expect((try side.exact("participation", record: record) - participation).magnitude < 6e-5)
      for name in ["log_density", "participation", "divergence"] {
        Self.check(try side.sample(name, 4000, record: record), try side.exact(name, record: record))
      }
    }
    // Where most of the sum is counted in cells.
    let flat = try Estimates("kernel-density", ["dimension": 6, "points": 5000, "bandwidths": [2.0]])
    for name in ["log_density", "participation"] { Self.check(try flat.sample(name, 4000), try flat.exact(name)) }
    // At any n, of d = 10 to 160: half of h_G, and h_G.
    let regimes = KernelDensity.Regimes(rate: 0.5)
    #expect((regimes.condensation - 0.652145).magnitude < 5e-7)
    #expect((regimes.best - 0.622436).magnitude < 5e-7)
    #expect((regimes.logDensity(0.5 * regimes.condensation) + 2.12023).magnitude < 5e-6)
    #expect((regimes.logDensity(regimes.condensation) + 1.44693).magnitude < 5e-6)
    #expect(regimes.participation(0.5 * regimes.condensation) == 0.75)
    for (d, below, at, y, yAt) in [
      (10, -2.73954, -1.54021, 0.837, 0.428), (40, -2.31799, -1.46775, 0.785, 0.222),
      (160, -2.18447, -1.45196, 0.762, 0.110),
    ] {
      let exact = KernelDensityIntegrals(dimension: d, points: exp(0.5 * Double(d)))
      let (low, middle) = (
        exact.values(bandwidth: 0.5 * regimes.condensation), exact.values(bandwidth: regimes.condensation)
      )
      #expect((low.logDensity - below).magnitude < 1.5e-5, "\(d): \(low)")
      #expect((middle.logDensity - at).magnitude < 1.5e-5, "\(d): \(middle)")
      #expect((low.participation - y).magnitude < 6e-4 && (middle.participation - yAt).magnitude < 6e-4)
    }
    for (rate, expected) in [(0.25, 0.946847), (1.0, 0.372106)] {
      #expect((KernelDensity.Regimes(rate: rate).condensation - expected).magnitude < 5e-7)
    }
  }

  /// Designs against an independent program: sums over a process, the factor m + 1 of n = m, quantiles and stability (theory, kernels.md 9).
  @Test func determinantalDesigns() throws {
    func design(_ keys: [String: any Sendable]) throws -> Estimates { try Estimates("determinantal-design", keys) }
    let process = try design(["functions": 5, "samples": 5, "function": "exp(3*x)"])
    #expect((try process.exact("sum_of_squares") - 2.474747).magnitude < 5e-7)
    #expect((try process.exact("sum_of_squares", .variance) - 0.127706).magnitude < 5e-7)
    for keys in [
      ["functions": 5, "samples": 5], ["functions": 5, "samples": 5, "basis": "hermite"],
      ["functions": 2, "samples": 9, "basis": "hermite", "design": "iid"], ["functions": 3, "samples": 7],
      ["functions": 3, "samples": 9, "design": "repeated"],
    ] as [[String: any Sendable]] {
      let side = try design(keys)
      let (values, mean) = (try side.sample("sum_of_squares", 20_000), try side.exact("sum_of_squares"))
      Self.check(values, mean)
      Self.check(values.map { ($0 - mean) * ($0 - mean) }, try side.exact("sum_of_squares", .variance))
    }
    #expect(
      (try design(["functions": 5, "samples": 5, "basis": "hermite"]).exact("sum_of_squares") - 25).magnitude < 1e-10)
    // What is above 1000 hardly counts in the mean, and much in its error.
    for m in [2, 3] {
      let side = try design(["functions": m, "samples": m, "function": "exp(3*x)"])
      #expect(try side.exact("error_ratio") == Double(m + 1))
      Self.check(try side.sample("error_ratio", 40_000).map { min($0, 1000) }, Double(m + 1))
    }
    for (name, n, mean, error, unstable) in [
      ("volume", 40, 1.435, 0.012, 0.86), ("repeated", 40, 1.224, 0.004, 0.27), ("repeated", 20, 1.763, 0.017, nil),
    ] as [(String, Int, Double, Double, Double?)] {
      let side = try design(["functions": 10, "samples": n, "design": name])
      expectMean(try side.sample("error_ratio", 4000), mean, error, "\(name) \(n)")
      if let unstable { expectMean(try side.sample("unstable", 4000), unstable, 0.01, "\(name) unstable") }
    }
    let iid = try design(["functions": 10, "samples": 40, "design": "iid"])
    expectMean(try iid.sample("unstable", 4000), 0.93, 0.008)
    #expect(
      (try design(["functions": 10, "samples": 20, "design": "iid"]).sample("error_ratio", 4001).sorted()[2000] - 3.8)
        .magnitude < 0.3)
  }

  /// What has no finite answer, or none at this size, is refused with the key.
  @Test(
    arguments: [
      ("conformal", ["samples": 8], "samples"), ("mle-risk", ["dimension": 5, "samples": 7], "samples"),
      ("mle-risk", ["model": "gamma", "shape": 0.5, "samples": 2], "samples"),
      ("magnitude", ["samples": 5000, "dimension": 2], "samples"), ("pretraining", ["dimension": 5], "unlabelled"),
      ("pretraining", ["dimension": 90_000, "unlabelled": 9000, "samples": 9, "sampler": "data"], "sampler"),
      ("sensors", ["samples": 4, "length": 0.01], "length"),
      ("adaptive-queries", ["samples": 4, "queries": 0], "queries"),
      ("magnitud", ["samples": 4], "magnitude"),
      ("kernel-density", ["dimension": 4, "bandwidths": [1.0]], "points"),
      ("kernel-density", ["dimension": 200, "rate": 0.5, "bandwidths": [1.0]], "rate"),
      ("kernel-density", ["dimension": 4, "points": 9, "bandwidths": [1.0, 0.5]], "bandwidths"),
      ("determinantal-design", ["functions": 5, "samples": 4], "samples"),
      ("determinantal-design", ["functions": 5, "samples": 12, "design": "repeated"], "samples"),
      ("determinantal-design", ["functions": 5, "samples": 9, "function": "x^3"], "function"),
      ("determinantal-design", ["functions": 5, "samples": 9, "function": "y^3"], "function"),
      ("sensors", ["samples": 4, "observables": ["error"]], "observables"),
    ] as [(String, [String: any Sendable], String)])
  func refused(problem: String, keys: [String: any Sendable], word: String) throws {
    let failure = try #require(throws: Failure.self) { try Estimates(problem, keys) }
    #expect("\(failure)".contains(word), "\(failure)")
  }
}
