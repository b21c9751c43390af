import Experiments
import Networks
import Statistics
import Testing

/// Covariances of a rank below the number of inputs: log det V and the smallest log eigenvalues are -infinity, atanh rho and q^-1/2
/// of parallel inputs infinite, and a tally counts them as not finite.
@Suite struct RankTests {
  struct Kind: Sendable, CustomTestStringConvertible {
    let architecture: String
    var sampler = "conditional"
    var extra: [String: JobValue] = [:]
    var testDescription: String { "\(architecture) \(sampler)" }

    func model(_ activation: String, width: Int, depth: Int, inputs: JobValue, _ observables: [String]) throws
      -> NetworkModel
    {
      var keys: [String: JobValue] = [
        "architecture": .text(architecture), "width": .integer(Int64(width)), "depth": .integer(Int64(depth)),
        "inputs": inputs, "sampler": .text(sampler), "draws": .integer(10),
        "observables": .list(observables.map { .text($0) }),
      ]
      if architecture != "linear-mlp" && architecture != "transformer" { keys["activation"] = .text(activation) }
      if architecture != "ntk-mlp" { keys["layers"] = .text("all") }
      return try NetworkCatalog.read(.table(keys.merging(extra) { $1 }), path: "network", data: NoData())
    }
  }

  private static func both(_ architecture: String, _ extra: [String: JobValue] = [:]) -> [Kind] {
    ["conditional", "weights"].map { Kind(architecture: architecture, sampler: $0, extra: extra) }
  }

  private static let residual: [String: JobValue] = ["alpha": .real(0.8), "lambda": .real(0.6)]
  private static let convolutional = residual.merging(["positions": .integer(1), "kernel": .integer(1)]) { $1 }
  private static let unrestricted =
    both("mlp") + both("linear-mlp") + both("gated-mlp") + both("resnet", residual) + both("conv-resnet", convolutional)
    + both("ntk-mlp")
  private static let kinds =
    unrestricted + both("orthogonal-mlp") + both("transformer", ["gamma": .real(0.6)])
    + both("pre-ln-transformer", ["heads": .integer(2), "mlp_factor": .real(1)])

  /// Three inputs in one or two dimensions: det V = 0 in every layer and draw, whatever the activation.
  @Test("Fewer units than inputs", arguments: unrestricted, [1, 2])
  func narrow(network: Kind, width: Int) throws {
    for activation in ["tanh", "leaky-relu"] {
      let model = try network.model(
        activation, width: width, depth: 4, inputs: correlated(0.3, count: 3), ["log_det", "log_lambda", "moment"])
      let tally = sample(model.experiment, 3000, name: "narrow")
      for layer in model.experiment.layers.indices {
        #expect(tally.notFiniteCount(index(model.experiment, "log_det", layer: layer)) == 3000)
        for k in 0..<3 {
          let count = tally.notFiniteCount(index(model.experiment, "log_lambda[\(k)]", layer: layer))
          #expect(k < width ? count == 0 : count == 3000, "\(activation), layer \(layer), eigenvalue \(k): \(count)")
        }
        #expect(tally.notFiniteCount(index(model.experiment, "moment[2]", layer: layer)) == 0)
      }
    }
  }

  /// Positively homogeneous activations keep x and 3 x parallel, and every network keeps equal inputs equal.
  @Test("Parallel inputs stay parallel", arguments: kinds)
  func parallel(network: Kind) throws {
    let three = table([
      "gram": .list([
        .list([.real(1), .real(0.3), .real(3)]), .list([.real(0.3), .real(1), .real(0.9)]),
        .list([.real(3), .real(0.9), .real(9)]),
      ])
    ])
    // Attention sees more of a token than its direction.
    let inputs = network.architecture.hasSuffix("transformer") ? correlated(1, count: 3) : three
    let model = try network.model(
      "relu", width: 16, depth: 30, inputs: inputs, ["log_det", "atanh_rho", "q^-1/2", "q", "log_lambda", "rho"])
    let tally = sample(model.experiment, 500, name: "parallel")
    for layer in model.experiment.layers.indices {
      func lost(_ name: String) -> Int64 { tally.notFiniteCount(index(model.experiment, name, layer: layer)) }
      for name in ["log_det", "atanh_rho[0,2]", "q^-1/2[0,2]", "log_lambda[2]"] {
        #expect(lost(name) == 500, "\(name) at layer \(layer): \(lost(name))")
      }
      let q = tally.moments(index(model.experiment, "q[0,2]", layer: layer))
      #expect(q.count == 0 || q.mean == 0)
    }
  }

  /// Where small differences grow from layer to layer, roundings must not make equal inputs different ones. Not so yet in the reduced
  /// samplers of conv-resnet, whose factor is that of squares, and of the NTK, which has bases of its own.
  @Test(
    "Equal inputs stay equal in chaotic networks",
    arguments: kinds.filter { $0.sampler == "weights" || !["conv-resnet", "ntk-mlp"].contains($0.architecture) })
  func chaos(network: Kind) throws {
    let model = try network.model(
      "tanh", width: 16, depth: 60, inputs: correlated(1, count: 2), ["log_det", "atanh_rho"])
    var extra = network.extra
    if !["transformer", "pre-ln-transformer", "linear-mlp", "gated-mlp"].contains(network.architecture) {
      extra["c"] = .real(20)
    }
    let chaotic = try Kind(architecture: network.architecture, sampler: network.sampler, extra: extra).model(
      "tanh", width: 16, depth: 60, inputs: correlated(1, count: 2), ["log_det", "atanh_rho"])
    for model in [model, chaotic] {
      let tally = sample(model.experiment, 300, name: "chaos")
      for layer in model.experiment.layers.indices {
        for name in ["log_det", "atanh_rho[0,1]"] {
          let count = tally.notFiniteCount(index(model.experiment, name, layer: layer))
          #expect(count == 300, "\(name) at layer \(layer): \(count)")
        }
      }
    }
  }

  /// One layer of two ReLU units and two inputs at angle theta: V is singular unless both units see both inputs, or one sees both and
  /// the other one, or each sees another one. With p = (pi - theta)/(2 pi) for both and s = theta/(2 pi) for one of them,
  /// 1 - p^2 - 4 p s - 2 s^2. Four standard deviations, three tests a sampler.
  @Test("Two units: the probability of a singular V", arguments: ["conditional", "weights"])
  func probability(sampler: String) throws {
    let theta = 1.2661036727794992  // acos 0.3
    let (p, s) = ((Double.pi - theta) / (2 * Double.pi), theta / (2 * Double.pi))
    let singular = 1 - p * p - 4 * p * s - 2 * s * s
    let model = try Kind(architecture: "mlp", sampler: sampler).model(
      "relu", width: 2, depth: 6, inputs: correlated(0.3), ["log_det", "atanh_rho", "q^-1/2", "rho"])
    let draws = 20_000.0
    let tally = sample(model.experiment, UInt64(draws), name: "two units")
    let spread = 4 * (draws * singular * (1 - singular)).squareRoot()
    for name in ["log_det", "atanh_rho[0,1]", "q^-1/2[0,1]"] {
      let count = Double(tally.notFiniteCount(index(model.experiment, name)))
      #expect((count - draws * singular).magnitude < spread, "\(name): \(count), \(draws * singular)")
      for layer in 1..<6 {
        #expect(
          tally.notFiniteCount(index(model.experiment, name, layer: layer))
            == tally.notFiniteCount(index(model.experiment, "log_det", layer: layer)))
      }
    }
  }

  /// A linear network keeps a rank of two however close its vectors come: E log det V is known, four standard errors.
  @Test("What is nearly singular keeps its value")
  func nearlySingular() throws {
    let model = try Kind(architecture: "linear-mlp").model(
      "", width: 2, depth: 100, inputs: correlated(0.3), ["log_det", "atanh_rho"])
    let tally = sample(model.experiment, 2000, name: "linear")
    let found = tally.moments(index(model.experiment, "log_det", layer: 99))
    let known = try #require(model.known?.mean(of: "log_det", record: 99))
    #expect(found.count == 2000 && known < -150)
    #expect((found.mean - known).magnitude < 4 * found.meanError, "\(found.mean) +- \(found.meanError), \(known)")
  }

  /// Dead inputs have no correlation: whether they collapsed is not defined.
  @Test("Collapse is undefined where an input is dead")
  func collapse() throws {
    let model = try Kind(architecture: "mlp").model(
      "relu", width: 2, depth: 30, inputs: correlated(0.3), ["collapsed", "rho", "vanished"])
    let tally = sample(model.experiment, 2000, name: "collapse")
    for layer in [0, 29] {
      let defined = tally.moments(index(model.experiment, "rho[0,1]", layer: layer)).count
      let collapsed = tally.moments(index(model.experiment, "collapsed", layer: layer))
      #expect(collapsed.count == defined && defined < 2000)
    }
    #expect(tally.moments(index(model.experiment, "vanished", layer: 29)).mean == 1)
  }

  /// Paths of limits keep equal inputs equal, among others that are not.
  @Test(
    "Equal inputs of a limit stay equal",
    arguments: [
      ("covariance-sde", "mlp", "shaped-relu"), ("smooth-covariance-sde", "mlp", "shaped-tanh"),
      ("transformer-sde", "transformer", ""), ("infinite-width", "mlp", "tanh"),
      ("infinite-width", "pre-ln-transformer", "tanh"), ("infinite-width-heads", "pre-ln-transformer", "tanh"),
    ])
  func limits(equation: String, architecture: String, activation: String) throws {
    let inputs = table([
      "gram": .list([
        .list([.real(1), .real(0.3), .real(1)]), .list([.real(0.3), .real(1), .real(0.3)]),
        .list([.real(1), .real(0.3), .real(1)]),
      ])
    ])
    let shapes: [String: JobValue] = [
      "shaped-relu": table(["name": .text("shaped-relu"), "c_plus": .real(0), "c_minus": .real(-1)]),
      "shaped-tanh": table(["name": .text("tanh"), "a": .real(1)]), "tanh": .text("tanh"),
    ]
    var extra: [String: JobValue] = ["bound": .real(100)]
    if let shape = shapes[activation] { extra["activation"] = shape }
    let model = try Kind(architecture: architecture, extra: extra).model(
      "tanh", width: 20, depth: 10, inputs: inputs, ["log_det", "atanh_rho", "log_lambda", "q"])
    let leg = try limitLegs(table(["equation": .text(equation)]), path: "limit", network: model, networkDraws: 500)
      .legs[0]
    guard let experiment = leg.experiment else {
      let names = Set(leg.known!.statistics.map { leg.known!.observables[$0.observable].name })
      #expect(
        names.isDisjoint(with: ["log_det", "atanh_rho[0,2]", "log_lambda[2]"]) && names.contains("atanh_rho[0,1]"))
      return
    }
    let tally = sample(experiment, 500, name: "limits")
    for layer in experiment.layers.indices {
      for name in ["log_det", "atanh_rho[0,2]", "log_lambda[2]"] {
        let count = tally.notFiniteCount(index(experiment, name, layer: layer))
        #expect(count == 500, "\(name) at layer \(layer): \(count)")
      }
      #expect(tally.notFiniteCount(index(experiment, "atanh_rho[0,1]", layer: layer)) < 250)
      #expect(tally.moments(index(experiment, "q[0,2]", layer: layer)).mean == 0)
    }
  }
}
