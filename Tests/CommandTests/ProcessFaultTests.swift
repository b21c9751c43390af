import Foundation
import Support
import Testing

extension Faults {
  /// Processes that are killed, stopped, out of time, or told a wrong time.
  @Suite struct ProcessFaultTests {
    /// A process alone, a rank or mpirun, killed at random moments between its start and its second checkpoint: the file is whole
    /// after each, and the end is the same.
    @Test func killedAtRandomMoments() throws {
      let place = try Workplace()
      try place.write(Fault.job)
      let size = settings(["particles.steps=60000"])
      let long = size + settings([RunUnderWay.replicas, RunUnderWay.checkpoints])
      let (output, times) = ("k.h5", Fault.full ? 200 : 6)
      var span: [Int: Duration] = [:]
      var kept: UInt64 = 0
      for index in 1...times {
        let ranks = index % 2 == 0 ? 0 : 2
        let run = try RunUnderWay(place, output, long, ranks: ranks)
        if let span = span[ranks] {
          let moment = span * Double.random(in: 0...1)
          while run.elapsed < moment { usleep(500) }
        } else {
          try run.waitForCheckpoints(2)
          span[ranks] = run.elapsed
        }
        run.kill(.allCases.randomElement()!)
        guard place.names().contains(output) else { continue }
        let verify = try place.fathom(["verify", output])
        #expect(verify.status == 0, "\(verify.error)")
        // What a checkpoint had promised is never fewer later.
        let draws = verify.output.firstMatch(of: /([0-9]+) draws/).flatMap { UInt64($0.1) } ?? 0
        #expect(draws >= kept, "\(draws) after \(kept)")
        kept = draws
        guard index % 6 == 0 || index == times else { continue }
        let run2 = try RunUnderWay(place, output, long)
        try run2.waitForStart()
        run2.kill(.rank)
        let soon = try size + place.soon(after: output)
        let last = try place.fathom(["run", "job.toml", "-o", output] + soon, ranks: 2)
        #expect(last.status == 0 && last.error.contains("taking over the lock of process"), "\(last.error)")
        #expect(try place.digest(output) == place.finished(soon, "whole.h5"))
        #expect(!place.names().contains { $0.hasSuffix(".lock") || $0.hasSuffix(".partial") }, "\(place.names())")
        place.remove(output, output + ".previous", "whole.h5", "whole.h5.previous")
        kept = 0
      }
      try Fault.row(
        "kill -9 at a random moment",
        injected: "of a rank, of mpirun, of a run alone, between its start and its second checkpoint",
        times: times,
        happened:
          "the file is whole each time and has what the checkpoint before it had; the next run ends in the same bits",
        message: "`taking over the lock of process … on …, which no longer holds it`")
    }

    /// A file that a run replaces every 50 ms can be verified and shown at any moment: each reads one generation throughout.
    @Test(arguments: [[], ["particles.number=600", "run.shards=2", "run.shard_above=100"]])
    func aRunUnderWayCanBeRead(extra: [String]) throws {
      let place = try Workplace()
      try place.write(Fault.job)
      let run = try RunUnderWay(
        place, "live.h5", settings([RunUnderWay.steps, RunUnderWay.checkpoints] + extra), ranks: 2)
      try run.waitForCheckpoints()
      for k in 0..<30 {
        let read = try place.fathom([["verify", "show", "digest"][k % 3], "live.h5"])
        #expect(read.status == 0, "\(read.error)")
        if k % 10 == 9 { try run.waitForCheckpoints() }
      }
      #expect(try run.stop().status == 75)
    }

    /// A rank that is stopped: the watchdog of rank 0 names it, by rank, process and host.
    @Test func aStoppedRankIsNamed() throws {
      let place = try Workplace()
      try place.write(Fault.job)
      let run = try RunUnderWay(
        place, "hung.h5",
        ["--watchdog", "2s"]
          + settings([RunUnderWay.steps, RunUnderWay.checkpoints, "run.shards=3", "particles.number=2000"]), ranks: 3)
      try run.waitForCheckpoints()
      let ranks = run.ranks()
      #expect(ranks.count == 3, "\(ranks)")
      let victim = try #require(ranks[2])
      kill(victim, SIGSTOP)
      // Another rank may have been slow on a busy machine, and named before.
      let pattern = /no progress for [0-9.]+ s?[a-z]*: .*rank 2 \(process ([0-9]+) on [^)]+\).* stopped answering/
      try run.wait(until: "the name of the stopped rank") {
        run.log.matches(of: pattern).contains { Int32($0.1) == victim }
      }
      kill(victim, SIGCONT)
      let result = try run.stop()
      #expect(result.status == 75, "\(result.error)")
      #expect(!place.names().contains("hung.h5.alive"))
      try Fault.row(
        "hung rank", injected: "SIGSTOP to a rank of three, `--watchdog 2s`", times: 1,
        happened: "named by rank, process and host; continues after SIGCONT", message: Fault.cell(result.error, place))
    }

    /// The clock of the wall goes back by three days and forward by ten: checkpoints, the limit of time and the bits do not follow.
    @Test func clockJumps() throws {
      let place = try Workplace()
      try place.write(Fault.job)
      let size = settings(["particles.steps=60000"])
      let every = 0.3
      let library = try #require(
        ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"].map { "\($0)/faketime/libfaketimeMT.so.1" }
          .first { FileManager.default.fileExists(atPath: $0) }, "libfaketime is installed by make test")
      let times = Fault.full ? 5 : 1
      defer { Shell.removeTracesOfFaketime() }
      for _ in 0..<times {
        place.remove("c.h5", "c.h5.previous", "whole.h5", "whole.h5.previous")
        try place.write("+0", "clock")
        let run = try RunUnderWay(
          place, "c.h5",
          ["--walltime", "1h"] + size + settings([RunUnderWay.replicas, "run.checkpoint_every=\(every)s"]), ranks: 2,
          extra: [
            "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": place.folder + "/clock", "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
          ])
        // Checkpoints go on after each jump, and not more often.
        try run.waitForCheckpoints()
        try place.write("-3d", "clock")
        try run.waitForCheckpoints(2)
        try place.write("+10d", "clock")
        try run.waitForCheckpoints(2)
        let result = try run.stop()
        #expect(result.status == 75 && !result.error.contains("--walltime"), "\(result.error)")
        let checkpoints = result.error.firstMatch(of: /; ([0-9]+) checkpoint/).flatMap { Int($0.1) } ?? 0
        // One for the limit of time, at the start, and one at the end are not of the clock.
        #expect(Double(checkpoints - 2) * every < run.elapsed / .seconds(1), "\(result.error)")
        let script = "import h5py; a = h5py.File('c.h5')['provenance'].attrs; print(a['started'], a['written'])"
        let dates = try Shell.run([Shell.root + "/.venv/bin/python", "-c", script], in: place.folder).output
          .split(separator: /\s/).compactMap { try? Date(String($0), strategy: .iso8601) }
        #expect(
          dates.count == 2 && dates[1].timeIntervalSince(dates[0]) > 9 * 86400, "the clock did not jump: \(dates)")
        let soon = try size + place.soon(after: "c.h5")
        #expect(try place.finished(soon, "c.h5") == place.finished(soon, "whole.h5"))
      }
      try Fault.row(
        "clock jump", injected: "libfaketime: three days back, then ten forward, during a run on 2 ranks", times: times,
        happened: "checkpoints go on, `--walltime` holds, same bits; only the dates of the provenance follow",
        message: "nothing")
    }

    @Test func wallTimeLeavesRoomForTheLastCheckpoint() throws {
      let place = try Workplace()
      try place.write(Fault.job)
      let long = settings([RunUnderWay.steps])
      // Eight seconds for the last checkpoint: on a busy machine a rank may wait for a processor so long.
      let limits = ["--walltime", "12s", "--grace", "8s"]
      let run = try place.fathom(["run", "job.toml", "-o", "w.h5"] + limits + long, ranks: 2)
      #expect(run.status == 75 && run.error.contains("stopped in time for --walltime 12s"), "\(run.error)")
      // Of its own clock: mpirun's start and end are not its time.
      let seconds = run.error.firstMatch(of: /stopped after ([0-9.]+) s/).flatMap { Double($0.1) } ?? .infinity
      #expect(seconds < 12, "\(run.error)")
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
        "out of time", injected: "`--walltime 12s --grace 8s` for a longer job; limits too short for a checkpoint",
        times: 9,
        happened:
          "stopped after \(String(format: "%.1f", seconds)) s with a checkpoint, exit 75; limits too short are refused before any work",
        message: "`stopped in time for --walltime 12s`")
    }
  }
}
