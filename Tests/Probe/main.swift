// A small MPI program for BindingTests: exercises every call of MessagePassing and prints what rank 0 saw, or fails
// in the way that its argument names.
import MessagePassing

#if canImport(Glibc)
  import Glibc
#endif

struct Deliberate: Error {}

let mode = CommandLine.arguments.dropFirst().first ?? "calls"
if mode == "toy" { exit(estimatePi(side: 1_000)) }
let status = World.run { world in
  var world = world
  switch mode {
  case "calls":
    // Pieces of three elements: the chunking of long arrays, on short ones.
    for length in [1 << 28, 3] {
      world.pieceLength = length
      let mine = (0..<8).map { Int64(10 * world.rank + $0) }
      let sum = try world.reduce(mine, .sum, to: .all)
      let root = try world.reduce(mine, .maximum, to: .root)
      let low = try world.reduce(mine.map(Double.init), .minimum, to: .all)
      let bits = try world.reduce([Int64(1) << Int64(world.rank)], .bitwiseOr, to: .all)
      let all = try world.gatherAll(mine)
      let parts = try world.gatherToRoot([UInt8](repeating: 7, count: 4 * world.rank))
      let told = try world.broadcast(world.rank == 0 ? Array("hello there".utf8) : [])
      try world.barrier()
      if world.rank == 0 {
        print(sum, root, low, bits, all, String(decoding: told, as: UTF8.self), parts.map(\.count))
      }
    }
    return 0
  case "sizes":
    // Short messages, middling ones and long ones go by different ways; the last sum in pieces of all of them.
    for (count, piece) in [(1, 1 << 28), (300, 1 << 28), (2_000, 1 << 28), (20_000, 1 << 28), (10_300, 10_000)] {
      world.pieceLength = piece
      let mine = (0..<count).map { Int64($0) << 40 &+ Int64(world.rank + 1) }
      let ranks = Int64(world.size)
      let expected = (0..<count).map { ranks &* (Int64($0) << 40) &+ ranks * (ranks + 1) / 2 }
      var sums = mine
      try sums.withUnsafeMutableBufferPointer { try world.sumInPlace($0.baseAddress!, count: count) }
      let parts = try world.gatherAllVarying(Array(repeating: Int64(world.rank), count: count + world.rank))
      let told = try world.broadcast(world.rank == 0 ? mine.map { UInt8(truncatingIfNeeded: $0 >> 40) } : [])
      let isRight =
        try sums == expected && world.reduce(mine, .sum, to: .all) == expected
        && parts == (0..<world.size).map { Array(repeating: Int64($0), count: count + $0) }
        && told == (0..<count).map { UInt8(truncatingIfNeeded: $0) }
      guard isRight else { throw Deliberate() }
    }
    if world.rank == 0 { print("all sums are right") }
    return 0
  case "exchange":
    // Rank r sends r + 2 q numbers to rank q: whole, and in pieces of three.
    for piece in [1 << 28, 3] {
      world.pieceLength = piece
      let counts = (0..<world.size).map { world.rank + 2 * $0 }
      let parts = counts.indices.flatMap { q in (0..<counts[q]).map { Double(1_000 * world.rank + 100 * q + $0) } }
      var received: [Double] = []
      var told: [Int] = []
      try parts.withUnsafeBufferPointer { source in
        let target = UnsafeMutablePointer<Double>.allocate(capacity: 1_000)
        defer { target.deallocate() }
        try world.exchange(source.baseAddress ?? UnsafePointer(target), counts: counts) { counts in
          told = counts
          return target
        }
        received = Array(UnsafeBufferPointer(start: target, count: told.reduce(0, +)))
      }
      let expected = (0..<world.size).flatMap { r in
        (0..<r + 2 * world.rank).map { Double(1_000 * r + 100 * world.rank + $0) }
      }
      guard told == (0..<world.size).map({ $0 + 2 * world.rank }), received == expected else { throw Deliberate() }
    }
    try world.barrier()
    if world.rank == 0 { print("all parts have come") }
    return 0
  case "late":
    // Rank 0 comes two seconds late to every kind of call: how much CPU time does it cost the others to wait?
    var most = 0.0
    for kind in 0..<4 {
      try world.barrier()
      let before = clock()
      if world.rank == 0 { sleep(2) }
      var word = Int64(1)
      switch kind {
      case 0: try world.sumInPlace(&word, count: 1)
      case 1: try world.barrier()
      case 2: _ = try world.broadcast(Array(repeating: UInt8(1), count: 1 << 20))
      default: _ = try world.reduce(Array(repeating: Int64(1), count: 1 << 17), .sum, to: .all)
      }
      most = max(most, Double(clock() - before) / Double(CLOCKS_PER_SEC))
    }
    let waits = try world.reduce([world.rank == 0 ? 0 : most], .maximum, to: .all)
    if world.rank == 0 { print(waits[0] < 0.5 ? "waits yield" : "a wait of 2 s took \(waits[0]) s of CPU time") }
    return 0
  case "throw":
    // One rank throws while the others wait in a collective: the job must end, not hang.
    if world.rank == min(1, world.size - 1) { throw Deliberate() }
    try world.barrier()
    return 0
  case "error":
    // A call that MPI itself refuses.
    world.pieceLength = 4
    if world.rank == 0 {
      _ = try world.reduce([Int64](repeating: 1, count: 8), .sum, to: .all)
    } else {
      _ = try world.reduce([Int64](repeating: 1, count: 8).map(Double.init), .bitwiseOr, to: .all)
    }
    return 0
  case "messages":
    // Rank r sends r + 2 q + 1 numbers to rank q, none to itself and none from rank 0 to rank 1.
    func count(_ r: Int, _ q: Int) -> Int { r == q || (r, q) == (0, 1) ? 0 : r + 2 * q + 1 }
    let (rank, ranks) = (world.rank, world.size)
    let counts = (0..<ranks).map { count(rank, $0) }
    let expected = (0..<ranks).map { count($0, rank) }
    var values: [Int64] = []
    for q in 0..<ranks { for k in 0..<counts[q] { values.append(Int64(10_000 * rank + 100 * q + k)) } }
    var received = Array(repeating: Int64(-1), count: expected.reduce(0, +) + 1)
    try received.withUnsafeMutableBufferPointer {
      try world.exchange(values + [0], counts: counts, expected: expected, into: $0.baseAddress!)
    }
    var right: [Int64] = []
    for r in 0..<ranks { for k in 0..<expected[r] { right.append(Int64(10_000 * r + 100 * rank + k)) } }
    right.append(-1)
    // Prefix sums, in pieces too; beyond 2^63 they wrap around.
    var prefixes = true
    for piece in [1 << 28, 2] {
      world.pieceLength = piece
      let sums = try world.sumBefore([Int64(rank) + 1, Int64.max, -3])
      prefixes = prefixes && sums == [Int64(rank * (rank + 1) / 2), Int64.max &* Int64(rank), Int64(-3 * rank)]
    }
    let wrong = try world.reduce([received == right && prefixes ? Int64(0) : 1], .sum, to: .all)
    if rank == 0 { print(wrong == [0] ? "all messages came" : "\(wrong[0]) ranks have others: \(received), \(right)") }
    return 0
  default: return 9
  }
}
exit(status)
