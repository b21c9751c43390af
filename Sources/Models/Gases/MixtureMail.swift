import Experiments
import Randomness

/// Velocities that travel to the partners of their particles: four numbers each, the pair and the particle they are for (as bits) and three coordinates.
final class PairMail {
  private let group: any Collectives
  private let letters, sorted: UnsafeMutablePointer<Double>
  private let targets: UnsafeMutablePointer<Int32>
  private var received: UnsafeMutablePointer<Double>
  private var room: Int
  private let capacity: Int
  private var count = 0
  private var counts: [Int]
  private var places: [Int]

  /// - Parameter capacity: most letters of one phase.
  init(_ group: any Collectives, capacity: Int) {
    (self.group, self.capacity) = (group, capacity)
    (letters, sorted) = (.allocateAligned(capacity: 4 * capacity + 4), .allocateAligned(capacity: 4 * capacity + 4))
    targets = .allocate(capacity: capacity + 1)
    room = 4 * capacity + 4
    received = .allocateAligned(capacity: room)
    counts = Array(repeating: 0, count: group.size)
    places = counts
  }

  deinit {
    letters.deallocate()
    sorted.deallocate()
    targets.deallocate()
    received.deallocate()
  }

  /// - Parameters:
  ///   - pair: its number in the phase.
  ///   - isFirst: whether the particle that it is for is the first one of the pair.
  @inline(__always)
  func post(
    to rank: Int, pair: UInt32, particle: UInt32, isFirst: Bool, _ v: UnsafePointer<Double>
  ) {
    let letter = letters + 4 &* count
    // Pairs are below 2^31.
    letter[0] = Double(bitPattern: UInt64(pair) << 33 | UInt64(particle) << 1 | (isFirst ? 1 : 0))
    (letter[1], letter[2], letter[3]) = (v[0], v[1], v[2])
    targets[count] = Int32(truncatingIfNeeded: rank)
    count &+= 1
  }

  /// Sends all letters and calls `body` with those that have come: pair, particle, whether it is the first one, and the velocity of its partner. Collective.
  func deliver(_ body: (UInt32, Int, Bool, UnsafeMutablePointer<Double>) -> Void) throws {
    for r in counts.indices { counts[r] = 0 }
    for i in 0..<count { counts[Int(targets[i])] += 4 }
    var next = 0
    for r in counts.indices {
      places[r] = next
      next += counts[r]
    }
    for i in 0..<count {
      let r = Int(targets[i])
      (sorted + places[r]).update(from: letters + 4 &* i, count: 4)
      places[r] += 4
    }
    count = 0
    var total = 0
    try group.exchange(sorted, counts: counts) { theirs in
      total = theirs.reduce(0, +)
      if total > room {
        received.deallocate()
        room = total
        received = .allocateAligned(capacity: room)
      }
      return received
    }
    for i in 0..<total / 4 {
      let letter = received + 4 &* i
      let head = letter[0].bitPattern
      body(
        UInt32(truncatingIfNeeded: head >> 33), Int(UInt32(truncatingIfNeeded: head >> 1)), head & 1 == 1, letter + 1)
    }
  }
}

/// The pairs of a phase on several ranks: every rank goes through its own particles and finds whom they meet.
struct PairMeeting {
  /// Pairs that may collide.
  let number: Int
  let first, second: KeyedPermutation
  let a, b: MixtureShard
  let isWithin: Bool

  private static let piece = 256

  /// Fills the batch with the pairs of this rank. Collective.
  func run(_ v: Velocities, _ w: Velocities, _ batch: PairBatch, _ mail: PairMail) throws {
    if isWithin {
      forEachPlace(first, a) { particle, place in
        guard place < 2 * number else { return }
        let partner = first[place ^ 1]
        meet(
          place >> 1, particle, a, v, partner, a, v, isFirst: place & 1 == 0, batch, mail)
      }
    } else {
      forEachPlace(first, a) { particle, place in
        guard place < number else { return }
        meet(place, particle, a, v, second[place], b, w, isFirst: true, batch, mail)
      }
      forEachPlace(second, b) { particle, place in
        guard place < number else { return }
        meet(place, particle, b, w, first[place], a, v, isFirst: false, batch, mail)
      }
    }
    try mail.deliver { pair, particle, isFirst, velocity in
      if isFirst {
        batch.add(pair, v[particle - a.mine.lowerBound], velocity, isCounted: true)
      } else {
        batch.add(pair, velocity, w[particle - b.mine.lowerBound], isCounted: false)
      }
    }
    // What the mail holds is read before the next letters come.
    batch.flush()
  }

  @inline(__always)
  private func forEachPlace(_ permutation: KeyedPermutation, _ shard: MixtureShard, _ body: (Int, Int) -> Void) {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.piece) { places in
      var begin = shard.mine.lowerBound
      while begin < shard.mine.upperBound {
        let count = min(Self.piece, shard.mine.upperBound - begin)
        permutation.fill(places: places.baseAddress!, from: begin, count: count)
        for i in 0..<count { body(begin + i, Int(places[i])) }
        begin += count
      }
    }
  }

  /// A particle of this rank and its partner: they collide here if both are here; otherwise its velocity is sent to the partner.
  @inline(__always)
  private func meet(
    _ pair: Int, _ particle: Int, _ own: MixtureShard, _ v: Velocities, _ partner: Int, _ other: MixtureShard,
    _ w: Velocities, isFirst: Bool, _ batch: PairBatch, _ mail: PairMail
  ) {
    let here = v[particle - own.mine.lowerBound]
    if other.mine.contains(partner) {
      // Once, by the first of the two.
      if isFirst {
        batch.add(UInt32(truncatingIfNeeded: pair), here, w[partner - other.mine.lowerBound], isCounted: true)
      }
    } else {
      mail.post(
        to: other.owner(partner), pair: UInt32(truncatingIfNeeded: pair), particle: UInt32(truncatingIfNeeded: partner),
        isFirst: !isFirst, here)
    }
  }
}
