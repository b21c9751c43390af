import CMPI

/// Sums of a few integers on every rank by recursive doubling, in messages of this program's own: the nonblocking collectives of Open MPI
/// take two to three times as long as the blocking ones for so little, and coupled particles need one a step. The order of an
/// integer sum does not matter.
extension Communicator {
  /// Up to this many bytes.
  static let shortSum = 1 << 12
  private static let tag: Int32 = 2

  func shortSum(_ words: UnsafeMutablePointer<Int64>, _ count: Int32) -> Int32 {
    withUnsafeTemporaryAllocation(of: Int64.self, capacity: Int(count)) { buffer in
      let others = buffer.baseAddress!
      // The largest power of two, and the ranks beyond: each of these hands its words to a neighbour and hears the sum from it.
      var power = 1
      while 2 * power <= size { power *= 2 }
      let extra = size - power
      if rank < 2 * extra && rank % 2 == 0 {
        let code = send(words, count, to: rank + 1)
        return code == MPI_SUCCESS ? receive(words, count, from: rank + 1) : code
      }
      if rank < 2 * extra {
        let code = receive(others, count, from: rank - 1)
        guard code == MPI_SUCCESS else { return code }
        add(others, to: words, count)
      }
      let place = rank < 2 * extra ? rank / 2 : rank - extra
      var distance = 1
      while distance < power {
        let other = place ^ distance
        let code = exchange(words, others, count, with: other < extra ? 2 * other + 1 : other + extra)
        guard code == MPI_SUCCESS else { return code }
        add(others, to: words, count)
        distance *= 2
      }
      return rank < 2 * extra ? send(words, count, to: rank - 1) : MPI_SUCCESS
    }
  }

  private func add(_ others: UnsafePointer<Int64>, to words: UnsafeMutablePointer<Int64>, _ count: Int32) {
    for i in 0..<Int(count) { words[i] &+= others[i] }
  }

  private func send(_ words: UnsafePointer<Int64>, _ count: Int32, to other: Int) -> Int32 {
    finish { MPI_Isend(words, count, Int64.datatype, Int32(other), Self.tag, handle, &$0) }
  }

  private func receive(_ words: UnsafeMutablePointer<Int64>, _ count: Int32, from other: Int) -> Int32 {
    finish { MPI_Irecv(words, count, Int64.datatype, Int32(other), Self.tag, handle, &$0) }
  }

  private func exchange(
    _ mine: UnsafePointer<Int64>, _ theirs: UnsafeMutablePointer<Int64>, _ count: Int32, with other: Int
  ) -> Int32 {
    var incoming: RequestHandle = cmpi_request_null()
    var outgoing: RequestHandle = cmpi_request_null()
    var code = MPI_Irecv(theirs, count, Int64.datatype, Int32(other), Self.tag, handle, &incoming)
    guard code == MPI_SUCCESS else { return code }
    code = MPI_Isend(mine, count, Int64.datatype, Int32(other), Self.tag, handle, &outgoing)
    guard code == MPI_SUCCESS else { return code }
    code = Wait.finish(&incoming)
    return code == MPI_SUCCESS ? Wait.finish(&outgoing) : code
  }
}
