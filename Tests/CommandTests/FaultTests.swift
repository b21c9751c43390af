import Foundation
import Support
import Testing

extension Commands {
  /// Faults, injected: each ends in the documented exit code with a message, the last good generation stays whole, and the next
  /// run comes to the same bits. `make test-faults` (FATHOM_FAULTS=full) tries every place, `make test` some of each.
  @Suite struct FaultTests {
    static let full = ProcessInfo.processInfo.environment["FATHOM_FAULTS"] == "full"
    static let particles = """
      seed = 9
      [particles]
      system = "gaussian-attraction"
      number = 64
      step = 0.1
      warm_up = 100
      steps = 2000
      replicas = 4
      [run]
      output = "out.h5"
      """

    /// A finished result, and its digest.
    private func finished(_ place: borrowing Workplace) throws -> String {
      try place.write(Self.particles)
      let run = try place.fathom(["run", "job.toml"])
      #expect(run.status == 0, "\(run.error)")
      return try place.digest()
    }

    private func bytes(_ place: borrowing Workplace, _ name: String) -> Data {
      FileManager.default.contents(atPath: "\(place.folder)/\(name)") ?? Data()
    }

    private func put(_ data: Data, _ place: borrowing Workplace, _ name: String) throws {
      try data.write(to: URL(fileURLWithPath: "\(place.folder)/\(name)"))
    }

    @Test func everyTruncationIsFound() throws {
      let place = try Workplace()
      _ = try finished(place)
      let whole = bytes(place, "out.h5")
      let border = Self.full ? 512 : max(512, whole.count / 24 / 512 * 512)
      for length in stride(from: 0, to: whole.count, by: border) {
        try put(whole.prefix(length), place, "cut.h5")
        let verify = try place.fathom(["verify", "cut.h5"])
        #expect(verify.status == 65 && verify.error.contains("cut.h5"), "\(length): \(verify.status) \(verify.error)")
      }
    }

    @Test func everyFlippedBitIsFound() throws {
      let place = try Workplace()
      _ = try finished(place)
      let whole = bytes(place, "out.h5")
      var random = SystemRandomNumberGenerator()
      var silent: [Int] = []
      for _ in 0..<(Self.full ? 2000 : 40) {
        let bit = Int.random(in: 0..<whole.count * 8, using: &random)
        var damaged = whole
        damaged[bit / 8] ^= 1 << UInt8(bit % 8)
        try put(damaged, place, "flipped.h5")
        let verify = try place.fathom(["verify", "flipped.h5"])
        if verify.status == 0 { silent.append(bit / 8) }
        #expect(verify.status == 0 || verify.status == 65, "bit \(bit): \(verify.status) \(verify.error)")
      }
      // What the seal does not cover: the rest of its own block, which holds no data.
      let text = String(decoding: whole.prefix(512).prefix { $0 != 0 }, as: UTF8.self)
      #expect(silent.allSatisfy { $0 >= text.utf8.count && $0 < 512 }, "\(silent)")
    }

    /// A disk that fills up at any page of a checkpoint: a tmpfs in a mount namespace of its own, with room for the last file and so
    /// many pages more.
    @Test func aFullDiskLeavesTheLastGeneration() throws {
      let place = try Workplace()
      let digest = try finished(place)
      try FileManager.default.createDirectory(atPath: place.folder + "/small", withIntermediateDirectories: true)
      let pages = bytes(place, "out.h5").count / 4096
      let points = Self.full ? Array(0...pages) : [0, 1, pages / 3, pages / 2, pages - 2]
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
        ["unshare", "--map-root-user", "--mount", "bash", "-c", script], in: place.folder, limit: Self.full ? 900 : 60)
      let expected = ["first 0"] + points.map { _ in "full 74" } + ["again 0", digest]
      #expect(run.output.split(separator: "\n").map(String.init) == expected, "\(run.output) \(run.error)")
    }

    @Test func aFolderThatVanishes() throws {
      let place = try Workplace()
      try place.write(Self.particles)
      try FileManager.default.createDirectory(atPath: place.folder + "/gone", withIntermediateDirectories: true)
      for ranks in [0, 2] {
        let process = try Shell.start(
          Shell.launch(
            "fathom", ranks: ranks,
            ["run", "job.toml", "-o", "gone/x.h5"] + settings(["particles.steps=400000", "run.checkpoint_every=0.5s"])),
          in: place.folder, tag: "gone")
        usleep(1_200_000)
        try FileManager.default.removeItem(atPath: place.folder + "/gone")
        let result = Shell.finish(process, in: place.folder, tag: "gone", limit: 30)
        #expect(!result.timedOut && result.status == 74, "\(result.status) \(result.error)")
        try? FileManager.default.createDirectory(atPath: place.folder + "/gone", withIntermediateDirectories: true)
      }
    }

    /// Killed at random moments, often in a checkpoint (one every 50 ms): the file is whole after each, and the end is the same.
    @Test func killedAtRandomMoments() throws {
      let place = try Workplace()
      try place.write(Self.particles)
      let size = settings(["particles.steps=60000", "run.checkpoint_every=0.05s"])
      _ = try place.fathom(["run", "job.toml", "-o", "whole.h5"] + size)
      var random = SystemRandomNumberGenerator()
      for _ in 0..<(Self.full ? 200 : 6) {
        let process = try Shell.start(
          Shell.launch("fathom", ranks: 0, ["run", "job.toml", "-o", "k.h5"] + size), in: place.folder, tag: "k")
        usleep(UInt32.random(in: 20_000...400_000, using: &random))
        kill(process.processIdentifier, SIGKILL)
        _ = Shell.finish(process, in: place.folder, tag: "k", limit: 30)
        if place.names().contains("k.h5") {
          #expect(try place.fathom(["verify", "k.h5"]).status == 0)
        }
      }
      let last = try place.fathom(["run", "job.toml", "-o", "k.h5"] + size, ranks: 2)
      #expect(last.status == 0 && last.error.contains("taking over the lock of process"), "\(last.error)")
      #expect(try place.digest("k.h5") == place.digest("whole.h5"))
      #expect(!place.names().contains { $0.hasSuffix(".lock") || $0.hasSuffix(".partial") }, "\(place.names())")
    }

    /// A rank that is stopped: the watchdog of rank 0 names it, by rank, process and host.
    @Test func aStoppedRankIsNamed() throws {
      let place = try Workplace()
      try place.write(Self.particles)
      let process = try Shell.start(
        Shell.launch(
          "fathom", ranks: 3,
          ["run", "job.toml", "-o", "hung.h5", "--watchdog", "2s"]
            + settings(["particles.steps=4000000", "run.shards=3", "particles.number=2000"])), in: place.folder,
        tag: "hung")
      usleep(1_500_000)
      let list = try Shell.run(["pgrep", "-f", "^[^ ]*/fathom run job.toml -o hung.h5"], in: place.folder)
      let ranks = list.output.split(separator: "\n").compactMap { Int32($0) }.sorted()
      #expect(ranks.count == 3, "\(list.output)")
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
    }

    @Test func wallTimeLeavesRoomForTheLastCheckpoint() throws {
      let place = try Workplace()
      try place.write(Self.particles)
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
    }
  }
}
