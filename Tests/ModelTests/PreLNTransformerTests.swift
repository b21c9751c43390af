import Experiments
import Kernels
import Limits
import Networks
import Randomness
import Statistics
import Testing

/// The pre-LN Transformer and its limits: printed values, closed forms at finite size, and each limit by a second route. That the
/// reduced sampler has the law of drawing every weight is a line of `ConformanceTests`. Some 110 comparisons at 4 standard
/// errors: one true one in 140 runs fails by chance.
@Suite struct PreLNTransformerTests {
  static func model(
    width n: Int, depth: Int, _ inputs: JobValue, _ extra: [String: JobValue] = [:],
    observables: [String] = ["V", "rho"]
  ) throws -> NetworkModel {
    let keys: [String: JobValue] = [
      "architecture": .text("pre-ln-transformer"), "activation": .text("gelu"), "width": .integer(Int64(n)),
      "depth": .integer(Int64(depth)), "inputs": inputs, "draws": .integer(10), "layers": .text("all"),
      "observables": .list(observables.map { .text($0) }),
    ]
    return try NetworkCatalog.read(.table(keys.merging(extra) { $1 }), path: "network", data: NoData())
  }

  static func limit(_ equation: String, _ network: NetworkModel, _ extra: [String: JobValue] = [:]) throws -> Leg {
    try limitLegs(
      .table(["equation": .text(equation)].merging(extra) { $1 }), path: "limit", network: network, networkDraws: 10
    ).legs[0]
  }

  static func gram(_ rows: [[Double]]) -> JobValue {
    table(["gram": .list(rows.map { .list($0.map { .real($0) }) })])
  }

  /// Three tokens of different norms.
  static let three = gram([[1, 0.5, 0.2], [0.5, 1, -0.3], [0.2, -0.3, 0.8]])

  func check(
    _ value: Double, _ error: Double, _ truth: Double, _ truthError: Double = 0, _ what: String,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let z = (value - truth) / (error * error + truthError * truthError).squareRoot()
    #expect(
      abs(z) < 4, "\(what): \(value) +- \(error), expected \(truth) +- \(truthError), z = \(z)",
      sourceLocation: location)
  }

  // MARK: Printed values

  /// Three tokens, gains 1, gelu, M = 4: R_00 and correlations after 1 and 4 blocks at infinite width with infinitely many heads.
  @Test func infiniteWidthTable() throws {
    let network = try Self.model(width: 64, depth: 4, Self.three)
    let known = try Self.limit("infinite-width", network).known!
    let truth = [
      ("V[0,0]", 1, 1.9710, 0.0005), ("rho[0,1]", 1, 0.6320, 0.0002), ("rho[1,2]", 1, 0.0809, 0.0003),
      ("V[0,0]", 4, 5.4148, 0.0005), ("rho[0,1]", 4, 0.8000, 0.0001), ("rho[1,2]", 4, 0.5265, 0.0002),
    ]
    for (name, layer, value, error) in truth {
      let found = try #require(known.mean(of: name, record: layer - 1))
      check(found, 0, value, error, "\(name) after \(layer)")
    }
  }

  /// The same at n = 64 and 256 with 4 heads.
  @Test(arguments: [(64, 0.6262, 0.0008, 0.7890, 0.0006, 0.510), (256, 0.6307, 0.0008, 0.7968, 0.0005, 0.524)])
  func finiteWidthTable(
    width: Int, first: Double, firstError: Double, last: Double, lastError: Double, other: Double
  ) throws {
    let network = try Self.model(width: width, depth: 4, Self.three, ["heads": .integer(4)], observables: ["rho"])
    let tally = sample(network.experiment, validating ? 200_000 : 20_000, name: "table \(width)")
    func mean(_ name: String, _ layer: Int) -> Moments {
      tally.moments(index(network.experiment, name, layer: layer - 1))
    }
    let (a, b, c) = (mean("rho[0,1]", 1), mean("rho[0,1]", 4), mean("rho[1,2]", 4))
    check(a.mean, a.meanError, first, firstError, "rho01, 1 block, n = \(width)")
    check(b.mean, b.meanError, last, lastError, "rho01, 4 blocks, n = \(width)")
    check(c.mean, c.meanError, other, 0.001, "rho12, 4 blocks, n = \(width)")
  }

  // MARK: Exact at finite size

  /// E V_00 and E V_00^2 of a token that sees nothing but itself, at n = 6 with 3 heads.
  @Test(arguments: ["gaussian", "exact"], ["layer", "rms"])
  func oneToken(embedding: String, norm: String) throws {
    let extra: [String: JobValue] = [
      "embedding": .text(embedding), "norm": .text(norm), "heads": .integer(3), "mlp_factor": .real(1.5),
      "c_v": .real(0.7), "c_u": .real(1.2), "c_x": .real(1.3), "c_y": .real(0.6),
    ]
    for (inputs, mask) in [(Self.gram([[0.8]]), "full"), (Self.three, "causal")] {
      for sampler in ["conditional", "weights"] {
        let network = try Self.model(
          width: 6, depth: 3, inputs, extra.merging(["mask": .text(mask), "sampler": .text(sampler)]) { $1 },
          observables: ["V"])
        let tally = sample(network.experiment, validating ? 1_000_000 : 20_000, name: "token \(embedding) \(norm)")
        for layer in 0..<3 {
          let m = tally.moments(index(network.experiment, "V[0,0]", layer: layer))
          let known = network.known!.moments(record: layer)["V[0,0]"]!
          let what = "\(sampler) \(mask) \(embedding) \(norm), block \(layer + 1)"
          check(m.mean, m.meanError, known.mean, 0, "E V, \(what)")
          check(m.secondMoment, m.secondMomentError, known.second, 0, "E V^2, \(what)")
        }
      }
    }
  }

  /// Scores of 0 make attention uniform: with exact inputs and no mean E V' = V_0 + c_u c_v tr(F 11^T)/m^2 at every n.
  @Test func uniformAttention() throws {
    let network = try Self.model(
      width: 4, depth: 1, Self.three,
      [
        "c_q": .real(0), "mlp_factor": .real(0), "norm": .text("rms"), "embedding": .text("exact"), "c_v": .real(0.6),
        "heads": .integer(2),
      ], observables: ["V"])
    let (f01, f02, f12) = (0.5, 0.2 / 0.8.squareRoot(), -0.3 / 0.8.squareRoot())
    let added = 0.6 * (3 + 2 * (f01 + f02 + f12)) / 9
    let tally = sample(network.experiment, 100_000, name: "uniform")
    for (name, start) in [("V[0,0]", 1.0), ("V[0,1]", 0.5), ("V[1,2]", -0.3), ("V[2,2]", 0.8)] {
      let m = tally.moments(index(network.experiment, name))
      check(m.mean, m.meanError, start + added, 0, name)
    }
  }

  /// Orthogonal tokens and heads of one channel: scores are products of two normals, the difference of those of a token is
  /// sqrt(2 c) q k with independent normals, so E V_00 = 1 + (a/2) (1 + E tanh^2(sqrt(c/2) q k)) and E V_01 = a/2, a = c_u c_v.
  @Test(arguments: ["conditional", "weights"]) func narrowestHeads(sampler: String) throws {
    for strength in [1.0, 4] {
      let network = try Self.model(
        width: 4, depth: 1, correlated(0),
        [
          "c_q": .real(strength), "c_v": .real(50), "mlp_factor": .real(0), "norm": .text("rms"),
          "embedding": .text("exact"), "heads": .integer(4), "sampler": .text(sampler),
        ], observables: ["V"])
      let square = GaussianExpectation.of { q in
        GaussianExpectation.of { k in
          let t = Elementary.tanh((0.5 * strength).squareRoot() * q * k)
          return t * t
        }
      }
      let tally = sample(network.experiment, 100_000, name: "narrowest \(strength)")
      for (name, truth) in [("V[0,0]", 1 + 25 * (1 + square)), ("V[0,1]", 25), ("V[1,1]", 1 + 25 * (1 + square))] {
        let m = tally.moments(index(network.experiment, name))
        check(m.mean, m.meanError, truth, 0, "\(sampler) \(strength) \(name)")
      }
    }
  }

  /// Heads of fewer channels than there are tokens, whose branch is larger than the inputs: both samplers, 16 means and laws.
  @Test(arguments: ["full", "causal"], [8, 16]) func narrowHeads(mask: String, heads: Int64) throws {
    func tally(_ sampler: String) throws -> (Experiment, Tally) {
      let network = try Self.model(
        width: 16, depth: 1, correlated(0.3, count: 4),
        [
          "sampler": .text(sampler), "heads": .integer(heads), "mask": .text(mask), "c_q": .real(2), "c_v": .real(20),
          "mlp_factor": .real(0),
        ])
      return (network.experiment, sample(network.experiment, validating ? 200_000 : 20_000, name: "narrow \(sampler)"))
    }
    let ((experiment, reduced), (_, weights)) = (try tally("conditional"), try tally("weights"))
    for i in 0..<experiment.schema.width {
      #expect(abs(zScore(reduced.moments(i), weights.moments(i))) < 4.5, "\(experiment.observables[i].name)")
      let ks = KolmogorovSmirnov(reduced.histograms[i], weights.histograms[i])
      #expect(ks.pValue > 1e-5, "\(experiment.observables[i].name)")
    }
  }

  // MARK: Limits

  /// Two tokens: with t = tanh of half the difference of scores, of variance c (1 - rho)/2,
  /// [A F A^T]_ab = (1 + rho)/2 + (1 - rho)/2 t_a t_b.
  @Test(arguments: [0.5, 1, 20]) func meanOfTwoTokens(strength: Double) throws {
    for rho in [-1, -0.7, 0, 0.4, 0.99, 1.0] {
      let f = [1, rho, rho, 1]
      let variance = 0.5 * strength * (1 - rho)
      func product(_ correlation: Double) -> Double {
        ActivationKernel(Tanh()).product(variance, variance, correlation * variance)
      }
      func entry(_ correlation: Double) -> Double { 0.5 * (1 + rho) + 0.5 * (1 - rho) * product(correlation) }
      let full = try #require(AttentionMean(tokens: 2, strength: strength, causal: false)).apply(f)
      let masked = try #require(AttentionMean(tokens: 2, strength: strength, causal: true)).apply(f)
      for (found, truth) in [
        (full[0], entry(1)), (full[1], entry(rho)), (full[3], entry(1)), (masked[0], 1),
        (masked[1], 0.5 * (1 + rho)), (masked[3], entry(1)),
      ] { #expect(abs(found - truth) < 1e-10, "rho \(rho): \(found) \(truth)") }
    }
  }

  /// The step of the quadrature: halving it changes nothing.
  @Test func stepOfTheMean() throws {
    for (strength, f) in [
      (1.0, [1, 0.5, 0.2, 0.5, 1, -0.3, 0.2, -0.3, 1]), (3, [1, -0.9, 0.3, -0.9, 1, -0.1, 0.3, -0.1, 1]),
    ] {
      let mean = try #require(AttentionMean(tokens: 3, strength: strength, causal: true))
      for (coarse, fine) in zip(mean.apply(f), mean.apply(f, refinement: 1.6)) {
        #expect(abs(coarse - fine) < 1e-10, "\(coarse) \(fine)")
      }
    }
  }

  /// Given F the branch has the mean E_N[A F A^T] whatever the number of heads: one block without MLP, H = 1, 10 statistics.
  @Test(arguments: ["full", "causal"]) func oneHeadHasTheMeanOfMany(mask: String) throws {
    let network = try Self.model(
      width: 64, depth: 1, Self.three, ["mask": .text(mask), "mlp_factor": .real(0), "c_q": .real(3)],
      observables: ["V"])
    let known = try Self.limit("infinite-width", network).known!
    let heads = try Self.limit("infinite-width-heads", network).experiment!
    let tally = sample(heads, 200_000, name: "one head \(mask)")
    for (i, observable) in heads.observables.enumerated() {
      let m = tally.moments(i)
      let truth = try #require(known.mean(of: observable.name, record: 0))
      if m.variance < 1e-24 {
        #expect(abs(m.mean - truth) < 1e-12)
      } else {
        check(m.mean, m.meanError, truth, 0, "\(mask) \(observable.name)")
      }
    }
  }

  /// Without scores nothing is random at infinite width: the chain is the recursion, five blocks, four tokens.
  @Test(arguments: ["full", "causal"]) func chainWithoutScores(mask: String) throws {
    for activation in ["gelu", "relu", "tanh"] {
      let network = try Self.model(
        width: 64, depth: 5, correlated(-0.2, count: 4),
        [
          "mask": .text(mask), "c_k": .real(0), "c_x": .real(1.7), "heads": .integer(2),
          "activation": .text(activation),
        ])
      let known = try Self.limit("infinite-width", network).known!
      let draw = try Self.limit("infinite-width-heads", network).experiment!.makeRunner(1).values(0)
      for (found, truth) in zip(draw, known.means) { #expect(abs(found - truth) < 2e-10, "\(found) \(truth)") }
      #expect(known.remainder == [Remainder("width", order: 1, along: .fixedValues)])
    }
  }

  /// Many heads approach the recursion like 1/H: what 400 leave is below 0.002, and below the spread of 4.
  @Test func manyHeads() throws {
    let network = try Self.model(width: 64, depth: 4, Self.three, ["heads": .integer(4)])
    let known = try Self.limit("infinite-width", network).known!
    #expect(known.remainder.contains(Remainder("heads", order: 1)))
    let many = try Self.limit("infinite-width-heads", network, ["heads": .integer(400)]).experiment!
    let few = try Self.limit("infinite-width-heads", network).experiment!
    let (a, b) = (sample(many, 2000, name: "many"), sample(few, 2000, name: "few"))
    for i in 0..<many.schema.width {
      let (m, spread) = (a.moments(i), b.moments(i).variance.squareRoot())
      #expect(abs(m.mean - known.means[i]) < 4.5 * m.meanError + 0.002, "\(i): \(m.mean) \(known.means[i])")
      #expect(m.variance.squareRoot() < 0.2 * spread, "\(i)")
    }
  }

  /// Networks of width 4096 with two heads have the law of the chain, not only its mean: three correlations after two blocks. At a finite
  /// width their variances are larger by some 1/n.
  @Test(arguments: ["full", "causal"]) func wideNetworks(mask: String) throws {
    let n = 4096
    let network = try Self.model(
      width: n, depth: 2, Self.three,
      ["heads": .integer(2), "mask": .text(mask), "c_q": .real(4), "mlp_factor": .real(1)], observables: ["rho"])
    let limit = try Self.limit("infinite-width-heads", network).experiment!
    let draws: UInt64 = validating ? 20_000 : 4000
    let (a, b) = (sample(network.experiment, draws, name: "wide"), sample(limit, draws, name: "limit"))
    var largest = 0.0
    for (i, observable) in limit.observables.enumerated() {
      let place = i + limit.observables.count
      let (m, k) = (a.moments(place), b.moments(place))
      #expect(abs(zScore(m, k)) < 4.5, "\(observable.name): \(m.mean) \(k.mean)")
      let spread = (m.varianceError * m.varianceError + k.varianceError * k.varianceError).squareRoot()
      #expect(
        abs(m.variance - k.variance) < 4.5 * spread + 3 / Double(n),
        "\(observable.name): var \(m.variance) \(k.variance)")
      #expect(KolmogorovSmirnov(a.histograms[place], b.histograms[place]).pValue > 1e-5, "\(observable.name)")
      largest = max(largest, k.variance)
    }
    // There is a law to see.
    #expect(largest > 30 / Double(n), "\(largest)")
  }

  // MARK: Refusals

  @Test func whatIsRefused() throws {
    let cases: [(extra: [String: JobValue], key: String, words: String)] = [
      (["heads": .integer(3)], "heads", "divide the width, 16"), (["mlp_factor": .real(0.3)], "mlp_factor", "whole"),
      (["inputs": Self.gram([[1, 0], [0, 0]])], "inputs.gram", "must be positive"),
      (["inputs": correlated(0.1, count: 16)], "width", "above the number of tokens"),
      (["mask": .text("causl")], "mask", "did you mean causal?"),
    ]
    for (extra, key, words) in cases {
      do {
        _ = try Self.model(width: 16, depth: 2, Self.three, extra)
        Issue.record("\(extra) was taken")
      } catch let failure as Failure {
        #expect(failure.message.hasPrefix("network.\(key) = ") && failure.message.contains(words), "\(failure.message)")
      }
    }
    let four = try Self.model(width: 16, depth: 2, correlated(0.1, count: 4))
    do {
      _ = try Self.limit("infinite-width", four)
      Issue.record("four tokens were taken")
    } catch let failure as Failure {
      #expect(failure.message.contains("infinite-width-heads"), "\(failure.message)")
    }
    #expect(throws: Failure.self) {
      try Self.limit("infinite-width-heads", network(.text("relu"), width: 8, depth: 2, inputs: correlated(0.1)))
    }
  }
}
