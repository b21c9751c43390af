import Experiments
import Kernels
import Networks
import Training

extension TrainingLimits {
  static let residualTraining = LimitEntry<TrainingModel>(
    name: "residual-training",
    summary:
      "linear residual networks in muP at infinite width and any depth, trained on one example by the same discrete steps; causal and exact",
    equation:
      "h_{l+1} = h_l + beta (u_l + A_l g_{l+1}) + eta gamma beta^2 D H_l g_{l+1}, g_l = g_{l+1} + beta (r_l + B_l h_l) + eta gamma beta^2 D G_{l+1} h_l, u_l ~ GP(0, H_l), r_l ~ GP(0, G_{l+1}), D = y - f",
    reference: "arXiv:2309.16620; docs/training.md", parameters: []
  ) { p, model in
    guard let network = model.problem as? TrainedMLP, let branch = network.shape.branch, network.data.train == 1,
      network.data.test == 0, network.data.outputs == 1
    else { throw p.invalid("equation", "needs problem = \"resnet\" trained on one example with one output") }
    guard let slopes = network.activation as? SlopeActivation, slopes.plus == 1, slopes.minus == 1 else {
      throw p.invalid("equation", "needs activation = \"linear\"")
    }
    try network.requireKnown { p.invalid("equation", $0) }
    guard network.parametrisation.isMaximalUpdate, network.optimiser.isFullDescent, network.isSquared,
      network.start == .random, network.parametrisation.keepsDecay || network.optimiser.decay == 0
    else {
      throw p.invalid(
        "equation",
        "needs parametrisation = \"mup\" (with weight_decay as it is, c = 0), loss = \"squared\", start = \"random\" and the optimiser descent of all examples"
      )
    }
    try model.settings.requireOneRate(p, "equation")
    let last = model.settings.records.last!
    guard last <= 60, network.depth <= 65 else {
      throw p.invalid(
        "equation", "needs at most 60 steps and a depth of at most 64: its cost grows as their fourth and second powers"
      )
    }
    let theory = ResidualFields(network, branch: branch * network.squaredGain.squareRoot(), settings: model.settings)
    return LimitModel(
      .known(theory.predictions(model.experiment.schema)), offset: "an offset of order 1/n is expected")
  }
}

/// Fields over units at infinite width, each kept as its coefficients on independent Gaussian sources, so that every average is a sum.
///
/// Sources are u_0 and r, of unit variance, and of every layer l = 1..L and step t the fields u_l(t), of covariance $H_l(t, s)$, and r_l(t), of covariance
/// $G_{l+1}(t, s)$; all others are independent. With weight decay what a weight has of its start, or of the move at a step, shrinks by
/// $q_s = 1 - \eta_s \gamma^2 \lambda$ in each step after.
private struct ResidualFields {
  let layers, steps: Int
  /// beta sqrt(c); what a product of two fields is multiplied by, eta gamma; K = |x|^2/d.
  let branch, gamma, input, target: Double
  /// gamma^2 lambda.
  let decay: Double
  /// What weight decay has left of the start, and of eta gamma D(s) of the steps made.
  private var start = 1.0
  private var moves: [Double] = []
  let settings: TrainingSettings
  /// h_l(t) and g_l(t), l = 1..L + 1, by their coefficients.
  private var h: [[[Double]]]
  private var g: [[[Double]]]
  /// Covariances H_l(t, s), G_l(t, s), t x s.
  private var covarianceH: [[Double]]
  private var covarianceG: [[Double]]
  private var outputs: [Double] = []

  init(_ network: TrainedMLP, branch: Double, settings: TrainingSettings) {
    layers = network.depth - 1
    steps = settings.records.last! + 1
    self.branch = branch
    self.settings = settings
    gamma = network.gamma
    input = network.data.inputs.reduce(0) { $0 + $1 * $1 } / Double(network.data.features)
    target = network.data.targets[0]
    decay = gamma * gamma * network.optimiser.decay
    let count = 2 + 2 * layers * steps
    let empty = Array(repeating: Array(repeating: [Double](), count: steps), count: layers + 2)
    (h, g) = (empty, empty)
    covarianceH = Array(repeating: Array(repeating: 0, count: steps * steps), count: layers + 2)
    covarianceG = covarianceH
    sources = count
    for t in 0..<steps { advance(t) }
  }

  private let sources: Int

  private func u(_ layer: Int, _ t: Int) -> Int { 2 + 2 * ((layer - 1) * steps + t) }
  private func r(_ layer: Int, _ t: Int) -> Int { u(layer, t) + 1 }

  /// Mean over units of a product.
  private func mean(_ a: [Double], _ b: [Double]) -> Double {
    var sum = input * a[0] * b[0] + a[1] * b[1]
    for layer in 1..<layers + 1 {
      let (hs, gs) = (covarianceH[layer], covarianceG[layer + 1])
      for t in 0..<steps {
        let (x, y) = (a[u(layer, t)], a[r(layer, t)])
        guard x != 0 || y != 0 else { continue }
        for s in 0..<steps {
          sum += x * hs[t * steps + s] * b[u(layer, s)] + y * gs[t * steps + s] * b[r(layer, s)]
        }
      }
    }
    return sum
  }

  /// Fields at step t, from those of the steps before: up the layers, then down.
  private mutating func advance(_ t: Int) {
    func add(_ x: Double, _ field: [Double], to sum: inout [Double]) {
      guard x != 0 else { return }
      for i in sum.indices { sum[i] += x * field[i] }
    }
    if t > 0 {
      let keep = 1 - settings.rate(t) * decay
      start *= keep
      for s in moves.indices { moves[s] *= keep }
      moves.append(settings.rate(t) * gamma * (target - outputs[t - 1]))
    }
    var field = Array(repeating: 0.0, count: sources)
    field[0] = start
    for s in 0..<t { add(input * moves[s], g[1][s], to: &field) }
    setH(1, t, field)
    for layer in 1..<layers + 1 {
      let below = h[layer][t]
      field = below
      field[u(layer, t)] += branch * start
      for s in 0..<t {
        let response = branch * start * below[r(layer, s)]
        add(
          response + branch * branch * moves[s] * covarianceH[layer][s * steps + t], g[layer + 1][s], to: &field)
      }
      setH(layer + 1, t, field)
    }
    field = Array(repeating: 0.0, count: sources)
    field[1] = start
    for s in 0..<t { add(moves[s], h[layers + 1][s], to: &field) }
    setG(layers + 1, t, field)
    for layer in stride(from: layers, through: 1, by: -1) {
      let above = g[layer + 1][t]
      field = above
      field[r(layer, t)] += branch * start
      for s in 0..<t {
        let response = branch * start * above[u(layer, s)]
        add(
          response + branch * branch * moves[s] * covarianceG[layer + 1][s * steps + t], h[layer][s], to: &field)
      }
      setG(layer, t, field)
    }
    outputs.append(mean(g[layers + 1][t], h[layers + 1][t]) / gamma)
  }

  private mutating func setH(_ layer: Int, _ t: Int, _ field: [Double]) {
    h[layer][t] = field
    for s in 0...t {
      let value = mean(field, h[layer][s])
      covarianceH[layer][t * steps + s] = value
      covarianceH[layer][s * steps + t] = value
    }
  }

  private mutating func setG(_ layer: Int, _ t: Int, _ field: [Double]) {
    g[layer][t] = field
    for s in 0...t {
      let value = mean(field, g[layer][s])
      covarianceG[layer][t * steps + s] = value
      covarianceG[layer][s * steps + t] = value
    }
  }

  func predictions(_ schema: Schema) -> ReferenceValues {
    var found: [PredictedStatistic] = []
    for (record, step) in settings.records.enumerated() {
      func add(_ name: String, _ value: Double) {
        guard let place = schema.place(of: name) else { return }
        found.append(PredictedStatistic(.mean, record: record, observable: place, value: value))
      }
      let rest = outputs[step] - target
      add("loss", 0.5 * rest * rest)
      add("f[0]", outputs[step])
      for layer in 1...layers + 1 {
        add("coordinate_size[\(layer)]", covarianceH[layer][step * steps + step].squareRoot())
      }
    }
    return ReferenceValues(
      schema: schema, statistics: found.filter(\.value.isFinite), remainder: [Remainder("width", order: 1)])
  }
}
