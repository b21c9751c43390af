import Experiments
import Randomness
import Training

extension TrainingLimits {
  static let infiniteWidth = LimitEntry<TrainingModel>(
    name: "infinite-width-training",
    summary: "the same steps at infinite width, where training is deterministic given the data",
    equation: "the recursion of the problem from its start at width infinity",
    reference: "arXiv:2011.14522; docs/training.md",
    parameters: []
  ) { p, model in
    guard let finite = model.problem as? any HasInfiniteWidth else {
      throw p.invalid(
        "equation",
        "has no form for problem = \"\(model.parameters.text("problem"))\", whose training at infinite width is not known"
      )
    }
    let problem = try finite.infiniteWidth { p.invalid("equation", $0) }
    let isRandom = finite.isRandomAtInfiniteWidth || !model.settings.learningRate.isFixed
    let content = isRandom ? sampled(problem, model) : .known(try known(problem, model))
    return LimitModel(content, offset: "an offset of order 1/n is expected")
  }

  /// Runs with examples of their own, as many as there are draws.
  private static func sampled(_ problem: some TrainingProblem, _ model: TrainingModel) -> LimitModel.Content {
    .exact(Experiment(TrainingRun(problem, model.settings)))
  }

  /// The one run that a deterministic problem makes.
  private static func known(_ problem: some TrainingProblem, _ model: TrainingModel) throws -> ReferenceValues {
    let run = TrainingRun(problem, model.settings)
    var values = Array(repeating: 0.0, count: run.schema.width)
    var stream = Stream(key: 0)
    stream.start(draw: 0)
    values.withUnsafeMutableBufferPointer {
      _ = run.draw(using: &stream, scratch: run.makeScratch(), into: $0.baseAddress!)
    }
    let events = run.schema.observables.indices.filter {
      [.event, .failure].contains(run.schema.observables[$0].role)
    }
    for record in run.schema.axis.values.indices {
      for place in events { values[run.schema.index(record, place)] = .nan }
    }
    return ReferenceValues(
      axis: run.schema.axis, observables: run.schema.observables, means: values,
      remainder: [Remainder("width", order: 1)])
  }
}
