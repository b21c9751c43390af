#if canImport(Glibc)
  import Glibc
#endif

/// The MPI calls of a rank and the CPU time between them, as a time-independent trace that SimGrid's SMPI replays
/// (`smpirun -replay`): what a program would do on a machine that one has not got. FATHOM_TRACE names the folder.
///
/// Sizes are in bytes, computation in nanoseconds. Only calls over the whole world are recorded.
final class Trace {
  /// nil once closed: copies of the communicator may live longer.
  private var file: UnsafeMutablePointer<FILE>?
  private let rank: Int
  let ranks: Int
  private var last: UInt64

  init(folder: String, rank: Int, ranks: Int) throws {
    let path = "\(folder)/rank-\(rank).trace"
    guard let file = fopen(path, "w") else {
      throw TraceError(description: "FATHOM_TRACE: cannot write \(path): \(String(cString: strerror(errno)))")
    }
    (self.file, self.rank, self.ranks) = (file, rank, ranks)
    last = Self.now()
    fputs("\(rank) init\n", file)
  }

  private static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  func record(_ action: String, _ call: () -> Int32) -> Int32 {
    guard let file else { return call() }
    fputs("\(rank) compute \(Self.now() - last)\n\(rank) \(action)\n", file)
    defer { last = Self.now() }
    return call()
  }

  func close() {
    guard let file else { return }
    self.file = nil
    fputs("\(rank) compute \(Self.now() - last)\n\(rank) finalize\n", file)
    fclose(file)
  }
}

struct TraceError: Error, CustomStringConvertible {
  let description: String
}

extension Communicator {
  /// Makes an MPI call; throws unless it succeeds. `action`: how SimGrid names it, with sizes.
  func call(_ name: String, _ action: @autoclosure () -> String, _ body: @autoclosure () -> Int32) throws {
    guard let trace, trace.ranks == size else { return try check(name, body()) }
    try check(name, trace.record(action()) { body() })
  }
}
