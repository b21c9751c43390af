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
  /// Variables that launchers of MPI programs set, by their beginnings: Open MPI and PMIx, PMI (MPICH, Intel, Cray), MVAPICH, Slurm,
  /// Flux, PALS and jsrun.
  private static let launchers = [
    "OMPI_COMM_WORLD_", "PMIX_", "PMI_", "MPI_LOCAL", "MV2_COMM_WORLD_", "SLURM_PROCID=", "FLUX_TASK_RANK=", "PALS_",
    "JSM_",
  ]

  /// Whether nothing in the environment says that there may be other ranks. A trace is one of calls, so MPI makes them.
  static var isAlone: Bool {
    guard var entry = cmpi_environment() else { return true }
    while let text = entry.pointee {
      if strncmp(text, "FATHOM_TRACE=", 13) == 0 || launchers.contains(where: { strncmp(text, $0, $0.utf8.count) == 0 })
      {
        return false
      }
      entry += 1
    }
    return true
  }

  /// A process that no launcher started is a world of one rank and does without MPI, whose start takes longer than many a job. Otherwise:
  ///
  /// Initialises MPI (thread level FUNNELED, errors returned), runs `body` and finalises.
  ///
  /// An error that leaves `body` ends the whole job by `MPI_Abort`, with this process's rank and the error
  /// on standard error: unwinding to `MPI_Finalize` would hang while other ranks wait in a collective. What all
  /// ranks know to have failed, `body` handles itself and returns as its status.
  public static func run(abortStatus: Int32 = 70, _ body: (Communicator) throws -> Int32) -> Int32 {
    if isAlone {
      do { return try body(.alone) } catch {
        complain("rank 0: \(error)")
        return abortStatus
      }
    }
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
