import Experiments
import Kernels
import Randomness
import Statistics

/// A mixture in steps of length h, shared by ranks: the process behind a leg with `dynamics = "steps"`.
///
/// In a step the particles of each species meet in pairs, then those of every two species, each particle at most once. A pair collides with probability
///
/// $$ p = 1 - e^{-x}, \qquad x = C_{ab} |g|^\gamma h f, $$
///
/// $f = (N_a - 1)/N$ within a species ($N_a/N$ if odd: one is left over), $\max(N_a, N_b)/N$ across, so that every two particles collide at their rate as h -> 0, with a bias of order h. With `probability = "linear"` p = x.
///
/// *Same bits on any ranks.* Pair k of a phase are the images of 2k and 2k + 1 under a keyed permutation of the species, or of k under one of each species: everybody finds its own partner, nothing is sorted or gathered, and only the
/// velocities of pairs that two ranks share travel. The random numbers of a pair are functions of (replica, step, phase, k), so both ranks compute the collision alike.
///
/// *Only those who may collide meet.* With $P \ge p$ for every pair, the pairs that may collide are K of the n, K binomial, and each collides with probability p/P. Any K pairs of a random pairing are as good as the first, so K pairs are made, not n.
package struct MixtureSteps: Process {
  package let gas: MixtureGas
  package let measurement: MixtureMeasurement
  /// h.
  package let step: Double
  package let isLinear: Bool
  package let schedule: Schedule
  package let observables: [Observable]

  package init(_ gas: MixtureGas, _ measurement: MixtureMeasurement, step: Double, isLinear: Bool, schedule: Schedule) {
    (self.gas, self.measurement, self.step) = (gas, measurement, step)
    (self.isLinear, self.schedule) = (isLinear, schedule)
    observables = measurement.observables
  }

  /// Tiles of all species.
  package var pieces: Int { gas.numbers.reduce(0) { $0 + ($1 + Velocities.tile - 1) / Velocities.tile } }
  package var stateSize: Int { Velocities.stride * gas.total }

  package func begin(_ context: ReplicaContext, from saved: StateDecoder?) throws -> MixtureDynamics {
    try MixtureDynamics(self, context, from: saved)
  }

  /// x of a pair with $|g|^\gamma = 1$: $C_{ab} h f$.
  package func factor(_ pairing: MixtureGas.Pairing) -> Double {
    let (a, b) = (gas.numbers[pairing.a], gas.numbers[pairing.b])
    let met = pairing.isWithin ? (a % 2 == 0 ? a - 1 : a) : max(a, b)
    return gas.rate(pairing.a, pairing.b) * step * Double(met) / Double(gas.total)
  }

  /// p of a pair of Maxwell molecules.
  package func probability(_ pairing: MixtureGas.Pairing) -> Double { probability(factor(pairing)) }

  func probability(_ x: Double) -> Double { isLinear ? min(x, 1) : 1 - Elementary.exp(-x) }

  /// Pairs of a phase.
  package func pairs(_ pairing: MixtureGas.Pairing) -> Int {
    pairing.isWithin ? gas.numbers[pairing.a] / 2 : min(gas.numbers[pairing.a], gas.numbers[pairing.b])
  }
}

/// One replica: the particles of this rank, and their collisions.
package final class MixtureDynamics: Dynamics {
  let process: MixtureSteps
  let context: ReplicaContext
  let group: any Collectives
  let shards: [MixtureShard]
  let velocities: [Velocities]
  private let words: KeyedWords
  /// Draws how many pairs may collide: number `step` of its own sequence.
  private var counts: Stream
  private let batch: PairBatch
  private let mail: PairMail
  private let sums: MixtureSums
  var step = 0
  var start = MixtureMeasurement.Invariants()
  /// By pairing, of all ranks together.
  let collisions, candidates: UnsafeMutablePointer<Int64>
  /// Squares of the largest speeds since the last scan, by species, on every rank.
  var largest: [Double]
  var sinceScan: Int64 = 0

  init(_ process: MixtureSteps, _ context: ReplicaContext, from saved: StateDecoder?) throws {
    (self.process, self.context, group) = (process, context, context.group)
    let gas = process.gas
    shards = gas.numbers.map { MixtureShard($0, rank: context.group.rank, of: context.group.size) }
    velocities = shards.map { Velocities($0.mine.count) }
    words = KeyedWords(key: context.key)
    counts = Stream(key: Stream.key(seed: context.key, path: "pairs of replica \(context.replica)"))
    batch = PairBatch()
    mail = PairMail(group, capacity: group.size > 1 ? 2 * velocities.reduce(0) { max($0, $1.count) } : 0)
    sums = MixtureSums(gas.species * process.measurement.width, group)
    (collisions, candidates) = (
      .allocate(capacity: gas.pairings.count), .allocate(capacity: gas.pairings.count)
    )
    collisions.initialize(repeating: 0, count: gas.pairings.count)
    candidates.initialize(repeating: 0, count: gas.pairings.count)
    largest = Array(repeating: 0, count: gas.species)
    if let saved {
      try group.agree { try restore(from: saved) }
    } else {
      try place()
      if !gas.isMaxwell { try scan() }
      try process.measurement.sum(velocities, sums)
      start = process.measurement.invariants(sums)
    }
  }

  deinit {
    collisions.deallocate()
    candidates.deallocate()
  }

  /// Draws the start: the normals and words of a particle are functions of its number.
  private func place() throws {
    let gas = process.gas
    let start = MixtureStart(gas, group)
    let (perTile, width) = (MixtureStart.normals / NormalKernel.chunk, Velocities.tile)
    var stream = Stream(key: context.key)
    stream.start(draw: context.replica)
    let set = words.set(replica: context.replica, step: 0, use: 0)
    let normals = UnsafeMutablePointer<Double>.allocateZeros(MixtureStart.normals)
    let pairs = UnsafeMutablePointer<UInt64>.allocate(capacity: 2 * width)
    defer {
      normals.deallocate()
      pairs.deallocate()
    }
    pairs.initialize(repeating: 0, count: 2 * width)
    var firstTile = 0
    for (a, own) in velocities.enumerated() {
      for tile in 0..<(own.count + width - 1) / width {
        let number = firstTile + shards[a].mine.lowerBound / width + tile
        stream.fill(normals, chunks: perTile, from: UInt64(number * perTile))
        set.fill(pairs, pairs + width, from: number * width, count: width)
        start.place(
          own[tile * width], min(width, own.count - tile * width), species: a, normals: normals, words: pairs,
          pairs + width)
      }
      firstTile += shards[a].tiles
    }
    if gas.start.isScaled { try start.scale(velocities) }
  }

  /// Finds the largest speeds. Collective.
  private func scan() throws {
    try share(velocities.map { $0.largestSquare() }, keeping: false)
    sinceScan = 0
  }

  /// The largest of what all ranks give, by species: order does not matter. Collective.
  private func share(_ own: [Double], keeping: Bool) throws {
    let all = group.size > 1 ? try group.gatherAllVarying(own.map { Int64(bitPattern: $0.bitPattern) }) : []
    for a in own.indices {
      var most = max(own[a], keeping ? largest[a] : 0)
      for other in all { most = max(most, Double(bitPattern: UInt64(bitPattern: other[a]))) }
      largest[a] = most
    }
  }

  package func step(_ moment: Moment) throws { try advance(to: moment.step) }

  /// Makes the step of this number. Collective.
  package func advance(to step: Int) throws {
    self.step = step
    let gas = process.gas
    if !gas.isMaxwell && sinceScan >= Int64(gas.total) { try scan() }
    for (phase, pairing) in gas.pairings.enumerated() where process.pairs(pairing) > 0 {
      try collide(phase, pairing)
    }
  }

  /// All pairs of one phase that may collide. Collective.
  private func collide(_ phase: Int, _ pairing: MixtureGas.Pairing) throws {
    let gas = process.gas
    let (a, b) = gas.lighterFirst(pairing)
    let factor = process.factor(pairing)
    let bound = largest[a].squareRoot() + largest[b].squareRoot()
    let highest = gas.isMaxwell ? factor : factor * Elementary.power(bound * bound, 0.5 * gas.exponent)
    let most = process.probability(highest)
    counts.start(draw: UInt64(step) << 24 | UInt64(phase))
    let number = counts.binomial(process.pairs(pairing), most)
    candidates[phase] += Int64(number)
    // Phase q has the uses 2q + 1 and 2q + 2; the start has 0.
    func permutation(_ species: Int, _ use: Int) -> KeyedPermutation {
      KeyedPermutation(gas.numbers[species], by: words, replica: context.replica, step: step, use: use)
    }
    let first = permutation(a, 2 * phase + 1)
    let second = pairing.isWithin ? first : permutation(b, 2 * phase + 2)
    let law = PairLaw(
      share: gas.share(a, of: b), factor: factor, exponent: gas.exponent, most: most,
      isLinear: process.isLinear)
    batch.begin(law, words.set(replica: context.replica, step: step, use: 2 * phase + 1), asked: isWatched)
    let (v, w) = (velocities[a], velocities[b])
    if group.size == 1 {
      batch.all(number, v, first, w, second, isWithin: pairing.isWithin)
    } else {
      let meeting = PairMeeting(
        number: number, first: first, second: second, a: shards[a], b: shards[b], isWithin: pairing.isWithin)
      try meeting.run(v, w, batch, mail)
    }
    batch.flush()
    if gas.isMaxwell {
      collisions[phase] += Int64(number)
      return
    }
    var told = [batch.collided, batch.impossible]
    if group.size > 1 { try told.withUnsafeMutableBufferPointer { try group.sumInPlace($0.baseAddress!, count: 2) } }
    collisions[phase] += told[0]
    sinceScan += told[0]
    if told[1] > 0 {
      throw Failure.invalid(
        key: "gas.step", value: "\(process.step)",
        allowed:
          "is too large for probability = \"linear\": in step \(step) C|g|^exponent h f is above 1 for \(told[1]) pairs of species \(a) and \(b); take a smaller step, or probability = \"exponential\""
      )
    }
    var own = Array(repeating: 0.0, count: gas.species)
    own[a] = batch.largestA
    own[b] = max(own[b], batch.largestB)
    try share(own, keeping: true)
  }

  /// Whether new speeds are looked at.
  private var isWatched: Bool { !process.gas.isMaxwell }

  package func measure(_ info: Void, into values: UnsafeMutablePointer<Double>) throws {
    try process.measurement.sum(velocities, sums)
    process.measurement.write(sums, start: start, collisions: collisions, candidates: candidates, into: values)
  }

  /// Collisions in the mean over the steps so far; for benchmarks.
  package var collisionsPerStep: Double {
    Double(process.gas.pairings.indices.reduce(0) { $0 + collisions[$1] }) / Double(max(step, 1))
  }

  package func encode(to encoder: inout StateEncoder) throws { try encodeState(to: &encoder) }
}
