import Experiments
import Kernels
import Randomness
import Statistics

/// Sums over all particles of a group of ranks: sums of tiles added exactly, so they depend on no order.
final class Reducer {
  let count: Int
  /// Where a tile leaves its sums.
  let tileSums: UnsafeMutablePointer<Double>
  private let words: UnsafeMutablePointer<Int64>
  private let group: any Collectives
  /// One tile on one rank: its sums are the sums, where they fit into the window.
  private let single: Bool

  init(_ count: Int, _ tiling: Tiling, _ group: any Collectives) {
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
  /// The gradient of all examples where the potential was wanted last, if that at hand is estimated by chains of their own.
  let whole: ParticleArray?
  /// Mean features at the positions.
  package let field: UnsafeMutablePointer<Double>
  let noise: Noise
  var stepSize: Double
  /// Number of the step under way, or of the last one made.
  var step = 0
  /// Whether the potential is needed at the end of this step.
  var wantsPotential = false
  /// Particles that were accepted and that were tried, on this rank, since the counters were read; for joint proposals those of
  /// the system, on every rank.
  var accepted = 0
  var tried = 0
  /// Probability of acceptance of the last joint proposal; NaN if particles are accepted one by one.
  var jointProbability = Double.nan
  private(set) var fault: Fault?

  let group: any Collectives
  private let features: Reducer
  private let energies: Reducer
  private let featureCount: Int
  private let all: UnsafeMutablePointer<Double>?
  private let batches: Batches?

  package init(
    _ model: SystemModel, number: Int, hasVelocities: Bool, inverseTemperature: Double, stepSize: Double, key: UInt64,
    replica: UInt64, group: any Collectives
  ) {
    system = model.make()
    self.group = group
    tiling = Tiling(number: number, dimension: system.dimension, rank: group.rank, of: group.size)
    self.inverseTemperature = inverseTemperature
    positions = ParticleArray(tiling)
    velocities = hasVelocities ? ParticleArray(tiling) : nil
    gradient = ParticleArray(tiling)
    potential = ParticleArray(tiling, dimension: 1)
    batches = model.subsample.map { [tiling] in Batches($0, tiling) }
    whole = batches != nil && system is any Subsampled ? ParticleArray(tiling) : nil
    featureCount = if case .features(let count) = system.interaction { count } else { 0 }
    field = .allocate(capacity: max(featureCount, 1))
    field.initialize(repeating: 0, count: max(featureCount, 1))
    features = Reducer(featureCount, tiling, group)
    energies = Reducer(1, tiling, group)
    let room = tiling.total * tiling.size + PlanarRepulsion.lookahead
    all = system.interaction == .pairs ? .allocateAligned(capacity: room) : nil
    all?.initialize(repeating: 0, count: room)
    system.prepare(tiling)
    self.stepSize = stepSize
    noise = Noise(key: key, replica: replica, tiles: tiling.mine)
  }

  deinit {
    field.deallocate()
    all?.deallocate()
  }

  var tiles: Range<Int> { positions.tiles }
  package var number: Int { tiling.number }

  /// Draws positions N(mean, std^2) and velocities N(0, 1/beta).
  package func draw(mean: Double, std: Double) {
    for t in tiles {
      let x = positions[t]
      let normals = noise.normals(t, x.count * tiling.dimension)
      forEachLane(x) { i, n in x.base[i] = mean + std * normals[n] }
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
        if let batches, let system = system as? any Subsampled {
          if let u { system.gradient(x[t], field: field, to: whole![t].base, potential: u[t].base) }
          let picks = batches.own(noise, tile: x[t].index, evaluation: evaluation(at: x))
          system.estimate(x[t], picks: picks, batch: batches.subsample.batch, to: g[t].base)
        } else {
          system.gradient(x[t], field: field, to: g[t].base, potential: u?[t].base)
        }
        check(g[t])
      }
    case .features:
      if let batches, let system = system as? any SharesBatch {
        system.take(batches.shared(noise, evaluation: evaluation(at: x)), batch: batches.subsample.batch)
      }
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

  /// The gradient at the positions by the batch of a step; for tests.
  package func evaluateBatch(_ step: Int) throws {
    self.step = step
    try evaluate(at: positions, gradient: gradient)
  }

  /// Number of an evaluation, by which its batch is drawn: those within a step are odd, those at the positions, which a resumed replica
  /// makes once more, even.
  private func evaluation(at x: ParticleArray) -> Int { x === positions ? 2 * step : 2 * step - 1 }

  /// The potential where the integrator asked for none but a measurement needs it.
  var measuredPotential: ParticleArray? { wantsPotential ? potential : nil }

  /// Proposals that were accepted and that were made since the counters were read, by the whole group. Collective.
  func totalCounts() throws -> (accepted: Int, tried: Int) {
    var counts = [Int64(accepted), Int64(tried)]
    try counts.withUnsafeMutableBufferPointer { try group.sumInPlace($0.baseAddress!, count: 2) }
    return (Int(counts[0]), Int(counts[1]))
  }

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
    fault = Fault(step: max(step, 1), particle: g.index * Tiling.width + lane)
  }

  /// Remembers a particle for which a sampler found no way on.
  func fail(tile: Int, lane: Int) {
    if fault == nil {
      fault = Fault(step: max(step, 1), particle: (tiling.mine.lowerBound + tile) * Tiling.width + lane)
    }
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
