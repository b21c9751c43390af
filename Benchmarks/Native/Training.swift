import Networks
import Randomness
import Training

/// Steps a second of one network in training, full batch, at shapes that vmap over an ensemble is used for.
func trainingTimes() {
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
    let state = problem.makeState()
    problem.start(state, &stream)
    let calls = max(1, 100_000_000 / (features * width * batch * (1 + depth)))
    let seconds = best(total: 1) {
      for step in 1...calls {
        sink += problem.loss(state, &stream, step: step)
        problem.step(state, &stream, rate: 1e-4)
      }
    }
    report(
      "training",
      [
        ("features", "\(features)"), ("layers", "\(depth)"), ("width", "\(width)"), ("batch", "\(batch)"),
        ("steps_per_second", "\(Double(calls) / seconds)"),
      ])
  }
}
