import Statistics

/// Checkpoints of a leg: what its recorders kept, which draws are done, and what is under way.
extension LegState {
  public func encode(to encoder: inout StateEncoder, _ leg: Leg) {
    tally.encode(to: &encoder)
    encoder.add("intervals", done.intervals.flatMap { [$0.lowerBound, $0.upperBound] })
    if leg.process != nil || leg.keep > 0 { rows.encode(to: &encoder) }
    guard leg.process != nil else { return }
    histograms.encode(to: &encoder)
    trajectories.encode(to: &encoder)
    series.encode(to: &encoder)
    encoder.nest("begun") { encoder in
      encoder.add("number", begun.count)
      for (index, state) in begun.enumerated() {
        encoder.nest("\(index)") { encoder in
          encoder.add("replica", [state.replica])
          encoder.add("step", state.step)
          encoder.add("state", state.decoder)
        }
      }
    }
  }

  /// Reads a state and holds its parts against each other and against the leg.
  public init(from decoder: StateDecoder, path: String, _ leg: Leg, of job: Job) throws {
    self.path = path
    tally = try Tally(from: decoder, job, leg)
    let borders = try decoder.words("intervals")
    guard borders.count % 2 == 0,
      stride(from: 0, to: borders.count, by: 2).allSatisfy({ borders[$0] < borders[$0 + 1] }),
      let done = IntervalSet(
        disjoint: stride(from: 0, to: borders.count, by: 2).map { borders[$0]..<borders[$0 + 1] }),
      done.count == UInt64(tally.counter(.draws))
    else { throw decoder.unfit("intervals") }
    self.done = done
    rows = Rows()
    histograms = Histograms(marginals: 0)
    trajectories = Trajectories()
    series = Series()
    begun = []
    if leg.process == nil && leg.keep > 0 {
      rows = try Rows(from: decoder, width: leg.schema.width)
      let expected = done.intervals.reduce(UInt64(0)) { sum, range in
        sum + (range.lowerBound < leg.keep ? min(range.upperBound, leg.keep) - range.lowerBound : 0)
      }
      guard UInt64(rows.values.count) == expected, rows.draws.allSatisfy({ done.contains($0) && $0 < leg.keep }) else {
        throw decoder.unfit("ids")
      }
    }
    guard let process = leg.process else { return }
    rows = try Rows(
      from: decoder, width: leg.schema.width + leg.observables.count * Rows.diagnostics.count)
    histograms = try Histograms(from: decoder, marginals: process.marginals.count)
    trajectories = try Trajectories(from: decoder, leg)
    // Older files have none.
    if decoder.contains("series") { series = try Series(from: decoder.nested("series"), leg) }
    guard UInt64(rows.values.count) == done.count, rows.draws.allSatisfy({ done.contains($0) }),
      series.replicas.keys.allSatisfy({ done.contains($0) }),
      trajectories.replicas.keys.allSatisfy({ done.contains($0) })
    else { throw decoder.unfit("ids") }
    let under = decoder.nested("begun")
    let number = try under.count("number")
    guard under.names.count == number + 1 else { throw under.unfit("number") }
    for index in 0..<number {
      let own = under.nested("\(index)")
      let replica = try own.words("replica", count: 1)[0]
      guard replica < 1 << 63, !done.contains(replica), !begun.contains(where: { $0.replica == replica }) else {
        throw own.unfit("replica")
      }
      begun.append(
        ReplicaState(
          replica: replica, step: try own.count("step"), encoded: own.nested("state").encoder))
    }
  }
}
