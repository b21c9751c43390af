#if canImport(Glibc)
  import Glibc
#endif

/// Memory that begins at a border of the cache lines. `allocate` aligns to 16 bytes, and then every 64-byte vector lies across two
/// lines: a load or store of the inner loops costs twice as much. Of 2 MB and more it begins at a border of large pages, which are asked
/// for: where a loop jumps about in it, most of the time goes into finding small pages.
extension UnsafeMutablePointer where Pointee: BinaryFloatingPoint {
  /// Uninitialised room for `count` numbers; free it with `deallocate()`.
  @inlinable
  public static func allocateAligned(capacity: Int) -> UnsafeMutablePointer<Pointee> {
    Aligned.allocate(byteCount: Swift.max(capacity, 1) * MemoryLayout<Pointee>.stride)
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

/// The same of any type.
public enum Aligned {
  /// A large page.
  private static let page = 1 << 21

  /// Free it with `deallocate()`.
  public static func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
    guard byteCount >= page else { return .allocate(byteCount: byteCount, alignment: 64) }
    let room = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: page)
    #if os(Linux)
      // Advice: without large pages small ones do.
      _ = madvise(room, byteCount, MADV_HUGEPAGE)
    #endif
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
