import CMPI

// What C calls a handle is a pointer with Open MPI, of which C does not say that it is never null, and a number with MPICH.
#if FATHOM_MPICH
  typealias CommunicatorHandle = MPI_Comm
  typealias RequestHandle = MPI_Request
#else
  typealias CommunicatorHandle = MPI_Comm?
  typealias RequestHandle = MPI_Request?
#endif

/// The MPI library that a program was built with. Its ranks must be started by the launcher of that library, or by one that speaks its
/// protocol.
public enum Implementation: Sendable, CaseIterable {
  case openMPI
  /// MPICH and the libraries that share its header.
  case mpich

  public static var current: Implementation {
    #if FATHOM_MPICH
      .mpich
    #else
      .openMPI
    #endif
  }

  public var name: String { self == .openMPI ? "Open MPI" : "MPICH" }

  /// Its launcher, with the name that Debian gives it where several are installed.
  public var launcher: String {
    self == .openMPI
      ? "the mpirun of Open MPI (mpirun.openmpi on Debian)" : "the mpiexec of MPICH (mpiexec.mpich on Debian)"
  }

  /// The variable in which its launcher tells a process how many ranks there are.
  public var sizeVariable: String { self == .openMPI ? "OMPI_COMM_WORLD_SIZE" : "PMI_SIZE" }
}
