import Experiments
import Kernels
import Randomness
import Statistics
import Testing
import Training

/// What each draw of a training job has of its own besides its weights: the learning rate, the examples of every step, the noise of targets.
@Suite struct TrainingDrawTests {
  static func keys(_ data: [String: JobValue], _ extra: [String: JobValue] = [:]) -> [String: JobValue] {
    let usual: [String: JobValue] = [
      "width": .integer(8), "activation": .text("linear"), "steps": .integer(20), "learning_rate": .real(0.05),
      "data": .table(data),
    ]
    return usual.merging(extra) { $1 }
  }

  static let fixed: [String: JobValue] = ["inputs": rows([[1, 0], [0.5, 1]]), "targets": numbers([1, -0.5])]
  static let teacher: [String: JobValue] = [
    "teacher": .text("linear"), "features": .integer(6), "samples": .integer(4), "test": .integer(20),
  ]

  static func drawn(_ lower: Double, _ upper: Double) -> JobValue {
    .table(["log_uniform": numbers([lower, upper])])
  }

  /// log eta is uniform: mean and variance of 2,000 draws, 2 tests at 4 standard errors. A run is that of its own rate, in every problem.
  @Test func learningRatesAreDrawn() throws {
    let (low, high) = (Elementary.log(0.01), Elementary.log(0.3))
    for problem in ["mlp", "two-layer-linear"] {
      var keys = Self.keys(Self.fixed, ["learning_rate": Self.drawn(0.01, 0.3)])
      if problem != "mlp" { keys["activation"] = nil }
      let model = try training(problem, keys)
      for draw in 0..<3 as Range<UInt64> {
        let found = run(model, draw: draw)
        let rate = found["log_learning_rate"]!
        #expect(rate > low && rate < high)
        keys["learning_rate"] = .real(Elementary.exp(rate))
        let own = run(try training(problem, keys), draw: draw)
        #expect(own["log_learning_rate"] == nil)
        #expect((own["loss"]! - found["loss"]!).magnitude < 1e-12 * found["loss"]!)
      }
    }
    let model = try training("mlp", Self.keys(Self.fixed, ["learning_rate": Self.drawn(0.01, 0.3)]))
    let tally = sample(model.experiment, 2000, name: "rates")
    let schema = model.experiment.schema
    let moments = tally.moments(schema.index(0, schema.place(of: "log_learning_rate")!))
    #expect((moments.mean - 0.5 * (low + high)).magnitude < 4 * moments.meanError)
    #expect((moments.variance - (high - low) * (high - low) / 12).magnitude < 4 * moments.varianceError)
  }

  /// Twins share the rate; a run that diverges keeps it.
  @Test func ratesBelongToTheDraw() throws {
    let model = try training(
      "mlp",
      Self.keys(
        Self.fixed, ["learning_rate": Self.drawn(0.01, 0.1), "twin": .text("linearised"), "activation": .text("tanh")]))
    #expect(run(model)["log_learning_rate - linearised"] == 0)
    let wild = run(try training("mlp", Self.keys(Self.fixed, ["learning_rate": Self.drawn(50, 60)])))
    #expect(wild["diverged"] == 1 && wild["log_learning_rate"]! > 3)
  }

  /// Of a fixed set a network learns its very examples, and its loss on them is below that on others; of fresh ones it is not, at any step. Linear networks on 4 examples with 6 features, 400
  /// draws; 2 tests at 4 standard errors.
  @Test func freshExamplesHaveNotBeenSeen() throws {
    func difference(_ fresh: Bool) throws -> (mean: Double, error: Double) {
      let data = Self.teacher.merging(["fresh": .boolean(fresh)]) { $1 }
      let model = try training("mlp", Self.keys(data, ["steps": .integer(40), "learning_rate": .real(0.1)]))
      let all = (0..<400).map { draw -> Double in
        let found = run(model, draw: UInt64(draw))
        return found["test_loss"]! - found["loss"]!
      }
      let mean = all.reduce(0, +) / 400
      let squares: Double = all.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
      return (mean, (squares / (399 * 400)).squareRoot())
    }
    let (seen, fresh) = (try difference(false), try difference(true))
    #expect(seen.mean > 4 * seen.error)
    #expect(fresh.mean.magnitude < 4 * fresh.error)
  }

  /// The first step is that of a fixed set, the second is not; the teacher stays, so that the loss on the test examples goes to 0.
  @Test func freshExamplesAreOfOneTeacher() throws {
    func outcome(_ fresh: Bool, _ step: Int) throws -> [String: Double] {
      let data = Self.teacher.merging(["fresh": .boolean(fresh)]) { $1 }
      let keys = Self.keys(data, ["steps": .integer(600), "records": .text("octaves"), "learning_rate": .real(0.1)])
      return run(try training("mlp", keys), record: step)
    }
    #expect(try outcome(true, 1)["test_loss"] == outcome(false, 1)["test_loss"])
    #expect(try outcome(true, 2)["test_loss"] != outcome(false, 2)["test_loss"])
    #expect(try outcome(true, 11)["test_loss"]! < 1e-3)
  }

  /// Targets of fixed examples: normal noise of its own in every draw, wrong signs where there are classes, on examples of training only. 2,000 draws of 2 targets; 3 tests at 4 standard errors.
  @Test func targetsHaveNoise() {
    let (inputs, targets) = ([[1.0], [2], [3]], [[1.0], [-1], [1]])
    var stream = Stream(key: 8)
    func draw(_ noise: TrainingData.Noise) -> [[Double]] {
      let data = TrainingData(inputs: inputs, targets: targets, test: 1, noise: noise)
      let examples = data.makeExamples()
      return (0..<2000).map { draw in
        stream.start(draw: UInt64(draw))
        data.draw(examples, &stream)
        return (0..<3).map { examples.targets[$0] }
      }
    }
    let normal = draw(.normal(0.3))
    #expect(normal.allSatisfy { $0[2] == 1 })
    let errors = normal.flatMap { [($0[0] - 1) / 0.3, ($0[1] + 1) / 0.3] }
    let mean: Double = errors.reduce(0, +) / 4000
    let square: Double = errors.map { $0 * $0 }.reduce(0, +) / 4000
    #expect(mean.magnitude < 4 / 4000.0.squareRoot())
    #expect((square - 1).magnitude < 4 * (2 / 4000.0).squareRoot())
    let flipped = draw(.flips(0.2))
    #expect(flipped.allSatisfy { $0[2] == 1 && $0[0].magnitude == 1 })
    let wrong = flipped.count { $0[0] == -1 } + flipped.count { $0[1] == 1 }
    let share = Double(wrong) / 4000
    #expect((share - 0.2).magnitude < 4 * (0.16 / 4000.0).squareRoot())
  }

  /// What cannot be is refused, with key and range.
  @Test func whatCannotBeIsRefused() throws {
    let fresh = Self.teacher.merging(["fresh": .boolean(true)]) { $1 }
    let all: [(String, [String: JobValue], [String])] = [
      ("mlp", Self.keys(Self.fixed, ["learning_rate": .real(-1)]), ["training.learning_rate", "above 0.0"]),
      (
        "mlp", Self.keys(Self.fixed, ["learning_rate": Self.drawn(0.1, 0.01)]),
        ["training.learning_rate.log_uniform", "lower one first"]
      ),
      (
        "mlp", Self.keys(Self.fixed, ["learning_rate": .table(["log_unifrom": numbers([0.1, 1])])]),
        ["training.learning_rate.log_unifrom", "log_uniform"]
      ),
      (
        "two-mode", ["steps": .integer(5), "learning_rate": Self.drawn(0.1, 0.2)],
        ["training.learning_rate", "same for every run"]
      ),
      (
        "two-layer-linear", Self.keys(fresh).filter { $0.key != "activation" },
        ["training.data.fresh", "set of examples"]
      ),
      ("mlp", Self.keys(fresh, ["start": .text("centred")]), ["training.start", "fresh = true"]),
      ("mlp", Self.keys(fresh, ["twin": .text("linearised")]), ["training.twin"]),
      (
        "mlp", Self.keys(fresh, ["optimiser": .table(["name": .text("descent"), "batch": .integer(2)])]),
        ["training.optimiser", "fresh = true"]
      ),
      (
        "mlp", Self.keys(fresh, ["observables": .list([.text("coordinate_change")])]),
        ["training.observables", "fresh = true"]
      ),
      (
        "mlp", Self.keys(Self.fixed.merging(["noise": .real(-1)]) { $1 }), ["training.data.noise"]
      ),
      (
        "mlp",
        Self.keys(
          ["inputs": rows([[1], [2]]), "targets": numbers([1, -1]), "noise": .real(0.1)], ["loss": .text("logistic")]),
        ["training.loss", "+1 and -1"]
      ),
      (
        "mlp", Self.keys(Self.fixed, ["optimiser": .text("exponentiated-gradient"), "start": .text("zero")]),
        ["training.start", "exponentiated-gradient"]
      ),
    ]
    for (problem, keys, words) in all {
      #expect("\(words)") { try training(problem, keys) } throws: {
        let message = ($0 as? Failure)?.message ?? ""
        return words.allSatisfy(message.contains)
      }
    }
    var keys = Self.keys(Self.fixed, ["parametrisation": .text("ntk"), "activation": .text("tanh")])
    keys["learning_rate"] = Self.drawn(0.1, 0.2)
    #expect(throws: Failure.self) { try prediction("ntk-training", of: training("mlp", keys)) }
    keys["learning_rate"] = .real(0.1)
    _ = try prediction("ntk-training", of: training("mlp", keys))
    keys["data"] = .table(Self.fixed.merging(["noise": .real(0.1)]) { $1 })
    #expect(throws: Failure.self) { try prediction("ntk-training", of: training("mlp", keys)) }
  }
}
