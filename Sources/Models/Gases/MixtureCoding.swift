import Experiments

/// Suspending and resuming the particles of a replica: whole, or in a shard a rank where they are many.
extension MixtureDynamics {
  /// Collective.
  func encodeState(to encoder: inout StateEncoder) throws {
    let pairings = process.gas.pairings.count
    encoder.add("step", step)
    encoder.add("start", start.numbers)
    encoder.add("collisions", (0..<pairings).map { collisions[$0] })
    encoder.add("candidates", (0..<pairings).map { candidates[$0] })
    encoder.add("largest", largest)
    encoder.add("since_scan", [sinceScan])
    guard let store = context.shards, 3 * process.gas.total > store.threshold else {
      for a in velocities.indices {
        var all = Array(repeating: 0.0, count: 3 * shards[a].number)
        let counts = (0..<group.size).map { 3 * (shards[a].border($0 + 1) - shards[a].border($0)) }
        let own = numbers(a)
        try all.withUnsafeMutableBufferPointer { buffer in
          let place = buffer.baseAddress! + 3 * shards[a].mine.lowerBound
          for (i, x) in own.enumerated() { place[i] = x }
          try group.gatherInPlace(buffer.baseAddress!, counts: counts)
        }
        encoder.add("velocities_\(a)", all)
      }
      return
    }
    var own = StateEncoder()
    for a in velocities.indices { own.add("velocities_\(a)", numbers(a)) }
    let names = (0..<group.size).map { "replica-\(context.replica)-step-\(step)-part-\($0 + 1)-of-\(group.size)" }
    try group.agree {
      do { try store.write(own, name: names[group.rank]) } catch { throw Failure(.inputOutput, "\(error)") }
    }
    encoder.add("shards", names)
    for a in velocities.indices {
      encoder.add("shard_starts_\(a)", (0..<group.size).map { Int64(shards[a].border($0)) })
    }
  }

  /// The velocities of this rank, particle by particle.
  private func numbers(_ a: Int) -> [Double] {
    (0..<velocities[a].count).flatMap { i in (0..<3).map { velocities[a][i][$0] } }
  }

  /// Takes back what `encodeState` left: of the particles, those of this rank. Not collective: a shard may be unreadable on one rank only.
  func restore(from decoder: StateDecoder) throws {
    let pairings = process.gas.pairings.count
    step = try decoder.count("step")
    start = MixtureMeasurement.Invariants(try decoder.doubles("start", count: 4))
    for (name, place) in [("collisions", collisions), ("candidates", candidates)] {
      for (i, value) in try decoder.integers(name, count: pairings).enumerated() {
        guard value >= 0 else { throw decoder.unfit(name) }
        place[i] = value
      }
    }
    largest = try decoder.doubles("largest", count: process.gas.species)
    sinceScan = Int64(try decoder.count("since_scan"))
    guard decoder.contains("shards") else {
      for a in velocities.indices { try take(decoder, a, from: 0, to: shards[a].number) }
      return
    }
    let names = try decoder.texts("shards")
    for a in velocities.indices {
      let starts = try decoder.integers("shard_starts_\(a)", count: names.count).map { Int($0) }
      let ends = starts.dropFirst() + [shards[a].number]
      guard let store = context.shards, starts.first == 0, zip(starts, ends).allSatisfy({ $0 <= $1 && $0 >= 0 }) else {
        throw decoder.unfit("shard_starts_\(a)")
      }
      let mine = shards[a].mine
      for (name, (start, end)) in zip(names, zip(starts, ends)) where start < mine.upperBound && mine.lowerBound < end {
        try take(try store.read(name), a, from: start, to: end)
      }
    }
  }

  /// Takes what belongs to this rank of the particles `start ..< end`.
  private func take(_ decoder: StateDecoder, _ a: Int, from start: Int, to end: Int) throws {
    let values = try decoder.doubles("velocities_\(a)", count: 3 * (end - start))
    let mine = shards[a].mine
    for i in max(start, mine.lowerBound)..<max(start, mine.lowerBound, min(end, mine.upperBound)) {
      for k in 0..<3 { velocities[a][i - mine.lowerBound][k] = values[3 * (i - start) + k] }
    }
  }
}
