import Formulas
import Kernels
import Randomness
import Statistics

/// Computes derived observables on one thread.
final class DerivedValues {
  private let derived: DerivedObservables
  private let records: Int
  /// A column of records for each variable, then one for the result.
  private let columns: UnsafeMutablePointer<Double>

  init(_ derived: DerivedObservables, records: Int) {
    self.derived = derived
    self.records = records
    let most = derived.terms.map(\.places.count).max() ?? 0
    columns = .allocateAligned(capacity: (most + 1) * records)
    columns.initialize(repeating: 0, count: (most + 1) * records)
  }

  deinit { columns.deallocate() }

  /// Puts the derived values behind the given ones, record by record.
  /// - Parameters:
  ///   - given: `records x derived.given` values.
  ///   - values: room for `records x derived.width`.
  /// - Returns: overflowed where a formula of finite numbers is no finite number.
  func write(_ given: UnsafePointer<Double>, to values: UnsafeMutablePointer<Double>) -> DrawEvents {
    let (count, width) = (derived.given, derived.width)
    for r in 0..<records { for i in 0..<count { values[r * width + i] = given[r * count + i] } }
    var events: DrawEvents = []
    for (k, term) in derived.terms.enumerated() {
      let result = columns + term.places.count * records
      for (v, place) in term.places.enumerated() {
        for r in 0..<records { columns[v * records + r] = values[r * width + place] }
      }
      term.program.evaluate(rows: columns, stride: records, to: result, stride: records, count: records)
      for r in 0..<records {
        values[r * width + count + k] = result[r]
        if !result[r].isFinite && leftNumbers(term, k, record: r) { events.insert(.overflowed) }
      }
    }
    return events
  }

  /// Whether the terms were finite: then it says once where the formula left the numbers.
  private func leftNumbers(_ term: DerivedObservables.Term, _ number: Int, record: Int) -> Bool {
    let point = term.places.indices.map { columns[$0 * records + record] }
    guard point.allSatisfy(\.isFinite) else { return false }
    Notes.addFirst("\(derived.observables[number].name): ") {
      let event = term.formula.domainEvent(at: point).map { "\($0)" } ?? "not a finite number"
      let terms = zip(term.formula.variables, point).map { "\($0) = \($1)" }.joined(separator: ", ")
      return "\(event), for \(terms); such draws are counted as overflows"
    }
    return true
  }
}

extension Experiment {
  /// The same with derived observables behind its own.
  func adding(_ derived: DerivedObservables) -> Experiment {
    let schema = Schema(
      axis: schema.axis, observables: schema.observables + derived.observables, estimands: schema.estimands ?? [])
    switch kind {
    case .draws(let makeRunner):
      let (records, width) = (schema.axis.count, schema.width)
      return Experiment(
        schema: schema,
        kind: .draws { key in
          let runner = makeRunner(key)
          let evaluation = DerivedValues(derived, records: records)
          let buffers = RunBuffers(key: key, width: width)
          let given = RunBuffers(key: key, width: records * derived.given)
          func draw(_ index: UInt64, _ values: UnsafeMutablePointer<Double>) -> DrawEvents {
            let events = runner.draw(index, given.values)
            return events.union(evaluation.write(given.values, to: values))
          }
          return Runner(
            run: { range, tally, rows in
              let kept = rows?.limit ?? 0
              for index in range {
                let events = draw(index, buffers.values)
                tally.record(
                  buffers.values, overflowed: events.contains(.overflowed), underflowed: events.contains(.underflowed))
                if index < kept { rows!.add(index, buffers.values, width) }
              }
            }, draw: draw, width: width)
        })
    case .replicas(let factory):
      return Experiment(schema: schema, kind: .replicas(factory.adding(derived)))
    }
  }
}

/// A process with derived observables behind its own.
struct DerivedProcess<P: Process>: Process {
  let process: P
  let derived: DerivedObservables

  var observables: [Observable] { process.observables + derived.observables }
  var estimands: [Estimand] { process.estimands }
  var schedule: Schedule { process.schedule }
  var marginals: [String] { process.marginals }
  var frame: FrameShape? { process.frame }
  var pieces: Int { process.pieces }
  var stateSize: Int { process.stateSize }
  var advice: String { process.advice }
  var inverseTemperature: Double? { process.inverseTemperature }

  func begin(_ context: ReplicaContext, from saved: StateDecoder?) throws -> System {
    System(try process.begin(context, from: saved), derived)
  }

  final class System: Dynamics {
    typealias Info = P.System.Info
    private let system: P.System
    private let evaluation: DerivedValues
    private var given: [Double]

    init(_ system: P.System, _ derived: DerivedObservables) {
      self.system = system
      evaluation = DerivedValues(derived, records: 1)
      given = Array(repeating: 0, count: derived.given)
    }

    func step(_ moment: Moment) throws -> Info { try system.step(moment) }

    func measure(_ info: Info, into values: UnsafeMutablePointer<Double>) throws {
      try given.withUnsafeMutableBufferPointer { given in
        try system.measure(info, into: given.baseAddress!)
        _ = evaluation.write(given.baseAddress!, to: values)
      }
    }

    func encode(to encoder: inout StateEncoder) throws { try system.encode(to: &encoder) }

    var fault: Fault? { system.fault }
    func count(into histograms: UnsafeMutablePointer<BitHistogram>, stride: Int) {
      system.count(into: histograms, stride: stride)
    }
    func frame() -> [Double] { system.frame() }
    func frameLengths() -> [Int] { system.frameLengths() }
  }
}

extension ReferenceValues {
  /// The same with what follows of derived observables: the mean of a linear function of known means, and everything where nothing
  /// varies.
  func adding(_ derived: DerivedObservables) -> ReferenceValues {
    var statistics = statistics
    var (means, seconds) = (values(of: .mean), values(of: .secondMoment))
    let count = schema.observables.count
    let width = derived.width
    func spread(_ old: [Double]) -> [Double] {
      (0..<schema.axis.count).flatMap { r in
        Array(old[r * count..<(r + 1) * count]) + Array(repeating: .nan, count: width - count)
      }
    }
    (means, seconds) = (spread(means), spread(seconds))
    for (k, term) in derived.terms.enumerated() {
      let isLinear = term.formula.variables.allSatisfy { (try? term.formula.derivative($0))?.constant != nil }
      for r in 0..<schema.axis.count {
        let places = term.places.map { r * width + $0 }
        let point = places.map { means[$0] }
        guard point.allSatisfy(\.isFinite) else { continue }
        let isFixed = places.allSatisfy { seconds[$0] == means[$0] * means[$0] }
        guard isLinear || isFixed else { continue }
        let value = term.program(point)[0]
        guard value.isFinite else { continue }
        let place = r * width + count + k
        means[place] = value
        statistics.append(PredictedStatistic(.mean, record: r, observable: count + k, value: value + 0))
        if isFixed, (value * value).isFinite, value == 0 || (value * value).isNormal {
          seconds[place] = value * value
          statistics.append(PredictedStatistic(.secondMoment, record: r, observable: count + k, value: value * value))
        }
      }
    }
    return ReferenceValues(
      schema: Schema(axis: schema.axis, observables: schema.observables + derived.observables), statistics: statistics,
      remainder: remainder, holdsFromTheStart: holdsFromTheStart, withheld: withheld)
  }
}

extension Leg {
  /// The same with the derived observables whose terms it has. The finite leg and its refinements must have all.
  public func adding(_ requests: [DerivedObservables.Request]) throws -> Leg {
    let derived = try DerivedObservables(
      requests, of: observables, taken: schema.estimands?.map(\.name) ?? [], all: role == .finite)
    guard !derived.observables.isEmpty else { return self }
    let content: Content
    if let known {
      content = .known(known.adding(derived))
    } else {
      content = .sampled(experiment!.adding(derived), draws: draws)
    }
    return Leg(
      name: name, role: role, content: content, attributes: attributes, expectedOffset: expectedOffset,
      refines: refines, marginalLaw: marginalLaw, asymptotics: asymptotics ?? [], speaksOfMeans: speaksOfMeans == true,
      claim: claim)
  }
}
