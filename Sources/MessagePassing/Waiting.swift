import CMPI

#if canImport(Glibc)
  import Glibc
#endif

/// Waits for other ranks without keeping a core from other processes.
///
/// A blocking call of Open MPI spins until the last rank has come. Where other processes want the same cores, the rank that is waited
/// for may be off its core for milliseconds, and the spinning uses up the share of the rank that spins. So calls are started (MPI 3.1,
/// sections 3.7 and 5.12) and asked for: at first without a pause, then between short sleeps. A sleep is a thirty-second part of
/// the wait so far, so that on a quiet machine the end of a wait is seen late by about as much at most. It is not `sched_yield`: beside
/// a busy process a yield may give up a whole slice of milliseconds, after which the other rank waits in its turn.
enum Wait {
  /// Nanoseconds without a pause: longer than ranks of the same speed wait for each other.
  static let spinning: Int64 = 50_000
  static let shortestSleep: Int64 = 5_000
  static let longestSleep: Int64 = 500_000

  /// From this many bytes on the blocking algorithms are faster; the ranks meet before them.
  static let longMessage = 1 << 16

  private static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }

  /// Returns when a request is complete, with the code of the call that said so.
  static func finish(_ request: inout RequestHandle) -> Int32 {
    var isComplete: Int32 = 0
    var start: Int64?
    while true {
      // Two tests for each look at the clock. No more: with more ranks than cores Open MPI yields in each of them.
      for _ in 0..<2 {
        let code = MPI_Test(&request, &isComplete, cmpi_status_ignore())
        if code != MPI_SUCCESS || isComplete != 0 { return code }
      }
      guard let start else {
        start = now()
        continue
      }
      let waited = now() &- start
      guard waited >= spinning else { continue }
      var pause = timespec(tv_sec: 0, tv_nsec: Int(min(max(waited / 32, shortestSleep), longestSleep)))
      nanosleep(&pause, nil)
    }
  }
}

extension Communicator {
  /// Starts an MPI call and waits for its end. Errors and traces name the call by its blocking form.
  ///
  /// - Parameter action: how SimGrid names it, with sizes.
  func complete(
    _ name: String, _ action: @autoclosure () -> String, _ start: (inout RequestHandle) -> Int32
  ) throws {
    try call(name, action(), finish(start))
  }

  /// Makes a collective call that moves a given number of bytes, as many on every rank: a short one by its nonblocking form, a long one by its
  /// blocking form once all ranks are there.
  func complete(
    _ name: String, _ action: @autoclosure () -> String, bytes: Int, _ start: (inout RequestHandle) -> Int32,
    blocking: () -> Int32
  ) throws {
    if size == 1 { return try call(name, action(), blocking()) }
    if bytes < Wait.longMessage { return try call(name, action(), finish(start)) }
    try call(name, action(), meet(before: blocking))
  }

  func finish(_ start: (inout RequestHandle) -> Int32) -> Int32 {
    var request: RequestHandle = cmpi_request_null()
    let code = start(&request)
    return code == MPI_SUCCESS ? Wait.finish(&request) : code
  }

  private func meet(before blocking: () -> Int32) -> Int32 {
    let code = finish { MPI_Ibarrier(handle, &$0) }
    return code == MPI_SUCCESS ? blocking() : code
  }
}
