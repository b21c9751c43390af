import Statistics

/// A long experiment whose draws are replicas of one system: each is advanced in pieces, put aside in between, and may be
/// spread over the ranks of a group. What a replica gives does not depend on the group.
public protocol ReplicaExperiment: Sendable {
  var observables: [Observable] { get }
  /// Steps at which values are recorded.
  var records: [Int] { get }
  /// Steps of a whole replica.
  var steps: Int { get }
  /// Coordinates of the one-particle marginal that are counted in histograms.
  var marginals: [String] { get }
  /// Pieces in which ranks can share a replica; more ranks than these gain nothing.
  var pieces: Int { get }

  /// What a user may do about values that are not finite.
  var advice: String { get }

  /// Starts a replica, or goes on with one that was put aside. Collective in the group.
  func begin(
    _ replica: UInt64, key: UInt64, group: any Communicator, from saved: ReplicaState?, shards: (any ShardStore)?
  ) throws -> any Replica
}

extension ReplicaExperiment {
  /// Without shards.
  public func begin(
    _ replica: UInt64, key: UInt64, group: any Communicator, from saved: ReplicaState?
  ) throws -> any Replica {
    try begin(replica, key: key, group: group, from: saved, shards: nil)
  }
}

/// A replica under way. All methods are collective in its group.
public protocol Replica: AnyObject {
  /// Steps made so far.
  var step: Int { get }
  /// Makes so many steps.
  func advance(_ steps: Int) throws
  /// What went wrong first on this rank, if anything did.
  var fault: ReplicaFault? { get }
  /// The whole state on the root of the group; elsewhere the arrays are empty.
  func save() throws -> ReplicaState
  /// What came out, once all steps are made.
  func finish() throws -> ReplicaOutcome
}

/// A value that is not finite.
public struct ReplicaFault: Sendable {
  public let step: Int
  /// Its number, from 0.
  public let particle: Int

  public init(step: Int, particle: Int) {
    self.step = step
    self.particle = particle
  }
}

/// A replica put aside: named arrays, and the histograms of its marginals so far.
public struct ReplicaState {
  public let replica: UInt64
  public let step: Int
  public var arrays: [String: [Double]]
  public var marginals: [BitHistogram]
  /// Names of the shards that hold the arrays of the particles, and the first particle of each; empty if `arrays` has them.
  public var shards: [(name: String, start: Int)]

  public init(
    replica: UInt64, step: Int, arrays: [String: [Double]], marginals: [BitHistogram],
    shards: [(name: String, start: Int)] = []
  ) {
    self.replica = replica
    self.step = step
    self.arrays = arrays
    self.marginals = marginals
    self.shards = shards
  }

  /// An array of the state; throws where a file lacks it or has another length.
  public func array(_ name: String, count: Int? = nil) throws -> [Double] {
    guard let values = arrays[name], count.map({ $0 == values.count }) ?? true else {
      throw unfit(name)
    }
    return values
  }

  public func unfit(_ name: String) -> Failure {
    Failure(.badData, "replica \(replica) under way: its \(name) does not fit the job; --fresh starts anew")
  }
}

/// Where ranks leave their part of a large state: a file for each. Called on every rank.
public protocol ShardStore: Sendable {
  /// Replicas with more coordinates than this are put aside in shards.
  var threshold: Int { get }
  func write(_ arrays: [String: [Double]], name: String) throws
  func read(_ name: String) throws -> [String: [Double]]
  /// Removes all shards but these. Called on rank 0.
  func prune(keeping names: Set<String>)
}

/// What a finished replica leaves.
public struct ReplicaOutcome {
  /// `records.count * observables.count` values, record by record.
  public let values: [Double]
  /// What `Diagnostics` reads, observable by observable: see `ReplicaRecord.diagnostics`.
  public let diagnostics: [Double]
  /// The part of this rank: histograms add up over the group.
  public let marginals: [BitHistogram]
  public let trajectory: Trajectory?

  public init(values: [Double], diagnostics: [Double], marginals: [BitHistogram], trajectory: Trajectory?) {
    self.values = values
    self.diagnostics = diagnostics
    self.marginals = marginals
    self.trajectory = trajectory
  }
}

/// Positions of chosen particles, and numbers of the whole system, frame by frame.
public struct Trajectory: Sendable {
  /// Step of each frame.
  public var steps: [Int]
  /// frames x particles x dimension.
  public var positions: [Double]
  /// frames x series: values of the observables at the frame.
  public var series: [Double]

  public init(steps: [Int] = [], positions: [Double] = [], series: [Double] = []) {
    self.steps = steps
    self.positions = positions
    self.series = series
  }
}

/// What is kept of the replicas of one leg.
public struct ReplicaRecord {
  /// For each observable: standard error by batch means, mean of the first and of the second half, mean variance within the halves.
  public static let diagnostics = ["batch_means_error", "first_half", "second_half", "variance_within"]
  /// Groups of draws of which the marginals are counted apart, so that errors can be had by leaving one out.
  public static let folds = 8

  /// Values and diagnostics of each finished replica.
  public var rows: [UInt64: [Double]] = [:]
  /// Marginal by marginal, `folds` histograms each.
  public var marginals: [BitHistogram]
  public var inFlight: [ReplicaState] = []
  public var trajectories: [UInt64: Trajectory] = [:]

  public init(marginals count: Int) {
    marginals = Array(repeating: BitHistogram(), count: count * Self.folds)
  }

  /// The tally of the rows: centred at the median of the five replicas with the lowest numbers.
  public func tally(observables: Int, records: Int, covariances: Bool) -> Tally {
    let width = observables * records
    let order = rows.keys.sorted()
    let pilots = order.prefix(5).map { rows[$0]! }
    let centres = (0..<width).map { i -> Double in
      let sorted = pilots.map { $0[i] }.filter(\.isFinite).sorted()
      return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
    let tally = Tally(
      layout: .init(perGroup: observables, groups: records, covariances: covariances, centres: centres))
    for replica in order {
      rows[replica]!.withUnsafeBufferPointer {
        tally.record($0.baseAddress!, overflowed: $0.prefix(width).contains { !$0.isFinite }, underflowed: false)
      }
    }
    return tally
  }

  /// Adds histograms to those that are here.
  public mutating func add(marginals added: [BitHistogram]) {
    for (i, histogram) in added.enumerated() {
      for page in histogram.pages { marginals[i].add(page: page, counts: histogram.page(page)) }
    }
  }
}

extension LegState {
  /// Adds the draws of another state of the same leg; they must share none.
  public mutating func formUnion(_ other: LegState, of job: Job) {
    done.formUnion(other.done)
    guard var record = replicas, let added = other.replicas else {
      tally.merge(other.tally)
      return
    }
    record.rows.merge(added.rows) { mine, _ in mine }
    record.trajectories.merge(added.trajectories) { mine, _ in mine }
    record.add(marginals: added.marginals)
    // Shards stay with their own file; what they hold is begun anew.
    record.inFlight = (record.inFlight + added.inFlight).filter {
      record.rows[$0.replica] == nil && $0.shards.isEmpty
    }
    replicas = record
    guard let leg = job.sampledLegs.first(where: { $0.path == path })?.leg else { return }
    tally = record.tally(leg, of: job)
  }
}

extension ReplicaRecord {
  func tally(_ leg: Leg, of job: Job) -> Tally {
    tally(
      observables: leg.observables.count, records: leg.layers.count,
      covariances: leg.observables.count <= job.covarianceLimit)
  }
}
