import Foundation
import Support
import Testing

@Suite struct MessagePassingTests {
  private func probe(_ mode: String, ranks: Int) throws -> Shell.Result {
    let folder = try Shell.temporaryFolder()
    defer { Shell.cleanUp(folder) }
    return try Shell.run(Shell.launch("mpi-probe", ranks: ranks, [mode]), in: folder)
  }

  @Test(arguments: [0, 1, 3])
  func everyCall(ranks: Int) throws {
    let result = try probe("calls", ranks: ranks)
    let n = max(ranks, 1)
    let base = (0..<8).map { Int64($0) }
    let sum = base.map { Int64(n) * $0 + 10 * Int64(n * (n - 1) / 2) }
    let top = base.map { $0 + 10 * Int64(n - 1) }
    let all = (0..<n).flatMap { rank in base.map { $0 + Int64(10 * rank) } }
    let line = "\(sum) \(top) \(base.map(Double.init)) [\((1 << n) - 1)] \(all) hello there \((0..<n).map { 4 * $0 })"
    #expect(result.status == 0 && !result.timedOut)
    #expect(result.output == line + "\n" + line + "\n", "\(result.output)\(result.error)")
  }

  @Test(arguments: [0, 1, 2, 3, 7])
  func everyPartComes(ranks: Int) throws {
    let result = try probe("exchange", ranks: ranks)
    #expect(result.status == 0 && result.output == "all parts have come\n", "\(result.output)\(result.error)")
  }

  @Test(arguments: [1, 2, 3, 5, 7, 8])
  func everySize(ranks: Int) throws {
    let result = try probe("sizes", ranks: ranks)
    #expect(result.status == 0 && result.output == "all sums are right\n", "\(result.output)\(result.error)")
  }

  @Test(arguments: [0, 1, 2, 3, 5])
  func everyRankToEveryRank(ranks: Int) throws {
    let result = try probe("messages", ranks: ranks)
    #expect(result.status == 0 && result.output == "all messages came\n", "\(result.output)\(result.error)")
  }

  /// A rank that waits leaves its core to others.
  @Test func waitsYield() throws {
    let result = try probe("late", ranks: 2)
    #expect(result.status == 0 && result.output == "waits yield\n", "\(result.output)\(result.error)")
  }

  @Test(arguments: [0, 3]) func anErrorOnOneRankEndsTheJob(ranks: Int) throws {
    let result = try probe("throw", ranks: ranks)
    #expect(!result.timedOut && result.status == 70)
    #expect(result.error.contains("rank \(min(1, ranks)): Deliberate()"), "\(result.error)")
  }

  @Test func errorsCarryCallAndClass() throws {
    let result = try probe("error", ranks: 2)
    #expect(!result.timedOut && result.status == 70)
    #expect(
      result.error.contains("MPI_Allreduce failed with code") && result.error.contains("class"), "\(result.error)")
  }

  /// What SimGrid is to replay: every call with its size in bytes, and the time between.
  @Test func callsAreRecorded() throws {
    let folder = try Shell.temporaryFolder()
    defer { Shell.cleanUp(folder) }
    let run = try Shell.run(
      Shell.launch("mpi-probe", ranks: 2, ["calls"]), in: folder, extra: ["FATHOM_TRACE": folder])
    #expect(run.status == 0, "\(run.error)")
    for rank in 0..<2 {
      let lines = try String(contentsOfFile: "\(folder)/rank-\(rank).trace", encoding: .utf8).split(separator: "\n")
      let calls = lines.filter { !$0.contains(" compute ") }.map { $0.dropFirst("\(rank) ".count) }
      // Eight words of eight bytes whole, then in pieces of three; a gather of bytes is a length and a message.
      let message = rank == 0 ? "recv 1 1 4" : "send 0 1 4"
      let whole = [
        "allreduce 64 8", "reduce 64 8 0", "allreduce 64 8", "allreduce 8 1", "allgather 64 64", "allgather 8 8",
        message, "bcast 8 0", "bcast 11 0", "barrier",
      ]
      #expect(calls.prefix(11).elementsEqual((["init"] + whole).map { $0[...] }), "\(calls)")
      #expect(
        calls.dropFirst(11).prefix(3).elementsEqual(
          ["allreduce 24 3", "allreduce 24 3", "allreduce 16 2"].map { $0[...] }))
      #expect(calls.filter { $0.hasPrefix(message.prefix(8)) }.count == 3)
      #expect(calls.last == "finalize")
      #expect(lines.filter { $0.contains(" compute ") }.count == calls.count - 1)
      #expect(lines.allSatisfy { $0.hasPrefix("\(rank) ") })
    }
  }

  @Test func aTraceWithoutItsFolderIsAnError() throws {
    let folder = try Shell.temporaryFolder()
    defer { Shell.cleanUp(folder) }
    let run = try Shell.run(
      Shell.launch("mpi-probe", ranks: 2, ["calls"]), in: folder, extra: ["FATHOM_TRACE": folder + "/none"])
    #expect(run.status == 70 && run.error.contains("FATHOM_TRACE: cannot write \(folder)/none/rank-"), "\(run.error)")
  }
}
