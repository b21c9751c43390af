import CMPI

/// A type that MPI can carry.
public protocol Transferable: BitwiseCopyable {
  static var zero: Self { get }
  static var datatype: MPI_Datatype { get }
}

extension Int64: Transferable { public static var datatype: MPI_Datatype { cmpi_int64() } }
extension Double: Transferable { public static var datatype: MPI_Datatype { cmpi_double() } }
extension UInt8: Transferable { public static var datatype: MPI_Datatype { cmpi_byte() } }

/// A group of processes (MPI 3.1, chapter 6). All methods but the properties are collective.
///
/// Counts of MPI are Int32 here: longer arrays go in pieces.
public struct Communicator {
  let handle: MPI_Comm
  public let rank: Int
  public let size: Int

  /// Longest piece of one call, in elements. Small in tests of the chunking only.
  public var pieceLength = 1 << 28

  init(handle: MPI_Comm) throws {
    self.handle = handle
    var value: Int32 = 0
    try check("MPI_Comm_rank", MPI_Comm_rank(handle, &value))
    rank = Int(value)
    try check("MPI_Comm_size", MPI_Comm_size(handle, &value))
    size = Int(value)
  }

  public enum Destination: Sendable {
    /// Every process gets the result.
    case all
    /// Rank 0 gets the result; elsewhere it is undefined.
    case root
  }

  public enum Operation: Sendable {
    case sum, maximum, minimum, bitwiseOr

    var handle: MPI_Op {
      switch self {
      case .sum: cmpi_sum()
      case .maximum: cmpi_max()
      case .minimum: cmpi_min()
      case .bitwiseOr: cmpi_bor()
      }
    }
  }

  /// Element-wise reduction (MPI 3.1, section 5.9). Every rank must give as many elements.
  public func reduce<T: Transferable>(_ values: [T], _ operation: Operation, to destination: Destination) throws -> [T]
  {
    var result = values
    try result.withUnsafeMutableBufferPointer { target in
      try values.withUnsafeBufferPointer { source in
        for (start, count) in pieces(values.count) {
          let from = UnsafeRawPointer(source.baseAddress! + start)
          let into = UnsafeMutableRawPointer(target.baseAddress! + start)
          switch destination {
          case .all:
            try check("MPI_Allreduce", MPI_Allreduce(from, into, count, T.datatype, operation.handle, handle))
          case .root:
            try check("MPI_Reduce", MPI_Reduce(from, into, count, T.datatype, operation.handle, 0, handle))
          }
        }
      }
    }
    return result
  }

  /// The values of all ranks, rank by rank (MPI 3.1, section 5.7). Every rank must give as many elements.
  public func gatherAll<T: Transferable>(_ values: [T]) throws -> [T] {
    var result = Array(repeating: T.zero, count: values.count * size)
    for (start, count) in pieces(values.count) {
      var piece = Array(repeating: T.zero, count: Int(count) * size)
      try values.withUnsafeBufferPointer { source in
        try check(
          "MPI_Allgather",
          MPI_Allgather(source.baseAddress! + start, count, T.datatype, &piece, count, T.datatype, handle))
      }
      for rank in 0..<size {
        for i in 0..<Int(count) { result[rank * values.count + start + i] = piece[rank * Int(count) + i] }
      }
    }
    return result
  }

  /// The values of rank 0 on every rank; their number travels first (MPI 3.1, section 5.4).
  public func broadcast<T: Transferable>(_ values: [T]) throws -> [T] {
    var count = Int64(values.count)
    try check("MPI_Bcast", MPI_Bcast(&count, 1, Int64.datatype, 0, handle))
    var result = rank == 0 ? values : Array(repeating: T.zero, count: Int(count))
    try result.withUnsafeMutableBufferPointer { buffer in
      for (start, count) in pieces(Int(count)) {
        try check("MPI_Bcast", MPI_Bcast(buffer.baseAddress! + start, count, T.datatype, 0, handle))
      }
    }
    return result
  }

  /// Waits for all (MPI 3.1, section 5.3).
  public func barrier() throws { try check("MPI_Barrier", MPI_Barrier(handle)) }

  /// Name of the processor this rank runs on (MPI 3.1, section 8.1.2).
  public static func processorName() throws -> String {
    var buffer = [CChar](repeating: 0, count: Int(MPI_MAX_PROCESSOR_NAME) + 1)
    var length: Int32 = 0
    try check("MPI_Get_processor_name", MPI_Get_processor_name(&buffer, &length))
    return String(decoding: buffer.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  private func pieces(_ total: Int) -> [(start: Int, count: Int32)] {
    stride(from: 0, to: total, by: pieceLength).map { ($0, Int32(min(pieceLength, total - $0))) }
  }
}
