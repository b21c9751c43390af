import Experiments
import Kernels
import Networks
import Randomness
import Statistics
import Testing
import Training

/// Perceptrons in training: gradients, blocks, optimisers, parametrisations, and their limits.
@Suite struct TrainedMLPTests {
  static func problem(
    _ activation: any Activation, width: Int = 5, depth: Int = 2, outputs: Int = 1, loss: Loss = .squared,
    optimiser: Optimiser = Optimiser(), parametrisation: Parametrisation = Parametrisation.named[1].value,
    examples: Int = 4, gamma: Double = 1.3, start: TrainedMLP.Start = .random, branch: Double? = nil,
    bias: Double = 0
  ) -> TrainedMLP {
    var stream = Stream(key: 99)
    stream.start(draw: 0)
    let inputs = (0..<examples).map { _ in (0..<3).map { _ in stream.normal() } }
    let targets = (0..<examples).map { a -> [Double] in
      switch loss {
      case .squared: (0..<outputs).map { _ in stream.normal() }
      case .logistic, .hinge: [a % 2 == 0 ? 1 : -1]
      case .crossEntropy: (0..<outputs).map { $0 == a % outputs ? 1 : 0 }
      }
    }
    return TrainedMLP(
      shape: .init(features: 3, width: width, depth: depth, outputs: outputs, branch: branch, bias: bias),
      activation: activation,
      gain: 1.2, gamma: gamma, parametrisation: parametrisation, data: TrainingData(inputs: inputs, targets: targets),
      loss: loss,
      optimiser: optimiser, start: start, measured: .init(nil))
  }

  private func begin(_ problem: TrainedMLP, _ stream: inout Stream) -> TrainedMLP.State {
    let state = problem.makeState()
    stream.start(draw: 0)
    problem.start(state, &stream)
    return state
  }

  /// The gradient of every weight against differences of the loss, for every loss, one to four layers, perceptrons and residual networks, one and three outputs, with and without biases, an activation
  /// that does not vanish at 0 (padding) and one with a kink.
  @Test(
    arguments: [
      (1, 1, Loss.squared, nil, 0), (2, 3, .squared, nil, 0), (3, 1, .logistic, nil, 0), (2, 1, .hinge, nil, 0),
      (2, 3, .crossEntropy, nil, 0), (4, 2, .squared, 0.6, 0), (1, 1, .squared, 0.6, 0), (1, 1, .squared, nil, 0.5),
      (3, 2, .squared, nil, 0.5), (3, 2, .squared, 0.6, 0.5),
    ] as [(Int, Int, Loss, Double?, Double)])
  func gradientIsThatOfTheLoss(depth: Int, outputs: Int, loss: Loss, branch: Double?, bias: Double) throws {
    for name in ["tanh", "sigmoid", "relu"] {
      let activation = try ActivationChoice(.text(name), path: "a", width: 5).function
      let problem = Self.problem(activation, depth: depth, outputs: outputs, loss: loss, branch: branch, bias: bias)
      var stream = Stream(key: 3)
      let state = begin(problem, &stream)
      _ = problem.loss(state, &stream, step: 1)
      let stride = problem.shape.stride
      let found = (1...depth + 1).map { layer in
        (0..<problem.shape.room(layer)).map { state.stack.gradients[layer - 1][$0] }
      }
      for layer in 1...depth + 1 {
        for row in 0..<problem.shape.rows(layer) {
          for unit in 0..<problem.shape.width {
            let place = row * stride + unit
            let weight = state.stack.weights[layer - 1] + place
            let (value, h) = (weight.pointee, 1e-6)
            weight.pointee = value + h
            let above = problem.loss(state, &stream, step: 1)
            weight.pointee = value - h
            let below = problem.loss(state, &stream, step: 1)
            weight.pointee = value
            #expect(
              ((above - below) / (2 * h) - found[layer - 1][place]).magnitude < 1e-7,
              "\(name), \(loss), layer \(layer), weight \(row), \(unit)")
          }
          for unit in problem.shape.width..<stride { #expect(found[layer - 1][row * stride + unit] == 0) }
        }
      }
    }
  }

  /// 300 examples in three blocks: loss and gradient are the means over the examples one by one.
  @Test func blocksAddUp() {
    let problem = Self.problem(Tanh(ActivationScaling()), examples: 300)
    var stream = Stream(key: 3)
    let state = begin(problem, &stream)
    let loss = problem.loss(state, &stream, step: 1)
    let gradient = (0..<problem.shape.room(2)).map { state.stack.gradients[1][$0] }
    var sum = 0.0
    var each = Array(repeating: 0.0, count: gradient.count)
    for a in 0..<300 {
      let row = (0..<3).map { problem.data.inputs[3 * a + $0] }
      let single = TrainedMLP(
        shape: problem.shape, activation: problem.activation, gain: 1.2, gamma: 1.3,
        parametrisation: problem.parametrisation,
        data: TrainingData(inputs: [row], targets: [[problem.data.targets[a]]]),
        loss: .squared, optimiser: Optimiser(), start: .random, measured: .init(nil))
      let own = begin(single, &stream)
      sum += single.loss(own, &stream, step: 1)
      for i in each.indices { each[i] += own.stack.gradients[1][i] / 300 }
    }
    #expect((loss - sum / 300).magnitude < 1e-13)
    #expect(zip(gradient, each).allSatisfy { ($0 - $1).magnitude < 1e-14 })
  }

  /// Optimisers on a few weights against the plain formulas, with a multiplier and weight decay, eight steps.
  @Test func optimisersAreTheirFormulas() {
    let (scale, rate, decay) = (0.5, 0.07, 0.3)
    let methods: [Optimiser.Method] = [
      .descent, .momentum(0.9, averaged: false), .momentum(0.9, averaged: true),
      .adam(first: 0.8, second: 0.95, epsilon: 1e-3),
    ]
    for method in methods {
      let optimiser = Optimiser(method, decay: decay)
      var stored = [scale * 1.1, scale * -0.4]
      var w = [1.1, -0.4]
      var memory = Array(repeating: 0.0, count: 2 * max(optimiser.buffers, 1))
      var (v, m) = ([0.0, 0.0], [0.0, 0.0])
      var stream = Stream(key: 1)
      for t in 1...8 {
        // Gradient of sin(W_0) + W_0 W_1.
        let gradient = [stored[1] + 1 - 0.5 * stored[0] * stored[0], stored[0]]
        optimiser.move(
          &stored, gradient, &memory, count: 2, scale: scale, rate: rate, step: t, &stream)
        for i in 0..<2 {
          let g = scale * gradient[i] + decay * w[i]
          switch method {
          case .momentum(let mu, let averaged):
            v[i] = mu * v[i] + (averaged ? 1 - mu : 1) * g
            w[i] -= rate * v[i]
          case .adam(let first, let second, let epsilon):
            m[i] = first * m[i] + (1 - first) * g
            v[i] = second * v[i] + (1 - second) * g * g
            let (a, b) = ((1...t).reduce(1.0) { x, _ in x * first }, (1...t).reduce(1.0) { x, _ in x * second })
            w[i] -= rate * (m[i] / (1 - a)) / ((v[i] / (1 - b)).squareRoot() + epsilon)
          default: w[i] -= rate * g
          }
        }
        for i in 0..<2 { #expect((stored[i] - scale * w[i]).magnitude < 1e-13, "\(method), step \(t)") }
      }
    }
  }

  /// Exponentiated gradient on one weight W = s w, in closed form: under a constant gradient w_t = w_0 exp(-eta sign(w_0) g t), and in the limit of small steps, with the gradient w - y,
  /// w(t) = y / (1 + (y/w_0 - 1) exp(-y t)) for positive w and y: two step sizes, whose errors are of their order.
  @Test func exponentiatedGradientIsItsClosedForm() {
    var stream = Stream(key: 1)
    let (scale, rate, slope) = (0.5, 0.03, 0.7)
    var weights = [scale * 1.3, scale * -0.8, 0]
    let optimiser = Optimiser(.exponentiatedGradient)
    for t in 1...40 {
      optimiser.move(
        &weights, [slope / scale, slope / scale, slope / scale], nil, count: 3, scale: scale, rate: rate, step: t,
        &stream)
      let growth = Elementary.exp(rate * slope * Double(t))
      #expect((weights[0] - scale * 1.3 / growth).magnitude < 1e-14)
      #expect((weights[1] + scale * 0.8 * growth).magnitude < 1e-14)
      #expect(weights[2] == 0)
    }
    let (start, target, time) = (0.2, 1.5, 3.0)
    let exact = target / (1 + (target / start - 1) * Elementary.exp(-target * time))
    let errors = [1000, 2000].map { count -> Double in
      var w = [start]
      for t in 1...count {
        optimiser.move(&w, [w[0] - target], nil, count: 1, scale: 1, rate: time / Double(count), step: t, &stream)
      }
      return w[0] - exact
    }
    #expect(errors[0].magnitude < 1e-2 && errors[0] != 0)
    #expect((errors[0] / errors[1] - 2).magnitude < 0.05, "\(errors)")
  }

  /// a_l + theta, b_l - theta, c - 2 theta is the same network, for every optimiser whose moves scale with the gradient.
  @Test func shiftedParametrisationIsTheSame() {
    for optimiser in [Optimiser(), Optimiser(.momentum(0.5, averaged: false), decay: 0.1)] {
      let values = [0, 0.3].map { theta -> Double in
        let mup = Parametrisation.named[2].value
        let shifted = Parametrisation(
          a: mup.a.map { $0 + theta }, b: mup.b.map { $0 - theta }, c: mup.c - 2 * theta)
        // Weight decay is of w, whose share of a step is rate * decay: n^-c of it goes with the shift.
        let own = Optimiser(optimiser.method, decay: optimiser.decay * Elementary.exp(-2 * theta * Elementary.log(5)))
        let problem = Self.problem(Tanh(ActivationScaling()), optimiser: own, parametrisation: shifted, bias: 0.4)
        var stream = Stream(key: 3)
        let state = begin(problem, &stream)
        for t in 1...10 {
          _ = problem.loss(state, &stream, step: t)
          problem.step(state, &stream, rate: 0.05)
        }
        return problem.loss(state, &stream, step: 11)
      }
      #expect((values[0] - values[1]).magnitude < 1e-12 * values[0])
    }
  }

  @Test func exponentsOfFeatures() {
    let named = Dictionary(uniqueKeysWithValues: Parametrisation.named.map { ($0.name, $0.value) })
    for (name, r) in [("standard", 0.5), ("ntk", 0.5), ("mup", 0)] {
      #expect(named[name]!.featureExponent(depth: 2) == r, "\(name)")
      #expect(named[name]!.instability(depth: 2) == nil, "\(name)")
    }
    #expect(named["mean-field"]!.featureExponent(depth: 1) == 0)
    #expect(named["ntk"]!.trainedLayers(depth: 2) == [true, true, true])
    #expect(named["standard"]!.trainedLayers(depth: 2) == [false, true, true])
    #expect(named["mup"]!.trainedLayers(depth: 2) == nil)
    #expect(Parametrisation(a: [0, 0, 0], b: [0, 0.5, 0.5], c: 0).instability(depth: 2) != nil)
  }

  /// Batches without replacement go through every example once an epoch, whatever their size; with replacement each comes with its frequency.
  @Test func batchesGoThroughAnEpoch() {
    var stream = Stream(key: 4)
    stream.start(draw: 0)
    let batches = Batches(train: 7, size: 3, replacement: false)
    batches.start()
    var seen: [Int] = []
    for _ in 0..<14 {
      batches.next(&stream)
      seen += (0..<3).map { batches.indices[$0] }
    }
    for epoch in 0..<6 { #expect(Set(seen[7 * epoch..<7 * epoch + 7]).count == 7) }
    #expect(Array(seen[0..<7]) != Array(seen[7..<14]))
    let free = Batches(train: 5, size: 1000, replacement: true)
    free.start()
    free.next(&stream)
    // 5 counts with standard deviation 12.6: within 4.
    for i in 0..<5 { #expect(((0..<1000).count { free.indices[$0] == i } - 200).magnitude < 51) }
  }

  /// T3: kernel regression after discrete steps, five digits, and networks within 4 standard errors: 4 tests.
  @Test func kernelRegimeIsAsPrinted() throws {
    let keys: [String: JobValue] = [
      "width": .integer(512), "activation": .text("relu"), "steps": .integer(50), "records": steps([5, 50]),
      "learning_rate": .real(1), "parametrisation": .text("ntk"),
      "data": .table([
        "angles": numbers([0, 1.2, 2.4, 4.0, 0.6]), "targets": numbers([1, -1, 0.5, 0, 0]), "test": .integer(1),
      ]),
    ]
    let model = try training("mlp", keys)
    let found = try prediction("ntk-training", of: model)
    let printed: [(Statistic, String, Int, Double)] = [
      (.mean, "f[4]", 0, -0.07266), (.variance, "f[4]", 0, 0.04516), (.mean, "f[0]", 0, 0.77863),
      (.mean, "f[4]", 1, -0.17260), (.variance, "f[4]", 1, 0.04224),
    ]
    for (statistic, name, record, value) in printed {
      #expect((found.value(statistic, name, record: record) - value).magnitude < 6e-6, "\(statistic) of \(name)")
    }
    let tally = sample(model.experiment, validating ? 20_000 : 1000, name: "T3")
    let schema = model.experiment.schema
    for (name, record, value, error) in [("f[4]", 0, -0.0700, 0.0068)] {
      let moments = tally.moments(schema.index(record, schema.place(of: name)!))
      #expect(
        (moments.mean - value).magnitude < 4 * (error * error + moments.meanError * moments.meanError).squareRoot())
      #expect(
        (moments.variance - 0.0459).magnitude < 4
          * (0.0021 * 0.0021 + moments.varianceError * moments.varianceError).squareRoot())
    }
  }

  /// The readout alone trains at rate 0 of the others... the linear activation of one layer at the start: the linearised twin and the network differ by
  /// order rate^2 after one step, none at rate 0.
  @Test func twinIsTheLinearisation() throws {
    func difference(_ rate: Double) throws -> Double {
      let model = try training(
        "mlp",
        [
          "width": .integer(8), "depth": .integer(2), "activation": .text("tanh"), "steps": .integer(1),
          "records": steps([1]), "learning_rate": .real(rate), "parametrisation": .text("mup"), "gamma": .real(0.7),
          "twin": .text("linearised"), "loss": .text("logistic"),
          "data": .table([
            "inputs": rows([[1, 0.2], [-0.3, 1], [0.4, -0.8]]), "targets": numbers([1, -1, 1]), "test": .integer(1),
          ]),
        ])
      return run(model)["f[2] - linearised"]!
    }
    let (coarse, fine) = (try difference(0.02), try difference(0.01))
    #expect(coarse.magnitude > 1e-9 && coarse.magnitude < 1e-2)
    #expect((coarse / fine - 4).magnitude < 0.1, "\(coarse / fine)")
  }

  /// T2: the mean-field limit of tanh, four digits; at gamma = 3 three.
  @Test func meanFieldIsAsPrinted() throws {
    let root = Double(2).squareRoot()
    func keys(_ gamma: Double) -> [String: JobValue] {
      [
        "width": .integer(256), "activation": .text("tanh"), "c": .real(1), "steps": .integer(20),
        "gamma": .real(gamma),
        "records": steps([5, 20]), "learning_rate": .real(0.2), "parametrisation": .text("mup"),
        "data": .table([
          "inputs": rows([
            [root, 0], [0.3 * root, Double(0.91).squareRoot() * root],
          ]), "targets": numbers([1, -0.5]),
        ]),
      ]
    }
    let rich = try prediction("infinite-width-training", of: training("mlp", keys(1)))
    for (name, record, value) in [("f[0]", 0, 0.3133), ("f[1]", 0, -0.1068), ("f[0]", 1, 0.7799), ("f[1]", 1, -0.3823)]
    {
      #expect((rich.value(.mean, name, record: record) - value).magnitude < 6e-5, "\(name)")
    }
    let richer = try prediction("infinite-width-training", of: training("mlp", keys(3)))
    #expect((richer.value(.mean, "f[0]", record: 1) - 0.835).magnitude < 2e-3)
    #expect((richer.value(.mean, "f[1]", record: 1) + 0.492).magnitude < 2e-3)
  }
}
