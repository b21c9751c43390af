/// Memory that begins at a border of the cache lines. `allocate` aligns to 16 bytes, and then every 64-byte vector lies across two
/// lines: a load or store of the inner loops costs twice as much.
extension UnsafeMutablePointer where Pointee: BinaryFloatingPoint {
  /// Uninitialised Room for `count` numbers; free it with `deallocate()`.
  @inlinable
  public static func allocateAligned(capacity: Int) -> UnsafeMutablePointer<Pointee> {
    UnsafeMutableRawPointer.allocate(byteCount: Swift.max(capacity, 1) * MemoryLayout<Pointee>.stride, alignment: 64)
      .bindMemory(to: Pointee.self, capacity: Swift.max(capacity, 1))
  }

  /// The same, filled with zeros.
  @inlinable
  public static func allocateZeros(_ count: Int) -> UnsafeMutablePointer<Pointee> {
    let room = allocateAligned(capacity: count)
    room.initialize(repeating: 0, count: Swift.max(count, 1))
    return room
  }
}

/// Room for `count` numbers during a call.
@inlinable @inline(__always)
public func withAlignedRoom(_ capacity: Int, _ body: (UnsafeMutablePointer<Double>) -> Void) {
  withUnsafeTemporaryAllocation(byteCount: capacity &* 8, alignment: 64) { room in
    body(room.baseAddress!.bindMemory(to: Double.self, capacity: capacity))
  }
}
