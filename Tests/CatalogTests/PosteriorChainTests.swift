import Analyses
import Engine
import Experiments
import Foundation
import Jobs
import Testing

/// Posteriors by chains over all weights, by weighted networks, and exactly.
@Suite struct PosteriorChainTests {
  /// f = v . erf(w x + b)/sqrt N, w ~ N(0, 4), b, v ~ N(0, 1): inputs (2 x, 1), x = -1, -.3, .4, 1.1, and -.65, .05, 2.
  private static func erf(
    width: Int, draws: Int, chains: Bool, keys: String = "steps = 600\nstep = 0.035", limits: String = ""
  ) -> String {
    """
    seed = 20_261_130
    [network]
    architecture = "mlp"
    activation = "erf"
    c = 1.0
    width = \(width)
    depth = 1
    inputs = { vectors = [[-2.0, 1.0], [-0.6, 1.0], [0.8, 1.0], [2.2, 1.0], [-1.3, 1.0], [0.1, 1.0], [4.0, 1.0]] }
    draws = \(draws)
    [posterior]
    train = [0, 1, 2, 3]
    targets = [-0.8, 0.6, 0.9, -0.5]
    noise = 0.01
    test = [4, 5, 6]
    \(chains ? "method = \"hmc\"\n" + keys : "")
    \(limits)
    """
  }

  /// Five inputs of the plane over sqrt 2, and (1, 1).
  private static func linear(width: Int, depth: Int, draws: Int, chains: Bool, steps: Int = 1000) -> String {
    let inputs = [[1, 0.2], [0.3, -1], [-0.8, 0.5], [1.5, 1], [-0.4, -1.2], [1, 1]].map { x in
      x.map { $0 / 2.0.squareRoot() }
    }
    return """
      seed = 20_261_131
      [network]
      architecture = "linear-mlp"
      width = \(width)
      depth = \(depth)
      inputs = { vectors = \(inputs) }
      draws = \(draws)
      [posterior]
      train = [0, 1, 2, 3, 4]
      targets = [2.0, -1.5, -0.7, 3.2, -2.1]
      noise = 0.25
      test = [5]
      \(chains ? "method = \"hmc\"\nsteps = \(steps)\ntarget_acceptance = 0.8" : "controls = \"none\"")
      """
  }

  private func rows(_ snapshot: Snapshot) -> [Estimands.Row] { Analyses.estimands(snapshot)[0].rows }
  private func run(_ text: String) throws -> Snapshot { try LocalRun.run(try job(text).job, ranks: 2).snapshot }

  private func exact(_ text: String, _ leg: String = "linear-posterior") throws -> [String: Double] {
    let known = try #require(try job(text).job.cases[0].legs.first { $0.name == leg }?.known)
    return Dictionary(
      uniqueKeysWithValues: known.statistics.compactMap {
        if case .estimand(let name) = $0.statistic { (name, $0.value) } else { nil }
      })
  }

  private func mean(_ snapshot: Snapshot, _ name: String) throws -> (value: Double, error: Double) {
    let place = try #require(snapshot.job.cases[0].legs[0].observables.firstIndex { $0.name == name })
    let moments = snapshot.states[0].tally.moments(place)
    return (moments.mean, moments.meanError)
  }

  // MARK: Exactly

  /// Printed values of an independent program, to their last digit.
  @Test(arguments: [(1, 2.607580, 0.091976), (2, 2.629452, 0.093742), (3, 2.640317, 0.094491)])
  func deepLinearNetworksExactly(depth: Int, mean: Double, variance: Double) throws {
    for chains in [true, false] {
      let found = try exact(Self.linear(width: 4, depth: depth, draws: 4, chains: chains))
      #expect((found["posterior_mean[5]", default: .nan] - mean).magnitude < 6e-7, "\(found)")
      #expect((found["posterior_variance[5]", default: .nan] - variance).magnitude < 6e-7, "\(found)")
      #expect((found["log_evidence"] == nil) == chains)
    }
  }

  /// Width 2, two layers: products of exponentials, an integral over two numbers, with the evidence.
  @Test func deepLinearNetworksByAnotherIntegral() throws {
    let text = """
      seed = 1
      [network]
      architecture = "mlp"
      activation = "linear"
      c = 1.5
      width = 2
      depth = 2
      inputs = { gram = [[1.0, 0.4], [0.4, 2.0]] }
      draws = 2
      [posterior]
      train = [0]
      targets = [1.5]
      noise = 0.3
      test = [1]
      """
    let found = try exact(text)
    var sums = (weights: 0.0, first: 0.0, second: 0.0)
    let step = 0.05
    for i in -700...120 {
      for j in -700...120 {
        let (s, t) = (Double(i) * step, Double(j) * step)
        let u = 2.25 * exp(s + t)
        let k = u + 0.3
        let weight = exp(s + t - exp(s) - exp(t) - 0.5 * 2.25 / k) * step * step / (2 * Double.pi * k).squareRoot()
        let (m, v) = (0.4 * u / k * 1.5, 2 * u - 0.16 * u * u / k)
        sums = (sums.weights + weight, sums.first + weight * m, sums.second + weight * (v + m * m))
      }
    }
    let mean = sums.first / sums.weights
    for (name, value) in [
      ("posterior_mean[1]", mean), ("posterior_variance[1]", sums.second / sums.weights - mean * mean),
      ("log_evidence", log(sums.weights)),
    ] { #expect((found[name, default: .nan] - value).magnitude < 1e-8, "\(name): \(found), \(value)") }
  }

  /// The wide linear network is a Gaussian process: the difference falls by 1/n.
  @Test func deepLinearNetworksAreWide() throws {
    let limit = "\n[[limit]]\nequation = \"infinite-width\""
    let infinite = try exact(Self.linear(width: 4, depth: 2, draws: 4, chains: true) + limit, "infinite-width")
    let offsets = try [4000, 8000].map { width in
      try exact(Self.linear(width: width, depth: 2, draws: 4, chains: true))
        .map { ($0.key, $0.value - infinite[$0.key, default: .nan]) }.sorted { $0.0 < $1.0 }.map(\.1)
    }
    for (a, b) in zip(offsets[0], offsets[1]) { #expect((a / b - 2).magnitude < 0.01, "\(offsets)") }
    #expect(offsets[0].count == 2)
  }

  /// Chains and weighted networks, at every depth: four statistics of each, |z| < 4.5.
  @Test(arguments: [1, 2, 3]) func samplersOfDeepLinearNetworks(depth: Int) throws {
    let expected = try exact(Self.linear(width: 4, depth: depth, draws: 4, chains: true))
    for (chains, draws) in [(true, 32), (false, 20_000)] {
      let found = rows(try run(Self.linear(width: 4, depth: depth, draws: draws, chains: chains)))
      for row in found where row.estimand.name != "log_evidence" {
        let value = try #require(expected[row.estimand.name])
        #expect((row.value - value).magnitude < 4.5 * row.error, "\(row.estimand.name) \(row.value) +- \(row.error)")
        #expect(row.error < 0.01 * max(1, value))
      }
    }
  }

  // MARK: Of erf

  /// Regression at infinite width, printed to six digits.
  @Test func theProcess() throws {
    let limit = "[[limit]]\nequation = \"infinite-width\""
    let found = try exact(Self.erf(width: 8, draws: 2, chains: false, limits: limit), "infinite-width")
    let printed = [
      "posterior_mean[4]": -0.290866, "posterior_mean[5]": 1.164776, "posterior_mean[6]": -0.545533,
      "posterior_variance[4]": 0.011936, "posterior_variance[5]": 0.026859, "posterior_variance[6]": 0.050515,
      "log_evidence": -13.770699,
    ]
    for (name, value) in printed { #expect((found[name, default: .nan] - value).magnitude < 6e-7, "\(name)") }
    // Chains have no evidence.
    let chains = try exact(Self.erf(width: 8, draws: 2, chains: true, limits: limit), "infinite-width")
    #expect(chains.count == 6 && chains.allSatisfy { found[$0.key] == $0.value })
  }

  /// Chains against two million weighted networks (`fathom run`, seed 1), and both against an independent program's chains (300 of 600 trajectories). Six statistics a width, four and a half
  /// combined errors.
  @Test(arguments: [
    (
      8, 600, 0.035,
      [
        (-0.32407, 0.00066), (0.03034, 0.00013), (1.10222, 0.00064), (0.03506, 0.00013), (-0.48283, 0.0008),
        (0.07289, 0.00037),
      ]
    ),
    (
      32, 400, 0.06,
      [
        (-0.30637, 0.00016), (0.018911, 0.000021), (1.13983, 0.00017), (0.030818, 0.000027), (-0.50284, 0.00023),
        (0.060619, 0.000062),
      ]
    ),
  ])
  func chainsOfErf(width: Int, steps: Int, step: Double, weighted: [(Double, Double)]) throws {
    let snapshot = try run(Self.erf(width: width, draws: 48, chains: true, keys: "steps = \(steps)\nstep = \(step)"))
    let found = rows(snapshot)
    for (row, expected) in zip(found, weighted) {
      let both = (row.error * row.error + expected.1 * expected.1).squareRoot()
      #expect((row.value - expected.0).magnitude < 4.5 * both, "\(row.estimand.name) \(row.value) +- \(row.error)")
      #expect(row.error < 0.05 * expected.0.magnitude)
    }
    #expect(found.count == 6)
    if width == 8 {
      for (place, printed) in [(0, (-0.3240, 0.0004)), (2, (1.1027, 0.0005)), (4, (-0.4811, 0.0007))] {
        let both = (found[place].error * found[place].error + printed.1 * printed.1).squareRoot()
        #expect((found[place].value - printed.0).magnitude < 4.5 * both)
      }
      // .946 by the independent program.
      let acceptance = try mean(snapshot, "acceptance")
      #expect((acceptance.value - 0.946).magnitude < 0.01, "\(acceptance)")
    }
    // The gradient: E theta . grad U = dimension.
    let residual = try mean(snapshot, "residual")
    #expect(residual.value.magnitude < 4.5 * residual.error && residual.error < 0.01, "\(residual)")
  }

  /// Of 20,000 networks at initialisation few explain four targets with little noise: .018 of them at width 8 (.017 by an independent program), .095 (.10) at 32; of a thousand too few are
  /// left to conclude anything.
  @Test func weightedNetworksDegenerate() throws {
    for (width, share) in [(8, 0.018), (32, 0.095)] {
      let found = rows(try run(Self.erf(width: width, draws: 20_000, chains: false)))
      #expect((found[0].effectiveDraws / 20_000 / share - 1).magnitude < 0.35, "\(found[0].effectiveDraws)")
    }
    let few = rows(try run(Self.erf(width: 8, draws: 1000, chains: false)))
    #expect(few.allSatisfy { $0.reason == "few_effective_draws" }, "\(few.map(\.reason))")
  }

  /// Units may be exchanged: single weights have not mixed where the function has. R-hat of 64 chains is 1.03 and 1.000 by an independent program.
  @Test func theFunctionIsJudged() throws {
    let found = try #require(Analyses.diagnostics(try run(Self.erf(width: 8, draws: 64, chains: true))).first)
    func rHat(_ name: String) throws -> Double {
      try #require(found.rows.first { $0.observable == name }?.mixing.rHat)
    }
    #expect(try rHat("first_weight") > 1.015 && rHat("last_weight") > 1.015)
    for name in ["output[4]", "output[5]", "output[6]", "energy"] { #expect(try rHat(name) < 1.003, "\(name)") }
    #expect(found.mixing.isMixed, "\(found.mixing.sentence)")
  }

  /// A step from which trajectories leave the range of numbers: chains find a good one, since nothing of that stays; without adaptation none moves, and that is said. Width 3 leaves lanes empty.
  @Test func stepsThatAreTooLarge() throws {
    let text = Self.erf(width: 3, draws: 4, chains: true, keys: "steps = 200\nwarm_up = 400\nstep = 10.0")
    let stuck = try run(text)
    #expect(try mean(stuck, "acceptance").value == 0)
    #expect(Analyses.diagnostics(stuck).first?.mixing.code == .noChainMoved)
    let adapted = try run(text + "\ntarget_acceptance = 0.8")
    let acceptance = try mean(adapted, "acceptance").value
    #expect((acceptance - 0.8).magnitude < 0.12, "\(acceptance)")
    #expect(try mean(adapted, "step").value < 0.2)
  }

  // MARK: Labels

  private static func logistic(_ targets: String, draws: Int = 32, steps: Int = 1000) -> String {
    """
    seed = 20_261_132
    [network]
    architecture = "linear-mlp"
    width = 2
    depth = 1
    inputs = { gram = [[4.0, 2.0], [2.0, 3.0]] }
    draws = \(draws)
    [posterior]
    method = "hmc"
    likelihood = "logistic"
    train = [0]
    targets = \(targets)
    test = [1]
    steps = \(steps)
    step = 0.3
    leapfrog_steps = 10
    """
  }

  /// Width 2: given u, exponential, f = sqrt(u) (2 g, g + sqrt 2 h): an integral over u, g and h. Three statistics, |z| < 4.5; and labels of all zeros, which are the same but for signs.
  @Test(arguments: [("[1]", 1.0), ("[0]", -1), ("[-1]", -1)]) func labels(targets: String, sign: Double) throws {
    var sums = Array(repeating: 0.0, count: 4)
    let step = 0.3
    for i in -80...12 {
      let u = exp(Double(i) * step)
      for a in -24...24 {
        for b in -24...24 {
          let (g, h) = (Double(a) * step, Double(b) * step)
          let (f, own) = (u.squareRoot() * 2 * g, u.squareRoot() * (g + 2.0.squareRoot() * h))
          let weight = u * exp(-u - 0.5 * (g * g + h * h)) / (1 + exp(-sign * f))
          for (k, value) in [1, own, own * own, 1 / (1 + exp(-own))].enumerated() { sums[k] += weight * value }
        }
      }
    }
    let snapshot = try run(Self.logistic(targets))
    for (k, name) in ["output[1]", "square[1]", "probability[1]"].enumerated() {
      let found = try mean(snapshot, name)
      let expected = sums[k + 1] / sums[0]
      #expect((found.value - expected).magnitude < 4.5 * found.error, "\(name) \(found), \(expected)")
      #expect(found.error < 0.03 * max(1, expected))
    }
    #expect(Analyses.diagnostics(snapshot).first?.verdict == .agrees)
  }

  @Test func labelsOfBothKindsAreTheSame() throws {
    let (a, b) = try (
      digest(job(Self.logistic("[0]", draws: 2, steps: 20)), ranks: 1),
      digest(job(Self.logistic("[-1]", draws: 2, steps: 20)), ranks: 1)
    )
    #expect(a == b)
    #expect(try digest(job(Self.logistic("[1]", draws: 2, steps: 20)), ranks: 1) != a)
  }

  // MARK: Input

  /// The inputs as they are: V_0 is their Gram matrix.
  @Test func vectorsAreInputs() throws {
    let file = try job(Self.linear(width: 4, depth: 1, draws: 2, chains: false))
    let known = try #require(file.job.cases[0].legs.first { $0.name == "exact" }?.known)
    #expect((try #require(known.mean(of: "V[0,0]", record: 0)) - 0.52).magnitude < 1e-15)
  }

  static let chains = erf(width: 8, draws: 4, chains: true, limits: "[[limit]]\nequation = \"infinite-width\"")

  @Test(arguments: [
    (["posterior.step=0"], ["posterior.step = 0", "(0.0, 10.0]"]), (["posterior.step=-0.1"], ["posterior.step = -0.1"]),
    (["network.width=0"], ["network.width = 0", "[1,"]),
    (["posterior.method=\"nuts\""], ["posterior.method = \"nuts\"", "weights, hmc"]),
    (["posterior.method=\"weights\""], ["posterior.step", "method = \"hmc\" only"]),
    (["posterior.noise=0.0"], ["posterior.noise = 0.0", "above 0 with method = \"hmc\""]),
    (["posterior.likelihood=\"logistic\""], ["posterior.noise = 0.01", "cannot be given with likelihood"]),
    (["posterior.likelihood=\"probit\""], ["posterior.likelihood = \"probit\"", "gaussian, logistic"]),
    (["posterior.steps=601", "posterior.measure_every=2"], ["posterior.steps = 601", "the nearest is 602"]),
    (["posterior.warm_up=5", "posterior.target_acceptance=0.8"], ["posterior.warm_up = 5", "at least 10"]),
    (["posterior.regret=true"], ["posterior.regret = true", "method = \"weights\" only"]),
    (["posterior.leap_frog_steps=3"], ["posterior.leap_frog_steps", "did you mean leapfrog_steps?"]),
    (["network.observables=[\"V\"]"], ["network.observables = [\"V\"]", "chains measure outputs"]),
    (["network.activation=\"sign\""], ["network.activation = \"sign\"", "no gradient passes through a jump"]),
    (["network.depth=2", "network.layers=[1]"], ["network.layers = [1]", "behind the last layer"]),
    (["network.architecture=\"gated-mlp\""], ["network.architecture = \"gated-mlp\"", "mlp or linear-mlp"]),
    (["network.inputs={vectors=[[1.0],[1.0,2.0]]}"], ["network.inputs.vectors", "as many finite numbers"]),
    (["network.inputs={vectors=[[1.0],[0.0]]}"], ["network.inputs.vectors", "the vector 1"]),
  ])
  func badInput(settings: [String], words: [String]) {
    do {
      _ = try job(Self.chains, settings)
      Issue.record("\(settings) is taken")
    } catch {
      for word in words { #expect("\(error)".contains(word), "\(error)") }
    }
  }

  @Test(arguments: [("[0.5]", "-1 and 1, or 0 and 1"), ("[2]", "-1 and 1"), ("[1, 1]", "an array of 1")])
  func badLabels(targets: String, words: String) {
    #expect { try job(Self.logistic(targets)) } throws: {
      "\($0)".contains("posterior.targets") && "\($0)".contains(words)
    }
  }

  /// Without steps; a limit that knows no labels; equal inputs with noise, and equal targets, which are no special case.
  @Test func whatElseIsRefusedOrTaken() throws {
    let without = Self.chains.replacing("steps = 600\n", with: "")
    #expect { try job(without) } throws: { "\($0)".contains("posterior.steps is missing") }
    let limit = Self.logistic("[1]") + "\n[[limit]]\nequation = \"infinite-width\""
    #expect { try job(limit) } throws: { "\($0)".contains("likelihood gaussian only") }
    let mixed = Self.chains.replacing("[posterior]", with: "[information]\nunits = [1, 1]\n[posterior]")
    #expect { try job(mixed) } throws: { "\($0)".contains("cannot be given together with [information]") }
    let equal = Self.chains.replacing("[-0.6, 1.0]", with: "[-2.0, 1.0]")
    for text in [equal, Self.chains.replacing("[-0.8, 0.6, 0.9, -0.5]", with: "[0.5, 0.5, 0.5, 0.5]")] {
      let snapshot = try run(text)
      #expect(try mean(snapshot, "output[4]").value.isFinite)
    }
  }
}
