import Experiments
import Kernels
import Randomness

/// A mixture collision by collision, exact in time: the buffers of one thread.
///
/// Goals, in this order:
/// 1. the law of the process: candidates come at a rate that bounds the rate of collisions, and are refused by the rest;
/// 2. a bound for each pair of species, because one for all refuses nearly every heavy pair (2 % accepted at a mass ratio of 0.01): pairs (a, b) come at rate
///    (number of pairs) $C_{ab} (V_a + V_b)^\gamma/N$, with $V_a$ the largest speed of species a. It is raised at once when a collision makes a greater one, and found afresh after 2N collisions, so it is a true bound, unlike
///    "the largest |g| seen";
/// 3. speed. Random words are made 64 candidates at a time in vector code, with what follows from them alone: waiting times, thresholds, directions. Then the pairs of a block are picked without a branch, and their cache lines
///    touched, before the first of them collides: where the velocities are in memory the loads overlap.
///
/// Waiting times are exponential in units of the mean time to the next candidate, so they stay valid when a bound changes between two events; picks that are ahead are made again from the same words.
package final class MixtureEvents {
  /// Candidates of one block, and directions.
  private static let block = 64

  /// What a pair of two species needs.
  private struct Pair {
    var first, second: UnsafeMutablePointer<Double>
    var firstCount, secondCount: UInt64
    /// 1 for a species with itself: the second particle skips the first.
    var within: UInt64
    var a, b: Int
    /// $\mu_a$, a not heavier than b.
    var share: Double
    /// $(V_a + V_b)^2$.
    var bound = 0.0
    /// C over N times the pairs of particles.
    var rate: Double
  }

  private let gas: MixtureGas
  private let measurement: MixtureMeasurement
  private let velocities: [Velocities]
  private let start: MixtureStart
  private let sums: MixtureSums
  private let pairs: UnsafeMutablePointer<Pair>
  private let pairCount: Int
  /// Their places among the pairings of the gas.
  private let places: UnsafeMutablePointer<Int>
  /// Squares of the largest speeds, by species.
  private let largest: UnsafeMutablePointer<Double>
  /// Upper ends of the shares of the pairs of species in 2^64; the last one is left out.
  private let ends: UnsafeMutablePointer<UInt64>
  private let collisions, candidates: UnsafeMutablePointer<Int64>

  private let words: UnsafeMutablePointer<UInt64>
  /// By candidate: waiting time, $u^{2/\gamma}$, the pair of species, both particles.
  private let waits, thresholds: UnsafeMutablePointer<Double>
  private let kinds: UnsafeMutablePointer<Int32>
  private let firsts, seconds: UnsafeMutablePointer<UnsafeMutablePointer<Double>>
  private let directions: UnsafeMutablePointer<Double>
  private var nextCandidate = 0
  private var nextDirection = 0
  /// 1 over the rate of candidates.
  private var meanWait = 0.0
  private var sinceScan = 0
  /// What the touched cache lines held; keeps the loads.
  private var touched = 0.0
  private let touches: Bool

  init(_ gas: MixtureGas, _ measurement: MixtureMeasurement) {
    (self.gas, self.measurement) = (gas, measurement)
    velocities = gas.numbers.map(Velocities.init)
    start = MixtureStart(gas, SelfCommunicator())
    sums = MixtureSums(gas.species * measurement.width, SelfCommunicator())
    let used = gas.pairings.indices.filter { gas.pairs(gas.pairings[$0]) > 0 }
    pairCount = used.count
    pairs = .allocate(capacity: max(pairCount, 1))
    for (i, c) in used.enumerated() {
      let (a, b) = gas.lighterFirst(gas.pairings[c])
      (pairs + i).initialize(
        to: Pair(
          first: velocities[a].base, second: velocities[b].base, firstCount: UInt64(gas.numbers[a]),
          secondCount: UInt64(gas.numbers[b] - (a == b ? 1 : 0)), within: a == b ? 1 : 0, a: a, b: b,
          share: gas.share(a, of: b),
          rate: gas.rate(a, b) / Double(gas.total) * gas.pairs(gas.pairings[c])))
    }
    places = .allocate(capacity: max(pairCount, 1))
    for (i, c) in used.enumerated() { (places + i).initialize(to: c) }
    let n = Self.block
    largest = .allocateZeros(gas.species)
    ends = .allocate(capacity: max(pairCount, 1))
    ends.initialize(repeating: .max, count: max(pairCount, 1))
    (collisions, candidates) = (
      .allocate(capacity: gas.pairings.count), .allocate(capacity: gas.pairings.count)
    )
    (words, waits, thresholds) = (.allocate(capacity: 4 * n), .allocateZeros(n), .allocateZeros(n))
    words.initialize(repeating: 0, count: 4 * n)
    (kinds, firsts, seconds) = (.allocate(capacity: n), .allocate(capacity: n), .allocate(capacity: n))
    directions = .allocateZeros(3 * n)
    touches = gas.total > 1 << 14
  }

  deinit {
    for place in [waits, thresholds, directions, largest] { place.deallocate() }
    for place in [words, ends] { place.deallocate() }
    for place in [collisions, candidates] { place.deallocate() }
    for place in [firsts, seconds] { place.deallocate() }
    pairs.deallocate()
    places.deallocate()
    kinds.deallocate()
  }

  /// One replica: its values at each of the times.
  func run(_ times: [Double], _ stream: inout Stream, into values: UnsafeMutablePointer<Double>) {
    place(&stream)
    collisions.initialize(repeating: 0, count: gas.pairings.count)
    candidates.initialize(repeating: 0, count: gas.pairings.count)
    scan()
    (nextCandidate, nextDirection) = (Self.block, Self.block)
    // On one rank nothing is sent, so nothing is thrown.
    try? measurement.sum(velocities, sums)
    let invariants = measurement.invariants(sums)
    var (now, out) = (0.0, values)
    let width = measurement.observables.count
    for time in times {
      if gas.isMaxwell {
        advanceMaxwell(&now, to: time, &stream)
      } else {
        advance(&now, to: time, &stream)
      }
      try? measurement.sum(velocities, sums)
      measurement.write(sums, start: invariants, collisions: collisions, candidates: candidates, into: out)
      out += width
    }
  }

  private func place(_ stream: inout Stream) {
    let room = Self.block * 2
    for (a, own) in velocities.enumerated() {
      forEachTile(own) { v, count in
        // Words of 64 particles at a time; the normals in pieces, too.
        var first = 0
        while first < count {
          let part = min(room / 2, count - first)
          stream.fill(words: words, blocks: room / 2)
          for i in 0..<room / 2 { words[room + i] = words[2 * i + 1] }
          for i in 0..<room / 2 { words[i] = words[2 * i] }
          start.place(
            v + Velocities.stride * first, part, species: a, normals: stream.normals(3 * room / 2), words: words,
            words + room)
          first += part
        }
      }
    }
    if gas.start.isScaled { try? start.scale(velocities) }
  }

  /// Finds the largest speeds.
  private func scan() {
    if !gas.isMaxwell { for (a, own) in velocities.enumerated() { largest[a] = own.largestSquare() } }
    sinceScan = 0
    setRates()
  }

  /// Bounds and shares from the largest speeds.
  private func setRates() {
    var total = 0.0
    for i in 0..<pairCount {
      let speed = largest[pairs[i].a].squareRoot() + largest[pairs[i].b].squareRoot()
      pairs[i].bound = speed * speed
      total += rate(i)
    }
    meanWait = total > 0 ? 1 / total : .infinity
    var sum = 0.0
    for i in 0..<max(pairCount - 1, 0) {
      sum += rate(i)
      ends[i] = UInt64(min(sum * meanWait, 1 - 0x1p-53) * 0x1p64)
    }
  }

  private func rate(_ i: Int) -> Double {
    let power =
      gas.isMaxwell
      ? 1 : gas.exponent == 1 ? pairs[i].bound.squareRoot() : Elementary.power(pairs[i].bound, 0.5 * gas.exponent)
    return pairs[i].rate * power
  }

  /// Words of a block of candidates: which species, which particles, when, and whether it is refused.
  private func refill(_ stream: inout Stream) {
    let n = Self.block
    stream.fill(words: words, blocks: gas.isMaxwell ? 3 * n / 2 : 2 * n)
    for i in 0..<n { waits[i] = -Elementary.log(uniform(words[2 * n + i])) }
    if gas.exponent == 1 {
      for i in 0..<n {
        let u = uniform(words[3 * n + i])
        thresholds[i] = u * u
      }
    } else if !gas.isMaxwell {
      let power = 2 / gas.exponent
      for i in 0..<n { thresholds[i] = Elementary.exp(power * Elementary.log(uniform(words[3 * n + i]))) }
    }
    nextCandidate = 0
    pick(from: 0)
  }

  /// Species and particles of the candidates from one on.
  private func pick(from first: Int) {
    let n = Self.block
    for i in first..<n {
      let word = words[i]
      var kind = 0
      for c in 0..<max(pairCount - 1, 0) { kind &+= word >= ends[c] ? 1 : 0 }
      let pair = pairs + kind
      // A number below the first count, and the fraction that is left for the second one.
      let (a, rest) = words[n + i].multipliedFullWidth(by: pair.pointee.firstCount)
      var b = rest.multipliedFullWidth(by: pair.pointee.secondCount).high
      b &+= b >= a ? pair.pointee.within : 0
      kinds[i] = Int32(truncatingIfNeeded: kind)
      firsts[i] = pair.pointee.first + Velocities.stride &* Int(truncatingIfNeeded: a)
      seconds[i] = pair.pointee.second + Velocities.stride &* Int(truncatingIfNeeded: b)
    }
    if touches {
      var sum = 0.0
      for i in first..<n { sum += firsts[i][0] + seconds[i][0] }
      touched = sum
    }
  }

  private func refillDirections(_ stream: inout Stream) {
    let n = Self.block
    // Behind the words of the species and particles of the candidates, which may be picked again.
    let room = words + 2 * n
    stream.fill(words: room, blocks: n / 2)
    for i in 0..<n {
      let (x, y, z) = direction(room[i])
      directions[i] = x
      directions[n + i] = y
      directions[2 * n + i] = z
    }
    nextDirection = 0
  }

  /// Maxwell molecules: every candidate collides.
  private func advanceMaxwell(_ now: inout Double, to end: Double, _ stream: inout Stream) {
    let n = Self.block
    while true {
      if nextCandidate == n { refill(&stream) }
      if nextDirection == n { refillDirections(&stream) }
      // As many as both blocks hold.
      var i = nextCandidate
      let last = min(n, i + n - nextDirection)
      var d = nextDirection
      defer { (nextCandidate, nextDirection) = (i, d) }
      while i < last {
        let time = now + waits[i] * meanWait
        guard time <= end else { return }
        now = time
        let kind = Int(kinds[i])
        let pair = pairs + kind
        _ = collide(firsts[i], seconds[i], pair.pointee.share, d)
        collisions[places[kind]] &+= 1
        i &+= 1
        d &+= 1
      }
    }
  }

  /// Candidates collide with probability $|g|^\gamma/(V_a + V_b)^\gamma$.
  private func advance(_ now: inout Double, to end: Double, _ stream: inout Stream) {
    let (n, limit) = (Self.block, 2 * gas.total)
    var (i, d, scanned, time) = (nextCandidate, nextDirection, sinceScan, now)
    defer { (nextCandidate, nextDirection, sinceScan, now) = (i, d, scanned, time) }
    while true {
      if i == n {
        refill(&stream)
        i = 0
      }
      let next = time + waits[i] * meanWait
      guard next <= end else { return }
      time = next
      let kind = Int(kinds[i])
      let pair = pairs + kind
      let (v, w) = (firsts[i], seconds[i])
      let (x, y, z) = (v[0] - w[0], v[1] - w[1], v[2] - w[2])
      let isRefused = thresholds[i] * pair.pointee.bound >= x * x + y * y + z * z
      candidates[places[kind]] &+= 1
      i &+= 1
      if isRefused { continue }
      if d == n {
        refillDirections(&stream)
        d = 0
      }
      let (first, second) = collide(v, w, pair.pointee.share, d)
      d &+= 1
      collisions[places[kind]] &+= 1
      scanned &+= 1
      let (a, b) = (pair.pointee.a, pair.pointee.b)
      if first > largest[a] || second > largest[b] || scanned >= limit {
        largest[a] = max(largest[a], first)
        largest[b] = max(largest[b], second)
        if scanned >= limit {
          scan()
          scanned = 0
        } else {
          setRates()
        }
        pick(from: i)
      }
    }
  }

  /// Two particles collide in direction d; the squares of their new speeds.
  @inline(__always)
  private func collide(
    _ v: UnsafeMutablePointer<Double>, _ w: UnsafeMutablePointer<Double>, _ share: Double, _ d: Int
  ) -> (Double, Double) {
    let n = Self.block
    let (x, y, z) = (v[0] - w[0], v[1] - w[1], v[2] - w[2])
    let speed = (x * x + y * y + z * z).squareRoot()
    let (tx, ty, tz) = (
      speed * directions[d], speed * directions[n &+ d], speed * directions[2 &* n &+ d]
    )
    (w[0], w[1], w[2]) = (w[0] + share * (x - tx), w[1] + share * (y - ty), w[2] + share * (z - tz))
    (v[0], v[1], v[2]) = (w[0] + tx, w[1] + ty, w[2] + tz)
    return (square(v), square(w))
  }
}
