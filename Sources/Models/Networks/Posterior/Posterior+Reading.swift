import Experiments
import Kernels

extension Posterior {
  package static let table = TableEntry(
    name: "posterior",
    summary:
      "asks for the posterior of the network's outputs: by weights over networks at initialisation, for every architecture with Gaussian readout; or by chains over all weights, for mlp and linear-mlp",
    parameters: [
      Parameter(
        "train", .structured(words("different places", 1)), "inputs whose targets are known, by their place from 0"),
      Parameter(
        "targets", .structured("an array of a finite number for each input of train"),
        "y; of the likelihood logistic -1 and 1, or 0 and 1"),
      Parameter(
        "noise", noise, optional: true,
        "s^2, variance of the noise of the targets, needed but for the likelihood logistic; nothing else is added to the diagonal"
      ),
      Parameter("test", .structured(words("different places", 1)), "inputs whose outputs are predicted"),
      Parameter(
        "controls", .choice(["layers", "none"]), default: .text("layers"),
        "control variates: what each layer adds to V beyond its mean given the layers before, where that mean is known and there are at most \(PosteriorControls.mostInputs) different inputs"
      ),
      Parameter(
        "regret", .boolean, optional: true,
        "whether the targets are true outputs, whose targets have noise: adds regret and regret_bound; needs noise"),
    ] + ChainSettings.parameters)

  private static let noise = Parameter.Kind.real(.init(0, .infinity, openAbove: true))

  private static func words(_ what: String, _ least: Int) -> String {
    "an array of \(least) to \(Inputs.largestCount) \(what) of inputs, from 0"
  }

  /// The checked table for a network.
  static func read(_ p: Parameters, _ network: NetworkModel) throws -> Posterior {
    let settings = network.settings
    let m = settings.count
    let isChain = p["method"] == .text(ChainSettings.method)
    if !isChain { try ChainSettings.refuseKeys(p) }
    guard network.architecture.hasGaussianReadout,
      let recursion = (network.architecture as? any CovarianceRecursive)?.covarianceRecursion()
    else {
      throw Failure.invalid(
        key: "network.architecture", value: network.parameters["architecture"]?.description,
        allowed:
          "cannot be given together with [posterior]: given its layers, its output is no Gaussian process of covariance V"
      )
    }
    guard settings.measured.bound == .infinity else {
      throw network.parameters.invalid("bound", "cannot be given together with [posterior], which needs every layer")
    }
    let train = try places(p, "train", m)
    let test = try places(p, "test", m)
    let targets = try numbers(p, count: train.count)
    if isChain { return try chains(p, network, train: train, targets: targets, test: test) }
    guard p["noise"] != nil else { throw p.invalid("noise", "must be \(Parameter("noise", Self.noise, "").allowed)") }
    let noise = p.real("noise")
    let known = noise == 0 ? try withoutRepeats(p, train, targets, settings.inputs.gram, m) : (train, targets)
    let regression = GaussianRegression(inputs: m, train: known.0, targets: known.1, noise: noise, test: test)
    // V has at most the rank of its units, and one more with a bias.
    guard noise > 0 || known.0.count <= settings.width else {
      throw p.invalid(
        "noise", "must be above 0: \(known.0.count) targets without noise need a width of at least \(known.0.count)")
    }
    let isTruth = p["regret"] != nil && p.boolean("regret")
    guard !isTruth || noise > 0 else { throw p.invalid("regret", "needs noise above 0") }
    let hypotheses = Hypotheses(inputs: m)
    var k = recursion.start
    var (covariances, centres, divergences): ([[Double]], [Double], [Double]) = ([], [], [])
    let before = settings.inputs.layer
    for layer in settings.layers {
      while covariances.count < layer - before {
        k = recursion.next(k, before + covariances.count + 1)
        covariances.append(recursion.covariance(k))
      }
      let covariance = covariances[layer - before - 1]
      guard covariance.allSatisfy(\.isFinite), (0..<m).allSatisfy({ covariance[$0 * m + $0].isNormal }) else {
        throw network.parameters.invalid(
          "depth",
          "cannot be given together with [posterior]: the covariance at infinite width leaves the range of numbers by layer \(layer)"
        )
      }
      guard let found = regression.solve(covariance: covariance), found.likelihood.isFinite else {
        throw p.invalid(
          "noise",
          "must be above 0: the covariance of the inputs of train is singular at infinite width, at layer \(layer)")
      }
      centres.append(found.likelihood)
      // Positive semi-definite, since the regression takes it.
      if isTruth, hypotheses.take(covariance: covariance, regression) {
        divergences.append(hypotheses.bestDivergence(noise: noise))
      }
    }
    let mean = p.text("controls") == "none" ? nil : network.architecture.layerMean
    return Posterior(
      regression, centres: centres,
      controls: mean.flatMap {
        PosteriorControls(
          regression, $0, covariances: covariances, layers: settings.layers.map { $0 - before })
      },
      condition: regression.condition(covariance: covariances.last!), isTangent: network.architecture.hasTangentKernel,
      divergences: isTruth ? divergences : nil)
  }

  private static func places(_ p: Parameters, _ key: String, _ m: Int) throws -> [Int] {
    let wrong = p.invalid(key, "must be \(words("different places", 1)); the network has \(m)")
    guard case .list(let items)? = p[key], (1...Inputs.largestCount).contains(items.count) else { throw wrong }
    let found = try items.map { item -> Int in
      guard let place = item.integer else { throw wrong }
      guard (0..<Int64(m)).contains(place) else {
        throw p.invalid(key, "has the place \(place), and the network has the inputs 0 to \(m - 1)")
      }
      return Int(place)
    }
    guard Set(found).count == found.count else { throw wrong }
    return found
  }

  private static func numbers(_ p: Parameters, count: Int) throws -> [Double] {
    let wrong = p.invalid("targets", "must be an array of \(count) finite numbers, one for each input of train")
    guard case .list(let items)? = p["targets"], items.count == count else { throw wrong }
    return try items.map { item in
      guard let number = item.number, number.isFinite else { throw wrong }
      return number
    }
  }

  /// Without noise equal inputs have equal outputs: one of them says all, if the targets are equal too.
  private static func withoutRepeats(
    _ p: Parameters, _ train: [Int], _ targets: [Double], _ gram: [Double], _ m: Int
  ) throws -> ([Int], [Double]) {
    var (places, values): ([Int], [Double]) = ([], [])
    for (a, y) in zip(train, targets) {
      let same = places.firstIndex { b in
        gram[a * m + a] == gram[b * m + b] && gram[a * m + b] == gram[a * m + a]
      }
      guard let same else {
        places.append(a)
        values.append(y)
        continue
      }
      guard values[same] == y else {
        throw p.invalid(
          "noise",
          "must be above 0: the inputs \(places[same]) and \(a) are equal, and their targets \(values[same]) and \(y) differ"
        )
      }
    }
    return (places, values)
  }

  /// Labels for the file.
  var attributes: [String: String] {
    if let chains { return chains.attributes }
    return [
      "posterior":
        "log likelihood, mean and variance of regression given V, weighted by the likelihood (arXiv:1910.00019)",
      "posterior_condition": condition.description,
      "posterior_controls": controls == nil ? "none" : "layers",
    ]
  }
}
