import CMPI

#if canImport(Glibc)
  import Glibc
#endif

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
/// A rank that waits for others leaves its core to whatever else wants to run, after 50 microseconds.
///
/// Counts of MPI are Int32 here: longer arrays go in pieces.
public struct Communicator {
  /// nil in a process that is alone and has not started MPI.
  let handle: MPI_Comm?
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

  /// The only rank there is, without MPI.
  private init() { (handle, rank, size) = (nil, 0, 1) }

  static var alone: Communicator { Communicator() }

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
    guard handle != nil else { return result }
    try result.withUnsafeMutableBufferPointer { target in
      try values.withUnsafeBufferPointer { source in
        for (start, count) in pieces(values.count) {
          let from = UnsafeRawPointer(source.baseAddress! + start)
          let into = UnsafeMutableRawPointer(target.baseAddress! + start)
          switch destination {
          case .all:
            try complete(
              "MPI_Allreduce", "allreduce \(T.bytes(count)) \(count)", bytes: T.bytes(count),
              { MPI_Iallreduce(from, into, count, T.datatype, operation.handle, handle, &$0) },
              blocking: { MPI_Allreduce(from, into, count, T.datatype, operation.handle, handle) })
          case .root:
            try complete(
              "MPI_Reduce", "reduce \(T.bytes(count)) \(count) 0", bytes: T.bytes(count),
              { MPI_Ireduce(from, into, count, T.datatype, operation.handle, 0, handle, &$0) },
              blocking: { MPI_Reduce(from, into, count, T.datatype, operation.handle, 0, handle) })
          }
        }
      }
    }
    return result
  }

  /// The values of all ranks, rank by rank (MPI 3.1, section 5.7). Every rank must give as many elements.
  public func gatherAll<T: Transferable>(_ values: [T]) throws -> [T] {
    guard handle != nil else { return values }
    var result = Array(repeating: T.zero, count: values.count * size)
    for (start, count) in pieces(values.count) {
      var piece = Array(repeating: T.zero, count: Int(count) * size)
      try values.withUnsafeBufferPointer { source in
        try piece.withUnsafeMutableBufferPointer { target in
          let (from, into) = (source.baseAddress! + start, target.baseAddress!)
          try complete(
            "MPI_Allgather", "allgather \(T.bytes(count)) \(T.bytes(count))", bytes: T.bytes(count) * size,
            { MPI_Iallgather(from, count, T.datatype, into, count, T.datatype, handle, &$0) },
            blocking: { MPI_Allgather(from, count, T.datatype, into, count, T.datatype, handle) })
        }
      }
      for rank in 0..<size {
        for i in 0..<Int(count) { result[rank * values.count + start + i] = piece[rank * Int(count) + i] }
      }
    }
    return result
  }

  /// The values of rank 0 on every rank; their number travels first (MPI 3.1, section 5.4).
  public func broadcast<T: Transferable>(_ values: [T]) throws -> [T] {
    guard handle != nil else { return values }
    var count = Int64(values.count)
    try withUnsafeMutablePointer(to: &count) { try broadcast($0, 1, from: 0) }
    var result = rank == 0 ? values : Array(repeating: T.zero, count: Int(count))
    try result.withUnsafeMutableBufferPointer { buffer in
      for (start, count) in pieces(Int(count)) {
        try broadcast(buffer.baseAddress! + start, count, from: 0)
      }
    }
    return result
  }

  private func broadcast<T: Transferable>(_ buffer: UnsafeMutablePointer<T>, _ count: Int32, from owner: Int) throws {
    try complete(
      "MPI_Bcast", "bcast \(T.bytes(count)) \(owner)", bytes: T.bytes(count),
      { MPI_Ibcast(buffer, count, T.datatype, Int32(owner), handle, &$0) },
      blocking: { MPI_Bcast(buffer, count, T.datatype, Int32(owner), handle) })
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
          try broadcast(buffer + places[owner] + start, count, from: owner)
        }
      }
      return
    }
    // A nonblocking call reads the lists until its end.
    try counts.map(Int32.init).withUnsafeBufferPointer { lengths in
      try places.map(Int32.init).withUnsafeBufferPointer { starts in
        let (lengths, starts) = (lengths.baseAddress!, starts.baseAddress!)
        try complete(
          "MPI_Allgatherv",
          "allgatherv \(T.bytes(counts[rank])) " + counts.map { String(T.bytes($0)) }.joined(separator: " "),
          bytes: T.bytes(places.last!),
          {
            MPI_Iallgatherv(
              cmpi_in_place(), 0, T.datatype, buffer, lengths, starts, T.datatype, handle, &$0)
          },
          blocking: {
            MPI_Allgatherv(cmpi_in_place(), 0, T.datatype, buffer, lengths, starts, T.datatype, handle)
          })
      }
    }
  }

  /// Sums integers element by element, modulo 2^64, into the given words on every rank (MPI 3.1, section 5.9).
  public func sumInPlace(_ words: UnsafeMutablePointer<Int64>, count total: Int) throws {
    guard size > 1 else { return }
    for (start, count) in pieces(total) {
      let (name, bytes) = ("MPI_Allreduce", Int64.bytes(count))
      if bytes <= Self.shortSum {
        try call(name, "allreduce \(bytes) \(count)", shortSum(words + start, count))
        continue
      }
      let (type, sum) = (Int64.datatype, Operation.sum.handle)
      try complete(
        name, "allreduce \(bytes) \(count)", bytes: bytes,
        { MPI_Iallreduce(cmpi_in_place(), words + start, count, type, sum, handle, &$0) },
        blocking: { MPI_Allreduce(cmpi_in_place(), words + start, count, type, sum, handle) })
    }
  }

  /// Sends every rank its part of a buffer, part by part in order of rank, and takes what the others send to this one: rank by rank, to where `room` says when it is told the lengths
  /// (MPI 3.1, section 5.8). Longer ones than one call can carry go from rank to rank in pieces (section 3.10).
  public func exchange<T: Transferable>(
    _ parts: UnsafePointer<T>, counts: [Int], room: (_ counts: [Int]) -> UnsafeMutablePointer<T>
  ) throws {
    precondition(counts.count == size)
    guard handle != nil else { return room(counts).update(from: parts, count: counts[0]) }
    let sent = counts.map { Int64($0) }
    var told = Array(repeating: Int64(0), count: size)
    try sent.withUnsafeBufferPointer { source in
      try told.withUnsafeMutableBufferPointer { target in
        let (from, into) = (source.baseAddress!, target.baseAddress!)
        try complete("MPI_Alltoall", "alltoall \(Int64.bytes(1)) \(Int64.bytes(1))") {
          MPI_Ialltoall(from, 1, Int64.datatype, into, 1, Int64.datatype, handle, &$0)
        }
      }
    }
    let theirs = told.map { Int($0) }
    let longest = try reduce([Int64(max(counts.reduce(0, +), theirs.reduce(0, +)))], .maximum, to: .all)[0]
    let target = room(theirs)
    func places(_ counts: [Int]) -> [Int] { counts.indices.map { counts[..<$0].reduce(0, +) } }
    let (starts, ends) = (places(counts), places(theirs))
    if longest > pieceLength {
      for shift in 0..<size {
        let (to, from) = ((rank + shift) % size, (rank - shift + size) % size)
        let (out, into) = (pieces(counts[to]), pieces(theirs[from]))
        for i in 0..<max(out.count, into.count) {
          let nothing = (start: 0, count: Int32(0))
          let (there, here) = (i < out.count ? out[i] : nothing, i < into.count ? into[i] : nothing)
          try call(
            "MPI_Sendrecv", "sendRecv \(T.bytes(there.count)) \(to) \(T.bytes(here.count)) \(from)",
            MPI_Sendrecv(
              parts + starts[to] + there.start, there.count, T.datatype, i < out.count ? Int32(to) : cmpi_proc_null(),
              2,
              target + ends[from] + here.start, here.count, T.datatype, i < into.count ? Int32(from) : cmpi_proc_null(),
              2, handle, cmpi_status_ignore()))
        }
      }
      return
    }
    // A nonblocking call reads the lists until its end.
    try [counts, starts, theirs, ends].map { $0.map(Int32.init) }.withUnsafeBufferPointer { lists in
      try lists[0].withUnsafeBufferPointer { a in
        try lists[1].withUnsafeBufferPointer { b in
          try lists[2].withUnsafeBufferPointer { c in
            try lists[3].withUnsafeBufferPointer { d in
              let (a, b, c, d) = (a.baseAddress!, b.baseAddress!, c.baseAddress!, d.baseAddress!)
              func words(_ counts: [Int]) -> String {
                "\(T.bytes(counts.reduce(0, +))) " + counts.map { String(T.bytes($0)) }.joined(separator: " ")
              }
              try complete(
                "MPI_Alltoallv", "alltoallv \(words(counts)) \(words(theirs))", bytes: T.bytes(longest),
                { MPI_Ialltoallv(parts, a, b, T.datatype, target, c, d, T.datatype, handle, &$0) },
                blocking: { MPI_Alltoallv(parts, a, b, T.datatype, target, c, d, T.datatype, handle) })
            }
          }
        }
      }
    }
  }

  /// The bytes of every rank on rank 0, in order of rank; elsewhere nothing. Long messages go in pieces.
  public func gatherToRoot(_ bytes: [UInt8]) throws -> [[UInt8]] {
    let counts = try gatherAll([Int64(bytes.count)]).map(Int.init)
    if rank != 0 {
      try bytes.withUnsafeBufferPointer { buffer in
        for (start, count) in pieces(bytes.count) {
          try complete("MPI_Send", "send 0 1 \(count)") {
            MPI_Isend(buffer.baseAddress! + start, count, UInt8.datatype, 0, 1, handle, &$0)
          }
        }
      }
      return []
    }
    var result = [bytes]
    for source in 1..<max(size, 1) {
      var received = Array(repeating: UInt8.zero, count: counts[source])
      try received.withUnsafeMutableBufferPointer { buffer in
        for (start, count) in pieces(counts[source]) {
          try complete("MPI_Recv", "recv \(source) 1 \(count)") {
            MPI_Irecv(buffer.baseAddress! + start, count, UInt8.datatype, Int32(source), 1, handle, &$0)
          }
        }
      }
      result.append(received)
    }
    return result
  }

  /// The ranks that give the same color, in order of rank, as a communicator of their own (MPI 3.1, section 6.4).
  public func split(color: Int) throws -> Communicator {
    guard handle != nil else { return self }
    var made: MPI_Comm? = cmpi_comm_self()
    try check("MPI_Comm_split", MPI_Comm_split(handle, Int32(color), Int32(rank), &made))
    return try Communicator(handle: made!, trace: trace)
  }

  /// Waits for all (MPI 3.1, section 5.3).
  public func barrier() throws {
    guard handle != nil else { return }
    try complete("MPI_Barrier", "barrier") { MPI_Ibarrier(handle, &$0) }
  }

  /// Name of the processor this rank runs on (MPI 3.1, section 8.1.2); without MPI that of the host, which is what Open MPI calls it.
  public func processorName() throws -> String {
    var buffer = [CChar](repeating: 0, count: Int(MPI_MAX_PROCESSOR_NAME) + 1)
    if handle == nil {
      gethostname(&buffer, buffer.count - 1)
    } else {
      var length: Int32 = 0
      try check("MPI_Get_processor_name", MPI_Get_processor_name(&buffer, &length))
    }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  private func pieces(_ total: Int) -> [(start: Int, count: Int32)] {
    stride(from: 0, to: total, by: pieceLength).map { ($0, Int32(min(pieceLength, total - $0))) }
  }
}
