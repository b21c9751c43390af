/// Finds the particle that a pointer into the cumulative weights meets, in a few comparisons: cumulative weights, and a guide to them by the leading bits of the pointer.
public final class SelectionTable {
  private let ends: UnsafeMutablePointer<UInt64>
  private let guide: UnsafeMutablePointer<Int32>
  private var shift: UInt64 = 0
  /// Sum of the weights.
  public private(set) var total: UInt64 = 0

  /// - Parameter capacity: the most particles.
  public init(capacity: Int) {
    ends = .allocate(capacity: max(capacity, 1))
    guide = .allocate(capacity: 2 * capacity + 3)
  }

  deinit {
    ends.deallocate()
    guide.deallocate()
  }

  /// Takes the weights of a part.
  public func fill(_ weights: UnsafePointer<UInt64>, _ count: Int) {
    total = 0
    for i in 0..<count {
      total &+= weights[i]
      ends[i] = total
    }
    guard total > 0 else { return }
    // At most 2 count + 1 places.
    shift = 0
    while total >> shift > 2 * UInt64(count) { shift += 1 }
    // A particle is the first for the leading bits that lie from the end before it to its own; of several that begin at one place the last writes, and those without a place of their own take the one before.
    let (places, rest) = (Int(total >> shift) + 1, UInt64(1) << shift - 1)
    guide.update(repeating: 0, count: places + 1)
    var start = 0
    for i in 0..<count {
      guide[start] = Int32(truncatingIfNeeded: i)
      start = Int(truncatingIfNeeded: (ends[i] &+ rest) >> shift)
    }
    RunningMaximum.fill(guide, places, from: 0)
  }

  /// The particle whose interval holds the pointer.
  /// - Parameter pointer: below `total`.
  @inline(__always)
  public func find(_ pointer: UInt64) -> Int {
    var place = Int(guide[Int(truncatingIfNeeded: pointer >> shift)])
    // Nearly always enough, and without a jump that the CPU would have to guess.
    place &+= ends[place] <= pointer ? 1 : 0
    place &+= ends[place] <= pointer ? 1 : 0
    while ends[place] <= pointer { place &+= 1 }
    return place
  }
}
