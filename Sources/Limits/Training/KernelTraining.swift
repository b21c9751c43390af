import Experiments
import Kernels
import Networks
import Training

extension TrainingLimits {
  static let kernelTraining = LimitEntry<TrainingModel>(
    name: "ntk-training",
    summary:
      "mean and covariance of the outputs of a perceptron in a kernel regime at infinite width, after the same discrete steps",
    equation:
      "f_t = f_0 - M_t (f_0 - y), M_{t+1} = M_t + (eta/P) Theta_X (1 - M_t), f_0 ~ N(0, K): mean M_t y, covariance (1 - M_t) K (1 - M_t)^T",
    reference: "arXiv:1806.07572; arXiv:1902.06720, eq. 10 and 11; docs/training.md", parameters: []
  ) { p, model in
    guard let network = model.problem as? TrainedMLP, network.data.outputs == 1, network.shape.branch == nil
    else {
      throw p.invalid("equation", "needs problem = \"mlp\" with one output")
    }
    try network.requireKnown(knowsOrthogonal: true) { p.invalid("equation", $0) }
    guard network.optimiser.isFullDescent, network.isSquared else {
      throw p.invalid("equation", "needs loss = \"squared\" and the optimiser descent of all examples")
    }
    guard network.optimiser.decay == 0 else {
      throw p.invalid(
        "equation",
        "has no form with weight_decay, which shrinks all weights of a network and not their moves only: the kernel and the outputs at the start change with it"
      )
    }
    guard let trains = network.parametrisation.trainedLayers(depth: network.depth) else {
      throw p.invalid(
        "equation",
        "needs a parametrisation in a kernel regime, as ntk and standard; of one that learns features use infinite-width-training"
      )
    }
    guard network.start != .zero else { throw p.invalid("equation", "needs start = \"random\" or \"centred\"") }
    try model.settings.requireOneRate(p, "equation")
    let kernels = KernelRegime(network, trains: trains)
    kernels.stabilityEdge.warn(model.settings.learningRate, path: model.parameters.path)
    let values = kernels.predictions(model)
    return LimitModel(
      .known(values),
      offset:
        "an offset of order \(kernels.order == 1 ? "1/n" : "1/sqrt(n), as units cross the kink of their activation,") is expected"
    )
  }
}

/// Mean and covariance of outputs that are linear in their start.
private struct KernelRegime {
  let network: TrainedMLP
  let count, train: Int
  /// Covariance of f_0 and tangent kernel, count x count.
  let covariance, kernel: [Double]
  let order: Double

  /// - Parameter trains: which of first layer, hidden layers and readout move enough to matter.
  init(_ network: TrainedMLP, trains: [Bool]) {
    self.network = network
    let data = network.data
    (count, train) = (data.train + data.test, data.train)
    let (m, d) = (count, data.features)
    let activation = ActivationKernel(network.activation)
    var k = (0..<m * m).map { place in
      (0..<d).reduce(0) { $0 + data.inputs[place / m * d + $1] * data.inputs[place % m * d + $1] } / Double(d)
    }
    var theta = k.map { trains[0] ? $0 : 0 }
    for layer in 2...network.depth + 1 {
      (k, theta) = activation.tangentLayer(
        k, theta, m, gain: network.squaredGain, isTrained: trains[layer > network.depth ? 2 : 1])
    }
    kernel = theta
    let isRandom = network.start == .random
    covariance = k.map { isRandom ? $0 / (network.gamma * network.gamma) : 0 }
    order = network.activation.kinks.isEmpty ? 1 : 0.5
  }

  /// $2 P/\lambda$ for the largest eigenvalue of Theta on the examples of training, by 100 steps of the power method.
  var stabilityEdge: StabilityEdge {
    var vector = (0..<train).map { 1 + 0.1 * Double($0 % 3) }
    var largest = 0.0
    for _ in 0..<100 {
      let image = (0..<train).map { a in (0..<train).reduce(0) { $0 + kernel[a * count + $1] * vector[$1] } }
      let length = image.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard length > 0 else { break }
      largest = length / vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      vector = image.map { $0 / length }
    }
    return StabilityEdge(2 * Double(train) / largest, "2 P/lambda of the tangent kernel at infinite width")
  }

  func predictions(_ model: TrainingModel) -> ReferenceValues {
    let settings = model.settings
    let schema = model.experiment.schema
    var found: [PredictedStatistic] = []
    var map = Array(repeating: 0.0, count: count * train)
    var made = 0
    for (record, step) in settings.records.enumerated() {
      while made < step {
        made += 1
        advance(&map, settings.rate(made) / Double(train))
      }
      predict(map, schema, record, &found)
    }
    return ReferenceValues(
      schema: schema, statistics: found.filter(\.value.isFinite), remainder: [Remainder("width", order: order)])
  }

  /// M' = M + s Theta_X (1 - M_X).
  private func advance(_ map: inout [Double], _ s: Double) {
    var rest = (0..<train * train).map { $0 / train == $0 % train ? 1 - map[$0] : -map[$0] }
    for i in rest.indices { rest[i] *= s }
    for a in 0..<count {
      for b in 0..<train {
        let theta = kernel[a * count + b]
        for c in 0..<train { map[a * train + c] += theta * rest[b * train + c] }
      }
    }
  }

  private func predict(_ map: [Double], _ schema: Schema, _ record: Int, _ found: inout [PredictedStatistic]) {
    let targets = network.data.targets
    let mean = (0..<count).map { a in (0..<train).reduce(0) { $0 + map[a * train + $1] * targets[$1] } }
    // R = 1 - M on the examples of training; R K R^T.
    let keep = (0..<count * count).map { place -> Double in
      let (a, b) = (place / count, place % count)
      return (a == b ? 1 : 0) - (b < train ? map[a * train + b] : 0)
    }
    func product(_ x: [Double], _ y: (Int, Int) -> Double) -> [Double] {
      (0..<count * count).map { place in
        (0..<count).reduce(0) { $0 + x[place / count * count + $1] * y($1, place % count) }
      }
    }
    let half = product(keep) { covariance[$0 * count + $1] }
    let variance = product(half) { keep[$1 * count + $0] }
    func add(_ statistic: Statistic, _ name: String, _ value: Double) {
      guard let place = schema.place(of: name) else { return }
      found.append(PredictedStatistic(statistic, record: record, observable: place, value: value))
    }
    func loss(_ examples: Range<Int>) -> Double {
      examples.reduce(0) { sum, a in
        let r = mean[a] - targets[a]
        return sum + 0.5 * (r * r + variance[a * count + a])
      } / Double(examples.count)
    }
    add(.mean, "kernel_shift", 0)
    add(.mean, "loss", loss(0..<train))
    if count > train { add(.mean, "test_loss", loss(train..<count)) }
    for a in 0..<count {
      add(.mean, "f[\(a)]", mean[a])
      if covariance[a * count + a] > 0 { add(.variance, "f[\(a)]", variance[a * count + a]) }
      for b in a..<count { add(.mean, "kernel[\(a),\(b)]", kernel[a * count + b]) }
    }
  }
}
