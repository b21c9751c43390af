import Foundation
import Support
import Testing

extension Faults {
  /// A checkpoint that cannot be written, or is the last thing a process does: the file of the last one stays as it was, and the
  /// next run comes to the same bits.
  @Suite struct CheckpointFaultTests {
    /// What is done to a system call on the files of a checkpoint, and what a run then says.
    private static let faults: [(name: String, calls: [(String, String)])] = [
      ("disk full at a call", [("pwrite64", "error=ENOSPC"), ("ftruncate", "error=ENOSPC")]),
      (
        "I/O error",
        [("pwrite64", "error=EIO"), ("fsync", "error=EIO"), ("rename", "error=EIO"), ("close", "error=EIO")]
      ),
      ("I/O error in the read-back", [("pread64", "error=EIO")]),
      ("short write", [("pwrite64", "retval=7")]),
      ("read-only folder", [("openat", "error=EROFS"), ("link", "error=EROFS"), ("rename", "error=EROFS")]),
      (
        "kill -9 in a checkpoint",
        [("pwrite64", "signal=KILL"), ("fsync", "signal=KILL"), ("link", "signal=KILL"), ("rename", "signal=KILL")]
      ),
    ]
    private static let names = ["pwrite64", "ftruncate", "fsync", "rename", "close", "pread64", "openat", "link"]

    /// `fathom run` on x.h5 under strace, which fails the calls that touch its files.
    private func run(_ place: borrowing Workplace, inject: String?, ranks: Int = 0) throws -> Shell.Result {
      // The ranks append to one trace.
      place.remove("trace")
      let files = ["x.h5.partial", "x.h5.previous"].flatMap { ["-P", $0, "-P", "\(place.folder)/\($0)"] }
      let strace =
        ["strace", "-f", "-A", "-o", "trace"] + files + ["-e", "trace=" + Self.names.joined(separator: ",")]
        + (inject.map { ["-e", "inject=" + $0] } ?? [])
      let program = ["\(Shell.products)/fathom", "run", "job.toml", "-o", "x.h5"]
      let launcher = ranks == 0 ? [] : ["mpirun", "--oversubscribe", "-n", String(ranks)]
      return try Shell.run(launcher + strace + program, in: place.folder)
    }

    @Test func everySystemCallMayFail() throws {
      let place = try Workplace()
      let whole = try place.finished([], "whole.h5")
      let before = try place.finished(Fault.half, "base.h5")
      let base = place.bytes("base.h5")
      func reset() throws {
        place.remove("x.h5.lock", "x.h5.partial", "x.h5.previous")
        try place.put(base, "x.h5")
      }
      try reset()
      #expect(try run(place, inject: nil).status == 0)
      #expect(try place.digest("x.h5") == whole)
      let trace = String(decoding: place.bytes("trace"), as: UTF8.self)
      for fault in Self.faults {
        var (times, stopped, killed, message) = (0, 0, 0, "")
        for (call, action) in fault.calls {
          let calls = trace.components(separatedBy: " \(call)(").count - 1
          #expect(calls > 0, "a checkpoint makes no \(call)")
          // The seventh write is data; many a later one is written again.
          for k in Fault.full ? Array(1...calls) : action.hasPrefix("retval") ? [7, calls / 2] : [(calls + 1) / 2] {
            for ranks in call == fault.calls[0].0 && k == (calls + 1) / 2 ? [0, 2] : [0] {
              try reset()
              let result = try run(place, inject: "\(call):\(action):when=\(k)", ranks: ranks)
              let place_ = "\(call) \(k) of \(calls), \(action), \(ranks) ranks"
              let injected = place.bytes("trace").range(of: Data("INJECTED".utf8)) != nil || action.hasPrefix("signal")
              #expect(injected && !result.timedOut, "\(place_): \(result.error)")
              times += 1
              switch result.status {
              case 0:
                // A probe that may fail, or bytes that were written again.
                #expect(!action.hasPrefix("signal"), "\(place_): the process lives")
                #expect(try place.digest("x.h5") == whole && place.fathom(["verify", "x.h5"]).status == 0, "\(place_)")
              case 74:
                stopped += 1
                #expect(place.bytes("x.h5") == base, "\(place_): the last file is another")
                #expect(
                  result.error.contains("the file of the last checkpoint is as it was"), "\(place_): \(result.error)")
                #expect(result.error.components(separatedBy: "fathom: error").count == 2, "\(place_): \(result.error)")
                message = result.error
              case 137, 9:
                killed += 1
                #expect(action.hasPrefix("signal"), "\(place_): \(result.error)")
                let digest = try place.digest("x.h5")
                #expect(digest == before || digest == whole, "\(place_): \(digest)")
              default: Issue.record("\(place_): status \(result.status) \(result.error)")
              }
              guard times % (Fault.full ? 10 : 2) == 0 else { continue }
              let next = try place.fathom(["run", "job.toml", "-o", "x.h5"])
              #expect(next.status == 0, "\(place_): \(next.error)")
              #expect(try place.digest("x.h5") == whole, "\(place_)")
            }
          }
        }
        #expect(stopped + killed > 0, "\(fault.name)")
        try Fault.row(
          fault.name,
          injected: "strace: " + fault.calls.map { "`\($0.0)` \($0.1)" }.joined(separator: ", ")
            + " at the k-th call of a checkpoint",
          times: times,
          happened: killed > 0
            ? "the last file or the new one is whole; the next run takes the lock over and ends in the same bits"
            : "\(stopped) exit 74, the last file untouched; \(times - stopped) harmless, result and seal right; the next run ends in the same bits",
          message: killed > 0 ? "137 from mpirun" : Fault.cell(message, place))
      }
    }

    /// A disk that fills up at any page of a checkpoint: a tmpfs in a mount namespace of its own, with room for the last file and so
    /// many pages more.
    @Test func aFullDiskLeavesTheLastGeneration() throws {
      let place = try Workplace()
      let digest = try place.finished()
      try FileManager.default.createDirectory(atPath: place.folder + "/small", withIntermediateDirectories: true)
      let pages = place.bytes("out.h5").count / 4096
      let points = Fault.full ? Array(0...pages) : [0, 1, pages / 3, pages / 2, pages - 2]
      let program = "\(Shell.products)/fathom"
      let script = """
        set -u
        mount -t tmpfs -o size=64M tmpfs small || exit 99
        "\(program)" run job.toml -o small/x.h5 --set particles.replicas=2 >/dev/null 2>&1; echo "first $?"
        rm -f small/*.previous
        before=$("\(program)" digest small/x.h5)
        used=$(($(df --output=used -k small | tail -1) + 4))
        for more in \(points.map(String.init).joined(separator: " ")); do
          mount -o remount,size=$((used + 4 * more))k small
          "\(program)" run job.toml -o small/x.h5 2>message >/dev/null; echo "full $?"
          grep -q "the file of the last checkpoint is as it was" message || cat message
          [ "$("\(program)" digest small/x.h5)" = "$before" ] || echo "not intact with $more pages"
          rm -f small/*.partial
        done
        mount -o remount,size=64M small
        "\(program)" run job.toml -o small/x.h5 >/dev/null 2>&1; echo "again $?"
        "\(program)" digest small/x.h5
        """
      let run = try Shell.run(
        ["unshare", "--map-root-user", "--mount", "bash", "-c", script], in: place.folder,
        limit: Fault.full ? 10 * Shell.patience : Shell.patience)
      let expected = ["first 0"] + points.map { _ in "full 74" } + ["again 0", digest]
      #expect(run.output.split(separator: "\n").map(String.init) == expected, "\(run.output) \(run.error)")
      try Fault.row(
        "disk full", injected: "a tmpfs with room for so many pages of a checkpoint", times: points.count,
        happened: "exit 74 each time, the last file untouched; with room again, the same bits",
        message: Fault.cell(String(decoding: place.bytes("message"), as: UTF8.self), place))
    }

    @Test func aFolderThatVanishes() throws {
      let place = try Workplace()
      try place.write(Fault.job)
      let times = Fault.full ? 10 : 1
      var message = ""
      for ranks in Array(repeating: [0, 2], count: times).joined() {
        try FileManager.default.createDirectory(atPath: place.folder + "/gone", withIntermediateDirectories: true)
        let run = try RunUnderWay(
          place, "gone/x.h5", settings([RunUnderWay.steps, RunUnderWay.checkpoints]), ranks: ranks)
        try run.waitForCheckpoints()
        // At once: a folder in which files appear cannot be removed.
        try FileManager.default.moveItem(atPath: place.folder + "/gone", toPath: place.folder + "/away")
        place.remove("away")
        let result = run.finish()
        #expect(!result.timedOut && result.status == 74, "\(result.status) \(result.error)")
        message = result.error
      }
      try Fault.row(
        "vanished folder", injected: "the output folder is removed during the run, on 1 and 2 ranks", times: 2 * times,
        happened: "exit 74 at the next checkpoint", message: Fault.cell(message, place))
    }
  }
}
