import Experiments
import Randomness

/// dx = -x dt + sqrt(2) dW by Euler's method with step h: all that a process of one's own needs.
struct OrnsteinUhlenbeck: Process {
  let h: Double
  let schedule: Schedule
  var observables: [Observable] { [Observable("x", "position"), Observable("x^2", "its square")] }

  func begin(_ context: ReplicaContext, from saved: StateDecoder?) throws -> State { try State(h, context, saved) }

  final class State: Dynamics {
    private let h: Double
    private var x = 0.0
    private let noise: Noise

    init(_ h: Double, _ context: ReplicaContext, _ saved: StateDecoder?) throws {
      self.h = h
      noise = Noise(key: context.key, replica: context.replica, tiles: 0..<1)
      guard let saved else { return }
      x = try saved.doubles("x", count: 1)[0]
      noise.taken = try saved.words("taken", count: 1)
    }

    func step(_ moment: Moment) { x += -h * x + (2 * h).squareRoot() * noise.normals(0, 1)[0] }
    func measure(_ info: Void, into values: UnsafeMutablePointer<Double>) { (values[0], values[1]) = (x, x * x) }
    func encode(to encoder: inout StateEncoder) {
      encoder.add("x", [x])
      encoder.add("taken", noise.taken)
    }
  }
}

/// Its table `[ornstein-uhlenbeck]`.
enum OrnsteinUhlenbeckFamily: Family {
  static let table = "ornstein-uhlenbeck"
  static let summary = "a particle in a harmonic potential"
  static let parameters = [
    Parameter("step", .real(.init(0, 2, openBelow: true, openAbove: true)), small: .init(.direct, "h"), "step size h"),
    Parameter("steps", .integer(1...1_000_000_000), default: .integer(400), "steps that are measured"),
    Parameter("replicas", .integer(1...10_000), default: .integer(6), "independent particles"),
  ]
  static let entries: [any Entry] = [TableEntry(name: table, summary: summary, parameters: parameters)]

  static func read(_ table: JobValue, _ context: JobContext) throws -> FamilyCase<OrnsteinUhlenbeck> {
    let p = try Parameters(table, path: context.path, allowed: parameters)
    let model = OrnsteinUhlenbeck(
      h: p.real("step"),
      schedule: Schedule(warmUp: 20, steps: p.integer("steps"), records: 2, frameEvery: p.integer("steps") / 4))
    let leg = Leg(
      name: self.table, role: .finite,
      content: .sampled(Experiment(model), draws: UInt64(p.integer("replicas"))), attributes: [:])
    return FamilyCase(model: model, legs: [leg], identity: p.resolved.lines(prefix: self.table))
  }

  /// E x^2 = 1/(1 - h/2) at step h; 1 in the limit.
  static let limit = LimitEntry<OrnsteinUhlenbeck>(
    name: "stationary", summary: "the stationary law", equation: "E x^2 = 1", reference: "", parameters: []
  ) { _, model in
    let axis = model.schedule.axis
    return LimitModel(
      .known(
        ReferenceValues(
          axis: axis, observables: model.observables, means: (0..<axis.count).flatMap { _ in [0.0, 1.0] },
          remainder: [Remainder("step", order: 1)])), offset: "an offset of order h is expected")
  }
}

/// The sum of some uniform numbers: all that a draw of one's own needs.
struct UniformSum: Draw {
  let terms: Int
  var schema: Schema {
    Schema(axis: .layers([1, terms]), observables: [Observable("sum", "sum of uniforms")])
  }

  final class Scratch {}
  func makeScratch() -> Scratch { Scratch() }

  func draw(
    using stream: inout Stream, scratch: Scratch, into values: UnsafeMutablePointer<Double>
  ) -> DrawEvents {
    values[0] = stream.uniform()
    values[1] = values[0]
    for _ in 1..<terms { values[1] += stream.uniform() }
    return []
  }
}

/// Its table `[uniform-sum]`.
enum UniformSumFamily: Family {
  static let table = "uniform-sum"
  static let summary = "a sum of uniform numbers"
  static let parameters = [
    Parameter("terms", .integer(2...1000), "numbers"), Parameter("draws", .integer(2...1_000_000_000), "sums"),
  ]
  static let entries: [any Entry] = [TableEntry(name: table, summary: summary, parameters: parameters)]

  static func read(_ table: JobValue, _ context: JobContext) throws -> FamilyCase<UniformSum> {
    let p = try Parameters(table, path: context.path, allowed: parameters)
    let model = UniformSum(terms: p.integer("terms"))
    let leg = Leg(
      name: self.table, role: .finite, content: .sampled(Experiment(model), draws: UInt64(p.integer("draws"))),
      attributes: [:])
    return FamilyCase(model: model, legs: [leg], identity: ["\(self.table).terms = \(p.integer("terms"))"])
  }
}
