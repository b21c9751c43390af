import Foundation
import Support
import Testing

extension Commands {
  /// Where results go: through symbolic links to their targets, and never into nothing without an error.
  @Suite struct OutputTests {
    static let small = settings(["network.draws=500"])

    /// A link to a link to a file in another folder. The run creates the file, resumes it, extends it and, with --fresh, keeps it under another name.
    @Test func aLinkedOutputIsWrittenToItsTarget() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      try FileManager.default.createDirectory(atPath: "\(place.folder)/scratch", withIntermediateDirectories: true)
      try place.link("link.h5", to: "scratch/second.h5")
      try place.link("scratch/second.h5", to: "real.h5")
      let first = try place.fathom(["run", "job.toml", "-o", "link.h5"] + settings(["network.draws=200"]), ranks: 2)
      #expect(first.status == 0 && first.error.contains("the result goes to scratch/real.h5"), "\(first.error)")
      let second = try place.fathom(["run", "job.toml", "-o", "link.h5"] + Self.small)
      #expect(second.status == 0 && second.error.contains("resuming from 400 draws"), "\(second.error)")
      #expect(try place.names(in: "scratch") == ["real.h5", "real.h5.previous", "second.h5"])
      #expect(place.names() == ["job.toml", "link.h5", "scratch"])
      #expect(place.isLink("link.h5") && place.isLink("scratch/second.h5") && !place.isLink("scratch/real.h5"))
      _ = try place.fathom(["run", "job.toml", "-o", "plain.h5"] + Self.small)
      #expect(try place.digest("link.h5") == place.digest("plain.h5"))
      #expect(try place.fathom(["verify", "link.h5"]).status == 0)
      let fresh = try place.fathom(["run", "job.toml", "-o", "link.h5", "--fresh"] + Self.small)
      #expect(fresh.status == 0 && place.isLink("link.h5"), "\(fresh.error)")
      #expect(try place.names(in: "scratch").contains("real.h5.aside-1"))
    }

    /// The job's own output, and that of merge.
    @Test func otherOutputsFollowLinksToo() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      try place.link("out.h5", to: "job-output.h5")
      for part in ["1/2", "2/2"] {
        let name = part == "1/2" ? [] : ["-o", "second.h5"]
        #expect(try place.fathom(["run", "job.toml", "--part", part] + name + Self.small).status == 0)
      }
      try place.link("all.h5", to: "merged.h5")
      let merge = try place.fathom(["merge", "out.h5", "second.h5", "-o", "all.h5"])
      #expect(merge.status == 0 && place.isLink("all.h5") && place.isLink("out.h5"), "\(merge.error)")
      #expect(place.names().contains("job-output.h5") && place.names().contains("merged.h5"))
      // What a link leads to exists as much as a plain file does.
      let again = try place.fathom(["merge", "out.h5", "second.h5", "-o", "all.h5"])
      #expect(again.status == 74 && again.error.contains("exists already"))
    }

    /// A run through the link holds the lock of the file itself.
    @Test func theLockFollowsTheLink() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      try place.link("link.h5", to: "real.h5")
      let run = try RunUnderWay(place, "link.h5", settings([RunUnderWay.draws]))
      try run.waitForStart()
      #expect(place.names().contains("real.h5.lock") && !place.names().contains("link.h5.lock"))
      let other = try run.whileStopped {
        try place.fathom(["run", "job.toml", "-o", "real.h5"] + settings([RunUnderWay.draws]))
      }
      #expect(other.status == 74 && other.error.contains("in use by process"), "\(other.error)")
      #expect(try run.stop(SIGTERM).status == 75)
      let isLink = place.isLink("link.h5")
      #expect(isLink)
    }

    /// Loops, and outputs that are no files: one sentence, before any work, and nothing is moved.
    @Test(arguments: [
      ("loop.h5", "a symbolic link that leads back to itself"), ("folder.h5", "is a folder, not a file"),
      ("device.h5", "is a device, a pipe or a socket, not a file"), ("gone.h5", "No such file"),
    ])
    func whatIsNoFileIsRefused(name: String, words: String) throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      try place.link("loop.h5", to: "pool.h5")
      try place.link("pool.h5", to: "loop.h5")
      try FileManager.default.createDirectory(atPath: "\(place.folder)/folder.h5", withIntermediateDirectories: true)
      try place.link("device.h5", to: "/dev/null")
      try place.link("gone.h5", to: "gone/real.h5")
      let before = place.names()
      for fresh in [[], ["--fresh"]] {
        for ranks in [0, 2] {
          let run = try place.fathom(["run", "job.toml", "-o", name] + fresh + Self.small, ranks: ranks)
          #expect(run.status == 74 && run.error.contains(words), "\(run.status) \(run.error)")
          #expect(run.error.components(separatedBy: "fathom: error:").count == 2 && !run.error.contains("new, "))
        }
      }
      #expect(place.names() == before)
      let show = try place.fathom(["show", "gone.h5"])
      #expect(show.status == 65 && show.error.contains("is a symbolic link to gone/real.h5, which is not there"))
    }

    /// Everything that prints a result says so where it cannot, with 74: on a full device and on a closed stream.
    @Test func aResultThatCannotBePrintedIsAnError() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      try place.write(Workplace.job + "\n[expect]\n\"covariance-sde\" = \"undecided\"\n", "check.toml")
      #expect(try place.fathom(["run", "job.toml"] + Self.small).status == 0)
      let commands = [
        ["show", "out.h5"], ["show", "out.h5", "--json"], ["show", "out.h5", "--all"], ["digest", "out.h5"],
        ["verify", "out.h5"], ["plan", "job.toml"], ["catalog"], ["catalog", "--json"],
        ["check", "check.toml"] + Self.small,
        ["run", "job.toml"] + Self.small, ["--help"], ["show", "--help"], ["--version"],
      ]
      for command in commands {
        for sink in ["> /dev/full", ">&-"] {
          let line = "exec \"$0\" \"$@\" \(sink)"
          let result = try Shell.run(["bash", "-c", line, "\(Shell.products)/fathom"] + command, in: place.folder)
          #expect(
            result.status == 74 && result.error.contains("standard output could not be written"),
            "\(command) \(sink): \(result.status) \(result.error)")
        }
      }
      // The result of the run itself is safe, and the message says so.
      let run = try Shell.run(
        ["bash", "-c", "exec \"$0\" run job.toml --set network.draws=700 > /dev/full", "\(Shell.products)/fathom"],
        in: place.folder)
      #expect(run.status == 74 && run.error.contains("out.h5 is complete"), "\(run.error)")
      #expect(try place.fathom(["verify", "out.h5"]).output.contains("700 draws"))
      #expect(!place.names().contains("out.h5.lock"))
    }

    /// The reader of the log goes away after the first line, as `head -1` does: the run continues to its end.
    @Test func aLogThatNobodyReadsDoesNotEndTheRun() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      let line = "set -o pipefail; \"$0\" run job.toml --set network.draws=500 2>&1 >report | head -1"
      let run = try Shell.run(["bash", "-c", line, "\(Shell.products)/fathom"], in: place.folder)
      #expect(run.status == 0 && run.output.contains("version"), "\(run.status) \(run.output) \(run.error)")
      #expect(try place.fathom(["verify", "out.h5"]).output.contains("500 draws"))
    }

    /// The plan of a job of next to no work still has the start of mpirun, the checkpoint and the report. How near plans come to runs is
    /// measured by hand on a quiet machine: beside other work a test of it would fail by chance.
    @Test func thePlanOfASmallJobCountsItsStartAndItsEnd() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      let plan = try place.fathom(["plan", "job.toml", "--ranks", "2"] + Self.small)
      #expect(
        plan.status == 0 && plan.output.contains("start, reading, 1 checkpoint and the report: "), "\(plan.error)")
      let time = plan.output.firstMatch(of: /time on 2 ranks: ([0-9.]+) s/).flatMap { Double($0.1) } ?? 0
      #expect(time > 0.3, "\(plan.output)")
      let often = try place.fathom(
        ["plan", "job.toml"] + settings(["network.draws=2000000", "run.checkpoint_every=0.5s"]))
      let count = often.output.firstMatch(of: /reading, ([0-9]+) checkpoints/).flatMap { Int($0.1) } ?? 0
      #expect(count > 1, "\(often.output)")
      #expect(place.names() == ["job.toml"])
    }
  }
}

extension Workplace {
  fileprivate func isLink(_ name: String) -> Bool {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")) != nil
  }

  fileprivate func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: "\(folder)/\(name)", withDestinationPath: target)
  }

  fileprivate func names(in inner: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(inner)").sorted()
  }
}
