import Experiments
import Foundation
import Randomness
import Statistics

/// Two normal numbers and their product, at three layers.
struct Pair: Draw {
  final class Scratch {}

  var schema: Schema {
    Schema(
      axis: .layers([1, 2, 5]),
      observables: [
        Observable("V", [0, 1], role: .heavyTailed, "first"), Observable("rho", [0, 1], "second"),
        Observable("alive", role: .event, "whether the sum is positive"),
      ])
  }

  func makeScratch() -> Scratch { Scratch() }

  func draw(using stream: inout Randomness.Stream, scratch: Scratch, into values: UnsafeMutablePointer<Double>)
    -> DrawEvents
  {
    for layer in 0..<3 {
      let x = stream.uniform()
      values[3 * layer] = x
      values[3 * layer + 1] = 1 / (x + 0.1)
      values[3 * layer + 2] = x > 0.5 ? 1 : 0
    }
    return []
  }
}

/// A walk that is watched: one particle in one dimension.
struct Walk: Experiments.Process {
  final class System: Dynamics {
    var x: Double
    init(_ x: Double) { self.x = x }
    func step(_ moment: Moment) { x = 0.5 * x + Double(moment.step % 7) }
    func measure(_ info: Void, into values: UnsafeMutablePointer<Double>) {
      values[0] = x
      values[1] = x * x
      values[2] = 1
      values[3] = 0.25
    }
    func encode(to encoder: inout StateEncoder) { encoder.add("x", [x]) }
    func count(into histograms: UnsafeMutablePointer<BitHistogram>, stride: Int) { histograms[0].add(x) }
    func frame() -> [Double] { [x, 0.5 * x * x] }
    func frameLengths() -> [Int] { [2] }
  }

  var observables: [Observable] {
    [
      Observable("x", "position"), Observable("energy", role: .energy, "energy"),
      Observable("acceptance", role: .acceptanceRate, "acceptance rate"),
      Observable("step_size", role: .setting, "step size"),
    ]
  }
  var schedule: Schedule {
    Schedule(warmUp: 10, steps: 80, records: 2, measureEvery: 1, histogramEvery: 2, frameEvery: 20)
  }
  var marginals: [String] { ["x"] }
  var frame: FrameShape? { FrameShape(particles: 1, dimension: 1, timeStep: 0.5) }
  func begin(_ context: ReplicaContext, from saved: StateDecoder?) throws -> System {
    System(try saved?.doubles("x", count: 1)[0] ?? Double(context.replica))
  }
}

enum Made {
  /// A job with draws, kept rows, known values and replicas, one of them under way.
  static func snapshot(finished: Bool = false) throws -> Snapshot {
    let draws = Leg(
      name: "pair", role: .finite, content: .sampled(Experiment(Pair()), draws: 40), attributes: ["equation": "x, 1/x"]
    ).keeping(7)
    let known = Leg(
      name: "exact", role: .exact,
      content: .known(
        ReferenceValues(
          axis: .layers([1, 2, 5]), observables: [Observable("alive", role: .event, "")], means: [0.5, 0.5, .nan])),
      attributes: [:])
    let walk = Leg(
      name: "walk", role: .finite, content: .sampled(Experiment(Walk()), draws: finished ? 3 : 4), attributes: [:])
    let job = Job(
      title: "A job of the tests", seed: 7,
      cases: [
        Case(label: "a/b=1", swept: ["a/b": "1"], legs: [draws, known]),
        Case(label: "a/b=2", swept: ["a/b": "2"], legs: [walk]),
      ], tolerances: Tolerances(distance: 0.01, mean: 0.05, alpha: 0.01), covarianceLimit: 8,
      text: "title = \"A job of the tests\"\n", identity: ["seed = 7", "stream = \(Job.streamVersion)", "x = 1"])
    return Snapshot(
      job: job, states: [try drawn(draws, job), try walked(walk, job, finished: finished)],
      provenance: [("version", "0"), ("ranks", "1")])
  }

  private static func drawn(_ leg: Leg, _ job: Job) throws -> LegState {
    let runner = leg.experiment!.makeRunner(key: 3)!
    let tally = Tally(layout: job.layout(of: leg, centres: runner.centres(leg.schema.width)))
    let rows = KeptRows(limit: leg.keep)
    runner.run(0..<40, tally, rows)
    return LegState(path: "a/b=1/pair", done: IntervalSet(0..<40), tally: tally, rows: Rows(values: rows.take()))
  }

  private static func walked(_ leg: Leg, _ job: Job, finished: Bool) throws -> LegState {
    var state = LegState(
      path: "a/b=2/walk", done: IntervalSet(0..<3),
      tally: Tally(layout: job.layout(of: leg, centres: Array(repeating: 0, count: leg.schema.width))),
      histograms: Histograms(marginals: 1))
    let factory = leg.experiment!.replicas!
    for id in 0..<UInt64(4) {
      let replica = try factory.begin(ReplicaContext(replica: id, key: 5, group: SelfCommunicator()), nil)
      if id == 3 {
        guard !finished else { break }
        try replica.advance(41)
        state.begun = [try replica.save()]
        break
      }
      try replica.advance(factory.steps)
      let outcome = try replica.finish()
      state.rows.values[id] = outcome.row
      for (i, histogram) in outcome.marginals.enumerated() { state.histograms.folded[i].merge(histogram) }
      state.trajectories.replicas[id] = outcome.trajectory
    }
    state.tallyRows(leg, of: job)
    return state
  }
}

/// A folder that goes with its owner.
final class Folder {
  let path: String
  init() throws {
    path = NSTemporaryDirectory() + "fathom-results-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }
}
