import MessagePassing

/// Counts the points of a fine grid that lie in the unit circle, each rank its share of the rows, and prints pi.
func estimatePi(side: Int) -> Int32 {
  World.run { world in
    // What the user asked for is known to rank 0; an empty array elsewhere.
    let told = try world.broadcast(world.rank == 0 ? [Int64(side)] : [])
    let side = Int(told[0])
    var inside = Int64(0)
    for row in stride(from: world.rank, to: side, by: world.size) {
      for column in 0..<side where row * row + column * column < side * side { inside += 1 }
    }
    // Integers: the sum is the same on any number of ranks, to the last bit.
    let sum = try world.reduce([inside], .sum, to: .root)
    if world.rank == 0 { print("pi is about \(4 * Double(sum[0]) / Double(side * side))") }
    return 0
  }
}
