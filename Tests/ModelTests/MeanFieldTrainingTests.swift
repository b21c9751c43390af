import Experiments
import Limits
import Randomness
import Statistics
import Testing
import Training

/// Networks in training at infinite width by a population of units (arXiv:2309.16620).
@Suite struct MeanFieldTrainingTests {
  /// K = [[1, .3], [.3, 1]] of the first two inputs.
  private static let inputs = [[2.squareRoot(), 0], [0.3 * 2.squareRoot(), (2 * 0.91).squareRoot()], [-0.5, 1.2]]

  private static func model(
    _ problem: String, _ depth: Int, _ activation: String, width: Int = 8, steps: Int, records: [Int], test: Int = 0,
    gamma: Double = 1, rate: Double = 0.2, start: String = "random"
  ) throws -> TrainingModel {
    try training(
      problem,
      [
        "depth": .integer(Int64(depth)), "width": .integer(Int64(width)), "activation": .text(activation),
        "gamma": .real(gamma), "learning_rate": .real(rate), "steps": .integer(Int64(steps)), "c": .real(1),
        "start": .text(start), "records": .list(records.map { .integer(Int64($0)) }),
        "observables": .list(["loss", "test_loss", "f", "coordinate_size"].map { .text($0) }),
        "data": .table([
          "inputs": rows(Array(inputs.prefix(2 + test))), "targets": numbers(Array([1, -0.5, 0.3].prefix(2 + test))),
          "test": .integer(Int64(test)),
        ]),
      ])
  }

  private static func population(_ model: TrainingModel, units: Int, isMatched: Bool = true) throws -> Experiment {
    let problem = try MeanFieldNetwork(
      try #require(model.problem as? TrainedMLP), units: units, steps: model.settings.records.last!,
      isMatched: isMatched
    ) { Failure(.badData, $0) }
    return Experiment(TrainingRun(problem, model.settings))
  }

  /// Of linear networks every draw is the causal recursion, whatever its sources: all outputs and sizes of layers, to rounding.
  @Test(arguments: [1.0, 2])
  func linearNetworksAreExact(gamma: Double) throws {
    let model = try ResidualTrainingTests.model(4, gamma: gamma)
    let known = try prediction("residual-training", of: model)
    let found = try Self.population(model, units: 300)
    let values = found.makeRunner(3).values(0)
    for entry in known.statistics {
      let name = known.observables[entry.observable].name
      let value = values[found.schema.index(entry.record, try #require(found.schema.place(of: name)))]
      #expect((value - entry.value).magnitude < 1e-10, "\(name), record \(entry.record): \(value), \(entry.value)")
    }
  }

  /// One hidden layer after 5 and 20 steps, 8 means within 4 errors: the quadrature over units at gamma = 1, at whose nodes it has converged; at gamma = 3, where it has not
  /// (f[0] after 20 steps is .83467), an independent program (NumPy, 24 populations of 32,768 units) with its errors.
  @Test(arguments: [1.0, 3])
  func oneHiddenLayer(gamma: Double) throws {
    let model = try Self.model("mlp", 1, "tanh", steps: 20, records: [5, 20], gamma: gamma)
    let known = try prediction("infinite-width-training", of: model)
    let found = try Self.population(model, units: 2048)
    let tally = sample(found, validating ? 1000 : 60, name: "mean field \(gamma)")
    let printed = [[(0.30549, 1.4e-4), (-0.13990, 1.1e-4)], [(0.83525, 1e-4), (-0.49211, 6e-5)]]
    for record in [0, 1] {
      for (a, name) in ["f[0]", "f[1]"].enumerated() {
        let moments = tally.moments(found.schema.index(record, found.schema.place(of: name)!))
        let (value, error) =
          gamma == 1 ? (known.value(.mean, name, record: record), 0) : printed[record][a]
        let both = (error * error + moments.meanError * moments.meanError).squareRoot()
        #expect((moments.mean - value).magnitude < 4 * both, "\(name): \(moments.mean), \(value)")
        #expect(moments.meanError < 2e-3)
      }
    }
  }

  /// Unmatched, as many units as a network has: the law of training every weight. Mean and variance of 7 to 9 observables at the start and the end, 2,000 runs on
  /// either side; some 100 comparisons within 4.5 errors fail with probability 7e-4. With 5 units the vectors of ten steps span all directions.
  @Test(
    arguments: [("mlp", 3, "relu", "random"), ("resnet", 2, "tanh", "zero"), ("mlp", 2, "sigmoid", "centred")])
  func unmatchedUnitsAreWeights(problem: String, depth: Int, activation: String, start: String) throws {
    let model = try Self.model(
      problem, depth, activation, width: 5, steps: 10, records: [0, 1, 3, 10], test: 1, rate: 0.1, start: start)
    let draws: UInt64 = validating ? 40_000 : 2000
    let found = try Self.population(model, units: 5, isMatched: false)
    let sides = [
      sample(model.experiment, draws, name: "weights \(problem)"), sample(found, draws, name: "units \(problem)"),
    ]
    let finite = model.experiment.schema
    for record in [0, 3] {
      for observable in found.observables where observable.role != .failure {
        let a = sides[0].moments(finite.index(record, try #require(finite.place(of: observable.name))))
        let b = sides[1].moments(found.schema.index(record, try #require(found.schema.place(of: observable.name))))
        // The loss at the start, and outputs, may be the same in all runs.
        guard a.variance > 1e-20 || b.variance > 1e-20 else {
          #expect((a.mean - b.mean).magnitude < 1e-9)
          continue
        }
        #expect(zScore(a, b).magnitude < 4.5, "\(observable.name) at \(record): \(a.mean), \(b.mean)")
        let error = (a.varianceError * a.varianceError + b.varianceError * b.varianceError).squareRoot()
        #expect(
          (a.variance - b.variance).magnitude < 4.5 * error,
          "variance of \(observable.name) at \(record): \(a.variance), \(b.variance)")
      }
    }
  }

  /// Residual networks of tanh, two branches, two inputs: outputs after 2, 5 and 10 steps from an independent program (NumPy, 32 populations of 4,096 units), with
  /// its errors; 6 means within 4 errors of both.
  @Test func printedValues() throws {
    let model = try Self.model("resnet", 2, "tanh", steps: 10, records: [2, 5, 10])
    let found = try Self.population(model, units: 1024)
    let tally = sample(found, validating ? 1000 : 60, name: "mean field")
    let printed = [
      (0.49236, 0.00035, -0.15362, 0.00018), (0.84185, 0.00028, -0.36518, 0.00021), (0.98483, 6e-5, -0.48530, 6e-5),
    ]
    for (record, (first, firstError, second, secondError)) in printed.enumerated() {
      for (name, value, error) in [("f[0]", first, firstError), ("f[1]", second, secondError)] {
        let moments = tally.moments(found.schema.index(record, found.schema.place(of: name)!))
        let both = (error * error + moments.meanError * moments.meanError).squareRoot()
        #expect((moments.mean - value).magnitude < 4 * both, "\(name) at \(record): \(moments.mean)")
      }
    }
  }

  /// What has no such limit is refused, and says why.
  @Test func refusals() throws {
    func refusal(_ keys: [String: JobValue], _ units: Int64 = 4096) throws -> String {
      let usual: [String: JobValue] = [
        "depth": .integer(2), "width": .integer(8), "activation": .text("tanh"), "learning_rate": .real(0.1),
        "steps": .integer(10), "data": .table(["inputs": rows([[1, 1]]), "targets": numbers([1])]),
      ]
      let model = try training("mlp", usual.merging(keys) { $1 })
      let entry = TrainingLimits.meanFieldTraining
      let p = try Parameters(
        .table(["equation": .text(entry.name), "units": .integer(units)]), path: "limit", allowed: entry.parameters)
      do {
        _ = try entry.make(p, model)
        return ""
      } catch let failure as Failure { return failure.message }
    }
    #expect(try refusal([:]) == "")
    #expect(try refusal(["parametrisation": .text("ntk")]).contains("parametrisation = \"mup\""))
    #expect(try refusal(["optimiser": .text("adam")]).contains("descent of all examples"))
    #expect(try refusal(["data": .table(["teacher": .text("linear")])]).contains("fixed data"))
    // 1 + 1 + 11 + 10 sources.
    #expect(try refusal([:], 32).contains("at least 46 units"))
    #expect(try refusal(["steps": .integer(100_000)], 1_000_000).contains("more than 67108864 numbers"))
  }
}
