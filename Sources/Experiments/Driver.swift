import Statistics

/// Drives one replica of a process through its schedule: warm-up, measurements, means over the records, batch means, one-particle laws,
/// frames, suspension and resumption.
final class Driver<P: Process>: Replica {
  private let schedule: Schedule
  private let marginalCount: Int
  private let context: ReplicaContext
  private let system: P.System
  private let keepsParticles: Bool
  private(set) var step: Int
  private var sums: [TimeSums]
  private var current: [Double]
  /// Means over the records that are complete.
  private var values: [Double] = []
  private var marginals: [BitHistogram]
  private var trajectory = Trajectory()
  /// Measurements between two kept values, and these, one after the other; nil for a replica that was begun without them.
  private let seriesStride: Int?
  private var series: [Double] = []
  /// Frames of this rank's particles that are not gathered yet.
  private var newFrames: [[Double]] = []

  init(_ process: P, _ context: ReplicaContext, from saved: ReplicaState?) throws {
    schedule = process.schedule
    self.context = context
    step = saved?.step ?? 0
    let count = process.observables.count
    marginalCount = process.marginals.count
    seriesStride = Series.stride(measurements: process.schedule.measurements, observables: count, replicas: 1)
    sums = Array(repeating: TimeSums(), count: count)
    current = Array(repeating: 0, count: count)
    marginals = Array(repeating: BitHistogram(), count: marginalCount * Histograms.folds)
    keepsParticles = process.frame != nil && context.replica == 0 && process.schedule.frameEvery != nil
    let decoder = saved?.decoder
    system = try process.begin(context, from: decoder?.nested("system"))
    guard let saved, let decoder else { return }
    // All ranks have these arrays alike, so all refuse a file that does not fit.
    let words = try decoder.doubles("sums", count: count * TimeSums.wordCount)
    for i in sums.indices {
      let own = Array(words[i * TimeSums.wordCount..<(i + 1) * TimeSums.wordCount])
      guard TimeSums.areWords(own) else { throw decoder.unfit("sums") }
      sums[i].words = own
    }
    let complete = max(0, saved.step - schedule.warmUp) / (schedule.steps / schedule.records)
    values = try decoder.doubles("values", count: complete * count)
    let kept = try decoder.histograms("marginals", number: marginals.count)
    if context.group.isRoot { marginals = kept }
    trajectory = try Trajectory(from: decoder.nested("trajectory"))
    if let seriesStride {
      let measured = max(0, saved.step - schedule.warmUp) / schedule.measureEvery
      series = try decoder.doubles("series", count: measured / seriesStride * count)
    }
    let width = keepsParticles ? process.frame!.width : 0
    guard trajectory.series.count == trajectory.steps.count * count,
      trajectory.positions.count == trajectory.steps.count * width
    else { throw decoder.unfit("trajectory") }
  }

  var fault: Fault? { system.fault }

  func advance(_ count: Int) throws {
    for _ in 0..<count {
      let next = step + 1
      let production = next - schedule.warmUp
      let isMeasured = production > 0 && production % schedule.measureEvery == 0
      let info = try system.step(Moment(step: next, warmUp: schedule.warmUp, isMeasured: isMeasured))
      step = next
      if isMeasured { try measure(info, production) }
      if system.fault != nil { return }
    }
  }

  private func measure(_ info: P.System.Info, _ production: Int) throws {
    try current.withUnsafeMutableBufferPointer { try system.measure(info, into: $0.baseAddress!) }
    let taken = production / schedule.measureEvery
    let total = schedule.measurements
    for i in sums.indices { sums[i].add(current[i], firstHalf: taken <= total / 2) }
    if let seriesStride, taken % seriesStride == 0 { series.append(contentsOf: current) }
    if taken % (total / schedule.records) == 0 {
      let perRecord = Double(total / schedule.records)
      for i in sums.indices {
        values.append(sums[i].record / perRecord)
        sums[i].record = 0
      }
    }
    if taken % schedule.histogramEvery == 0 { count((taken - 1) * Histograms.folds / total) }
    if let every = schedule.frameEvery, production % every == 0 {
      trajectory.steps.append(step)
      trajectory.series += current
      if keepsParticles { newFrames.append(system.frame()) }
    }
  }

  /// Counts the coordinates in the fold of this piece of time, moved on by one from replica to replica.
  private func count(_ piece: Int) {
    guard marginalCount > 0 else { return }
    let fold = (piece + Int(context.replica % UInt64(Histograms.folds))) % Histograms.folds
    marginals.withUnsafeMutableBufferPointer {
      system.count(into: $0.baseAddress! + fold, stride: Histograms.folds)
    }
  }

  /// Joins the new frames of all ranks. Collective.
  private func gatherFrames() throws {
    guard keepsParticles else { return }
    let lengths = system.frameLengths()
    let place = lengths[..<context.group.rank].reduce(0, +)
    for mine in newFrames {
      var whole = Array(repeating: 0.0, count: lengths.reduce(0, +))
      for (i, x) in mine.enumerated() { whole[place + i] = x }
      try whole.withUnsafeMutableBufferPointer {
        try context.group.gatherInPlace($0.baseAddress!, counts: lengths)
      }
      trajectory.positions += whole
    }
    newFrames = []
  }

  func save() throws -> ReplicaState {
    try gatherFrames()
    var encoder = StateEncoder()
    try encoder.nest("system") { try system.encode(to: &$0) }
    encoder.add("sums", sums.flatMap(\.words))
    encoder.add("values", values)
    if seriesStride != nil { encoder.add("series", series) }
    encoder.add("marginals", try context.group.joinedOnRoot(marginals))
    encoder.nest("trajectory") { trajectory.encode(to: &$0) }
    return ReplicaState(replica: context.replica, step: step, encoded: encoder)
  }

  func finish() throws -> ReplicaOutcome {
    try gatherFrames()
    let total = schedule.measurements
    return ReplicaOutcome(
      row: values + sums.flatMap { $0.diagnostics(total / 2, total - total / 2) }, marginals: marginals,
      trajectory: schedule.frameEvery == nil ? nil : trajectory, series: seriesStride == nil ? nil : series)
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

  static func areWords(_ words: [Double]) -> Bool { BatchMeans.areWords(Array(words[6...])) }

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

  /// `Rows.diagnostics`, for a given number of values in the two halves.
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
