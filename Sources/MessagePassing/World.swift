import CMPI

#if canImport(Glibc)
  import Glibc
#endif

/// The life of MPI in a process, scoped to one call (MPI 3.1, section 8.7).
///
///     let status = World.run { world in
///       let sum = try world.reduce([Int64(world.rank)], .sum, to: .all)
///       return 0
///     }
///     exit(status)
public enum World {
  /// Initialises MPI (thread level FUNNELED, errors returned), runs `body` and finalises.
  ///
  /// An error that leaves `body` ends the whole job by `MPI_Abort`, with this process's rank and the error
  /// on standard error: unwinding to `MPI_Finalize` would hang while other ranks wait in a collective. What all
  /// ranks know to have failed, `body` handles itself and returns as its status.
  public static func run(abortStatus: Int32 = 70, _ body: (Communicator) throws -> Int32) -> Int32 {
    var provided: Int32 = 0
    let code = MPI_Init_thread(nil, nil, Int32(MPI_THREAD_FUNNELED), &provided)
    guard code == MPI_SUCCESS else {
      complain("MPI_Init_thread failed with code \(code)")
      return abortStatus
    }
    cmpi_wake_promptly()
    do {
      try check("MPI_Comm_set_errhandler", MPI_Comm_set_errhandler(cmpi_comm_world(), cmpi_errors_return()))
      try check("MPI_Comm_set_errhandler", MPI_Comm_set_errhandler(cmpi_comm_self(), cmpi_errors_return()))
      var world = try Communicator(handle: cmpi_comm_world())
      if let folder = getenv("FATHOM_TRACE") {
        world.trace = try Trace(folder: String(cString: folder), rank: world.rank, ranks: world.size)
      }
      let status = try body(world)
      world.trace?.close()
      try check("MPI_Finalize", MPI_Finalize())
      return status
    } catch {
      var rank: Int32 = -1
      MPI_Comm_rank(cmpi_comm_world(), &rank)
      complain("rank \(rank): \(error)")
      MPI_Abort(cmpi_comm_world(), abortStatus)
      return abortStatus
    }
  }

  private static func complain(_ message: String) {
    let line = Array("fathom: \(message)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
  }
}
