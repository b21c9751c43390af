/// What the engine and the processes that share a replica need of a message-passing library. All calls are collective: every rank makes
/// the same ones in the same order.
public protocol Collectives {
  var rank: Int { get }
  var size: Int { get }
  /// Sums element by element; the result is defined on rank 0 only.
  func sumToRoot(_ values: [Int64]) throws -> [Int64]
  /// Bitwise or, element by element, on every rank.
  func bitwiseOr(_ values: [Int64]) throws -> [Int64]
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
  /// Sends every rank its part of a buffer: `counts` are the lengths of these parts, which stand one after another in order of rank. Rank by rank, what the others send to this one goes to where
  /// `room` says, which is asked once, with the lengths of their parts.
  func exchange(
    _ parts: UnsafePointer<Double>, counts: [Int], room: (_ counts: [Int]) -> UnsafeMutablePointer<Double>) throws
  /// The sums over the ranks before this one, element by element, modulo 2^64; 0 on rank 0.
  func sumBefore(_ values: [Int64]) throws -> [Int64]
  /// The ranks that give the same color, as collectives of their own.
  func group(color: Int) throws -> any Collectives
}

/// A process on its own.
public struct SelfCommunicator: Collectives {
  public init() {}
  public var rank: Int { 0 }
  public var size: Int { 1 }
  public func sumToRoot(_ values: [Int64]) -> [Int64] { values }
  public func bitwiseOr(_ values: [Int64]) -> [Int64] { values }
  public func broadcast(_ bytes: [UInt8]) -> [UInt8] { bytes }
  public func gatherAllVarying(_ values: [Int64]) -> [[Int64]] { [values] }
  public func gatherToRoot(_ bytes: [UInt8]) -> [[UInt8]] { [bytes] }
  public func sumInPlace(_ words: UnsafeMutablePointer<Int64>, count: Int) {}
  public func gatherInPlace(_ values: UnsafeMutablePointer<Double>, counts: [Int]) {}
  public func exchange(
    _ parts: UnsafePointer<Double>, counts: [Int], room: (_ counts: [Int]) -> UnsafeMutablePointer<Double>
  ) {
    room(counts).update(from: parts, count: counts[0])
  }
  public func sumBefore(_ values: [Int64]) -> [Int64] { values.map { _ in 0 } }
  public func group(color: Int) -> any Collectives { self }
}

extension Collectives {
  public var isRoot: Bool { rank == 0 }

  /// Sends `counts[r]` integers to rank r, those of `values` in order of rank, and writes into `received` what the ranks sent here, in their order.
  /// - Parameters:
  ///   - expected: how many numbers each rank sends here.
  ///   - received: room for the sum of `expected`.
  public func exchange(
    _ values: UnsafePointer<Int64>, counts: [Int], expected: [Int], into received: UnsafeMutablePointer<Int64>
  ) throws {
    // Messages are copied, so their bits arrive whatever type they are said to have.
    let parts = UnsafeRawPointer(values).assumingMemoryBound(to: Double.self)
    try exchange(parts, counts: counts) { told in
      precondition(told == expected, "expected \(expected) numbers, and \(told) come")
      return UnsafeMutableRawPointer(received).assumingMemoryBound(to: Double.self)
    }
  }

  /// How many numbers each rank sends here, if this one sends these to each.
  public func expected(from counts: [Int]) throws -> [Int] {
    var received = Array(repeating: Int64(0), count: size)
    let ones = Array(repeating: 1, count: size)
    try received.withUnsafeMutableBufferPointer {
      try exchange(counts.map(Int64.init), counts: ones, expected: ones, into: $0.baseAddress!)
    }
    return received.map { Int($0) }
  }

  /// Runs `body` on rank 0; all ranks return, or all throw the same failure.
  public func onRoot(_ body: () throws -> Void) throws {
    var report: [UInt8] = []
    if isRoot {
      do {
        try body()
      } catch {
        let failure = Failure(wrapping: error)
        report = [UInt8(failure.status.rawValue)] + Array(failure.message.utf8)
      }
    }
    report = try broadcast(report)
    if let code = report.first {
      throw Failure(
        ExitStatus(rawValue: Int32(code)) ?? .bug, String(decoding: report.dropFirst(), as: UTF8.self))
    }
  }

  /// Runs what may fail on some ranks only; all ranks return, or all throw the failure of the first rank that has one.
  public func agree<T>(_ body: () throws -> T) throws -> T {
    var report: [Int64] = []
    var result: T?
    do {
      result = try body()
    } catch {
      let failure = Failure(wrapping: error)
      report = [Int64(failure.status.rawValue)] + failure.message.utf8.map { Int64($0) }
    }
    guard let first = try gatherAllVarying(report).first(where: { !$0.isEmpty }) else { return result! }
    throw Failure(
      ExitStatus(rawValue: Int32(first[0])) ?? .bug,
      String(decoding: first.dropFirst().map { UInt8($0) }, as: UTF8.self))
  }
}
