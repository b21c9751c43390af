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

  /// Sends every rank its part of a buffer, part by part in order of rank, and takes what the others send to this one: rank by rank, to where `room` says when it is told the lengths
  /// (MPI 3.1, section 5.8). Longer ones than one call can carry go from rank to rank in pieces (section 3.10).
  public func exchange<T: Transferable>(
    _ parts: UnsafePointer<T>, counts: [Int], room: (_ counts: [Int]) -> UnsafeMutablePointer<T>
  ) throws {
    precondition(counts.count == size)
    guard size > 1 else { return room(counts).update(from: parts, count: counts[0]) }
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

  /// The same where the lengths of what comes are known.
  /// - Parameters:
  ///   - expected: how many elements each rank sends here.
  ///   - received: room for all of them.
  public func exchange<T: Transferable>(
    _ parts: UnsafePointer<T>, counts: [Int], expected: [Int], into received: UnsafeMutablePointer<T>
  ) throws {
    try exchange(parts, counts: counts) { told in
      precondition(told == expected, "expected \(expected) elements, and \(told) come")
      return received
    }
  }
}
