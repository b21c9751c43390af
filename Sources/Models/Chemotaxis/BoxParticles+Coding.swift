import Experiments

/// Suspending and resuming. Of the noise nothing is kept: a tile takes as many normals a step as it has lanes.
extension BoxParticles {
  /// Leaves the state: whole, or the positions in a shard a rank where they are many. Collective.
  func encode(to encoder: inout StateEncoder, replica: UInt64, shards: (any ShardStore)?) throws {
    encoder.add("step", step)
    for (name, field) in [("c", c), ("w", w)] {
      encoder.add(name, Array(UnsafeBufferPointer(start: field, count: box.modes.count)))
    }
    let own = Array(UnsafeBufferPointer(start: places, count: mine.count * tileSize))
    if let shards, number * box.modes.dimension > shards.threshold {
      let names = (0..<group.size).map { "replica-\(replica)-step-\(step)-part-\($0 + 1)-of-\(group.size)" }
      try group.agree {
        var part = StateEncoder()
        part.add("places", own)
        do { try shards.write(part, name: names[group.rank]) } catch { throw Failure(.inputOutput, "\(error)") }
      }
      encoder.add("shards", names)
      encoder.add("shard_tiles", (0...group.size).map { Int64(Self.border($0, group.size, total)) })
    } else {
      encoder.add("places", try group.gatherAllVarying(own).flatMap { $0 })
    }
  }

  /// Takes back what `encode` left, as far as it belongs to this rank. Not collective: a shard may be unreadable on one rank only.
  func restore(from decoder: StateDecoder, shards: (any ShardStore)?) throws {
    step = try decoder.count("step")
    for (name, field) in [("c", c), ("w", w)] {
      field.update(from: try decoder.doubles(name, count: box.modes.count), count: box.modes.count)
    }
    for t in noise.taken.indices { noise.taken[t] = UInt64(step * tileSize) }
    guard decoder.contains("shards") else { return try take(decoder, tiles: 0..<total) }
    let names = try decoder.texts("shards")
    let borders = try decoder.integers("shard_tiles", count: names.count + 1).map { Int($0) }
    guard let shards, borders.first == 0, borders.last == total, zip(borders, borders.dropFirst()).allSatisfy(<=) else {
      throw decoder.unfit("shard_tiles")
    }
    for (k, name) in names.enumerated() where borders[k] < mine.upperBound && mine.lowerBound < borders[k + 1] {
      try take(try shards.read(name), tiles: borders[k]..<borders[k + 1])
    }
  }

  private func take(_ decoder: StateDecoder, tiles: Range<Int>) throws {
    let values = try decoder.integers("places", count: tiles.count * tileSize)
    guard values.allSatisfy({ $0 >= 0 }) else { throw decoder.unfit("places") }
    for tile in tiles where mine.contains(tile) {
      let (from, to) = ((tile - tiles.lowerBound) * tileSize, (tile - mine.lowerBound) * tileSize)
      for i in 0..<tileSize { places[to + i] = values[from + i] }
    }
  }
}
