import Experiments
import Kernels
import Randomness

/// Suspending and resuming a shared filter.
extension SharedRun {
  package func encode(to encoder: inout StateEncoder) throws {
    let place = stream.position
    encoder.add("steps", steps)
    encoder.add("taken", [place.normals, place.words])
    encoder.add("spare", place.spare.map { [$0] } ?? [])
    encoder.add("evidence", [logEvidence, effectiveShare, largest])
    encoder.add("mass", [mass.total, mass.squares.high, mass.squares.mixed, mass.squares.low])
    encoder.add("counts", [Int64(used), hasStopped ? 1 : 0])
    let dimension = model.dimension
    func numbers() -> [Double] {
      var all = Array(UnsafeBufferPointer(start: logWeights, count: own))
      for c in 0..<dimension { all += UnsafeBufferPointer(start: current.x + c * current.stride, count: own) }
      return all
    }
    if let shards = context.shards, plan.particles * dimension > shards.threshold {
      var mine = StateEncoder()
      mine.add("particles", numbers())
      let names = (0..<group.size).map { "replica-\(context.replica)-step-\(steps)-part-\($0 + 1)-of-\(group.size)" }
      try group.agree {
        do { try shards.write(mine, name: names[group.rank]) } catch { throw Failure(.inputOutput, "\(error)") }
      }
      encoder.add("shards", names)
      encoder.add("shard_starts", bounds.dropLast().map { Int64($0) })
    } else {
      let all = try group.gatherAllVarying(numbers().map { Int64(bitPattern: $0.bitPattern) })
      encoder.add("particles", all.flatMap { $0.map { Double(bitPattern: UInt64(bitPattern: $0)) } })
      encoder.add("shard_starts", bounds.dropLast().map { Int64($0) })
    }
  }

  func restore(from decoder: StateDecoder) throws {
    steps = try decoder.count("steps")
    let taken = try decoder.words("taken", count: 2)
    stream.position = Stream.Position(
      normals: taken[0], words: taken[1], spare: try decoder.doubles("spare").first)
    let evidence = try decoder.doubles("evidence", count: 3)
    (logEvidence, effectiveShare, largest) = (evidence[0], evidence[1], evidence[2])
    let counts = try decoder.integers("counts", count: 2)
    guard steps <= model.length, counts[0] >= 0, counts[0] <= steps, [0, 1].contains(counts[1]) else {
      throw decoder.unfit("counts")
    }
    (used, hasStopped) = (Int(counts[0]), counts[1] == 1)
    // The parts of the ranks that left it, each weights first and then coordinate by coordinate.
    let starts = try decoder.integers("shard_starts").map { Int($0) }
    let ends = starts.dropFirst() + [plan.particles]
    guard starts.first == 0, zip(starts, ends).allSatisfy({ 0 <= $0 && $0 <= $1 }) else {
      throw decoder.unfit("shard_starts")
    }
    let names = decoder.contains("shards") ? try decoder.texts("shards") : []
    guard names.isEmpty || names.count == starts.count else { throw decoder.unfit("shards") }
    let width = model.dimension + 1
    let whole = names.isEmpty ? try decoder.doubles("particles", count: plan.particles * width) : []
    let mine = bounds[group.rank]..<bounds[group.rank + 1]
    for (part, (start, end)) in zip(starts, ends).enumerated() where start < mine.upperBound && mine.lowerBound < end {
      let count = end - start
      let numbers =
        names.isEmpty
        ? Array(whole[start * width..<end * width])
        : try context.shards?.read(names[part]).doubles("particles", count: count * width) ?? []
      guard numbers.count == count * width else { throw decoder.unfit("shards") }
      for i in max(start, mine.lowerBound)..<min(end, mine.upperBound) {
        logWeights[i - mine.lowerBound] = numbers[i - start]
        for c in 0..<model.dimension {
          current.x[c * current.stride + i - mine.lowerBound] = numbers[(c + 1) * count + i - start]
        }
      }
    }
    guard !hasStopped, steps > 0 else { return }
    let sums = try decoder.words("mass", count: 4)
    let sum = Selection.weigh(logWeights, own, maximum: largest, into: weights)
    mass = Mass(own: sum, total: sums[0], squares: (sums[1], sums[2], sums[3]))
  }
}
