import Statistics

/// When a process is measured. All counts are of steps unless they say otherwise.
public struct Schedule: Sendable, Equatable, Codable {
  public let warmUp, steps: Int
  /// Equal pieces of the measured steps; a mean is kept of each.
  public let records: Int
  /// Steps between measurements; divides `steps / records`.
  public let measureEvery: Int
  /// Measurements between counts of the one-particle laws.
  public let histogramEvery: Int
  /// Steps between kept frames, a multiple of `measureEvery`; nil to keep none.
  public let frameEvery: Int?

  public init(
    warmUp: Int = 0, steps: Int, records: Int = 1, measureEvery: Int = 1, histogramEvery: Int = 10,
    frameEvery: Int? = nil
  ) {
    precondition(steps > 0 && steps % (records * measureEvery) == 0)
    self.warmUp = warmUp
    self.steps = steps
    self.records = records
    self.measureEvery = measureEvery
    self.histogramEvery = histogramEvery
    self.frameEvery = frameEvery
  }

  /// Measurements of a whole replica.
  public var measurements: Int { steps / measureEvery }
  /// Steps of a whole replica.
  public var total: Int { warmUp + steps }
  /// Step of the replica at the end of record r.
  public func end(ofRecord r: Int) -> Int { warmUp + steps / records * (r + 1) }
  public var axis: Axis { .steps((0..<records).map(end(ofRecord:))) }
}

/// Where a step stands in the schedule.
public struct Moment: Sendable {
  /// Its number, from 1.
  public let step: Int
  public let warmUp: Int
  /// Whether `measure` is called after it.
  public let isMeasured: Bool

  public var isWarmUp: Bool { step <= warmUp }
}

/// A value that is not finite, or a sampler that found no way on.
public struct Fault: Sendable {
  public let step: Int
  /// Number of the particle, from 0.
  public let particle: Int

  public init(step: Int, particle: Int) {
    self.step = step
    self.particle = particle
  }
}

/// What a frame of a trajectory holds: of each kept particle its coordinates and its potential.
public struct FrameShape: Sendable, Equatable, Codable {
  public let particles, dimension: Int
  /// Whether the particles of one replica are independent chains.
  public let independent: Bool
  /// Time between two steps, for readers of trajectories.
  public let timeStep: Double

  public init(particles: Int, dimension: Int, independent: Bool = false, timeStep: Double = 1) {
    self.particles = particles
    self.dimension = dimension
    self.independent = independent
    self.timeStep = timeStep
  }

  /// Numbers of one frame.
  public var width: Int { particles * (dimension + 1) }
}

/// One replica of a process: which one, of which stream, and with whom it is shared.
public struct ReplicaContext {
  public let replica: UInt64
  /// Key of the stream of the leg.
  public let key: UInt64
  /// The ranks that share the replica.
  public let group: any Collectives
  public let shards: (any ShardStore)?

  public init(replica: UInt64, key: UInt64, group: any Collectives, shards: (any ShardStore)? = nil) {
    self.replica = replica
    self.key = key
    self.group = group
    self.shards = shards
  }
}

/// A long random experiment that is stepped, suspended and resumed: its draws are replicas of one system, perhaps shared by several ranks.
/// What a replica gives depends on its number and key only, never on the group.
///
/// Required: `observables`, `schedule` and `begin`. Warm-up, records, means over time, batch means, frames, suspension and resumption
/// belong to the driver, not to the process.
public protocol Process: Sendable {
  associatedtype System: Dynamics

  var observables: [Observable] { get }
  var schedule: Schedule { get }

  /// Starts a replica, or continues one from what its `encode` left. Collective in the group, so it throws on all ranks or on none
  /// (`context.group.agree` sees to that where only some may fail).
  func begin(_ context: ReplicaContext, from saved: StateDecoder?) throws -> System

  /// What is made of means of the observables over time and replicas; nothing unless implemented.
  var estimands: [Estimand] { get }
  /// Coordinates whose one-particle law is counted; none unless implemented.
  var marginals: [String] { get }
  /// What is kept of replica 0 in each frame; only the observables unless implemented.
  var frame: FrameShape? { get }
  /// Pieces in which ranks can share a replica; more ranks than these gain nothing. 1 unless implemented.
  var pieces: Int { get }
  /// Numbers that a replica holds at least, over all ranks that share it: memory that is not there is a sentence then, not a crash. 0 unless
  /// implemented.
  var stateSize: Int { get }
  /// What a user may do about values that are not finite, as half a sentence.
  var advice: String { get }
  /// Inverse temperature, for the free energy; nil where there is none.
  var inverseTemperature: Double? { get }
}

extension Process {
  public var estimands: [Estimand] { [] }
  public var marginals: [String] { [] }
  public var frame: FrameShape? { nil }
  public var pieces: Int { 1 }
  public var stateSize: Int { 0 }
  public var advice: String { "a smaller step may help" }
  public var inverseTemperature: Double? { nil }
}

/// The state of one replica. All methods are collective in its group.
///
/// State is what the next step needs; `Info` is what a step tells besides.
public protocol Dynamics: AnyObject {
  associatedtype Info = Void

  func step(_ moment: Moment) throws -> Info
  /// Writes a value for each observable of the process, on every rank of the group alike.
  func measure(_ info: Info, into values: UnsafeMutablePointer<Double>) throws
  /// Leaves all that `begin(_:from:)` needs to continue; on the root of the group it must be complete.
  func encode(to encoder: inout StateEncoder) throws

  /// What went wrong first on this rank; nothing unless implemented.
  var fault: Fault? { get }
  /// Counts the coordinates of this rank's particles, `into[m]` for marginal m; nothing unless implemented.
  func count(into histograms: UnsafeMutablePointer<BitHistogram>, stride: Int)
  /// This rank's part of a frame, and the lengths of the parts of all ranks; nothing unless implemented.
  func frame() -> [Double]
  func frameLengths() -> [Int]
}

extension Dynamics {
  public var fault: Fault? { nil }
  public func count(into histograms: UnsafeMutablePointer<BitHistogram>, stride: Int) {}
  public func frame() -> [Double] { [] }
  public func frameLengths() -> [Int] { [] }
}

/// Where ranks leave their part of a large state: a file for each. Called on every rank.
public protocol ShardStore: Sendable {
  /// Replicas with more coordinates than this are put into shards.
  var threshold: Int { get }
  func write(_ state: StateEncoder, name: String) throws
  func read(_ name: String) throws -> StateDecoder
  /// Removes all shards but these. Called on rank 0.
  func prune(keeping names: Set<String>)
}
