import Kernels
import Experiments
import Statistics

/// N particles moved by an integrator and measured: the experiment behind a leg of a particle job.
struct ParticleExperiment: ReplicaExperiment {
  let system: SystemModel
  let integrator: IntegratorModel
  let frame: ParticleFrame
  let observables: [Observable]
  let records: [Int]
  let marginals: [String]
  let advice: String

  init(_ system: SystemModel, _ integrator: IntegratorModel, _ frame: ParticleFrame) {
    self.system = system
    self.integrator = integrator
    self.frame = frame
    let instance = system.make()
    observables = Measurement.observables(instance, integrator)
    records = (0..<frame.records).map { frame.end(ofRecord: $0) }
    marginals = instance.hasMoments ? Measurement.suffixes(instance).map { "x\($0)" } : []
    advice =
      "the integrator has left the range where it is stable, or the energy is not finite there: a smaller step than \(frame.step), or a start nearer to the minimum, would help"
  }

  var steps: Int { frame.warmUp + frame.steps }
  var pieces: Int { (frame.number + Tiling.width - 1) / Tiling.width }

  func begin(
    _ replica: UInt64, key: UInt64, group: any Communicator, from saved: ReplicaState?, shards: (any ShardStore)?
  ) throws -> any Replica {
    try ParticleReplica(self, replica, key: key, group: group, saved: saved, shards: shards)
  }
}

/// Sums over time of one observable.
private struct TimeSums {
  /// Of the record under way; of both halves of the run, about `shift`.
  var record = 0.0
  var halves = (0.0, 0.0)
  var squares = (0.0, 0.0)
  var shift = Double.nan
  var batches = BatchMeans()

  static let wordCount = 6 + BatchMeans.wordCount

  mutating func add(_ x: Double, firstHalf: Bool) {
    if shift.isNaN { shift = x }
    record += x
    let d = x - shift
    if firstHalf {
      halves.0 += d
      squares.0 = squares.0.addingProduct(d, d)
    } else {
      halves.1 += d
      squares.1 = squares.1.addingProduct(d, d)
    }
    batches.add(x)
  }

  /// `ReplicaRecord.diagnostics`, for so many values in the two halves.
  func diagnostics(_ first: Int, _ second: Int) -> [Double] {
    func half(_ sum: Double, _ square: Double, _ count: Int) -> (mean: Double, variance: Double) {
      let n = Double(count)
      guard count > 1 else { return (.nan, .nan) }
      return (shift + sum / n, max(square - sum * sum / n, 0) / (n - 1))
    }
    let (a, b) = (half(halves.0, squares.0, first), half(halves.1, squares.1, second))
    return [batches.standardError, a.mean, b.mean, 0.5 * (a.variance + b.variance)]
  }

  var words: [Double] {
    get { [record, halves.0, halves.1, squares.0, squares.1, shift] + batches.words }
    set {
      record = newValue[0]
      halves = (newValue[1], newValue[2])
      squares = (newValue[3], newValue[4])
      shift = newValue[5]
      batches.words = Array(newValue[6...])
    }
  }
}

final class ParticleReplica: Replica {
  private let experiment: ParticleExperiment
  private let frame: ParticleFrame
  private let replica: UInt64
  private let shards: (any ShardStore)?
  private let e: Ensemble
  private let integrator: any Integrator
  private let measurement: Measurement
  private var sums: [TimeSums]
  private var current: [Double]
  /// Values of the records that are complete.
  private var values: [Double] = []
  private var marginals: [BitHistogram]
  private var adaptation: Adaptation
  private var trajectory = Trajectory()
  /// Frames of this rank's particles that are not gathered yet.
  private var newFrames: [[Double]] = []

  init(
    _ experiment: ParticleExperiment, _ replica: UInt64, key: UInt64, group: any Communicator, saved: ReplicaState?,
    shards: (any ShardStore)?
  ) throws {
    self.experiment = experiment
    self.shards = shards
    self.replica = replica
    frame = experiment.frame
    let integratorModel = experiment.integrator
    var read: Ensemble?
    var failure: Failure?
    do {
      read = try Ensemble(
        experiment.system, number: frame.number, hasVelocities: integratorModel.hasVelocities,
        inverseTemperature: frame.inverseTemperature, stepSize: frame.step, key: key, replica: replica, group: group,
        saved: saved, shards: shards)
    } catch { failure = error as? Failure ?? Failure(.bug, "\(error)") }
    // A shard that one rank cannot read ends the replica on all of them.
    let message = try group.gatherAllVarying(failure?.message.utf8.map { Int64($0) } ?? []).first { !$0.isEmpty }
    if let message { throw failure ?? Failure(.badData, String(decoding: message.map { UInt8($0) }, as: UTF8.self)) }
    e = read!
    integrator = integratorModel.make(experiment.system)
    measurement = Measurement(e, integratorModel)
    let count = experiment.observables.count
    sums = Array(repeating: TimeSums(), count: count)
    current = Array(repeating: 0, count: count)
    marginals = Array(repeating: BitHistogram(), count: experiment.marginals.count * ReplicaRecord.folds)
    adaptation = Adaptation(target: integratorModel.target, step: frame.step)
    if let saved {
      // All ranks have these arrays alike, so all refuse a file that does not fit.
      let words = try saved.array("sums", count: count * TimeSums.wordCount)
      for i in sums.indices {
        let own = Array(words[i * TimeSums.wordCount..<(i + 1) * TimeSums.wordCount])
        guard BatchMeans.areWords(Array(own[6...])) else { throw saved.unfit("sums") }
        sums[i].words = own
      }
      let complete = max(0, saved.step - frame.warmUp) / (frame.steps / frame.records)
      values = try saved.array("values", count: complete * count)
      adaptation.words = try saved.array("adaptation", count: 3)
      let counted = try saved.array("counters", count: 3).map(Ensemble.count)
      // Joint proposals are counted by all, others only by the sum over ranks.
      if counted[2] != 0 || e.tiling.mine.contains(0) { (e.accepted, e.tried) = (counted[0], counted[1]) }
      if counted[2] != 0 { e.jointProbability = 0 }
      if group.isRoot && saved.marginals.count == marginals.count { marginals = saved.marginals }
      let steps = try saved.array("frame_steps").map(Ensemble.count)
      let positions = try saved.array("frame_positions")
      trajectory = Trajectory(
        steps: steps, positions: positions, series: try saved.array("frame_series", count: steps.count * count))
      guard positions.isEmpty || positions.count == steps.count * frame.framed * (e.tiling.dimension + 1) else {
        throw saved.unfit("frame_positions")
      }
    } else {
      e.draw(mean: frame.startMean, spread: frame.startSpread ?? experiment.system.spread)
    }
    try integrator.prepare(e)
  }

  var step: Int { e.step }
  var fault: ReplicaFault? { e.fault }

  func advance(_ count: Int) throws {
    for _ in 0..<count {
      let next = e.step + 1
      let production = next - frame.warmUp
      let measures = production > 0 && production % frame.measureEvery == 0
      e.wantsPotential = measures
      try integrator.step(e)
      e.step = next
      if production <= 0 {
        try adapt(last: production == 0)
      } else if measures {
        try measure(production)
      }
      if e.fault != nil { return }
    }
  }

  private func adapt(last: Bool) throws {
    guard experiment.integrator.target != nil else {
      e.accepted = 0
      e.tried = 0
      return
    }
    var rate = e.jointProbability
    if rate.isNaN {
      var counts = [Int64(e.accepted), Int64(e.tried)]
      try counts.withUnsafeMutableBufferPointer { try e.group.sumInPlace($0.baseAddress!, count: 2) }
      rate = Double(counts[0]) / Double(counts[1])
    }
    e.accepted = 0
    e.tried = 0
    e.stepSize = adaptation.next(rate, step: e.step, of: frame.warmUp)
  }

  private func measure(_ production: Int) throws {
    try current.withUnsafeMutableBufferPointer { try measurement.take(e, into: $0.baseAddress!) }
    let taken = production / frame.measureEvery
    let total = frame.steps / frame.measureEvery
    for i in sums.indices { sums[i].add(current[i], firstHalf: taken <= total / 2) }
    if taken % (total / frame.records) == 0 {
      let perRecord = Double(total / frame.records)
      for i in sums.indices {
        values.append(sums[i].record / perRecord)
        sums[i].record = 0
      }
    }
    if taken % frame.histogramEvery == 0 { count((taken - 1) * ReplicaRecord.folds / total) }
    if let every = frame.frameEvery, production % every == 0 {
      trajectory.steps.append(e.step)
      trajectory.series += current
      if replica == 0 { newFrames.append(framedPositions()) }
    }
  }

  /// Counts the coordinates in the fold of this piece of time, moved on by one from replica to replica.
  private func count(_ piece: Int) {
    let fold = (piece + Int(replica % UInt64(ReplicaRecord.folds))) % ReplicaRecord.folds
    guard !marginals.isEmpty else { return }
    let perMarginal = e.tiling.dimension / experiment.marginals.count
    for t in e.tiles {
      let x = e.positions[t]
      for k in 0..<x.dimension {
        let row = x[k]
        let place = k / perMarginal * ReplicaRecord.folds + fold
        for i in 0..<x.count { marginals[place].add(row[i]) }
      }
    }
  }

  /// Coordinates and potential of the first particles of the system, as far as they are on this rank.
  private func framedPositions() -> [Double] {
    var result: [Double] = []
    for t in e.tiles {
      let x = e.positions[t]
      for i in 0..<x.count where x.index * Tiling.width + i < frame.framed {
        for k in 0..<x.dimension { result.append(x[k][i]) }
        result.append(e.potential[t].base[i])
      }
    }
    return result
  }

  /// Joins the new frames of all ranks. Collective.
  private func gatherFrames() throws {
    guard frame.frameEvery != nil, replica == 0 else { return }
    let perParticle = e.tiling.dimension + 1
    let width = frame.framed * perParticle
    let counts = e.tiling.counts(ranks: e.group.size)
    var first = 0
    let shares = counts.map { tiles -> Int in
      defer { first += tiles }
      let begin = min(first * Tiling.width, frame.framed)
      return (min((first + tiles) * Tiling.width, frame.framed) - begin) * perParticle
    }
    let place = shares[..<e.group.rank].reduce(0, +)
    for mine in newFrames {
      var whole = Array(repeating: 0.0, count: width)
      for (i, x) in mine.enumerated() { whole[place + i] = x }
      try whole.withUnsafeMutableBufferPointer { try e.group.gatherInPlace($0.baseAddress!, counts: shares) }
      trajectory.positions += whole
    }
    newFrames = []
  }

  func save() throws -> ReplicaState {
    try gatherFrames()
    var (arrays, places) = try e.save(replica, shards: shards)
    arrays["sums"] = sums.flatMap(\.words)
    arrays["values"] = values
    arrays["adaptation"] = adaptation.words
    let joint = !e.jointProbability.isNaN
    var counts = [Int64(e.accepted), Int64(e.tried)]
    if !joint { try counts.withUnsafeMutableBufferPointer { try e.group.sumInPlace($0.baseAddress!, count: 2) } }
    arrays["counters"] = [Double(counts[0]), Double(counts[1]), joint ? 1 : 0]
    arrays["frame_steps"] = trajectory.steps.map(Double.init)
    arrays["frame_positions"] = trajectory.positions
    arrays["frame_series"] = trajectory.series
    return ReplicaState(
      replica: replica, step: e.step, arrays: arrays, marginals: try e.group.joinedOnRoot(marginals),
      shards: places)
  }

  func finish() throws -> ReplicaOutcome {
    try gatherFrames()
    let total = frame.steps / frame.measureEvery
    return ReplicaOutcome(
      values: values, diagnostics: sums.flatMap { $0.diagnostics(total / 2, total - total / 2) }, marginals: marginals,
      trajectory: frame.frameEvery == nil ? nil : trajectory)
  }
}

/// Robbins-Monro adaptation of the step size to an acceptance rate, in warm-up only: log h moves by the excess of the
/// acceptance times a falling gain; the second half of the warm-up is averaged.
struct Adaptation {
  let target: Double
  private var logStep: Double
  private var sum = 0.0
  private var count = 0.0

  init(target: Double?, step: Double) {
    self.target = target ?? .nan
    logStep = Elementary.log(step)
  }

  /// The next step size, after step `step` of `warmUp`.
  mutating func next(_ rate: Double, step: Int, of warmUp: Int) -> Double {
    let gain = 1 / (1 + 0.02 * Double(step)).squareRoot()
    logStep += gain * (rate - target)
    if 2 * step > warmUp {
      sum += logStep
      count += 1
    }
    return Elementary.exp(step == warmUp ? sum / count : logStep)
  }

  var words: [Double] {
    get { [logStep, sum, count] }
    set { (logStep, sum, count) = (newValue[0], newValue[1], newValue[2]) }
  }
}
