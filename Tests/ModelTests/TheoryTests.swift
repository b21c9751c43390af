import Kernels
import Limits
import Networks
import Experiments
import Statistics
import Testing

/// Values that were derived and checked elsewhere, each within 4 combined standard errors; A are reduced samplers,
/// B limits, in the order of docs/limits.md. About 90 comparisons: one true one in 150 runs fails by chance.
@Suite struct TheoryTests {
  /// Full size under `make validate`; a tenth of it in CI.
  func draws(_ full: UInt64) -> UInt64 { validating ? full : full / 10 }

  func model(_ entries: [String: JobValue]) throws -> NetworkModel {
    let standard: [String: JobValue] = ["draws": .integer(10), "inputs": correlated(0, count: 1)]
    return try NetworkCatalog.read(.table(standard.merging(entries) { $1 }), path: "network", data: NoData())
  }

  func limit(_ equation: String, _ network: NetworkModel, _ extra: [String: JobValue] = [:]) throws -> Leg {
    try limitLegs(
      .table(["equation": .text(equation)].merging(extra) { $1 }), path: "limit", network: network, networkDraws: 10
    ).legs[0]
  }

  func names(_ list: String...) -> JobValue { .list(list.map { .text($0) }) }

  /// Compares a mean (or a variance) with a printed value and its error.
  func check(
    _ value: Double, _ error: Double, _ truth: Double, _ truthError: Double = 0, _ what: String,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let z = (value - truth) / (error * error + truthError * truthError).squareRoot()
    #expect(
      abs(z) < 4, "\(what): \(value) +- \(error), expected \(truth) +- \(truthError), z = \(z)",
      sourceLocation: location)
  }

  // MARK: A

  /// one layer of ReLU, c = 2, Haar weights: the ratio has mean 1 and variance 3/(n + 2).
  @Test func orthogonalRatio() throws {
    for n in [8, 50] {
      let network = try model([
        "architecture": .text("orthogonal-mlp"), "activation": .text("relu"), "width": .integer(Int64(n)),
        "depth": .integer(1), "observables": names("V"),
      ])
      let m = sample(network.experiment, draws(400_000), name: "a2 \(n)").moments(0)
      check(m.mean, m.meanError, 1, 0, "A2 mean")
      check(m.variance, m.varianceError, 3 / Double(n + 2), 0, "A2 variance")
    }
  }

  /// moments of one layer by the chi-square law; powers 2, 3, 4.
  @Test func homogeneousRatio() throws {
    let truth = [10: [1.5, 2.94, 7.068], 64: [1.078125, 1.2451171875, 1.5321578980]]
    for (n, expected) in truth {
      let network = try model([
        "architecture": .text("mlp"), "activation": .text("relu"), "width": .integer(Int64(n)), "depth": .integer(1),
        "sampler": .text("chi-square"), "observables": names("V"),
      ])
      let runner = network.experiment.makeRunner(11)
      let count = draws(1_000_000)
      for (power, value) in zip([2, 3, 4], expected) {
        var (sum, square) = (0.0, 0.0)
        for i in 0..<count {
          let v = runner.values(i)[0]
          var x = v
          for _ in 1..<power { x *= v }
          sum += x
          square += x * x
        }
        let mean = sum / Double(count)
        let error = ((square / Double(count) - mean * mean) / Double(count)).squareRoot()
        check(mean, error, value, 0, "A5 n = \(n), power \(power)")
      }
    }
  }

  /// linear networks: E det V, and E log det V by digamma functions.
  @Test func linearDeterminant() throws {
    let network = try model([
      "architecture": .text("linear-mlp"), "width": .integer(30), "depth": .integer(5),
      "inputs": correlated(0.2, count: 3), "observables": names("log_det"),
    ])
    let runner = network.experiment.makeRunner(12)
    let count = draws(400_000)
    var (sum, square) = (0.0, 0.0)
    for i in 0..<count {
      let x = Elementary.exp(runner.values(i)[0])
      sum += x
      square += x * x
    }
    let mean = sum / Double(count)
    let start = 0.8 * 0.8 * 1.4
    let ratio = 30.0 * 29 * 28 / 27000
    check(
      mean, ((square / Double(count) - mean * mean) / Double(count)).squareRoot(), start * ExactMoments.power(ratio, 5),
      0,
      "A5 determinant")
    let m = sample(network.experiment, draws(400_000), name: "b8 det").moments(0)
    check(m.mean, m.meanError, network.known!.means[0], 0, "B8 log det")
    check(m.secondMoment, m.secondMomentError, network.known!.secondMoments[0], 0, "B8 log det squared")
  }

  // MARK: B1

  /// networks of width and depth 50, 100, 200, c = (1, -1), rho_0 = 0.3.
  @Test func shapedNetworks() throws {
    let truth = [
      50: (0.5226, 0.0015, 0.9347, 0.0030), 100: (0.5289, 0.0019, 0.9327, 0.0038),
      200: (0.5366, 0.0029, 0.9379, 0.0058),
    ]
    for (n, values) in truth {
      let network = try model([
        "architecture": .text("mlp"), "width": .integer(Int64(n)), "depth": .integer(Int64(n)),
        "activation": .table(["name": .text("shaped-relu"), "c_plus": .real(1), "c_minus": .real(-1)]),
        "inputs": correlated(0.3), "observables": names("rho", "atanh_rho"),
      ])
      let tally = sample(network.experiment, draws(100_000), name: "b1 \(n)")
      let (rho, atanh) = (tally.moments(0), tally.moments(1))
      check(rho.mean, rho.meanError, values.0, values.1, "B1 n = \(n) rho")
      check(atanh.mean, atanh.meanError, values.2, values.3, "B1 n = \(n) atanh rho")
    }
  }

  // MARK: B2

  private func smooth(
    _ activation: String, a: Double, width: Int, depth: Int, inputs: JobValue, bound: Double, layers: [Int] = []
  ) throws -> NetworkModel {
    try model([
      "architecture": .text("mlp"), "activation": .table(["name": .text(activation), "a": .real(a)]),
      "width": .integer(Int64(width)), "depth": .integer(Int64(depth)), "inputs": inputs, "bound": .real(bound),
      "layers": layers.isEmpty ? .text("last") : .list(layers.map { .integer(Int64($0)) }),
      "observables": names("rho", "log_V", "clipped_V", "crossed"),
    ])
  }

  /// sinh, a = 1: kappa = 1. P(T* <= .5, 1, 2) = .0267(5), .1423(11), .2350(13), by both integrators.
  @Test func explosion() throws {
    let network = try smooth(
      "sinh", a: 1, width: 100, depth: 200, inputs: correlated(0, count: 1), bound: 1e6, layers: [50, 100, 200])
    let truth = [(0.0267, 0.0005), (0.1423, 0.0011), (0.2350, 0.0013)]
    for (equation, step) in [("explosion-law", 0.002), ("smooth-covariance-sde", 0.001)] {
      let leg = try limit(equation, network, ["step": .real(step)])
      let tally = sample(leg.experiment!, draws(100_000), name: equation)
      for (layer, value) in truth.enumerated() {
        let m = tally.moments(index(leg.experiment!, "crossed", layer: layer))
        check(m.mean, m.meanError, value.0, value.1, "B2 \(equation) time \(layer)")
      }
    }
    // 1 - 2/e
    #expect(abs(SpecialFunctions.regularisedGamma(2, 1) - 0.26424111765711533) < 1e-13)
  }

  /// kappa of every activation, tanh(-2), GELU 3/4 phi''^2, SiLU .75, softplus .1875, sinh 1, erf -2 (a = 1): below 0 and
  /// without a bound a limit is taken, above 0 it asks for one.
  @Test func explosionCriterion() throws {
    for (name, explodes) in [
      ("tanh", false), ("erf", false), ("gelu", true), ("silu", true), ("softplus", true), ("sinh", true),
    ] {
      let network = try model([
        "architecture": .text("mlp"), "activation": .table(["name": .text(name), "a": .real(1)]),
        "width": .integer(50), "depth": .integer(10),
      ])
      let taken = (try? limit("smooth-covariance-sde", network)) != nil
      #expect(taken == !explodes, "\(name)")
    }
    for (name, kappa) in [
      ("silu", 0.75), ("softplus", 0.1875), ("sinh", 1), ("tanh", -2), ("gelu", 0.75 * 1.5957691216 * 1.5957691216),
    ] {
      let d = ActivationEntry.all.first { $0.name == name }!.derivatives!
      #expect(abs(SmoothDrift(second: d.second, third: d.third, a: 1).kappa - kappa) < 1e-9, "\(name)")
    }
  }

  /// tanh, a = 1, T = 1, rho_0 = .3: SDE by both integrators, and the network of width 100.
  @Test func smoothShaped() throws {
    let network = try smooth("tanh", a: 1, width: 100, depth: 100, inputs: correlated(0.3), bound: 1e9)
    func checkAll(_ experiment: Experiment, _ count: UInt64, _ name: String, _ truth: [(Double, Double)]) {
      let tally = sample(experiment, count, name: name)
      for (observable, value) in zip(["rho[0,1]", "log_V[0]", "clipped_V[0]"], truth) {
        let m = tally.moments(index(experiment, observable))
        check(m.mean, m.meanError, value.0, value.1, "\(name) \(observable)")
      }
    }
    let truth = [(0.2424, 0.0015), (-0.677, 0.002), (0.6932, 0.0012)]
    for integrator in ["splitting", "wishart"] {
      let leg = try limit(
        "smooth-covariance-sde", network, ["step": .real(0.005), "integrator": .text(integrator)])
      checkAll(leg.experiment!, draws(200_000), "B2 \(integrator)", truth)
    }
    checkAll(network.experiment, draws(100_000), "B2 network", [(0.231, 0.007), (-0.658, 0.009), (0.711, 0.006)])
  }

  // MARK: B3

  /// from the inputs on, closed forms of E q^{-1/2}; E log q and var log q.
  @Test func singularLaw() throws {
    let network = try model([
      "architecture": .text("mlp"), "activation": .text("relu"), "width": .integer(1000), "depth": .integer(1000),
      "inputs": correlated(0.3), "observables": names("q^-1/2", "q"),
      "layers": .list([.integer(250), .integer(500), .integer(1000)]),
    ])
    let leg = try limit("unshaped-q", network, ["step": .real(0.005)])
    let tally = sample(leg.experiment!, draws(200_000), name: "b3")
    for (layer, value) in [0.19468, 0.25783, 0.47935].enumerated() {
      let m = tally.moments(index(leg.experiment!, "q^-1/2[0,1]", layer: layer))
      check(m.mean, m.meanError, value, 5e-6, "B3 E q^-1/2 at time \(layer)")
    }
    // Logarithms, from single draws.
    let runner = leg.experiment!.makeRunner(5)
    let count = draws(100_000)
    let truth = [(-0.335, 0.002, 0.712, 0.002), (-0.685, 0.003, 1.500, 0.005), (-1.387, 0.004, 3.309, 0.011)]
    var logs = Array(repeating: [Double](), count: 3)
    let place = index(leg.experiment!, "q[0,1]")
    for i in 0..<count {
      let values = runner.values(i)
      for layer in 0..<3 {
        logs[layer].append(Elementary.log(values[layer * 2 + place] / (4.5 * Double.pi * Double.pi)))
      }
    }
    for (layer, value) in truth.enumerated() {
      let n = Double(count)
      let mean = logs[layer].reduce(0, +) / n
      let squares = logs[layer].map { ($0 - mean) * ($0 - mean) }
      let variance = squares.reduce(0, +) / n
      let fourth = squares.reduce(0) { $0 + $1 * $1 } / n
      check(mean, (variance / n).squareRoot(), value.0, value.1, "B3 E log q at time \(layer)")
      check(
        variance, ((fourth - variance * variance) / n).squareRoot(), value.2, value.3, "B3 var log q at time \(layer)")
    }
  }

  private func unshaped(width n: Int) throws -> NetworkModel {
    try model([
      "architecture": .text("mlp"), "activation": .text("relu"), "width": .integer(Int64(n)),
      "depth": .integer(Int64(n)), "observables": names("q^-1/2"),
      "inputs": .table(["q": .real(4.5 * Double.pi * Double.pi), "layer": .integer(Int64(n / 4))]),
    ])
  }

  /// the two integrators, from t_0 = 1/4 and q_0 = 9 pi^2/2.
  @Test func singularIntegrators() throws {
    let network = try unshaped(width: 1000)
    let functional = try limit("unshaped-q", network, ["step": .real(0.01)]).experiment!
    let euler = try limit("unshaped-q", network, ["step": .real(0.001), "integrator": .text("euler")]).experiment!
    let (a, b) = (sample(functional, draws(200_000), name: "functional"), sample(euler, draws(200_000), name: "euler"))
    #expect(abs(zScore(a.moments(0), b.moments(0))) < 4)
    #expect(KolmogorovSmirnov(a.histograms[0], b.histograms[0]).pValue > 1e-4)
  }

  // MARK: B4

  /// rho(1) = .38295, V_12(1) = .63137 from rho_0 = .3; fluctuation 4.6753; V_11 = (1 + 1/2d)^d at infinite width.
  @Test func residualFlow() throws {
    let network = try residual(width: 64, depth: 64, inputs: correlated(0.3))
    let leg = try limit("residual-flow", network)
    let known = leg.known!
    func value(_ name: String) -> Double { known.means[known.observables.firstIndex { $0.name == name }!] }
    #expect(abs(value("rho[0,1]") - 0.38295) < 5e-6, "\(value("rho[0,1]"))")
    #expect(abs(value("V[0,1]") - 0.63137) < 5e-6, "\(value("V[0,1]"))")
    let wide = try limit("infinite-width", network).known!
    #expect(abs(wide.means[0] - ExactMoments.power(1 + 1.0 / 128, 64)) < 1e-12)
    let law = try limit("residual-fluctuation", network)
    let m = sample(law.experiment!, draws(400_000), name: "fluctuation").moments(0)
    check(64 * m.variance, 64 * m.varianceError, 4.6753, 0, "B4 fluctuation")
  }

  private func residual(width: Int, depth: Int, inputs: JobValue) throws -> NetworkModel {
    try model([
      "architecture": .text("resnet"), "activation": .text("relu"), "width": .integer(Int64(width)),
      "depth": .integer(Int64(depth)), "inputs": inputs, "branch_scaling": .text("1/sqrt(depth)"), "lambda": .real(1),
      "c": .real(1), "observables": names("V", "log_V", "rho"),
    ])
  }

  /// n var log V(1): (64, 64) 4.685(47), (64, 256) 4.660(75), (256, 64) 4.661(91).
  @Test func residualNetworks() throws {
    for (n, d, value, error) in [(64, 64, 4.685, 0.047), (64, 256, 4.660, 0.075), (256, 64, 4.661, 0.091)] {
      let network = try residual(width: n, depth: d, inputs: correlated(0, count: 1))
      let tally = sample(network.experiment, draws(40_000), name: "b4 \(n) \(d)")
      let m = tally.moments(index(network.experiment, "log_V[0]"))
      check(Double(n) * m.variance, Double(n) * m.varianceError, value, error, "B4 (\(n), \(d))")
    }
  }

  // MARK: B5

  private func proportional(_ n: Int, balanced: Bool, _ list: JobValue) throws -> NetworkModel {
    try model([
      "architecture": .text("resnet"), "activation": .text("relu"), "width": .integer(Int64(n)),
      "depth": .integer(Int64(n)), "balanced": .boolean(balanced), "observables": list, "embedding": .text("exact"),
    ])
  }

  /// E V_aa is known in every layer of balanced ResNets, and holds at n = d = 4; of vanilla ones in the first layer only, and the
  /// formula would be off by much more than the error there. 2 tests, |z| < 4; the control at |z| > 8.
  @Test func exactMeansOfResNets() throws {
    for balanced in [true, false] {
      let network = try proportional(4, balanced: balanced, names("V"))
      let experiment = network.experiment
      #expect((network.known?.mean(of: "V[0,0]", record: 0) != nil) == balanced)
      let m = sample(experiment, draws(400_000), name: "exact residual").moments(index(experiment, "V[0,0]"))
      let z = (m.mean - 1) / m.meanError
      #expect(balanced ? z.magnitude < 4 : z.magnitude > 8, "balanced \(balanced): z = \(z)")
    }
    let first = try model([
      "architecture": .text("resnet"), "activation": .text("relu"), "width": .integer(4), "depth": .integer(1),
      "observables": names("V"),
    ])
    #expect(first.known?.mean(of: "V[0,0]", record: 0) == 1)
  }

  /// lambda^2 = 1/2: variance 5.44248, mean -1.98386, n (active - 1/2) = -.33503.
  @Test func logGaussianConstants() throws {
    let network = try proportional(100, balanced: false, names("log_V", "active_fraction", "interlayer"))
    let m = sample(try limit("log-gaussian", network).experiment!, 1_000_000, name: "b5").moments(0)
    check(m.mean, m.meanError, -1.98386, 5e-6, "B5 mean")
    check(m.variance, m.varianceError, 5.44248, 5e-6, "B5 variance")
    let known = try limit("hypoactivation", network).known!
    let place = known.observables.firstIndex { $0.name == "active_fraction[0]" }!
    #expect(abs(100 * (known.means[place] - 0.5) + 0.33503) < 5e-6)
  }

  /// networks n = d = 50, 100, 200: variance 6.044(19), 5.745(21), 5.537(32), mean -2.043(6), -1.997(6), -1.985(10);
  /// Balanced 100: 2.228(13), -1.122(6).
  @Test func logGaussianNetworks() throws {
    let truth = [
      (50, false, 6.044, 0.019, -2.043, 0.006), (100, false, 5.745, 0.021, -1.997, 0.006),
      (200, false, 5.537, 0.032, -1.985, 0.010), (100, true, 2.228, 0.013, -1.122, 0.006),
    ]
    for (n, balanced, variance, varianceError, mean, meanError) in truth {
      let network = try proportional(n, balanced: balanced, names("log_V"))
      let m = sample(network.experiment, draws(40_000), name: "b5 \(n) \(balanced)").moments(0)
      check(m.variance, m.varianceError, variance, varianceError, "B5 n = \(n) balanced \(balanced) variance")
      check(m.mean, m.meanError, mean, meanError, "B5 n = \(n) balanced \(balanced) mean")
    }
  }

  /// active fraction and interlayer covariance, 30 layers from the start: n times both, extrapolated in 1/n from two
  /// widths, against `hypoactivation`. What is left is of order n^-2, bounded here by 0.02.
  @Test func hypoactivation() throws {
    func measure(_ n: Int) throws -> (known: ReferenceValues, tally: Tally) {
      let network = try model([
        "architecture": .text("resnet"), "activation": .text("relu"), "width": .integer(Int64(n)),
        "depth": .integer(30), "observables": names("active_fraction", "interlayer"),
        "lags": .list([.integer(1), .integer(3)]),
      ])
      return (
        try limit("hypoactivation", network).known!, sample(network.experiment, draws(2_000_000), name: "hypo \(n)")
      )
    }
    let (coarse, fine) = (try measure(50), try measure(100))
    for (i, observable) in fine.known.observables.enumerated() where !fine.known.means[i].isNaN {
      let offset = observable.name.hasPrefix("active") ? 0.5 : 0
      let (a, b) = (coarse.tally.moments(i), fine.tally.moments(i))
      let value = 2 * 100 * (b.mean - offset) - 50 * (a.mean - offset)
      let error = (200 * 200 * b.meanError * b.meanError + 50 * 50 * a.meanError * a.meanError).squareRoot()
      check(value, error, 100 * (fine.known.means[i] - offset), 0.02, "B5 \(observable.name)")
    }
  }

  // MARK: B6

  private func shapedTransformer(width: Int) throws -> NetworkModel {
    try model([
      "architecture": .text("transformer"), "gamma": .real(0.7), "tau": .real(1), "width": .integer(Int64(width)),
      "depth": .integer(Int64(width) * 3 / 5), "inputs": correlated(0.5), "bound": .real(20), "level": .real(3),
      "observables": names("rho", "log_V", "above"),
    ])
  }

  /// m = 2, gamma = .7, tau0 = 1, T = .6, V_0 = (1, .5). Networks n = n_k = 200: .4534(10), .4123(7), -.4314(22),
  /// .0963(7); the SDE, whose printed values fall with the step towards these, by two integrators.
  @Test func transformer() throws {
    let network = try shapedTransformer(width: 200)
    func checkAll(_ experiment: Experiment, _ name: String, _ count: UInt64) {
      let tally = sample(experiment, count, name: name)
      let rho = tally.moments(index(experiment, "rho[0,1]"))
      check(rho.mean, rho.meanError, 0.4534, 0.0010, "\(name) rho")
      check(rho.secondMoment, rho.secondMomentError, 0.4123, 0.0007, "\(name) rho^2")
      let log = tally.moments(index(experiment, "log_V[0]"))
      check(log.mean, log.meanError, -0.4314, 0.0022, "\(name) log V")
      let above = tally.moments(index(experiment, "above"))
      check(above.mean, above.meanError, 0.0963, 0.0007, "\(name) above")
    }
    checkAll(network.experiment, "B6 network", draws(200_000))
    for integrator in ["splitting", "wishart"] {
      let leg = try limit("transformer-sde", network, ["step": .real(0.005), "integrator": .text(integrator)])
      checkAll(leg.experiment!, "B6 \(integrator)", draws(200_000))
    }
  }

  // MARK: B8

  /// spectral moments of many inputs from the identity: 1, 1 + tau, 1 + 3 tau + 1.5 tau^2 up to 1/m; E log det = -m(m+1)t/2.
  @Test func linearSpectrum() throws {
    let network = try model([
      "architecture": .text("linear-mlp"), "width": .integer(100_000), "depth": .integer(1000),
      "inputs": correlated(0, count: 4), "observables": names("log_lambda", "log_det"),
    ])
    let eigen = try limit("eigenvalue-sde", network, ["step": .real(0.0005)]).experiment!
    let tally = sample(network.experiment, validating ? 4_000 : 1_000, name: "spectrum")
    let other = sample(eigen, draws(200_000), name: "eigenvalues")
    for name in ["log_lambda[0]", "log_lambda[1]", "log_lambda[2]", "log_lambda[3]", "log_det"] {
      let (a, b) = (tally.moments(index(network.experiment, name)), other.moments(index(eigen, name)))
      check(a.mean, a.meanError, b.mean, b.meanError, "B8 \(name)")
    }
    // Moments of many inputs, extrapolated in 1/m from 16 and 32; what is left is of order m^-2, bounded by 0.01.
    let tau = 0.3
    let moments = try [16, 32].map { count in
      let many = try model([
        "architecture": .text("linear-mlp"), "width": .integer(Int64(count) * 1000), "depth": .integer(300),
        "inputs": correlated(0, count: count), "observables": names("moment"),
      ])
      let tally = sample(many.experiment, validating ? 2_000 : 200, name: "moments \(count)")
      return (0..<3).map { tally.moments($0) }
    }
    for (k, truth) in [1, 1 + tau, 1 + 3 * tau + 1.5 * tau * tau].enumerated() {
      let (a, b) = (moments[0][k], moments[1][k])
      check(
        2 * b.mean - a.mean, (4 * b.meanError * b.meanError + a.meanError * a.meanError).squareRoot(), truth, 0.01,
        "B8 moment \(k + 1)")
    }
    let m = other.moments(index(eigen, "log_det"))
    check(m.mean, m.meanError, -4.0 * 5 * 0.01 / 2, 0, "B8 log det of the limit")
  }
}
