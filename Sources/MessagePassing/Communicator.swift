import CMPI

/// A type that MPI can carry.
public protocol Transferable: BitwiseCopyable {
  static var zero: Self { get }
  static var datatype: MPI_Datatype { get }
}

extension Transferable {
  static func bytes(_ count: some BinaryInteger) -> Int { Int(count) * MemoryLayout<Self>.size }
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

  var trace: Trace?

  init(handle: MPI_Comm, trace: Trace? = nil) throws {
    self.handle = handle
    self.trace = trace
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
            try call(
              "MPI_Allreduce", "allreduce \(T.bytes(count)) \(count)",
              MPI_Allreduce(from, into, count, T.datatype, operation.handle, handle))
          case .root:
            try call(
              "MPI_Reduce", "reduce \(T.bytes(count)) \(count) 0",
              MPI_Reduce(from, into, count, T.datatype, operation.handle, 0, handle))
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
        try call(
          "MPI_Allgather", "allgather \(T.bytes(count)) \(T.bytes(count))",
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
    try call("MPI_Bcast", "bcast 8 0", MPI_Bcast(&count, 1, Int64.datatype, 0, handle))
    var result = rank == 0 ? values : Array(repeating: T.zero, count: Int(count))
    try result.withUnsafeMutableBufferPointer { buffer in
      for (start, count) in pieces(Int(count)) {
        try call(
          "MPI_Bcast", "bcast \(T.bytes(count)) 0",
          MPI_Bcast(buffer.baseAddress! + start, count, T.datatype, 0, handle))
      }
    }
    return result
  }

  /// The values of all ranks, rank by rank, on every rank; ranks may give different numbers of them.
  public func gatherAllVarying<T: Transferable>(_ values: [T]) throws -> [[T]] {
    let counts = try gatherAll([Int64(values.count)]).map(Int.init)
    var places = [0]
    for count in counts { places.append(places.last! + count) }
    var result = Array(repeating: T.zero, count: max(places.last!, 1))
    for i in values.indices { result[places[rank] + i] = values[i] }
    try result.withUnsafeMutableBufferPointer { try gatherInPlace($0.baseAddress!, counts: counts) }
    return (0..<size).map { Array(result[places[$0]..<places[$0 + 1]]) }
  }

  /// Fills a buffer whose part of this rank is set with the parts of all ranks, one after another (MPI 3.1, section 5.7).
  public func gatherInPlace<T: Transferable>(_ buffer: UnsafeMutablePointer<T>, counts: [Int]) throws {
    guard size > 1 else { return }
    precondition(counts.count == size)
    var places = [0]
    for count in counts { places.append(places.last! + count) }
    guard places.last! < Int(Int32.max) else {
      // Longer than one call can carry: each part is broadcast by its owner.
      for owner in 0..<size {
        for (start, count) in pieces(counts[owner]) {
          let place = buffer + places[owner] + start
          try call(
            "MPI_Bcast", "bcast \(T.bytes(count)) \(owner)",
            MPI_Bcast(place, count, T.datatype, Int32(owner), handle))
        }
      }
      return
    }
    try call(
      "MPI_Allgatherv",
      "allgatherv \(T.bytes(counts[rank])) " + counts.map { String(T.bytes($0)) }.joined(separator: " "),
      MPI_Allgatherv(
        cmpi_in_place(), 0, T.datatype, buffer, counts.map(Int32.init), places.dropLast().map(Int32.init), T.datatype,
        handle))
  }

  /// Sums element by element into the given words, on every rank (MPI 3.1, section 5.9).
  public func sumInPlace<T: Transferable>(_ words: UnsafeMutablePointer<T>, count total: Int) throws {
    guard size > 1 else { return }
    for (start, count) in pieces(total) {
      try call(
        "MPI_Allreduce", "allreduce \(T.bytes(count)) \(count)",
        MPI_Allreduce(cmpi_in_place(), words + start, count, T.datatype, Operation.sum.handle, handle))
    }
  }

  /// The bytes of every rank on rank 0, in order of rank; elsewhere nothing. Long messages go in pieces.
  public func gatherToRoot(_ bytes: [UInt8]) throws -> [[UInt8]] {
    let counts = try gatherAll([Int64(bytes.count)]).map(Int.init)
    if rank != 0 {
      try bytes.withUnsafeBufferPointer { buffer in
        for (start, count) in pieces(bytes.count) {
          try call(
            "MPI_Send", "send 0 1 \(count)", MPI_Send(buffer.baseAddress! + start, count, UInt8.datatype, 0, 1, handle))
        }
      }
      return []
    }
    var result = [bytes]
    for source in 1..<max(size, 1) {
      var received = Array(repeating: UInt8.zero, count: counts[source])
      try received.withUnsafeMutableBufferPointer { buffer in
        for (start, count) in pieces(counts[source]) {
          try call(
            "MPI_Recv", "recv \(source) 1 \(count)",
            MPI_Recv(
              buffer.baseAddress! + start, count, UInt8.datatype, Int32(source), 1, handle, cmpi_status_ignore()))
        }
      }
      result.append(received)
    }
    return result
  }

  /// The ranks that give the same color, in order of rank, as a communicator of their own (MPI 3.1, section 6.4).
  public func split(color: Int) throws -> Communicator {
    var made: MPI_Comm? = cmpi_comm_self()
    try check("MPI_Comm_split", MPI_Comm_split(handle, Int32(color), Int32(rank), &made))
    return try Communicator(handle: made!, trace: trace)
  }

  /// Waits for all (MPI 3.1, section 5.3).
  public func barrier() throws { try call("MPI_Barrier", "barrier", MPI_Barrier(handle)) }

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
