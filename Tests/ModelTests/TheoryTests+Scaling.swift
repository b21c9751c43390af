import Experiments
import Kernels
import Limits
import Networks
import Statistics
import Testing

/// How strong shaping and branches may be: other exponents than 1/2, branches of different strengths, and two limits that are the same.
extension TheoryTests {
  private func shaped(
    width: Int, depth: Int, exponent: Double, c: (Double, Double) = (1, -1), layers: [Int]? = nil
  ) throws -> NetworkModel {
    try model([
      "architecture": .text("mlp"), "width": .integer(Int64(width)), "depth": .integer(Int64(depth)),
      "activation": .table([
        "name": .text("shaped-relu"), "c_plus": .real(c.0), "c_minus": .real(c.1), "exponent": .real(exponent),
      ]),
      "layers": layers.map { .list($0.map { .integer(Int64($0)) }) } ?? .text("last"),
      "inputs": correlated(0.3), "observables": names("V", "rho"),
    ])
  }

  private func mean(_ leg: Leg, _ name: String) -> Double { leg.known!.mean(of: name, record: 0)! }

  /// Shaped ReLU of width d^2 and exponent 1/4, so of slopes 1 + c/sqrt(d), from rho_0 = .3 at infinite width: c = (1/2, -1/2) .38283 and .38294 at
  /// d = 100 and 1000 (error 1/d), c = (1, 0) .3758 and .3806 (1/sqrt(d)). Both tend to the flow of ResNets, .38295, at constant norms. No draws.
  @Test func equalLimits() throws {
    let truth: [(Double, Double, [Double], Double)] = [
      (0.5, -0.5, [0.38283, 0.38294], 5e-6), (1, 0, [0.3758, 0.3806], 5e-5),
    ]
    for (plus, minus, values, error) in truth {
      for (depth, value) in zip([100, 1000], values) {
        let network = try shaped(width: depth * depth, depth: depth, exponent: 0.25, c: (plus, minus))
        let rho = mean(try limit("infinite-width", network), "rho[0,1]")
        #expect(abs(rho - value) <= error, "c = (\(plus), \(minus)), d = \(depth): \(rho)")
        let flow = try limit("residual-flow", network)
        #expect(abs(mean(flow, "rho[0,1]") - 0.38295) < 5e-6)
        #expect(mean(flow, "V[0,0]") == 1 && abs(mean(flow, "V[0,1]") - 0.38295) < 5e-6)
      }
    }
  }

  /// Networks of width and depth n, slopes 1 ± n^-p: printed are the means of the correlation of the pre-activations of the last layer, which given the
  /// layer before are rho (1 - (1 - rho^2)/(2 n)) up to n^-2, 1e-3 at n = 32 and 2.4e-4 at 64 at most. 6 comparisons.
  @Test func shapingExponent() throws {
    let truth: [(Int, Double, Double, Double)] = [
      (32, 0.25, 0.8473, 0.0012), (32, 0.5, 0.5115, 0.0028), (32, 1, 0.2539, 0.0038),
      (64, 0.25, 0.9060, 0.0018), (64, 0.5, 0.5183, 0.0038), (64, 1, 0.2475, 0.0060),
    ]
    for (n, p, value, error) in truth {
      let network = try shaped(width: n, depth: n, exponent: p, layers: [n - 1])
      let runner = network.experiment.makeRunner(21)
      let place = index(network.experiment, "rho[0,1]")
      let count = draws(n == 32 ? 60_000 : 30_000)
      var (sum, square) = (0.0, 0.0)
      for i in 0..<count {
        let rho = runner.values(i)[place]
        let x = rho * (1 - (1 - rho * rho) / Double(2 * n))
        sum += x
        square += x * x
      }
      let mean = sum / Double(count)
      check(mean, ((square / Double(count) - mean * mean) / Double(count)).squareRoot(), value, error, "M1 \(n) \(p)")
    }
  }

  /// p = 1/2 is the only exponent with a limit of its own: above it is that of linear networks, E rho(1) = .24071, below there is none.
  @Test func shapedLimitOfOtherExponents() throws {
    let steep = try shaped(width: 50, depth: 50, exponent: 1)
    let leg = try limit("covariance-sde", steep, ["step": .real(0.01)])
    let m = sample(leg.experiment!, draws(200_000), name: "exponent 1").moments(index(leg.experiment!, "rho[0,1]"))
    check(m.mean, m.meanError, 0.24071, 5e-6, "linear limit")
    for exponent in [0.25, 0.49] {
      let network = try shaped(width: 50, depth: 50, exponent: exponent)
      let failure = #expect(throws: Failure.self) { try self.limit("covariance-sde", network) }
      #expect(failure?.message.contains("exponent 1/2") == true)
    }
  }

  private func branches(
    width: Int = 64, depth: Int, growth: Double = 0, exponent: Double? = nil, lambda: Double = 1, layer: Int? = nil,
    count: Int = 2
  ) throws -> NetworkModel {
    var keys: [String: JobValue] = [
      "architecture": .text("resnet"), "activation": .text("relu"), "width": .integer(Int64(width)),
      "depth": .integer(Int64(depth)), "inputs": correlated(0.3, count: count), "lambda": .real(lambda), "c": .real(1),
      "branch_scaling": .text("1/sqrt(depth)"), "branch_growth": .real(growth),
      "observables": names("V", "log_V", "rho"),
    ]
    if let exponent {
      keys["branch_scaling"] = .text("1/depth^p")
      keys["branch_exponent"] = .real(exponent)
    }
    if let layer { keys["layers"] = .list([.integer(Int64(layer))]) }
    return try model(keys)
  }

  /// Branches a_l^2 like 1, l, l^-1/2, 1/l with the sum 1, d = 4000, infinite width: .38294, .38294, .38293, .38234. a_l^2 = c/l^2: V tends to sinh(x)/x,
  /// x = pi sqrt(c/2), 2.05096 for c = 1; the layers beyond d leave a factor of 1 + c/(2d). No draws.
  @Test func unequalBranches() throws {
    for (growth, value) in [(0, 0.38294), (1, 0.38294), (-0.5, 0.38293), (-1, 0.38234)] {
      let rho = mean(try limit("infinite-width", try branches(depth: 4000, growth: growth)), "rho[0,1]")
      #expect(abs(rho - value) <= 5.1e-6, "growth \(growth): \(rho)")
    }
    let depth = 4000
    let total = (1...depth).reduce(0.0) { $0 + 1 / Double($1 * $1) }
    let fast = try branches(depth: depth, growth: -2, lambda: total.squareRoot())
    let v = mean(try limit("infinite-width", fast), "V[0,0]")
    #expect(abs(v * (1 + 0.5 / Double(depth)) - 2.05096) < 1e-5, "\(v)")
    // The first branches stay large: no flow.
    #expect(throws: Failure.self) { try self.limit("residual-flow", fast) }
    // The clock of the flow is the sum of the squares: (l (l + 1))/(d (d + 1)) of it with growth 1.
    let flow = try limit("residual-flow", try branches(depth: 99, growth: 1, layer: 70))
    #expect(abs(mean(flow, "V[0,0]") - Elementary.exp(0.5 * (70 * 71) / (99 * 100))) < 1e-12)
    let same = try limit("residual-flow", try branches(depth: 9900, layer: 70 * 71))
    #expect(abs(mean(flow, "rho[0,1]") - mean(same, "rho[0,1]")) < 1e-9)
  }

  /// Branches of strength d^-p, infinite width: V = (1 + d^-2p / 2)^d, so that p = 1/2 is the only exponent with a limit that is not trivial; limits are refused
  /// at others.
  @Test func branchExponent() throws {
    let known = [0.25, 0.5, 1].map { p in
      (100, ExactMoments.power(1 + 0.5 * [0.25: 0.1, 0.5: 0.01, 1: 0.0001][p]!, 100), p)
    }
    for (depth, value, p) in known {
      let network = try branches(depth: depth, exponent: p)
      #expect(abs(mean(try limit("infinite-width", network), "V[0,0]") / value - 1) < 1e-12)
      #expect(((try? limit("residual-flow", network)) != nil) == (p == 0.5))
      #expect(((try? limit("residual-fluctuation", network)) != nil) == (p == 0.5))
    }
    let equal = try branches(depth: 30, exponent: 0.5).experiment.makeRunner(3).values(0)
    #expect(try branches(depth: 30).experiment.makeRunner(3).values(0) == equal)
  }

  /// Excess kurtosis of the output, 3 Var V / (E V)^2 given Gaussian weights of it: n times that is 14.4(2) at n = d = 64 (3 times 4.6753 with its 1/n is
  /// 14.55), and the same with branches that shrink like l^-1/4. 2 comparisons.
  @Test func kurtosisOfResNets() throws {
    for growth in [0, -0.5] {
      let network = try branches(depth: 64, growth: growth, count: 1)
      let m = sample(network.experiment, draws(60_000), name: "kurtosis \(growth)")
        .moments(index(network.experiment, "V[0,0]"))
      let value = 64 * 3 * m.variance / (m.mean * m.mean)
      check(value, 64 * 3 * m.varianceError / (m.mean * m.mean), 14.4, 0.2, "M2 kurtosis, growth \(growth)")
    }
  }
}
