import Analyses
import Engine
import Experiments
import Foundation
import Jobs
import Statistics
import Testing

/// Posteriors of finite width against printed values, and against integrals of networks so small that they can be done.
@Suite struct PosteriorTests {
  /// The example of the page: tanh, two layers, two targets.
  private static func page(width: Int, draws: Int) -> PosteriorJob {
    PosteriorJob(
      network: """
        architecture = "mlp"
        activation = "tanh"
        c = 1.6
        bias = 0.22360679774997896
        width = \(width)
        depth = 2
        inputs = { gram = [[1.65, 0.53, 1.33], [0.53, 1.49, 1.586], [1.33, 1.586, 2.098]] }
        observables = ["log_V"]
        """, draws: draws, limits: ["infinite-width", "finite-width"])
  }

  private static let names = ["posterior_mean[2]", "posterior_variance[2]", "log_evidence"]

  private func predictions(_ file: JobFile, of leg: String) throws -> [Double] {
    let known = try #require(file.job.cases[0].legs.first { $0.name == leg }?.known)
    return try Self.names.map { name in
      try #require(known.statistics.first { $0.statistic == .estimand(name) }?.value)
    }
  }

  private func rows(_ file: JobFile) throws -> [Estimands.Row] {
    Analyses.estimands(try LocalRun.run(file.job, ranks: 2).snapshot)[0].rows
  }

  /// The process of infinite width and the coefficients of 1/n, by independent programs (six and seven digits; derivatives of phi
  /// and four-dimensional sums in the place of Hermite polynomials and panels).
  @Test func theLimitsOfThePage() throws {
    let file = try job(Self.page(width: 64, draws: 2).text)
    let infinite = try predictions(file, of: "infinite-width")
    let finite = try predictions(file, of: "finite-width")
    for (found, expected) in zip(infinite, [0.074097, 0.119942, -2.681938]) {
      #expect((found - expected).magnitude < 6e-7)
    }
    for (k, expected) in [0.0992317, 0.3340246, -1.0549809].enumerated() {
      #expect((64 * (finite[k] - infinite[k]) - expected).magnitude < 2e-7, "\(Self.names[k])")
    }
  }

  /// n (network - process), measured by an independent program at widths 32 and 128. Six statistics: four combined standard errors fail a true family
  /// once in 2,600.
  @Test(arguments: [
    (32, [(0.0891, 0.0007), (0.3224, 0.0006), (-1.0242, 0.0026)]),
    (128, [(0.0959, 0.0006), (0.3309, 0.0006), (-1.0492, 0.0027)]),
  ])
  func theNetworksOfThePage(width: Int, measured: [(Double, Double)]) throws {
    let file = try job(Self.page(width: width, draws: 20_000).text)
    let infinite = try predictions(file, of: "infinite-width")
    let rows = try rows(file)
    #expect(rows.map(\.estimand.name) == Self.names)
    for (k, row) in rows.enumerated() {
      let n = Double(width)
      let (value, error) = (n * (row.value - infinite[k]), n * row.error)
      let both = (error * error + measured[k].1 * measured[k].1).squareRoot()
      #expect((value - measured[k].0).magnitude < 4 * both, "\(row.estimand.name): \(value) +- \(error)")
      // Standard deviations with and without controls, by an independent program: a factor of 11.3, 2.9 and 6.1 at width 32, 24, 5.3 and 12 at 128.
      let factor = width == 32 ? [10, 2.6, 5.5] : [21, 4.7, 10.5]
      #expect(row.plainError > factor[k] * row.error, "\(row.estimand.name): \(row.plainError / row.error)")
    }
  }

  /// The effective share (E w)^2 / E w^2 = 1/(1 + c^2), c^2 = Var w / (E w)^2, is .95 at width 32 by an independent program: half a unit of its last digit and
  /// four standard errors, which follow from the moments of w to the fourth (delta method). One statistic: a true one fails once in 16,000.
  @Test func effectiveShare() throws {
    var page = Self.page(width: 32, draws: 20_000)
    page.seed = 20_261_129
    let file = try job(page.text)
    let snapshot = try LocalRun.run(file.job, ranks: 2).snapshot
    let place = try #require(file.job.cases[0].legs[0].observables.firstIndex { $0.name == "weight" })
    let w = snapshot.states[0].tally.moments(place)
    let n = 20_000.0
    let c = w.variance.squareRoot() / w.mean
    let square = c * c * (w.kurtosis + 2) - 4 * w.skewness * c * c * c + 4 * c * c * c * c
    let error = c * (square / n).squareRoot() / ((1 + c * c) * (1 + c * c))
    let share = Analyses.estimands(snapshot)[0].rows[0].effectiveDraws / n
    #expect((share * (1 + c * c) - 1).magnitude < 1e-3)
    #expect((share - 0.95).magnitude < 0.005 + 4 * error, "\(share) +- \(error)")
    #expect(error < 0.002)
  }

  /// Controls have expectation 0 at every width and depth, also where they are of little use: 3 or 6 of them, 5 networks, |z| < 4.5.
  @Test(arguments: [
    "architecture = \"mlp\"\nactivation = \"tanh\"\nc = 4.0\nbias = 0.3",
    "architecture = \"mlp\"\nactivation = \"gelu\"",
    "architecture = \"mlp\"\nactivation = \"relu\"", "architecture = \"gated-mlp\"\nactivation = \"tanh\"",
    "architecture = \"linear-mlp\"",
  ])
  func controlsHaveNoMean(network: String) throws {
    let file = try job(
      PosteriorJob(
        seed: 15,
        network: "\(network)\nwidth = 5\ndepth = 3\nlayers = [2, 3]\ninputs = { correlation = 0.6, count = 3 }",
        draws: 5_000, targets: [0.5, -0.3], noise: 0.5
      ).text)
    let snapshot = try LocalRun.run(file.job, ranks: 2).snapshot
    let observables = file.job.cases[0].legs[0].observables
    var count = 0
    for record in 0..<2 {
      for (place, observable) in observables.enumerated() where observable.family.hasSuffix("_control") {
        let found = snapshot.states[0].tally.moments(record * observables.count + place)
        #expect((found.mean / found.meanError).magnitude < 4.5, "\(observable.name), \(record): \(found.mean)")
        #expect(found.variance > 0)
        count += 1
      }
    }
    #expect(count == 6)
  }

  /// The numbers of single draws: where every weight is 1 the mean over networks is another one.
  @Test func weightsMatter() throws {
    var page = Self.page(width: 32, draws: 200_000)
    (page.keys, page.more) = ("controls = \"none\"", "[run]\nkeep = 200_000")
    let file = try job(page.text)
    let snapshot = try LocalRun.run(file.job, ranks: 2).snapshot
    let names = file.job.cases[0].legs[0].observables.map(\.name)
    let (weight, mean) = (names.firstIndex(of: "weight")!, names.firstIndex(of: "weighted_mean[2]")!)
    let unweighted = Moments(values: snapshot.states[0].rows.values.values.map { $0[mean] / $0[weight] })
    let weighted = Analyses.estimands(snapshot)[0].rows[0]
    #expect((unweighted.mean - weighted.value).magnitude > 5 * unweighted.meanError)
    // By the rows themselves: the same ratio.
    let sums = snapshot.states[0].rows.values.values.reduce((0.0, 0.0)) { ($0.0 + $1[mean], $0.1 + $1[weight]) }
    #expect((sums.0 / sums.1 - weighted.plainValue).magnitude < 1e-9)
  }

  /// One hypothesis a number: twenty equal inputs, V = 1, noise 1, truth .5. The regret of a normal mean is 1.16512, and its bound 2.35486, by independent
  /// programs.
  @Test func regretOfANormalMean() throws {
    let known = try regretJob("width = 2", draws: 2).job.cases[0].legs.first { $0.name == "infinite-width" }?.known
    let bound = try #require(known?.statistics.first { $0.statistic == .estimand("regret_bound") }?.value)
    #expect((bound - 2.35486).magnitude < 6e-6, "\(bound)")
    let regret = try #require(known?.mean(of: "regret", record: 0))
    #expect((regret - 1.16512).magnitude < 6e-6, "\(regret)")
  }

  private func regretJob(_ width: String, draws: Int) throws -> JobFile {
    let inputs = Array(repeating: Array(repeating: 1.0, count: 20), count: 20)
    return try job(
      PosteriorJob(
        seed: 16, network: "architecture = \"linear-mlp\"\n\(width)\ndepth = 1\ninputs = { gram = \(inputs) }",
        draws: draws, train: Array(0..<20), targets: Array(repeating: 0.5, count: 20), noise: 1, test: [0],
        keys: "regret = true", limits: ["infinite-width"]
      ).text)
  }

  /// Width 2 of the same: V is exponential, so both are integrals over it. Two statistics, 4.5 standard errors.
  @Test func regretOfTwoUnits() throws {
    let file = try regretJob("width = 2", draws: 20_000)
    let snapshot = try LocalRun.run(file.job, ranks: 2).snapshot
    let bound = try #require(Analyses.estimands(snapshot)[0].rows.first { $0.estimand.name == "regret_bound" })
    // Of twenty equal outputs the divergence is 20 (w - .5)^2 / 2.
    let e = bound.estimand.offsets[0]
    let reach = (2 * e / 20).squareRoot()
    var (regret, mass) = (0.0, 0.0)
    let step = 0.05
    for i in -800...120 {
      // v = exp(t): a sum over t is an integral to all digits.
      let v = exp(Double(i) * step)
      let p = v * exp(-v) * step
      regret += p * 0.5 * (log(1 + 20 * v) + (5 - 20 * v) / (20 * v + 1))
      func distribution(_ x: Double) -> Double { 0.5 * erfc(-x / (2 * v).squareRoot()) }
      mass += p * (distribution(0.5 + reach) - distribution(0.5 - reach))
    }
    #expect((bound.value - (e - log(mass))).magnitude < 4.5 * bound.error, "\(bound.value) \(e - log(mass))")
    let place = try #require(file.job.cases[0].legs[0].observables.firstIndex { $0.name == "regret" })
    let found = snapshot.states[0].tally.moments(place)
    #expect((found.mean - regret).magnitude < 4.5 * found.meanError, "\(found.mean) \(regret)")
    #expect(bound.error < 0.02 && found.meanError < 0.01)
  }

  private struct Exact {
    var weights = 0.0
    var first = 0.0
    var second = 0.0

    /// A network of covariance v, train 0 and test 1, with its probability.
    mutating func add(_ v: (Double, Double, Double), y: Double, noise: Double, probability p: Double) {
      let k = v.0 + noise
      let likelihood = p * exp(-0.5 * y * y / k) / (2 * Double.pi * k).squareRoot()
      let (m, s) = (v.1 / k * y, v.2 - v.1 * v.1 / k)
      weights += likelihood
      first += likelihood * m
      second += likelihood * (s + m * m)
    }

    var values: [Double] { [first / weights, second / weights - first / weights * (first / weights), log(weights)] }
  }

  /// Width 1, tanh, one layer: an integral over two normals. Three statistics, 4.5 standard errors.
  @Test(arguments: ["layers", "none"])
  func widthOneIsAnIntegral(controls: String) throws {
    var exact = Exact()
    let step = 0.05
    for i in -180...180 {
      for j in -180...180 {
        let (x, y) = (Double(i) * step, Double(j) * step)
        let p = exp(-0.5 * (x * x + y * y)) / (2 * Double.pi) * step * step
        // Of covariance 2, 1; 1, 1.5.
        let (a, b) = (tanh(2.0.squareRoot() * x), tanh(x / 2.0.squareRoot() + y))
        exact.add((3 * a * a, 3 * a * b, 3 * b * b), y: 0.8, noise: 0.2, probability: p)
      }
    }
    let file = try job(
      PosteriorJob(
        seed: 12,
        network: """
          architecture = "mlp"
          activation = "tanh"
          c = 3.0
          width = 1
          depth = 1
          inputs = { gram = [[2.0, 1.0], [1.0, 1.5]] }
          observables = ["V"]
          """, draws: 100_000, train: [0], targets: [0.8], noise: 0.2, test: [1], keys: "controls = \"\(controls)\""
      ).text)
    for (row, expected) in zip(try rows(file), exact.values) {
      #expect((row.value - expected).magnitude < 4.5 * row.error, "\(row.estimand.name): \(row.value), \(expected)")
      #expect(row.error < 0.01 && row.reason.isEmpty)
    }
  }

  /// Linear, width 2, two layers, two equal inputs: V = e f, products of exponentials, and the prediction is that of the training input.
  @Test func aLinearNetworkOfWidthTwo() throws {
    var exact = Exact()
    let step = 0.05
    // e = exp(s): a sum over s is an integral to all digits.
    for i in -700...120 {
      for j in -700...120 {
        let (s, t) = (Double(i) * step, Double(j) * step)
        let (e, f) = (exp(s), exp(t))
        let v = e * f
        exact.add((v, v, v), y: 1.5, noise: 0.3, probability: exp(s + t - e - f) * step * step)
      }
    }
    for architecture in ["linear-mlp", "mlp\"\nactivation = \"linear"] {
      let file = try job(
        PosteriorJob(
          seed: 13,
          network: """
            architecture = "\(architecture)"
            width = 2
            depth = 2
            inputs = { gram = [[1.0, 1.0], [1.0, 1.0]] }
            observables = ["V"]
            """, draws: 100_000, train: [0], targets: [1.5], noise: 0.3, test: [1]
        ).text)
      for (row, expected) in zip(try rows(file), exact.values) {
        #expect((row.value - expected).magnitude < 4.5 * row.error, "\(row.estimand.name): \(row.value), \(expected)")
      }
    }
  }

  /// Targets that hardly any network explains: nothing is concluded, and the sentence says why.
  @Test func fewEffectiveDrawsAreUndecided() throws {
    var page = Self.page(width: 4, draws: 2000)
    (page.targets, page.noise) = ([9, -9], 0.0001)
    let found = Analyses.comparisons(try LocalRun.run(job(page.text).job, ranks: 1).snapshot)
    let rows = found[0].rows.filter { Self.names.contains($0.observable) }
    #expect(rows.count == 3 && rows.allSatisfy { $0.reason == .fewEffectiveDraws }, "\(rows.map(\.reason))")
  }

  /// The other architectures that have a posterior: at a large width, that of infinite width; E weight is 1 there.
  @Test(arguments: [
    "architecture = \"gated-mlp\"\nactivation = \"tanh\"", "architecture = \"resnet\"\nactivation = \"tanh\"",
    "architecture = \"linear-mlp\"", "architecture = \"ntk-mlp\"\nactivation = \"tanh\"\nbias = 0.3",
    "architecture = \"mlp\"\nactivation = \"relu\"\nsampler = \"weights\"",
  ])
  func everyArchitectureTendsToTheProcess(network: String) throws {
    let file = try job(
      PosteriorJob(
        seed: 14, network: "\(network)\nwidth = 400\ndepth = 2\ninputs = { correlation = 0.3, count = 3 }", draws: 500,
        limits: ["infinite-width"]
      ).text)
    let infinite = try predictions(file, of: "infinite-width")
    let found = try rows(file)
    for (k, row) in found.enumerated() {
      // Off by some coefficient of order 1 over n, and by the error.
      #expect((row.value - infinite[k]).magnitude < 4 / 400 + 5 * row.error, "\(row.estimand.name): \(row.value)")
      #expect(row.error < 0.02)
    }
  }

  /// Regression with the tangent kernel: at infinite width by an independent program (sums over a grid, phi' itself), at noise 0.1 and 0, and networks
  /// of width 300 near it. Two statistics.
  @Test(arguments: [(0.1, 0.03678635489, 1.76131843), (0, 0.03027904429, 1.81344506)])
  func trainedNetworks(noise: Double, expected: Double, condition: Double) throws {
    var page = Self.page(width: 300, draws: 4000)
    page.noise = noise
    page.limits[1] = "infinite-width-ntk"
    page.network = page.network.replacing(
      "observables = [\"log_V\"]", with: "probes = [\"ntk\"]\nobservables = [\"ntk\"]")
    let file = try job(page.text)
    let legs = file.job.cases[0].legs
    let limit = try #require(legs.first { $0.name == "infinite-width-ntk" })
    let known = try #require(limit.known)
    let place = try #require(known.observables.firstIndex { $0.name == "trained_mean[2]" })
    let found = try #require(known.statistics.first { $0.statistic == .mean && $0.observable == place }?.value)
    #expect((found - expected).magnitude < 1e-10, "\(found)")
    let printed = try #require(limit.attributes["ntk_condition"].flatMap { Double($0) })
    #expect((printed - condition).magnitude < 1e-7)
    let snapshot = try LocalRun.run(file.job, ranks: 2).snapshot
    let own = try #require(legs[0].observables.firstIndex { $0.name == "trained_mean[2]" })
    let moments = snapshot.states[0].tally.moments(own)
    #expect((moments.mean - expected).magnitude < 1.0 / 300 + 4.5 * moments.meanError, "\(moments.mean)")
    #expect(moments.meanError < 0.002)
  }
}
