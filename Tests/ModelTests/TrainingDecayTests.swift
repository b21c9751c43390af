import Experiments
import Kernels
import Randomness
import Statistics
import Testing
import Training

/// Weight decay in the limits of training at infinite width, against networks.
@Suite struct TrainingDecayTests {
  private static let decay: JobValue = .table(["name": .text("descent"), "weight_decay": .real(0.4)])
  private static let data: JobValue = .table([
    "inputs": rows([[1.0, 0, 0.5], [0.5, 1, -0.5]]), "targets": numbers([1, -0.5]),
  ])

  /// Means of an observable at the last record.
  private func mean(_ model: TrainingModel, _ name: String, _ draws: UInt64) -> Moments {
    let schema = model.experiment.schema
    return sample(model.experiment, draws, name: "decay").moments(
      schema.index(schema.axis.count - 1, schema.place(of: name)!))
  }

  /// 2 m(2 n) - m(n), in which what is of order 1/n cancels.
  private func extrapolated(_ coarse: Moments, _ fine: Moments) -> (value: Double, error: Double) {
    let error = 4 * fine.meanError * fine.meanError + coarse.meanError * coarse.meanError
    return (2 * fine.mean - coarse.mean, error.squareRoot())
  }

  private func linear(_ width: Int, _ sampler: String = "reduced") throws -> TrainingModel {
    try training(
      "two-layer-linear",
      [
        "width": .integer(Int64(width)), "gamma": .real(0.8), "weight_decay": .real(0.4), "sampler": .text(sampler),
        "steps": .integer(8), "records": .text("last"), "learning_rate": .real(0.2), "data": Self.data,
      ])
  }

  private func perceptron(_ width: Int, _ activation: String, rate: Double = 0.2) throws -> TrainingModel {
    try training(
      "mlp",
      [
        "width": .integer(Int64(width)), "gamma": .real(0.8), "optimiser": Self.decay, "c": .real(1),
        "activation": .text(activation), "parametrisation": .text("mup"), "steps": .integer(8),
        "records": .text("last"), "learning_rate": .real(rate), "data": Self.data,
      ])
  }

  /// The reduction follows every weight.
  @Test func reductionReplaysTheWeights() {
    let data = TrainingData(inputs: [[1.0, 0, 0.5], [0.5, 1, -0.5]], targets: [[1, 0.3], [-0.5, 0.7]])
    let problems = [TwoLayerLinear.Sampler.weights, .reduced].map {
      TwoLayerLinear(width: 7, richness: 1.3, data: data, sampler: $0, decay: 0.2)
    }
    let (a, b) = (problems[0].makeState(), problems[1].makeState())
    var stream = Stream(key: 5)
    stream.start(draw: 0)
    problems[0].start(a, &stream)
    problems[1].start(b, &stream)
    _ = problems[0].loss(a, &stream, step: 1)
    for i in 0..<25 { b.gram[i] = a.gram[i] }
    for step in 1...50 {
      let losses = (problems[0].loss(a, &stream, step: step), problems[1].loss(b, &stream, step: step))
      #expect((losses.0 - losses.1).magnitude <= 1e-12 * losses.0.magnitude, "step \(step)")
      problems[0].step(a, &stream, rate: 0.1)
      problems[1].step(b, &stream, rate: 0.1)
    }
    // It does not end at 0: decay balances descent.
    #expect(problems[0].loss(a, &stream, step: 51) > 1e-3)
  }

  /// Every weight of a linear perceptron in muP moves as the reduction says: means of f and of the loss at width 16, |z| < 4 of 2 tests. The input of `mlp` is scaled by 1/sqrt(d)
  /// and that of the reduction is not, so it has sqrt(d) times the inputs.
  @Test func reductionHasTheLawOfMuP() throws {
    let root = Double(3).squareRoot()
    let scaled: JobValue = .table([
      "inputs": rows([[root, 0, 0.5 * root], [0.5 * root, root, -0.5 * root]]), "targets": numbers([1, -0.5]),
    ])
    let network = try training(
      "mlp",
      [
        "width": .integer(16), "gamma": .real(0.8), "optimiser": Self.decay, "c": .real(1),
        "activation": .text("linear"),
        "parametrisation": .text("mup"), "steps": .integer(8), "records": .text("last"), "learning_rate": .real(0.2),
        "data": scaled,
      ])
    let reduced = try linear(16)
    for name in ["f[0]", "loss"] {
      let (a, b) = (mean(network, name, 4000), mean(reduced, name, 40_000))
      #expect(zScore(a, b).magnitude < 4, "\(name): \(a.mean), \(b.mean)")
    }
  }

  /// Networks of widths n and 2 n, extrapolated, against the limit: |z| < 4 of 4 tests.
  @Test func limitsAreThoseOfNetworks() throws {
    let deterministic = try prediction("infinite-width-training", of: linear(16))
    for (name, index) in [("f[0]", 0), ("weight_norm", 0)] {
      let found = extrapolated(mean(try linear(128), name, 20_000), mean(try linear(256), name, 20_000))
      let law = deterministic.value(.mean, name, record: index)
      #expect((found.value - law).magnitude < 4 * found.error, "\(name): \(found), \(law)")
    }
    for name in ["f[0]", "f[1]"] {
      let law = try prediction("infinite-width-training", of: perceptron(64, "tanh")).value(.mean, name, record: 0)
      let found = extrapolated(
        mean(try perceptron(64, "tanh"), name, 1500), mean(try perceptron(128, "tanh"), name, 1500))
      #expect((found.value - law).magnitude < 4 * found.error, "\(name): \(found), \(law)")
    }
  }

  /// The recursion of units in NumPy, with the same nodes and with nodes .15 apart.
  @Test func perceptronLimitIsItsRecursion() throws {
    let root = Double(2).squareRoot()
    let model = try training(
      "mlp",
      [
        "width": .integer(16), "optimiser": .table(["name": .text("descent"), "weight_decay": .real(0.1)]),
        "c": .real(1), "activation": .text("tanh"), "parametrisation": .text("mup"), "steps": .integer(40),
        "records": .text("last"), "learning_rate": .real(0.2),
        "data": .table([
          "inputs": rows([[root, 0], [0.3 * root, Double(0.91).squareRoot() * root]]), "targets": numbers([1, -0.5]),
        ]),
      ])
    let found = try prediction("infinite-width-training", of: model)
    for (name, same, fine) in [("f[0]", 0.664248736620, 0.664252855857), ("f[1]", -0.346483649624, -0.346484088287)] {
      let value = found.value(.mean, name, record: 0)
      #expect((value - same).magnitude < 1e-10 && (value - fine).magnitude < 5e-6, "\(name): \(value)")
    }
  }

  /// Residual networks, whose decay enters both responses: the recursion in NumPy, and networks of widths 32 and 64, extrapolated, |z| < 4. NumPy's networks, every weight: .3121(2), .3149(2).
  @Test func residualLimitIsThatOfNetworks() throws {
    func residual(_ width: Int) throws -> TrainingModel {
      try training(
        "resnet",
        [
          "depth": .integer(2), "width": .integer(Int64(width)), "activation": .text("linear"),
          "optimiser": .table(["name": .text("descent"), "weight_decay": .real(1)]), "learning_rate": .real(0.2),
          "steps": .integer(8), "records": .text("last"), "observables": .list([.text("f")]),
          "data": .table(["inputs": rows([[1, 1]]), "targets": numbers([1])]),
        ])
    }
    let law = try prediction("residual-training", of: residual(32)).value(.mean, "f[0]", record: 0)
    #expect((law - 0.3167124519255093).magnitude < 1e-12)
    let found = extrapolated(mean(try residual(32), "f[0]", 2000), mean(try residual(64), "f[0]", 2000))
    #expect((found.value - law).magnitude < 4 * found.error, "\(found), \(law)")
  }

  /// Limits without a form with weight decay say why.
  @Test(arguments: [
    ("ntk-training", "ntk", "kernel and the outputs at the start change"),
    ("infinite-width-training", "mean-field", "needs c = 0"),
  ])
  func othersAreRefused(equation: String, parametrisation: String, words: String) throws {
    let model = try training(
      "mlp",
      [
        "width": .integer(16), "optimiser": Self.decay, "activation": .text("tanh"),
        "parametrisation": .text(parametrisation), "steps": .integer(8), "learning_rate": .real(0.2), "data": Self.data,
      ])
    do {
      _ = try prediction(equation, of: model)
      Issue.record("it was taken")
    } catch let failure as Failure {
      #expect(failure.message.contains(words), "\(failure.message)")
    }
  }
}
