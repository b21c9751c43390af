import Randomness
import Statistics

/// A random experiment with its type erased.
///
/// Make it in the module of the model: the initialiser for draws is inlinable, so the loop below is then specialised to the model, and no
/// existential is left inside a draw.
public struct Experiment: Sendable {
  public enum Kind: Sendable {
    /// Independent draws; makes the runner of one thread for a stream key.
    case draws(makeRunner: @Sendable (_ key: UInt64) -> Runner)
    /// Replicas of a process.
    case replicas(ReplicaFactory)
  }

  public let schema: Schema
  public let kind: Kind

  @inlinable
  public init<D: Draw>(_ draw: D) {
    let schema = draw.schema
    let width = schema.width
    let together = draw.together
    self.init(
      schema: schema,
      kind: .draws { key in
        let buffers = RunBuffers(key: key, width: width, together: together)
        let scratch = draw.makeScratch()
        return Runner(
          run: { range, tally, rows in
            let kept = rows?.limit ?? 0
            var next = range.lowerBound
            while together > 1 && range.upperBound &- next > 1 {
              let count = Int(min(UInt64(together), range.upperBound &- next))
              for k in 0..<count { buffers.streams[k].start(draw: next &+ UInt64(k)) }
              draw.drawTogether(using: buffers.streams, count, scratch: scratch, into: buffers.values)
              for k in 0..<count {
                let values = buffers.values + k &* width
                tally.record(values, overflowed: false, underflowed: false)
                if next &+ UInt64(k) < kept { rows!.add(next &+ UInt64(k), values, width) }
              }
              next &+= UInt64(count)
            }
            for index in next..<range.upperBound {
              buffers.stream.start(draw: index)
              let events = draw.draw(using: &buffers.stream, scratch: scratch, into: buffers.values)
              tally.record(
                buffers.values, overflowed: events.contains(.overflowed), underflowed: events.contains(.underflowed))
              if index < kept { rows!.add(index, buffers.values, width) }
            }
          },
          draw: { index, values in
            buffers.stream.start(draw: index)
            return draw.draw(using: &buffers.stream, scratch: scratch, into: values)
          }, width: width, together: together)
      })
  }

  public init<P: Process>(_ process: P) {
    self.init(
      schema: Schema(axis: process.schedule.axis, observables: process.observables, estimands: process.estimands),
      kind: .replicas(ReplicaFactory(process)))
  }

  @usableFromInline
  init(schema: Schema, kind: Kind) {
    self.schema = schema
    self.kind = kind
  }

  /// The runner of one thread; nil for a process.
  public func makeRunner(key: UInt64) -> Runner? {
    if case .draws(let make) = kind { make(key) } else { nil }
  }

  public var replicas: ReplicaFactory? {
    if case .replicas(let factory) = kind { factory } else { nil }
  }
}

/// Makes the replicas of one process.
public struct ReplicaFactory: Sendable {
  public let facts: ProcessFacts
  public let pieces: Int
  public let stateSize: Int
  public let advice: String
  /// Starts a replica, or continues one. Collective in the group.
  public let begin: @Sendable (_ context: ReplicaContext, _ saved: ReplicaState?) throws -> any Replica
  /// The same with derived observables behind those of the process.
  let adding: @Sendable (DerivedObservables) -> ReplicaFactory

  init<P: Process>(_ process: P) {
    facts = ProcessFacts(
      schedule: process.schedule, marginals: process.marginals, frame: process.frame,
      inverseTemperature: process.inverseTemperature)
    (pieces, stateSize, advice) = (process.pieces, process.stateSize, process.advice)
    begin = { context, saved in try Driver(process, context, from: saved) }
    adding = { ReplicaFactory(DerivedProcess(process: process, derived: $0)) }
  }

  public var steps: Int { facts.schedule.total }
}

/// What a file must know of a process to read its records.
public struct ProcessFacts: Sendable, Equatable, Codable {
  public let schedule: Schedule
  public let marginals: [String]
  public let frame: FrameShape?
  public let inverseTemperature: Double?

  public init(schedule: Schedule, marginals: [String], frame: FrameShape?, inverseTemperature: Double?) {
    self.schedule = schedule
    self.marginals = marginals
    self.frame = frame
    self.inverseTemperature = inverseTemperature
  }
}

/// A replica as the engine sees it. All methods are collective in its group.
public protocol Replica: AnyObject {
  /// Steps made so far.
  var step: Int { get }
  func advance(_ steps: Int) throws
  /// What went wrong first on this rank, if anything did.
  var fault: Fault? { get }
  /// The whole state on the root of the group.
  func save() throws -> ReplicaState
  /// What came out, once all steps are made.
  func finish() throws -> ReplicaOutcome
}

/// A suspended replica.
public struct ReplicaState: Sendable {
  public let replica: UInt64
  public let step: Int
  public let encoded: StateEncoder

  public init(replica: UInt64, step: Int, encoded: StateEncoder) {
    self.replica = replica
    self.step = step
    self.encoded = encoded
  }

  public var decoder: StateDecoder { encoded.decoder(place: "replica \(replica) under way") }

  /// Names of the shards that hold its particles; empty if the state is whole.
  public var shards: [String] { (try? decoder.nested("system").texts("shards")) ?? [] }
}

/// What a finished replica leaves.
public struct ReplicaOutcome {
  /// The numbers of its row: `schema.width` values, record by record, then `Rows.diagnostics` of each observable.
  public let row: [Double]
  /// The part of this rank: histograms add up over the group.
  public let marginals: [BitHistogram]
  public let trajectory: Trajectory?
  /// Kept values of single measurements, `Series.values` at the stride of one replica.
  public let series: [Double]?
}
