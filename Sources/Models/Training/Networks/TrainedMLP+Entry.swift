import Experiments
import Networks

extension TrainedMLP {
  /// Most numbers that one network in training may hold: 8 GiB.
  private static let mostNumbers = 1 << 30
  /// Most examples whose tangent kernel is measured.
  static let mostKernelInputs = 32

  static let entry = ProblemEntry(
    name: "mlp", summary: "perceptrons of any depth, activation, parametrisation, loss and optimiser",
    equation:
      "h_1 = W_1 x/sqrt(d) + b_1, h_{l+1} = sqrt(c) W_{l+1} phi(h_l) + b_{l+1}, f = sqrt(c) W_{L+1} phi(h_L)/gamma, W = n^-a w, w ~ N(0, n^-2b), b = bias n^-a_1 w, rate of w: learning_rate gamma^2 n^-c",
    reference: "arXiv:2011.14522; docs/training.md", observables: families, defaults: usual,
    parameters: parameters(
      depth: Parameter("depth", .integer(1...1000), default: .integer(1), "L, number of hidden layers"),
      gain: Parameter(
        "c", .real(.above(0)), optional: true, "gain c of every post-activation; 1 / E phi(g)^2 unless given"))
  ) { p, settings, source in try read(p, settings, source, branch: nil) }

  static let residual = ProblemEntry(
    name: "resnet", summary: "residual networks whose branches are scaled with the depth; takes the keys of mlp",
    equation:
      "h_1 = W_1 x/sqrt(d) + b_1, h_{l+1} = h_l + beta (sqrt(c) W_{l+1} phi(h_l) + b_{l+1}), l = 1..L, f = W_{L+2} h_{L+1}/gamma, W = n^-a w, w ~ N(0, n^-2b), rate of w: learning_rate gamma^2 n^-c",
    reference: "arXiv:2309.16620; docs/training.md", observables: families, defaults: usual,
    parameters: parameters(
      depth: Parameter(
        "depth", .integer(1...1000), default: .integer(1), small: .init(.inverse, "L", companions: ["draws"]),
        "L, number of branches"),
      gain: Parameter("c", .real(.above(0)), default: .real(1), "gain c of the branches")) + [
        Parameter(
          "branch_scaling", .choice(["1/sqrt(depth)", "1/depth", "1"]), default: .text("1/sqrt(depth)"),
          "beta over branch; 1/sqrt(depth) is depth-muP"),
        Parameter("branch", .real(.above(0)), default: .real(1), "factor of beta"),
      ]
  ) { p, settings, source in
    let depth = Double(p.integer("depth"))
    let scale =
      switch p.text("branch_scaling") {
      case "1/sqrt(depth)": 1 / depth.squareRoot()
      case "1/depth": 1 / depth
      default: 1.0
      }
    return try read(p, settings, source, branch: p.real("branch") * scale)
  }

  private static let families =
    [
      "loss", "test_loss", "error", "test_error", "margin", "f", "weight_change", "coordinate_size",
      "coordinate_change",
      "log_coordinate_change",
    ] + KernelMeasures.families + gradientFamilies + Fluctuation.families + SharpnessProbe.families + [
      JacobianPenalty.family
    ]
  private static let usual = ["loss", "test_loss", "error", "test_error", "f"]

  private static func parameters(depth: Parameter, gain: Parameter) -> [Parameter] {
    [
      Parameter(
        "width", .integer(1...65_536), small: .init(.inverse, "n", companions: ["draws"]), "n, units of a hidden layer"),
      depth,
      Parameter("activation", .structured(ActivationChoice.words), "activation function phi"),
      gain,
      Parameter(
        "bias", .real(.init(0, .infinity, openAbove: true)), default: .real(0),
        "sigma_b, standard deviation of the trained biases of every hidden layer at the start; none if 0"),
      Parameter(
        "parametrisation", .structured(Parametrisation.words), default: .text("mup"),
        "how weights and learning rates scale with the width"),
      Parameter(
        "gamma", .real(.above(0)), default: .real(1), "divides the output; its square multiplies the learning rate"),
      Loss.parameter,
      Parameter("optimiser", .structured(Optimiser.words), default: .text("descent"), "how the weights move"),
      Parameter(
        "start", .choice(Start.allCases.map(\.rawValue)), default: .text(Start.random.rawValue),
        "random: the readout as the parametrisation says; zero: it starts at 0; centred: the output at the start is taken off"
      ),
      Parameter(
        "weights", .choice(["gaussian", "orthogonal"]), default: .text("gaussian"),
        "gaussian: independent at the start; orthogonal: in every layer but the readout the shorter side of the matrix holds orthogonal vectors, uniform (Haar), entries of the same variance"
      ),
      Parameter(
        "jacobian", .real(.init(0, .infinity, openAbove: true)), default: .real(0),
        "lambda: adds lambda/2 times the mean of |df/dx|^2 over the examples of a step to the loss (arXiv:1908.02729)"),
      Parameter(
        "test_noise", .real(.init(0, .infinity, openAbove: true)), default: .real(0),
        "standard deviation of normal noise on the inputs of the test, drawn once a run"),
      Parameter(
        "precision", .choice(["double", "single"]), default: .text("double"),
        "of weights, activations, gradients and the optimiser's memory; losses and measures are in double precision"),
      Parameter(
        "twin", .choice(["none", "linearised"]), default: .text("none"),
        "linearised: trains the linearisation of every network about its own start by the same steps, and measures the differences"
      ),
      Parameter("data", .structured(TrainingData.words), "the examples"),
    ]
  }

  /// - Parameter branch: beta of a residual network, whose first layer has no branch.
  private static func read(
    _ p: Parameters, _ settings: TrainingSettings, _ source: any DataSource, branch: Double?
  ) throws -> TrainingModel {
    let data = try TrainingData.read(p["data"], path: "\(p.path).data", data: source, mayBeFresh: true)
    let width = p.integer("width")
    let depth = p.integer("depth") + (branch == nil ? 0 : 1)
    let shape = NetworkShape(
      features: data.features, width: width, depth: depth, outputs: data.outputs, branch: branch,
      bias: p.real("bias"))
    let activation = try ActivationChoice(p["activation"]!, path: "\(p.path).activation", width: width)
    if let why = activation.function.missingDerivative { throw p.invalid("activation", "has no gradient: \(why)") }
    let optimiser = try Optimiser(p["optimiser"], path: "\(p.path).optimiser", train: data.train)
    guard shape.numbers + optimiser.buffers * (1...depth + 1).reduce(0, { $0 + shape.room($1) }) <= mostNumbers else {
      throw p.invalid(
        "width", "makes networks of more than \(mostNumbers) numbers each, and a network is trained by one rank")
    }
    let isPaired = p.text("twin") == "linearised"
    let measured = Measured(settings.measured, linearised: isPaired)
    if isPaired, !optimiser.isPlain || p.real("jacobian") > 0 {
      throw p.invalid("twin", "needs the optimiser descent of all examples, without weight_decay and with jacobian = 0")
    }
    let isSingle = p.text("precision") == "single"
    if isPaired, isSingle {
      throw p.invalid("twin", "needs precision = \"double\": its differences are near the rounding of single precision")
    }
    if measured.kernel || isPaired {
      guard data.outputs == 1, data.train + data.test <= mostKernelInputs else {
        throw p.invalid(
          isPaired ? "twin" : "observables",
          "asks for the tangent kernel, which needs one output and at most \(mostKernelInputs) examples: there are \(data.outputs) and \(data.train + data.test)"
        )
      }
    }
    let isCurved = measured.sharpness || measured.jacobian || p.real("jacobian") > 0
    if isCurved {
      if let why = activation.function.missingCurvature {
        throw p.invalid("activation", "has no second derivative, which sharpness and jacobian need: \(why)")
      }
      guard p.text("precision") == "double" else {
        throw p.invalid("precision", "must be \"double\" where sharpness or jacobian is asked for")
      }
      let room = (measured.sharpness ? SharpnessProbe.numbers(shape) : 0) + SecondOrderPass.numbers(shape)
      guard shape.numbers + room <= mostNumbers else {
        throw p.invalid("width", "makes second derivatives of more than \(mostNumbers) numbers")
      }
    }
    guard p.real("test_noise") == 0 || data.test > 0 else {
      throw p.invalid("test_noise", "needs examples of the test: give test in data")
    }
    if measured.fluctuation, !Fluctuation.isKnown(optimiser) {
      throw p.invalid("observables", "has fdr_left or fdr_right, which are of the optimisers descent and momentum")
    }
    if optimiser.method == .exponentiatedGradient, p.text("start") == "zero" {
      throw p.invalid("start", "needs another optimiser: exponentiated-gradient keeps weights of 0")
    }
    if data.isFresh { try checkFresh(p, optimiser, measured) }
    let loss = Loss(rawValue: p.text("loss"))!
    try loss.check(data, p)
    let parametrisation = try Parametrisation(p["parametrisation"], path: "\(p.path).parametrisation", depth: depth)
    let problem = TrainedMLP(
      shape: shape, activation: activation.function, gain: try activation.gain(p).squareRoot(), gamma: p.real("gamma"),
      parametrisation: parametrisation, data: data, loss: loss, optimiser: optimiser,
      start: Start(rawValue: p.text("start"))!, isOrthogonal: p.text("weights") == "orthogonal",
      jacobian: p.real("jacobian"), testNoise: p.real("test_noise"), measured: measured)
    var attributes = [
      "activation": activation.name, "feature_exponent": "\(parametrisation.featureExponent(depth: depth))",
    ]
    if let why = parametrisation.instability(depth: depth) { attributes["unstable"] = why }
    let experiment =
      isPaired
      ? Experiment(
        Paired(
          TrainingRun(problem, settings), TrainingRun(LinearisedMLP(network: problem), settings),
          reference: "linearised"))
      : isSingle ? Experiment(TrainingRun(SinglePrecisionMLP(problem), settings)) : nil
    return TrainingModel(problem, settings, p, experiment: experiment, attributes: attributes)
  }

  /// - Throws: where something asked for needs the same examples at every step.
  private static func checkFresh(_ p: Parameters, _ optimiser: Optimiser, _ measured: Measured) throws {
    let asked = [
      (optimiser.batch != nil, "optimiser", "batch"), (p.text("start") == "centred", "start", "centred"),
      (measured.linearised, "twin", "linearised"), (measured.kernel, "observables", "kernels"),
      (measured.coordinates, "observables", "coordinates"),
      (measured.sharpness || measured.jacobian, "observables", "second derivatives"),
      (p.real("test_noise") > 0, "test_noise", "noise"),
    ]
    if let (_, key, what) = asked.first(where: \.0) {
      throw p.invalid(key, "has \(what), which needs the same examples at every step: data has fresh = true")
    }
  }
}
