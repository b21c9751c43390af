// A small MPI program for BindingTests: exercises every call of MessagePassing and prints what rank 0 saw, or fails
// in the way that its argument names.
import MessagePassing

#if canImport(Glibc)
  import Glibc
#endif

struct Deliberate: Error {}

let mode = CommandLine.arguments.dropFirst().first ?? "calls"
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
  case "throw":
    // One rank throws while the others wait in a collective: the job must end, not hang.
    if world.rank == 1 { throw Deliberate() }
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
  default: return 9
  }
}
exit(status)
