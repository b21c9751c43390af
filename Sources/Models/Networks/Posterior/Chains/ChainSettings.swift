import Experiments

extension ChainSettings {
  /// The method of `[posterior]` that takes these keys.
  static let method = "hmc"
  /// The method without chains.
  static let otherMethod = "weights"

  private static let counts: ClosedRange<Int64> = 1...1_000_000_000_000
  private static let usual = (step: 0.05, jitter: 0.2, leapfrog: 30, warmUp: 200)

  /// All without defaults: the other method takes none of them.
  static let parameters: [Parameter] =
    [
      Parameter(
        "method", .choice([otherMethod, method]), optional: true,
        "\(otherMethod), unless given: independent networks at initialisation, weighted by the likelihood, their readout integrated exactly; \(method): Hamiltonian Monte Carlo over all weights, network.draws chains"
      )
    ] + keys

  private static let keys: [Parameter] = [
    Parameter(
      "likelihood", .choice(["gaussian", "logistic"]), optional: true,
      "of the targets, of \(method): gaussian unless given; logistic: y = 1 with probability 1/(1 + e^{-f})"),
    Parameter(
      "step", .real(.init(0, 10, openBelow: true)), optional: true,
      "of \(method): step of leapfrog, for weights that are N(0, 1) at initialisation; \(usual.step) unless given; the law does not depend on it"
    ),
    Parameter(
      "jitter", .real(.init(0, 1, openAbove: true)), optional: true,
      "of \(method): the step of a trajectory is step times a uniform number in [1 - jitter, 1 + jitter]; \(usual.jitter) unless given"
    ),
    Parameter(
      "leapfrog_steps", .integer(1...100_000), optional: true,
      "of \(method): leapfrog steps of a trajectory; \(usual.leapfrog) unless given"),
    Parameter(
      "target_acceptance", .real(.init(0, 1, openBelow: true, openAbove: true)), optional: true,
      "of \(method): if given, the step is adapted in warm-up, and only there, to this acceptance rate; 0.8 is usual"),
    Parameter("steps", .integer(counts), optional: true, "of \(method), which needs it: trajectories after warm-up"),
    Parameter(
      "warm_up", .integer(counts), optional: true,
      "of \(method): trajectories before them; \(usual.warmUp) unless given"),
    Parameter(
      "measure_every", .integer(1...1_000_000_000), optional: true, unit: "steps",
      "of \(method): between measurements; 1 unless given"),
  ]

  /// Throws if a table without this method has a key of it.
  static func refuseKeys(_ p: Parameters) throws {
    for key in keys where p[key.name] != nil {
      throw p.invalid(key.name, "can be given with method = \"\(method)\" only")
    }
  }

  init(_ p: Parameters) throws {
    func integer(_ name: String, _ usual: Int) -> Int { p[name] == nil ? usual : p.integer(name) }
    func real(_ name: String, _ usual: Double) -> Double { p[name] == nil ? usual : p.real(name) }
    guard p["steps"] != nil else {
      throw p.invalid("steps", "must be an integer in [\(Self.counts.lowerBound), \(Self.counts.upperBound)]")
    }
    let (steps, every) = (p.integer("steps"), integer("measure_every", 1))
    guard steps % every == 0 else {
      throw p.invalid(
        "steps",
        "must be a multiple of measure_every = \(every); the nearest is \(max(1, (steps + every / 2) / every) * every)")
    }
    schedule = Schedule(warmUp: integer("warm_up", Self.usual.warmUp), steps: steps, measureEvery: every)
    step = real("step", Self.usual.step)
    jitter = real("jitter", Self.usual.jitter)
    leapfrog = integer("leapfrog_steps", Self.usual.leapfrog)
    target = p["target_acceptance"] == nil ? nil : p.real("target_acceptance")
    guard target == nil || schedule.warmUp >= 10 else {
      throw p.invalid("warm_up", "must be at least 10 steps to adapt the step size in")
    }
    if p["likelihood"] == .text("logistic") {
      guard p["noise"] == nil else { throw p.invalid("noise", "cannot be given with likelihood = \"logistic\"") }
      likelihood = .logistic
    } else {
      guard p["noise"] != nil, p.real("noise") > 0 else {
        throw p.invalid(
          "noise",
          "must be above 0 with method = \"\(Self.method)\": without noise the law of the weights has no density")
      }
      likelihood = .gaussian(noise: p.real("noise"))
    }
  }

  package var isLogistic: Bool { if case .logistic = likelihood { true } else { false } }

  /// All that decides a draw, by key.
  private var resolved: [(String, String)] {
    var found = [
      ("step", "\(step)"), ("jitter", "\(jitter)"), ("leapfrog_steps", "\(leapfrog)"),
      ("warm_up", "\(schedule.warmUp)"), ("measure_every", "\(schedule.measureEvery)"),
    ]
    if let target { found.append(("target_acceptance", "\(target)")) }
    return found
  }

  /// Lines of a job's identity.
  var identity: [String] { resolved.map { "posterior.\($0) = \($1)" } }

  /// Labels for the file.
  var attributes: [String: String] {
    var labels = Dictionary(uniqueKeysWithValues: resolved.map { ("posterior_\($0)", $1) })
    labels["posterior"] =
      "Hamiltonian Monte Carlo over all weights, \(isLogistic ? "logistic likelihood" : "targets with normal noise") (arXiv:1206.1901)"
    return labels
  }
}

extension Posterior {
  /// The posterior by chains, of a checked table.
  static func chains(
    _ p: Parameters, _ network: NetworkModel, train: [Int], targets: [Double], test: [Int]
  ) throws -> Posterior {
    func refused(_ key: String, _ why: String) -> Failure {
      network.parameters.invalid(
        key, "cannot be given together with posterior.method = \"\(ChainSettings.method)\": \(why)")
    }
    guard network.weighted != nil else {
      throw refused("architecture", "its weights are those of mlp or linear-mlp, with the probe V alone")
    }
    if let why = network.weighted?.activation.missingDerivative { throw refused("activation", why) }
    guard network.settings.layers == [network.settings.depth] else {
      throw refused("layers", "what is measured is the output, behind the last layer")
    }
    guard network.parameters["observables"] == .list(Probe.covariance.defaults.map { .text($0) }) else {
      throw refused("observables", "chains measure outputs, and no V")
    }
    guard p["regret"] == nil else { throw p.invalid("regret", "can be given with method = \"weights\" only") }
    let settings = try ChainSettings(p)
    var labels = targets
    if settings.isLogistic {
      guard targets.allSatisfy({ [0, 1].contains($0) }) || targets.allSatisfy({ [-1, 1].contains($0) }) else {
        throw p.invalid("targets", "must be labels with likelihood = \"logistic\": -1 and 1, or 0 and 1")
      }
      labels = targets.map { $0 > 0 ? 1 : -1 }
    }
    var noise = 0.0
    if case .gaussian(let own) = settings.likelihood { noise = own }
    return Posterior(
      GaussianRegression(inputs: network.settings.count, train: train, targets: labels, noise: noise, test: test),
      centres: [], chains: settings)
  }
}

extension NetworkModel {
  /// The network as chains over its weights take it; nil if they do not.
  package var weighted: Perceptron? {
    switch architecture {
    case let mlp as MLP: mlp.perceptron
    case is LinearMLP: Perceptron(activation: SlopeActivation(plus: 1, minus: 1), gain: 1)
    default: nil
    }
  }
}
