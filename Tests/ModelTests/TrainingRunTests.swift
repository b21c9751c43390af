import Experiments
import Networks
import Statistics
import Testing
import Training

/// The driver: records, outcomes, schedules, and what a job may not ask for.
@Suite struct TrainingRunTests {
  static let data = JobValue.table(["inputs": rows([[1, 0], [0.5, 1]]), "targets": numbers([1, -0.5])])

  static func keys(_ extra: [String: JobValue] = [:]) -> [String: JobValue] {
    let usual: [String: JobValue] = [
      "width": .integer(8), "steps": .integer(20), "learning_rate": .real(0.2), "data": data,
    ]
    return usual.merging(extra) { $1 }
  }

  @Test func recordsAreOctavesUnlessGiven() throws {
    let axis = try training("two-layer-linear", Self.keys()).experiment.schema.axis
    #expect(axis.values == [0, 1, 2, 4, 8, 16, 20])
    #expect(axis.name == "step")
  }

  /// A run beyond every edge of stability diverges: an outcome that is counted, and no number in any mean from then on.
  @Test func divergenceIsAnOutcome() throws {
    let model = try training("two-layer-linear", Self.keys(["learning_rate": .real(50)]))
    let start = run(model, record: 0)
    let end = run(model)
    #expect(start["diverged"] == 0 && start["loss"]!.isFinite)
    #expect(end["diverged"] == 1 && end["loss"]!.isNaN)
    let tally = sample(model.experiment, 50, name: "divergence")
    let schema = model.experiment.schema
    #expect(tally.moments(schema.index(6, schema.place(of: "loss")!)).count == 0)
    #expect(tally.moments(schema.index(6, schema.place(of: "diverged")!)).mean == 1)
  }

  /// A run that has converged keeps its values, and says after how many steps.
  @Test func convergenceStopsARun() throws {
    let model = try training(
      "two-layer-linear", Self.keys(["stop_below": .real(1e-3), "steps": .integer(1000), "width": .integer(256)]))
    let end = run(model)
    #expect(end["converged"] == 1 && end["loss"]! < 1e-3)
    let made = Int(end["steps"]!)
    #expect(made > 1 && made < 100)
    let short = try training("two-layer-linear", Self.keys(["stop_below": .real(1e-300)]))
    #expect(run(short)["steps"] == 20 && run(short, record: 2)["steps"] == 2)
    let free = try training(
      "two-layer-linear", Self.keys(["steps": .integer(Int64(made)), "width": .integer(256)]))
    #expect(run(free)["f[0]"] == end["f[0]"])
    let before = try training(
      "two-layer-linear", Self.keys(["steps": .integer(Int64(made - 1)), "width": .integer(256)]))
    #expect(run(before)["loss"]! >= 1e-3)
  }

  @Test func schedulesAreTheirFormulas() throws {
    func factors(_ keys: [String: JobValue]) throws -> [Double] {
      let schedule = try RateSchedule(.table(keys), path: "schedule", steps: 8)
      return (1...8).map(schedule.factor)
    }
    #expect(try factors(["name": .text("constant"), "warm_up": .integer(4)]) == [0.25, 0.5, 0.75, 1, 1, 1, 1, 1])
    #expect(try factors(["name": .text("linear")]) == [1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125])
    let cosine = try factors(["name": .text("cosine")])
    #expect((cosine[4] - 0.5).magnitude < 1e-15 && cosine[0] == 1 && cosine[7] > 0)
    let power = try factors(["name": .text("power"), "time": .real(1), "exponent": .real(1)])
    #expect((power[3] - 0.25).magnitude < 1e-15)
    #expect(
      try factors(["name": .text("steps"), "at": steps([2, 5]), "factor": .real(0.5)])
        == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25])
  }

  /// What cannot be is refused, with key and range.
  @Test(arguments: [
    ("two-layer-linear", "width", JobValue.integer(0), "training.width"),
    ("two-layer-linear", "widht", .integer(3), "width"),
    ("two-layer-linear", "learning_rate", .real(0), "above 0"),
    ("two-layer-linear", "records", .list([.integer(3), .integer(21)]), "[0, 20]"),
    ("two-layer-linear", "observables", .list([.text("lss")]), "loss"),
    ("two-layer-linear", "stop_below", .real(1e9), "diverged_above"),
    ("two-layer-linear", "schedule", .table(["name": .text("steps"), "at": .list([.integer(20)])]), "[1, 19]"),
    ("two-layer-linear", "schedule", .table(["name": .text("linear"), "time": .real(2)]), "another schedule"),
    ("mlp", "optimiser", .table(["name": .text("descent"), "batch": .integer(3)]), "at most the 2"),
    ("mlp", "optimiser", .table(["name": .text("descent"), "mu": .real(0.5)]), "descent"),
    ("mlp", "loss", .text("logistic"), "targets +1 and -1"),
    ("mlp", "loss", .text("cross-entropy"), "two outputs"),
    ("mlp", "parametrisation", .text("mupp"), "mup"),
    ("mlp", "activation", .text("sign"), "jumps"),
    ("mlp", "data", .table(["inputs": .list([])]), "inputs"),
    (
      "mlp", "data", .table(["angles": .list([.real(0)]), "targets": .list([.real(1)]), "test": .integer(1)]),
      "leave examples"
    ),
    ("mlp", "data", .table(["teacher": .text("linear"), "label": .text("x")]), "teacher"),
    ("mlp", "twin", .text("linear"), "linearised"),
  ])
  func badInputIsRefused(problem: String, key: String, value: JobValue, words: String) throws {
    var keys = Self.keys()
    if problem == "mlp" { keys["activation"] = .text("tanh") }
    keys[key] = value
    #expect { _ = try training(problem, keys) } throws: { error in
      let failure = error as! Failure
      return failure.message.contains(words)
    }
  }

  /// Data that are drawn differ from run to run, and are the same for the twin.
  @Test func teachersDrawTheirData() throws {
    let model = try training(
      "mlp",
      Self.keys([
        "activation": .text("tanh"), "twin": .text("linearised"),
        "data": .table([
          "teacher": .text("quadratic"), "features": .integer(3), "samples": .integer(6), "test": .integer(4),
          "noise": .real(0.1),
        ]),
      ]))
    let (a, b) = (run(model, draw: 0, record: 0), run(model, draw: 1, record: 0))
    #expect(a["loss"] != b["loss"] && a["test_loss"] != b["test_loss"])
    #expect(a["loss - linearised"] == 0)
    #expect(run(model)["loss - linearised"] != 0)
  }
}
