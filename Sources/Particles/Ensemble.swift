import Randomness
import Kernels
import Simulation
import Statistics

/// Sums over all particles of a group of ranks: sums of tiles added exactly, so they depend on no order.
final class Reducer {
  let count: Int
  /// Where a tile leaves its sums.
  let tileSums: UnsafeMutablePointer<Double>
  private let words: UnsafeMutablePointer<Int64>
  private let group: any Communicator
  /// One tile on one rank: its sums are the sums, where they fit into the window.
  private let single: Bool

  init(_ count: Int, _ tiling: Tiling, _ group: any Communicator) {
    self.count = count
    self.group = group
    single = tiling.total == 1 && group.size == 1
    tileSums = .allocate(capacity: max(count, 1))
    tileSums.initialize(repeating: 0, count: max(count, 1))
    words = .allocate(capacity: max(count * WindowSum.words, 1))
    words.initialize(repeating: 0, count: max(count * WindowSum.words, 1))
  }

  deinit {
    tileSums.deallocate()
    words.deallocate()
  }

  func start() {
    if !single { words.update(repeating: 0, count: count * WindowSum.words) }
    tileSums.update(repeating: 0, count: count)
  }

  /// Adds what a tile left in `tileSums`, and clears them.
  func addTile() {
    if single { return }
    for i in 0..<count {
      WindowSum.add(tileSums[i], to: words + i &* WindowSum.words)
      tileSums[i] = 0
    }
  }

  /// The sums, on every rank of the group.
  func finish(into values: UnsafeMutablePointer<Double>, scale: Double = 1) throws {
    if single && (0..<count).allSatisfy({ WindowSum.holds(tileSums[$0]) }) {
      for i in 0..<count { values[i] = (tileSums[i] + 0) * scale }
      return
    }
    if single { for i in 0..<count { WindowSum.add(tileSums[i], to: words + i * WindowSum.words) } }
    try group.sumInPlace(words, count: count * WindowSum.words)
    for i in 0..<count { values[i] = WindowSum.value(words + i * WindowSum.words) * scale }
    if single { words.update(repeating: 0, count: count * WindowSum.words) }
  }
}

/// The N particles of a replica, as far as they live on this rank, and the evaluation of their energy. Integrators move them.
package final class Ensemble {
  package let system: any ParticleSystem
  package let tiling: Tiling
  let inverseTemperature: Double
  package let positions: ParticleArray
  /// nil for overdamped dynamics.
  let velocities: ParticleArray?
  /// Gradient and potential at the positions: every integrator leaves them so.
  package let gradient: ParticleArray
  package let potential: ParticleArray
  /// Mean features at the positions.
  package let field: UnsafeMutablePointer<Double>
  let noise: Noise
  var stepSize: Double
  /// Steps made.
  var step: Int
  /// Whether the potential is needed at the end of this step.
  var wantsPotential = false
  /// Particles that were accepted and that were tried, on this rank, since the counters were read; for joint proposals those of
  /// the system, on every rank.
  var accepted = 0
  var tried = 0
  /// Probability of acceptance of the last joint proposal; NaN if particles are accepted one by one.
  var jointProbability = Double.nan
  private(set) var fault: ReplicaFault?

  let group: any Communicator
  private let features: Reducer
  private let energies: Reducer
  private let featureCount: Int
  private let all: UnsafeMutablePointer<Double>?

  package init(
    _ model: SystemModel, number: Int, hasVelocities: Bool, inverseTemperature: Double, stepSize: Double, key: UInt64,
    replica: UInt64, group: any Communicator, saved: ReplicaState?, shards: (any ShardStore)? = nil
  ) throws {
    system = model.make()
    self.group = group
    tiling = Tiling(number: number, dimension: system.dimension, rank: group.rank, of: group.size)
    self.inverseTemperature = inverseTemperature
    positions = ParticleArray(tiling)
    velocities = hasVelocities ? ParticleArray(tiling) : nil
    gradient = ParticleArray(tiling)
    potential = ParticleArray(tiling, dimension: 1)
    featureCount = if case .features(let count) = system.interaction { count } else { 0 }
    field = .allocate(capacity: max(featureCount, 1))
    field.initialize(repeating: 0, count: max(featureCount, 1))
    features = Reducer(featureCount, tiling, group)
    energies = Reducer(1, tiling, group)
    let room = tiling.total * tiling.size + PlanarRepulsion.lookahead
    all = system.interaction == .pairs ? .allocateAligned(capacity: room) : nil
    all?.initialize(repeating: 0, count: room)
    system.prepare(tiling)
    step = saved?.step ?? 0
    self.stepSize = try saved?.array("step_size", count: 1)[0] ?? stepSize
    noise = Noise(
      key: key, replica: replica, tiles: tiling.mine,
      uniforms: try saved.map { UInt64(try Self.count($0.array("uniforms_taken", count: 1)[0])) } ?? 0)
    guard let saved else { return }
    if saved.shards.isEmpty { try take(saved, from: 0, to: number) }
    // Only the shards with particles of this rank.
    let mine = tiling.mine.lowerBound * Tiling.width..<min(tiling.mine.upperBound * Tiling.width, number)
    let ends = saved.shards.dropFirst().map(\.start) + [number]
    for (shard, end) in zip(saved.shards, ends) where shard.start < mine.upperBound && mine.lowerBound < end {
      var part = saved
      part.arrays = try shards?.read(shard.name) ?? [:]
      try take(part, from: shard.start, to: end)
    }
  }

  /// Takes what belongs to this rank from arrays of the particles `start ..< end`.
  private func take(_ state: ReplicaState, from start: Int, to end: Int) throws {
    let length = (end - start) * tiling.dimension
    positions.scatter(try state.array("positions", count: length), from: start)
    if let velocities { velocities.scatter(try state.array("velocities", count: length), from: start) }
    let (first, count) = (start / Tiling.width, (end - start + Tiling.width - 1) / Tiling.width)
    for (i, taken) in try state.array("normals_taken", count: count).enumerated() where tiling.mine.contains(first + i)
    {
      noise.taken[first + i - tiling.mine.lowerBound] = UInt64(try Self.count(taken))
    }
  }

  /// A count that a file holds as a number.
  static func count(_ x: Double) throws -> Int {
    guard x >= 0, let count = Int(exactly: x) else { throw Failure(.badData, "replica under way: \(x) is not a count") }
    return count
  }

  deinit {
    field.deallocate()
    all?.deallocate()
  }

  var tiles: Range<Int> { positions.tiles }
  package var number: Int { tiling.number }

  /// Draws positions N(mean, spread^2) and velocities N(0, 1/beta).
  package func draw(mean: Double, spread: Double) {
    for t in tiles {
      let x = positions[t]
      let normals = noise.normals(t, x.count * tiling.dimension)
      forEachLane(x) { i, n in x.base[i] = mean + spread * normals[n] }
    }
    guard let velocities else { return }
    let thermal = (1 / inverseTemperature).squareRoot()
    for t in tiles {
      let v = velocities[t]
      let normals = noise.normals(t, v.count * tiling.dimension)
      forEachLane(v) { i, n in v.base[i] = thermal * normals[n] }
    }
  }

  /// Moves the particles tile by tile, then finds the gradient of the energy (and the potential, if asked for) where they
  /// are. Collective; the features of the new places are left in `field`.
  package func evaluate(
    at x: ParticleArray, gradient g: ParticleArray, potential u: ParticleArray? = nil, move: (Int) -> Void = { _ in }
  ) throws {
    switch system.interaction {
    case .none:
      for t in tiles {
        move(t)
        system.gradient(x[t], field: field, to: g[t].base, potential: u?[t].base)
        check(g[t])
      }
    case .features:
      features.start()
      for t in tiles {
        move(t)
        system.addFeatures(x[t], to: features.tileSums)
        features.addTile()
      }
      try features.finish(into: field, scale: 1 / Double(tiling.number))
      for t in tiles {
        system.gradient(x[t], field: field, to: g[t].base, potential: u?[t].base)
        check(g[t])
      }
    case .pairs:
      for t in tiles { move(t) }
      let all = all!
      (all + tiling.mine.lowerBound * tiling.size).update(from: x.base, count: x.count)
      try group.gatherInPlace(all, counts: tiling.counts(ranks: group.size).map { $0 * tiling.size })
      for t in tiles {
        system.gradient(x[t], field: field, to: g[t].base, potential: u?[t].base)
      }
      system.addPairs(x, all: all, to: g, potential: u)
      for t in tiles { check(g[t]) }
    }
  }

  /// The potential where the integrator asked for none but a measurement needs it.
  var measuredPotential: ParticleArray? { wantsPotential ? potential : nil }

  /// The sum of numbers of the particles over the whole group.
  package func sum(_ values: ParticleArray) throws -> Double {
    energies.start()
    for t in tiles {
      let tile = values[t]
      energies.tileSums[0] = laneSum(tile.count) { tile.base[$0] }
      energies.addTile()
    }
    var result = 0.0
    try energies.finish(into: &result)
    return result
  }

  /// Remembers the first particle whose gradient is not finite.
  private func check(_ g: Tile) {
    var marks = 0.0
    if g.count == g.lanes {
      marks = laneSum(g.count * g.dimension) { g.base[$0] * 0 }
    } else {
      for k in 0..<g.dimension {
        let values = g[k]
        marks += laneSum(g.count) { values[$0] * 0 }
      }
    }
    if marks != 0 || marks.isNaN { report(g) }
  }

  private func report(_ g: Tile) {
    guard fault == nil else { return }
    let lane = (0..<g.count).first { i in (0..<g.dimension).contains { !g[$0][i].isFinite } } ?? 0
    fault = ReplicaFault(step: step + 1, particle: g.index * Tiling.width + lane)
  }

  /// Remembers a particle for which a sampler found no way on.
  func fail(tile: Int, lane: Int) {
    if fault == nil {
      fault = ReplicaFault(step: step + 1, particle: (tiling.mine.lowerBound + tile) * Tiling.width + lane)
    }
  }

  /// Arrays and shards of `ReplicaState`: arrays on every rank of the group, or the particles in a shard a rank.
  func save(_ replica: UInt64, shards: (any ShardStore)?) throws -> ([String: [Double]], [(name: String, start: Int)]) {
    var arrays = ["step_size": [stepSize], "uniforms_taken": [Double(noise.uniforms)]]
    if let shards, tiling.number * tiling.dimension > shards.threshold {
      var own = ["positions": positions.own(), "normals_taken": noise.taken.map { Double($0) }]
      if let velocities { own["velocities"] = velocities.own() }
      let names = (0..<group.size).map { "replica-\(replica)-step-\(step)-part-\($0 + 1)-of-\(group.size)" }
      // A failure of one rank must be one of all.
      var failure = ""
      do { try shards.write(own, name: names[group.rank]) } catch { failure = "\(error)" }
      let failed = try group.gatherAllVarying(failure.utf8.map { Int64($0) }).first { !$0.isEmpty }
      if let failed { throw Failure(.inputOutput, String(decoding: failed.map { UInt8($0) }, as: UTF8.self)) }
      var start = 0
      let places = tiling.counts(ranks: group.size).enumerated().map { rank, tiles in
        defer { start += tiles * Tiling.width }
        return (name: names[rank], start: min(start, tiling.number))
      }
      return (arrays, places)
    }
    arrays["positions"] = try positions.gathered(group)
    if let velocities { arrays["velocities"] = try velocities.gathered(group) }
    let taken = UnsafeMutablePointer<Double>.allocate(capacity: max(tiling.total, 1))
    defer { taken.deallocate() }
    for (i, tile) in tiling.mine.enumerated() { taken[tile] = Double(noise.taken[i]) }
    try group.gatherInPlace(taken, counts: tiling.counts(ranks: group.size))
    arrays["normals_taken"] = Array(UnsafeBufferPointer(start: taken, count: tiling.total))
    return (arrays, [])
  }
}

/// Calls `body` with the place of every number of a tile in memory and its place in a row of normals of as many.
@inline(__always)
func forEachLane(_ tile: Tile, _ body: (_ memory: Int, _ normal: Int) -> Void) {
  if tile.count == tile.lanes {
    for i in 0..<tile.dimension &* tile.lanes { body(i, i) }
    return
  }
  for k in 0..<tile.dimension {
    let (memory, normal) = (k &* tile.lanes, k &* tile.count)
    for i in 0..<tile.count { body(memory &+ i, normal &+ i) }
  }
}
