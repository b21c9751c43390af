import CMPI

/// Prefix sums, and messages of every rank to every rank.
extension Communicator {
  /// The sums over the ranks before this one, element by element, integers modulo 2^64; zeros on rank 0 (MPI 3.1, section 5.11.2). Every rank must give as many elements.
  public func sumBefore(_ values: [Int64]) throws -> [Int64] {
    // MPI leaves the result of rank 0 undefined.
    var result = Array(repeating: Int64.zero, count: values.count)
    guard size > 1 else { return result }
    try result.withUnsafeMutableBufferPointer { target in
      try values.withUnsafeBufferPointer { source in
        for (start, count) in pieces(values.count) {
          let (from, into, bytes) = (source.baseAddress! + start, target.baseAddress! + start, Int64.bytes(count))
          let (type, sum) = (Int64.datatype, Operation.sum.handle)
          try complete(
            "MPI_Exscan", "exscan \(bytes) \(count)", bytes: bytes,
            { MPI_Iexscan(from, into, count, type, sum, handle, &$0) },
            blocking: { MPI_Exscan(from, into, count, type, sum, handle) })
        }
      }
    }
    return rank == 0 ? values.map { _ in 0 } : result
  }

  /// Sends `counts[r]` elements to rank r, those of `values` in order of rank, and writes into `received` what all ranks sent here, in their order (MPI 3.1, section 5.8).
  ///
  /// No rank may send or receive 2^31 elements or more: that throws, on this rank, before anything is sent.
  /// - Parameters:
  ///   - expected: how many elements each rank sends here.
  ///   - received: room for all of them.
  public func exchange<T: Transferable>(
    _ values: UnsafePointer<T>, counts: [Int], expected: [Int], into received: UnsafeMutablePointer<T>
  ) throws {
    precondition(counts.count == size && expected.count == size)
    guard size > 1 else {
      precondition(counts == expected)
      return received.update(from: values, count: counts[0])
    }
    let (sent, got) = (counts.reduce(0, +), expected.reduce(0, +))
    guard sent <= Int(Int32.max), got <= Int(Int32.max) else { throw ExchangeError(sent: sent, received: got) }
    func places(_ counts: [Int]) -> [Int32] {
      var place: Int32 = 0
      return counts.map { count in
        defer { place += Int32(count) }
        return place
      }
    }
    // A nonblocking call reads the lists until its end.
    let (starts, lengths) = (places(counts), counts.map { Int32($0) })
    let (ownStarts, ownLengths) = (places(expected), expected.map { Int32($0) })
    try starts.withUnsafeBufferPointer { starts in
      try lengths.withUnsafeBufferPointer { lengths in
        try ownStarts.withUnsafeBufferPointer { ownStarts in
          try ownLengths.withUnsafeBufferPointer { ownLengths in
            let (a, b) = (lengths.baseAddress!, starts.baseAddress!)
            let (c, d) = (ownLengths.baseAddress!, ownStarts.baseAddress!)
            func sizes(_ counts: [Int]) -> String { counts.map { String(T.bytes($0)) }.joined(separator: " ") }
            try complete(
              "MPI_Alltoallv", "alltoallv \(T.bytes(sent)) \(sizes(counts)) \(T.bytes(got)) \(sizes(expected))"
            ) { MPI_Ialltoallv(values, a, b, T.datatype, received, c, d, T.datatype, handle, &$0) }
          }
        }
      }
    }
  }
}

/// More than one call of MPI can carry.
public struct ExchangeError: Error, CustomStringConvertible {
  let sent, received: Int
  public var description: String {
    "MPI_Alltoallv: a rank sends \(sent) elements and receives \(received); at most \(Int32.max) of each"
  }
}
