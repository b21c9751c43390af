import Foundation
import Support
import Testing

extension Commands {
  /// Processes that are killed, stopped, out of time, or told a wrong time.
  @Suite struct ProcessFaultTests {
    /// Processes of a run, found by their arguments: mpirun and the ranks.
    private func processes(_ place: borrowing Workplace, output: String) throws -> [Int32] {
      let list = try Shell.run(["pgrep", "-f", "^[^ ]*(fathom|mpirun) .*job.toml -o \(output)"], in: place.folder)
      return list.output.split(separator: "\n").compactMap { Int32($0) }.sorted()
    }

    /// A process alone, a rank or mpirun, killed at random moments, often in a checkpoint (one every 50 ms): the file is whole after
    /// each, and the end is the same.
    @Test func killedAtRandomMoments() throws {
      let place = try Workplace()
      let size = settings(["particles.steps=60000", "run.checkpoint_every=0.05s"])
      let whole = try place.finished(size, "whole.h5")
      var random = SystemRandomNumberGenerator()
      let times = Fault.full ? 200 : 6
      var kept: UInt64 = 0
      for index in 0..<times {
        let ranks = index % 2 == 0 ? 0 : 2
        let output = "k.h5"
        let process = try Shell.start(
          Shell.launch("fathom", ranks: ranks, ["run", "job.toml", "-o", output] + size), in: place.folder, tag: "k")
        usleep(UInt32.random(in: 20_000...(ranks == 0 ? 400_000 : 900_000), using: &random))
        let victim = try processes(place, output: output).randomElement(using: &random) ?? process.processIdentifier
        kill(victim, SIGKILL)
        _ = Shell.finish(process, in: place.folder, tag: "k", limit: 30)
        guard place.names().contains(output) else { continue }
        let verify = try place.fathom(["verify", output])
        #expect(verify.status == 0, "\(verify.error)")
        // What a checkpoint had promised is never fewer later.
        let draws = verify.output.firstMatch(of: /([0-9]+) draws/).flatMap { UInt64($0.1) } ?? 0
        #expect(draws >= kept, "\(draws) after \(kept)")
        kept = draws
        if kept == 4 {
          #expect(try place.digest(output) == whole)
          place.remove(output, output + ".previous")
          kept = 0
        }
      }
      let process = try Shell.start(
        Shell.launch("fathom", ranks: 0, ["run", "job.toml", "-o", "k.h5"] + size), in: place.folder, tag: "k")
      place.waitForStart("k.h5", then: 0.05)
      kill(process.processIdentifier, SIGKILL)
      _ = Shell.finish(process, in: place.folder, tag: "k", limit: 30)
      let last = try place.fathom(["run", "job.toml", "-o", "k.h5"] + size, ranks: 2)
      #expect(last.status == 0 && last.error.contains("taking over the lock of process"), "\(last.error)")
      #expect(try place.digest("k.h5") == whole)
      #expect(!place.names().contains { $0.hasSuffix(".lock") || $0.hasSuffix(".partial") }, "\(place.names())")
      try Fault.row(
        "kill -9 at a random moment", injected: "of a rank, of mpirun, of a run alone, one checkpoint every 50 ms",
        times: times + 1,
        happened:
          "the file is whole each time and has what the checkpoint before it had; the next run ends in the same bits",
        message: "`taking over the lock of process … on …, which no longer holds it`")
    }

    /// A file that a run replaces every 50 ms can be verified and shown at any moment: each reads one generation throughout.
    @Test(arguments: [[], ["particles.number=600", "run.shards=2", "run.shard_above=100"]])
    func aRunUnderWayCanBeRead(extra: [String]) throws {
      let place = try Workplace()
      try place.write(Fault.job)
      let size = settings(["particles.steps=20000000", "run.checkpoint_every=0.05s"] + extra)
      let process = try Shell.start(
        Shell.launch("fathom", ranks: 2, ["run", "job.toml", "-o", "live.h5"] + size), in: place.folder, tag: "live")
      place.waitForStart("live.h5", then: 0.5)
      for k in 0..<30 {
        let read = try place.fathom([["verify", "show", "digest"][k % 3], "live.h5"])
        #expect(read.status == 0, "\(read.error)")
      }
      kill(process.processIdentifier, SIGUSR1)
      #expect(Shell.finish(process, in: place.folder, tag: "live", limit: 30).status == 75)
    }

    /// A rank that is stopped: the watchdog of rank 0 names it, by rank, process and host.
    @Test func aStoppedRankIsNamed() throws {
      let place = try Workplace()
      try place.write(Fault.job)
      let process = try Shell.start(
        Shell.launch(
          "fathom", ranks: 3,
          ["run", "job.toml", "-o", "hung.h5", "--watchdog", "2s"]
            + settings(["particles.steps=4000000", "run.shards=3", "particles.number=2000"])), in: place.folder,
        tag: "hung")
      place.waitForStart("hung.h5", then: 1)
      let ranks = try processes(place, output: "hung.h5").filter { $0 != process.processIdentifier }
      #expect(ranks.count == 3, "\(ranks)")
      // The last one started: not rank 0.
      kill(ranks.last!, SIGSTOP)
      usleep(6_500_000)
      kill(ranks.last!, SIGCONT)
      kill(process.processIdentifier, SIGUSR1)
      let result = Shell.finish(process, in: place.folder, tag: "hung", limit: 30)
      let pattern = /no progress for [0-9.]+ s: rank [12] \(process ([0-9]+) on .+\) stopped answering/
      let found = result.error.firstMatch(of: pattern)
      #expect(found.map { Int32($0.1) } == ranks.last, "\(result.error)")
      #expect(result.status == 75, "\(result.error)")
      #expect(!place.names().contains("hung.h5.alive"))
      try Fault.row(
        "hung rank", injected: "SIGSTOP to a rank of three, `--watchdog 2s`", times: 1,
        happened: "named by rank, process and host; goes on after SIGCONT", message: Fault.cell(result.error, place))
    }

    /// The clock of the wall goes back by three days and forward by ten: checkpoints, the limit of time and the bits do not follow.
    @Test func clockJumps() throws {
      let place = try Workplace()
      let size = settings(["particles.steps=1500000", "run.checkpoint_every=0.3s"])
      let whole = try place.finished(size, "whole.h5")
      let library = try #require(
        ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"].map { "\($0)/faketime/libfaketimeMT.so.1" }
          .first { FileManager.default.fileExists(atPath: $0) }, "libfaketime is installed by make test")
      let times = Fault.full ? 5 : 1
      defer { Shell.removeTracesOfFaketime() }
      for _ in 0..<times {
        place.remove("c.h5")
        try place.write("+0", "clock")
        let process = try Shell.start(
          Shell.launch("fathom", ranks: 2, ["run", "job.toml", "-o", "c.h5", "--walltime", "60s"] + size),
          in: place.folder,
          extra: [
            "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": place.folder + "/clock", "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
          ], tag: "c")
        place.waitForStart("c.h5", then: 0.3)
        try place.write("-3d", "clock")
        usleep(500_000)
        try place.write("+10d", "clock")
        let result = Shell.finish(process, in: place.folder, tag: "c", limit: 60)
        #expect(result.status == 0, "\(result.error)")
        let checkpoints = result.error.firstMatch(of: /; ([0-9]+) checkpoint/).flatMap { Int($0.1) } ?? 0
        #expect((3...40).contains(checkpoints), "\(result.error)")
        #expect(try place.digest("c.h5") == whole)
        let script = "import h5py; a = h5py.File('c.h5')['provenance'].attrs; print(a['started'], a['written'])"
        let dates = try Shell.run([Shell.root + "/.venv/bin/python", "-c", script], in: place.folder).output
          .split(separator: /\s/).compactMap { try? Date(String($0), strategy: .iso8601) }
        #expect(
          dates.count == 2 && dates[1].timeIntervalSince(dates[0]) > 9 * 86400, "the clock did not jump: \(dates)")
      }
      try Fault.row(
        "clock jump", injected: "libfaketime: three days back, then ten forward, during a run on 2 ranks", times: times,
        happened: "checkpoints go on, `--walltime` holds, same bits; only the dates of the provenance follow",
        message: "nothing")
    }

    @Test func wallTimeLeavesRoomForTheLastCheckpoint() throws {
      let place = try Workplace()
      try place.write(Fault.job)
      let long = settings(["particles.steps=20000000"])
      let start = Date()
      let run = try place.fathom(["run", "job.toml", "-o", "w.h5", "--walltime", "5s"] + long, ranks: 2)
      let seconds = Date().timeIntervalSince(start)
      #expect(run.status == 75 && run.error.contains("stopped in time for --walltime 5s"), "\(run.error)")
      #expect(seconds < 6.5, "\(seconds)")
      #expect(try place.fathom(["verify", "w.h5"]).status == 0)
      for (option, value, words) in [
        ("--walltime", "1s", "must be longer than"), ("--grace", "1s", "must be at least"),
        ("--walltime", "soon", "a time like 90s"),
        ("--walltime", "-3:00", "a time like 90s"),
      ] {
        for ranks in [0, 3] {
          let refused = try place.fathom(["run", "job.toml", "-o", "w.h5", "\(option)=\(value)"] + long, ranks: ranks)
          #expect(refused.status == 64 && refused.error.contains(words), "\(value): \(refused.status) \(refused.error)")
        }
      }
      try Fault.row(
        "out of time", injected: "`--walltime 5s` for a longer job; limits too short for a checkpoint", times: 9,
        happened:
          "stopped after \(String(format: "%.1f", seconds)) s with a checkpoint, exit 75; limits too short are refused before any work",
        message: "`stopped in time for --walltime 5s`")
    }
  }
}
