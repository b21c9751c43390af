import Experiments

/// Suspending and resuming the particles of a replica.
extension Ensemble {
  /// Leaves the state: whole, or the particles in a shard a rank where they are many. Collective.
  func encode(to encoder: inout StateEncoder, replica: UInt64, shards: (any ShardStore)?) throws {
    encoder.add("step", step)
    encoder.add("step_size", [stepSize])
    encoder.add("uniforms_taken", [Int64(bitPattern: noise.uniforms)])
    // Joint proposals are counted by every rank alike, others by the rank of the particle.
    let joint = !jointProbability.isNaN
    let counts = joint ? (accepted, tried) : try totalCounts()
    encoder.add("counters", [Int64(counts.0), Int64(counts.1), joint ? 1 : 0])
    let taken = noise.taken.map { Int64(bitPattern: $0) }
    if let shards, tiling.number * tiling.dimension > shards.threshold {
      var own = StateEncoder()
      own.add("positions", positions.own())
      if let velocities { own.add("velocities", velocities.own()) }
      own.add("normals_taken", taken)
      let names = (0..<group.size).map { "replica-\(replica)-step-\(step)-part-\($0 + 1)-of-\(group.size)" }
      try group.agree {
        do { try shards.write(own, name: names[group.rank]) } catch { throw Failure(.inputOutput, "\(error)") }
      }
      encoder.add("shards", names)
      var first = 0
      encoder.add(
        "shard_starts",
        tiling.counts(ranks: group.size).map { tiles -> Int64 in
          defer { first += tiles }
          return Int64(min(first * Tiling.width, tiling.number))
        })
    } else {
      encoder.add("positions", try positions.gathered(group))
      if let velocities { encoder.add("velocities", try velocities.gathered(group)) }
      encoder.add("normals_taken", try group.gatherAllVarying(taken).flatMap { $0 })
    }
  }

  /// Takes back what `encode` left: of the particles, those of this rank. Not collective: a shard may be unreadable on one rank only.
  func restore(from decoder: StateDecoder, shards: (any ShardStore)?) throws {
    step = try decoder.count("step")
    stepSize = try decoder.doubles("step_size", count: 1)[0]
    noise.uniforms = UInt64(try decoder.count("uniforms_taken"))
    let counters = try decoder.integers("counters", count: 3)
    guard counters[1] >= counters[0], counters[0] >= 0, [0, 1].contains(counters[2]) else {
      throw decoder.unfit("counters")
    }
    let joint = counters[2] == 1
    // Single proposals count in the sum over ranks only.
    if joint || tiling.mine.contains(0) { (accepted, tried) = (Int(counters[0]), Int(counters[1])) }
    if joint { jointProbability = 0 }
    guard decoder.contains("shards") else { return try take(decoder, from: 0, to: number) }

    let names = try decoder.texts("shards")
    let starts = try decoder.integers("shard_starts", count: names.count).map { Int($0) }
    let ends = starts.dropFirst() + [number]
    guard let shards, starts.first == 0,
      zip(starts, ends).allSatisfy({ $0 <= $1 && $0 >= 0 && ($0 % Tiling.width == 0 || $0 == number) })
    else { throw decoder.unfit("shard_starts") }
    let mine = tiling.mine.lowerBound * Tiling.width..<min(tiling.mine.upperBound * Tiling.width, number)
    for (name, (start, end)) in zip(names, zip(starts, ends)) where start < mine.upperBound && mine.lowerBound < end {
      try take(try shards.read(name), from: start, to: end)
    }
  }

  /// Takes what belongs to this rank of the particles `start ..< end`.
  private func take(_ decoder: StateDecoder, from start: Int, to end: Int) throws {
    let length = (end - start) * tiling.dimension
    positions.scatter(try decoder.doubles("positions", count: length), from: start)
    if let velocities { velocities.scatter(try decoder.doubles("velocities", count: length), from: start) }
    let (first, count) = (start / Tiling.width, (end - start + Tiling.width - 1) / Tiling.width)
    for (i, taken) in try decoder.integers("normals_taken", count: count).enumerated() {
      guard taken >= 0 else { throw decoder.unfit("normals_taken") }
      if tiling.mine.contains(first + i) { noise.taken[first + i - tiling.mine.lowerBound] = UInt64(taken) }
    }
  }
}
