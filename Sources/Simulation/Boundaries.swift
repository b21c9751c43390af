import Statistics

/// What the engine needs of a message-passing library. All calls are collective.
public protocol Communicator {
  var rank: Int { get }
  var size: Int { get }
  /// Sums element by element; the result is defined on rank 0 only.
  func sumToRoot(_ values: [Int64]) throws -> [Int64]
  /// Bitwise or, element by element, on every rank.
  func unite(_ values: [Int64]) throws -> [Int64]
  /// The values of all ranks, rank by rank, on every rank. Every rank gives as many.
  func gatherAll(_ values: [Int64]) throws -> [Int64]
  /// The bytes of rank 0, on every rank.
  func broadcast(_ bytes: [UInt8]) throws -> [UInt8]
  /// The values of all ranks, on every rank; ranks may give different numbers of them.
  func gatherAllVarying(_ values: [Int64]) throws -> [[Int64]]
  /// The bytes of every rank, on rank 0; elsewhere nothing.
  func gatherToRoot(_ bytes: [UInt8]) throws -> [[UInt8]]
  /// Sums element by element, on every rank.
  func sumInPlace(_ words: UnsafeMutablePointer<Int64>, count: Int) throws
  /// Completes a buffer that holds this rank's part with those of the others; `counts` are the lengths of all parts.
  func gatherInPlace(_ values: UnsafeMutablePointer<Double>, counts: [Int]) throws
  /// The ranks that give the same color, as a communicator of their own.
  func group(color: Int) throws -> any Communicator
}

/// A process on its own.
public struct Alone: Communicator {
  public init() {}
  public var rank: Int { 0 }
  public var size: Int { 1 }
  public func sumToRoot(_ values: [Int64]) -> [Int64] { values }
  public func unite(_ values: [Int64]) -> [Int64] { values }
  public func gatherAll(_ values: [Int64]) -> [Int64] { values }
  public func broadcast(_ bytes: [UInt8]) -> [UInt8] { bytes }
  public func gatherAllVarying(_ values: [Int64]) -> [[Int64]] { [values] }
  public func gatherToRoot(_ bytes: [UInt8]) -> [[UInt8]] { [bytes] }
  public func sumInPlace(_ words: UnsafeMutablePointer<Int64>, count: Int) {}
  public func gatherInPlace(_ values: UnsafeMutablePointer<Double>, counts: [Int]) {}
  public func group(color: Int) -> any Communicator { self }
}

/// What the engine needs of storage. Called on rank 0 only.
public protocol ResultStore {
  /// Replaces the stored result by this one, or leaves it as it was and throws.
  func save(_ snapshot: Snapshot) throws
}

/// The state of one leg: the draws that went in, and their tally.
public struct LegState {
  public let path: String
  public internal(set) var tally: Tally
  public var done: IntervalSet
  /// What is kept of the replicas of a particle system besides the tally; nil for independent draws.
  public var replicas: ReplicaRecord?

  public init(path: String, tally: Tally, done: IntervalSet, replicas: ReplicaRecord? = nil) {
    self.path = path
    self.tally = tally
    self.done = done
    self.replicas = replicas
  }
}

/// All that a result file is made from.
public struct Snapshot {
  public let job: Job
  /// States of the sampled legs, in the order of the job.
  public var states: [LegState]
  /// Descriptive facts (hosts, times, version): not part of the digest.
  public var provenance: [(key: String, value: String)]

  public init(job: Job, states: [LegState], provenance: [(key: String, value: String)]) {
    self.job = job
    self.states = states
    self.provenance = provenance
  }

  public func state(_ path: String) -> LegState? { states.first { $0.path == path } }

  /// Whether every draw that the job asks for is there.
  public var isFinished: Bool {
    job.sampledLegs.allSatisfy { entry in state(entry.path).map { UInt64($0.done.count) >= entry.leg.draws } ?? false }
  }
}

extension Communicator {
  public var isRoot: Bool { rank == 0 }

  /// Runs `body` on rank 0; all ranks return, or all throw the same failure.
  public func onRoot(_ body: () throws -> Void) throws {
    var report: [UInt8] = []
    if isRoot {
      do {
        try body()
      } catch {
        let failure = error as? Failure ?? Failure(.bug, String(describing: error))
        report = [UInt8(failure.status.rawValue)] + Array(failure.message.utf8)
      }
    }
    report = try broadcast(report)
    if let code = report.first {
      throw Failure(
        ExitStatus(rawValue: Int32(code)) ?? .bug, String(decoding: report.dropFirst(), as: UTF8.self))
    }
  }
}
