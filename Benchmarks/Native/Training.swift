import Engine
import Experiments
import Jobs
import Networks
import Randomness
import Training

/// Steps a second of one network in training, full batch, at shapes that vmap over an ensemble is used for; ensembles of small networks to the end of
/// their job; and exact reductions to the end of theirs. By processor time.
func trainingTimes() throws {
  for (features, depth, width, batch) in [
    (64, 1, 256, 128), (64, 1, 256, 1024), (784, 1, 256, 128), (784, 1, 256, 1024), (64, 3, 128, 128),
    (64, 3, 128, 1024),
  ] {
    var stream = Stream(key: 7)
    stream.start(draw: 0)
    let rows = (0..<batch).map { _ in (0..<features).map { _ in stream.normal() } }
    let problem = TrainedMLP(
      shape: .init(features: features, width: width, depth: depth, outputs: 1),
      activation: SlopeActivation(plus: 1, minus: 0), gain: 1, gamma: 1,
      parametrisation: Parametrisation.named[1].value,
      data: TrainingData(inputs: rows, targets: rows.map { [$0[0]] }), loss: .squared, optimiser: Optimiser(),
      start: .random, measured: .init(nil))
    let work = features * width + (depth - 1) * width * width
    func time(_ precision: String, _ problem: some TrainingProblem) {
      let state = problem.makeState()
      problem.start(state, &stream)
      let calls = max(1, 100_000_000 / (work * batch))
      let seconds = bestOfProcessor(total: 0.5) {
        for step in 1...calls {
          sink += problem.loss(state, &stream, step: step)
          problem.step(state, &stream, rate: 1e-4)
        }
      }
      report(
        "training",
        [
          ("precision", "\"\(precision)\""), ("features", "\(features)"), ("layers", "\(depth)"), ("width", "\(width)"),
          ("batch", "\(batch)"), ("per_second", "\(Double(calls) / seconds)"),
        ])
    }
    time("double", problem)
    time("single", SinglePrecisionMLP(problem))
  }
  for precision in ["double", "single"] {
    try time(
      "ensemble", precision, runs: 1000,
      """
      [training]
      problem = "mlp"
      precision = "\(precision)"
      width = 64
      depth = 2
      activation = "relu"
      parametrisation = "ntk"
      steps = 100
      records = "last"
      learning_rate = 0.1
      draws = 1000
      data = { teacher = "linear", features = 16, samples = 64 }
      """)
  }
  try time(
    "R1", "double", runs: 2000,
    """
    [training]
    problem = "two-layer-linear"
    width = 4096
    steps = 50
    records = "last"
    learning_rate = 0.05
    draws = 2000
    data = { teacher = "linear", features = 8, samples = 16 }
    """)
  try time(
    "R3", "double", runs: 8,
    """
    [training]
    problem = "xor-clusters"
    features = 20_000
    separation = 24.0
    noise = 0.1
    samples = 200
    test = 200
    width = 200
    learning_rate = 0.005
    steps = 30
    records = "last"
    draws = 8
    """)
}

/// Whole jobs, draws, steps, tallies and all, the best of three.
private func time(_ name: String, _ precision: String, runs: Int, _ text: String) throws {
  let file = try JobReader(data: NoData()).read("seed = 1\n" + text, name: name, settings: [])
  var best = Double.infinity
  for _ in 0..<3 {
    let start = processorSeconds()
    _ = try LocalRun.run(file.job, ranks: 1)
    best = min(best, processorSeconds() - start)
  }
  report(name, [("precision", "\"\(precision)\""), ("per_second", "\(Double(runs) / best)")])
}
