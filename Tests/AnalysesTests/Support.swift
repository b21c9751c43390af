import Analyses
import Experiments
import Randomness
import Statistics

/// A draw written as a closure.
struct ClosureDraw: Draw {
  final class Scratch {}
  let schema: Schema
  let body: @Sendable (inout Stream, UnsafeMutablePointer<Double>) -> Void

  func makeScratch() -> Scratch { Scratch() }
  func draw(using stream: inout Stream, scratch: Scratch, into values: UnsafeMutablePointer<Double>) -> DrawEvents {
    body(&stream, values)
    return []
  }
}

/// Replicas whose rows the tests write themselves.
struct NoProcess: Process {
  final class System: Dynamics {
    func step(_ moment: Moment) {}
    func measure(_ info: Void, into values: UnsafeMutablePointer<Double>) {}
    func encode(to encoder: inout StateEncoder) {}
  }
  var observables: [Observable]
  var schedule = Schedule(warmUp: 10, steps: 100)
  var marginals: [String] = []
  var inverseTemperature: Double?
  func begin(_ context: ReplicaContext, from saved: StateDecoder?) -> System { System() }
}

let point = Axis(name: "layer", summary: "", values: [1])
func observables(_ names: String...) -> [Observable] { names.map { Observable($0, "") } }

func makeJob(
  _ cases: [Case], alpha: Double = 0.01, mean: Double = 0.05, distance: Double = 0.02, covarianceLimit: Int = 0,
  health: Double? = nil, small: [SmallParameter] = []
) -> Job {
  Job(
    title: "", seed: 1, cases: cases, tolerances: Tolerances(distance: distance, mean: mean, alpha: alpha),
    covarianceLimit: covarianceLimit, healthThreshold: health, smallParameters: small, text: "", identity: [])
}

/// Runs the draws of every sampled leg that is not one of replicas.
func run(_ job: Job, seed: UInt64) -> Snapshot {
  let states = job.sampledLegs.filter { $0.leg.process == nil }.map { path, leg -> LegState in
    let runner = leg.experiment!.makeRunner(key: Stream.key(seed: seed, path: path))!
    let tally = Tally(layout: job.layout(of: leg, centres: runner.centres(leg.schema.width)))
    runner.run(0..<leg.draws, tally, nil)
    return LegState(path: path, done: IntervalSet(0..<leg.draws), tally: tally)
  }
  return Snapshot(job: job, states: states, provenance: [])
}

func finite(_ draw: ClosureDraw, draws: UInt64, name: String = "network") -> Leg {
  Leg(name: name, role: .finite, content: .sampled(Experiment(draw), draws: draws), attributes: [:])
}

func reference(_ name: String, _ role: Leg.Role, _ values: ReferenceValues) -> Leg {
  Leg(name: name, role: role, content: .known(values), attributes: [:])
}

/// A reference of statistics of observables at the first point of the axis.
func predict(
  _ schema: Schema, _ predictions: [(String, Statistic, Double)], remainder: [Remainder] = []
) -> ReferenceValues {
  ReferenceValues(
    schema: schema,
    statistics: predictions.map {
      PredictedStatistic($0.1, record: 0, observable: schema.place(of: $0.0)!, value: $0.2)
    }, remainder: remainder)
}

/// A snapshot of one case whose finite leg has the given replicas: `rows[replica][observable]`.
func replicas(
  _ process: NoProcess, _ rows: [[Double]], _ references: [Leg], diagnostics: [[Double]]? = nil, mean: Double = 0.05
) -> Snapshot {
  let leg = Leg(
    name: "particles", role: .finite, content: .sampled(Experiment(process), draws: UInt64(rows.count)), attributes: [:]
  )
  let job = makeJob([Case(label: "main", swept: [:], legs: [leg] + references)], mean: mean)
  var values: [UInt64: [Double]] = [:]
  for (i, row) in rows.enumerated() {
    let own: [Double] = diagnostics?[i] ?? row.flatMap { x -> [Double] in [0.1, x, x, 1] }
    values[UInt64(i)] = row + own
  }
  let empty = Tally(layout: job.layout(of: leg, centres: Array(repeating: 0, count: leg.schema.width)))
  var state = LegState(
    path: "main/particles", done: IntervalSet(0..<UInt64(rows.count)), tally: empty, rows: Rows(values: values),
    histograms: Histograms(marginals: process.marginals.count))
  state.tallyRows(leg, of: job)
  return Snapshot(job: job, states: [state], provenance: [])
}

/// The binomial range of a count, four standard deviations to either side.
func range(_ trials: Int, _ probability: Double) -> ClosedRange<Double> {
  let mean = Double(trials) * probability
  let spread = 4 * (mean * (1 - probability)).squareRoot()
  return mean - spread...mean + spread
}
