import Experiments
import Kernels
import Randomness

/// One large filter whose particles ranks share: a step an observation, so that a run is suspended and resumed between two of them. Its particles, random numbers and integer weights are those of `FilterPass`, and so are its bits, on any
/// number of ranks.
///
/// A rank has the particles from N r/R to N (r + 1)/R. Weights and what selection needs of others are whole numbers: their largest logarithm, their sums, and those of the ranks before.
package struct SharedFilter<Model: StateSpaceModel>: Process {
  let filter: ParticleFilter<Model>
  package let schedule: Schedule

  package init(_ filter: ParticleFilter<Model>) {
    self.filter = filter
    // The evidence is known after the last observation: one record of one measurement.
    schedule = Schedule(steps: filter.model.length, measureEvery: filter.model.length)
  }

  package var observables: [Observable] { filter.observables }
  package var pieces: Int { filter.plan.particles }
  /// States before and after a step, states under way, weights, promises, integers.
  package var stateSize: Int { filter.plan.particles * (4 * filter.model.dimension + 7) }
  package var advice: String { "a log density of the model may be at fault" }

  package func begin(_ context: ReplicaContext, from saved: StateDecoder?) throws -> SharedRun<Model> {
    try SharedRun(filter, context, from: saved)
  }
}

/// A run of a shared filter on one rank.
package final class SharedRun<Model: StateSpaceModel>: Dynamics {
  let filter: ParticleFilter<Model>
  let context: ReplicaContext
  var model: Model { filter.model }
  var plan: FilterPlan { filter.plan }
  var group: any Collectives { context.group }
  /// Numbers of the first particles of all ranks, and N.
  let bounds: [Int]
  /// Particles of this rank.
  package let own: Int
  var stream: Stream

  /// Particles now, and the ancestors of those to come.
  package let current, ancestors: Cloud
  /// Promises become what children's weights begin with.
  package let logWeights, promises: UnsafeMutablePointer<Double>
  let weights, chosen, words: UnsafeMutablePointer<UInt64>
  /// 0, 1, 2, …: particle i of `ancestors` is that of child i.
  private let identity: UnsafeMutablePointer<Int32>
  let table: SelectionTable
  let parcels: Parcels

  /// Logarithm of the largest weight over all ranks, and the sums of the weights.
  var largest = 0.0
  var mass = Mass()
  var logEvidence = 0.0
  var effectiveShare = 0.0
  var used = 0
  var hasStopped = false
  var steps = 0

  package init(_ filter: ParticleFilter<Model>, _ context: ReplicaContext, from saved: StateDecoder?) throws {
    (self.filter, self.context) = (filter, context)
    let (ranks, particles) = (context.group.size, filter.plan.particles)
    bounds = (0...ranks).map { Int((particles.multipliedFullWidth(by: $0).low) / UInt(ranks)) }
    own = bounds[context.group.rank + 1] - bounds[context.group.rank]
    stream = Stream(key: context.key)
    stream.start(draw: context.replica)
    let dimension = filter.model.dimension
    current = Cloud(particles: own, dimension: dimension)
    ancestors = Cloud(particles: own, dimension: dimension)
    (logWeights, promises) = (.allocateZeros(own), .allocateZeros(own))
    let room = max(own, 1)
    (weights, chosen, words) = (.allocate(capacity: room), .allocate(capacity: room), .allocate(capacity: room))
    identity = .allocate(capacity: room)
    for i in 0..<own { identity[i] = Int32(truncatingIfNeeded: i) }
    table = SelectionTable(capacity: own)
    parcels = Parcels(children: own, width: dimension + (filter.plan.proposal == .auxiliary ? 1 : 0))
    // A shard that one rank cannot read ends the run on all of them.
    try context.group.agree {
      if let saved { try restore(from: saved) }
    }
  }

  deinit {
    for cloud in [current, ancestors] { cloud.x.deallocate() }
    for place in [logWeights, promises] { place.deallocate() }
    for place in [weights, chosen, words] { place.deallocate() }
    identity.deallocate()
  }

  // MARK: Steps

  package func step(_ moment: Moment) throws {
    steps = moment.step
    if hasStopped { return }
    let t = moment.step - 1
    if t > 0 { try select(before: t) }
    move(t)
    model.weigh(t, current, 0..<own, logWeights)
    largest = try maximum(logWeights)
    mass = try weigh(logWeights, maximum: largest, into: weights)
    guard mass.total > 0 else {
      logEvidence = largest == .infinity ? .nan : -.infinity
      hasStopped = true
      return
    }
    used = t + 1
    effectiveShare += mass.effectiveSize / Double(plan.particles * model.length)
    if t == model.length - 1 { logEvidence += plan.logMean(largest, mass.total) }
  }

  /// Moves the particles of this rank, by the numbers that they would have if it had all.
  private func move(_ t: Int) {
    let taken = plan.proposal != .bootstrap ? model.taken.guided : t == 0 ? model.taken.start : model.taken.move
    let begin = stream.position
    stream.skip(taken, particles: bounds[group.rank])
    if plan.proposal != .bootstrap {
      model.moveGuided(t, ancestors, identity, current, 0..<own, logWeights, &stream)
    } else if t == 0 {
      model.start(current, 0..<own, &stream)
    } else {
      model.move(t, ancestors, identity, current, 0..<own, &stream)
    }
    stream.position = begin
    stream.skip(taken, particles: plan.particles)
  }

  private func select(before t: Int) throws {
    var (maximum, source, mass, promised) = (largest, weights, self.mass, false)
    if plan.proposal == .auxiliary {
      model.lookAhead(t, current, 0..<own, promises)
      for i in 0..<own { promises[i] += logWeights[i] }
      let most = try self.maximum(promises)
      let found = try weigh(promises, maximum: most, into: chosen)
      // Without a promise from anybody the weights decide.
      if found.total > 0 { (maximum, source, mass, promised) = (most, chosen, found, true) }
    }
    guard plan.threshold >= 1 || mass.effectiveSize < plan.threshold * Double(plan.particles) else {
      for c in 0..<model.dimension {
        (ancestors.x + c * ancestors.stride).update(from: current.x + c * current.stride, count: own)
      }
      return
    }
    logEvidence += plan.logMean(maximum, mass.total)
    // w / (w eta) of the ancestor, which its children begin with.
    for i in 0..<own { promises[i] = promised ? logWeights[i] - promises[i] : 0 }
    logWeights.update(repeating: 0, count: own)
    switch plan.scheme {
    case .systematic: try systematic(source, try share(mass), word: stream.word())
    case .multinomial:
      takeWords()
      table.fill(source, own)
      try ask(for: 0..<own, try share(mass))
    case .residual:
      takeWords()
      try residual(source, total: mass.total)
    case .pivotal: preconditionFailure("pivotal selection goes through all particles one after another")
    }
  }

  /// The words of this rank's children.
  private func takeWords() {
    let begin = stream.position
    stream.skip(words: bounds[group.rank])
    stream.words(own, into: words)
    stream.position = begin
    stream.skip(words: plan.particles)
  }

  // MARK: What all ranks know

  func maximum(_ logWeights: UnsafePointer<Double>) throws -> Double {
    let own = Selection.maximum(logWeights, self.own)
    guard group.size > 1 else { return own }
    let all = try group.gatherAllVarying([Int64(bitPattern: own.bitPattern)])
    return all.reduce(-Double.infinity) { max($0, Double(bitPattern: UInt64(bitPattern: $1[0]))) }
  }

  /// Sums of integer weights over all ranks.
  struct Mass {
    /// Of this rank.
    var own: UInt64 = 0
    var total: UInt64 = 0
    var squares: (high: UInt64, mixed: UInt64, low: UInt64) = (0, 0, 0)

    var effectiveSize: Double { Selection.effectiveSize(squares, total: total) }
  }

  /// Integer weights from their logarithms.
  func weigh(
    _ logWeights: UnsafePointer<Double>, maximum: Double, into weights: UnsafeMutablePointer<UInt64>
  ) throws -> Mass {
    guard maximum.isFinite else { return Mass() }
    let sum = Selection.weigh(logWeights, own, maximum: maximum, into: weights)
    let squares = Selection.squares(weights, own)
    let all = try total([sum, squares.high, squares.mixed, squares.low])
    return Mass(own: sum, total: all[0], squares: (all[1], all[2], all[3]))
  }

  /// Sums over all ranks.
  func total(_ own: [UInt64]) throws -> [UInt64] {
    var all = own.map { Int64(bitPattern: $0) }
    try all.withUnsafeMutableBufferPointer { try group.sumInPlace($0.baseAddress!, count: own.count) }
    return all.map { UInt64(bitPattern: $0) }
  }

  /// Sums over the ranks before this one.
  func before(_ own: [UInt64]) throws -> [UInt64] {
    try group.sumBefore(own.map { Int64(bitPattern: $0) }).map { UInt64(bitPattern: $0) }
  }

  func share(_ mass: Mass) throws -> Selection.Share {
    Selection.Share(before: try before([mass.own])[0], own: mass.own, total: mass.total)
  }

  package func measure(_ info: Void, into values: UnsafeMutablePointer<Double>) throws {
    _ = filter.write(
      logEvidence: logEvidence, effectiveShare: effectiveShare, used: used, ended: !hasStopped, into: values)
  }
}
