import Experiments
import Foundation
import Synchronization

/// Ranks as threads of one process: the same collectives as MPI gives, for tests that run every kind of work on several ranks.
///
/// An error that leaves one rank ends them all: those that wait in a collective throw as well.
package enum ThreadWorld {
  /// Runs `body` on a given number of ranks at once and gives what each returned, in order of rank. Throws the error of the first rank that failed by
  /// itself.
  package static func run<T: Sendable>(
    ranks: Int, _ body: @escaping @Sendable (any Collectives) throws -> T
  ) throws -> [T] {
    let team = Team(size: ranks)
    let results = Mutex<[Int: Result<T, any Error>]>([:])
    let done = DispatchGroup()
    for rank in 0..<ranks {
      done.enter()
      let thread = Thread {
        let result = Result { try body(ThreadCollectives(team: team, rank: rank)) }
        if case .failure = result { team.abort() }
        results.withLock { $0[rank] = result }
        done.leave()
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    done.wait()
    let all = results.withLock { all in (0..<ranks).map { all[$0]! } }
    for case .failure(let error) in all where !(error is Aborted) { throw error }
    return try all.map { try $0.get() }
  }

  /// Another rank failed.
  struct Aborted: Error {}

  /// What the ranks of one communicator share: a place for the value of each, and a barrier.
  final class Team: @unchecked Sendable {
    let size: Int
    private let condition = NSCondition()
    private var slots: [Any?]
    private var arrived = 0
    private var generation = 0
    private var published: [Any?] = []
    private var aborted = false
    private var children: [Team] = []

    init(size: Int) {
      self.size = size
      slots = Array(repeating: nil, count: size)
    }

    func abort() {
      condition.lock()
      defer { condition.unlock() }
      aborted = true
      for child in children { child.abort() }
      condition.broadcast()
    }

    func adopt(_ child: Team) {
      condition.lock()
      defer { condition.unlock() }
      children.append(child)
      if aborted { child.abort() }
    }

    /// The values of all ranks, on every rank.
    func exchange<T>(_ value: T, rank: Int) throws -> [T] {
      condition.lock()
      defer { condition.unlock() }
      if aborted { throw Aborted() }
      slots[rank] = value
      arrived += 1
      if arrived == size {
        published = slots
        arrived = 0
        generation += 1
        condition.broadcast()
        return published.map { $0 as! T }
      }
      let own = generation
      while generation == own {
        if aborted { throw Aborted() }
        condition.wait()
      }
      return published.map { $0 as! T }
    }
  }
}

/// The collectives of one thread.
struct ThreadCollectives: Collectives {
  let team: ThreadWorld.Team
  let rank: Int
  var size: Int { team.size }

  func sumToRoot(_ values: [Int64]) throws -> [Int64] {
    let all = try team.exchange(values, rank: rank)
    guard rank == 0 else { return values }
    return all.dropFirst().reduce(into: all[0]) { sum, next in for i in next.indices { sum[i] &+= next[i] } }
  }

  func bitwiseOr(_ values: [Int64]) throws -> [Int64] {
    let all = try team.exchange(values, rank: rank)
    return all.dropFirst().reduce(into: all[0]) { sum, next in for i in next.indices { sum[i] |= next[i] } }
  }

  func broadcast(_ bytes: [UInt8]) throws -> [UInt8] { try team.exchange(bytes, rank: rank)[0] }

  func gatherAllVarying(_ values: [Int64]) throws -> [[Int64]] { try team.exchange(values, rank: rank) }

  func gatherToRoot(_ bytes: [UInt8]) throws -> [[UInt8]] {
    let all = try team.exchange(bytes, rank: rank)
    return rank == 0 ? all : []
  }

  func sumInPlace(_ words: UnsafeMutablePointer<Int64>, count: Int) throws {
    let all = try team.exchange(Array(UnsafeBufferPointer(start: words, count: count)), rank: rank)
    for i in 0..<count { words[i] = all.reduce(0) { $0 &+ $1[i] } }
  }

  func gatherInPlace(_ values: UnsafeMutablePointer<Double>, counts: [Int]) throws {
    let place = counts[..<rank].reduce(0, +)
    let own = Array(UnsafeBufferPointer(start: values + place, count: counts[rank]))
    var next = values
    for part in try team.exchange(own, rank: rank) {
      part.withUnsafeBufferPointer { if let base = $0.baseAddress { next.update(from: base, count: part.count) } }
      next += part.count
    }
  }

  func sumBefore(_ values: [Int64]) throws -> [Int64] {
    let all = try team.exchange(values, rank: rank)
    return values.indices.map { i in all[..<rank].reduce(0) { $0 &+ $1[i] } }
  }

  func exchange(
    _ parts: UnsafePointer<Double>, counts: [Int], room: (_ counts: [Int]) -> UnsafeMutablePointer<Double>
  ) throws {
    var next = parts
    let own = counts.map { count in
      defer { next += count }
      return Array(UnsafeBufferPointer(start: next, count: count))
    }
    let mine = try team.exchange(own, rank: rank).map { $0[rank] }
    var place = room(mine.map(\.count))
    for part in mine {
      part.withUnsafeBufferPointer { if let base = $0.baseAddress { place.update(from: base, count: part.count) } }
      place += part.count
    }
  }

  func group(color: Int) throws -> any Collectives {
    let colors = try team.exchange(color, rank: rank)
    let members = colors.indices.filter { colors[$0] == color }
    // The first member of each makes what all share.
    let own = members[0] == rank ? ThreadWorld.Team(size: members.count) : nil
    if let own { team.adopt(own) }
    let teams = try team.exchange(own, rank: rank)
    return ThreadCollectives(team: teams[members[0]]!, rank: members.firstIndex(of: rank)!)
  }
}
