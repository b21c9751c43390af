import Foundation
import Support
import Testing

extension Commands {
  /// Parts of the draws: the file knows of which division it is.
  @Suite struct PartTests {
    static let size = settings(["network.draws=2000"])

    /// A task of a job array that is submitted again by itself must not become part of another division.
    @Test func aPartOfAnotherDivisionIsRefused() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      #expect(try place.part("3/8", "p3.h5").status == 0)
      let before = try place.digest("p3.h5")
      for (wrong, words) in [
        ("3/3", "holds part 3 of 8"), ("1/4", "ask for a part of 8"), ("2-3/9", "--part 2-3/9"),
      ] {
        let result = try place.part(wrong, "p3.h5")
        #expect(result.status == 65 && result.error.contains(words), "\(wrong): \(result.error)")
        // Before any work.
        #expect(!result.error.contains("to make"))
      }
      // Part 3 of 8 of more draws is another part as well.
      let more = try place.part("3/8", "p3.h5", settings(["network.draws=4000"]))
      #expect(
        more.status == 65 && more.error.contains("a part of 2000 draws of main/network, not of 4000"), "\(more.error)")
      #expect(try place.digest("p3.h5") == before)
      #expect(try place.part("3/8", "p3.h5").error.contains("nothing to do, the file has the 250 draws asked for"))
      // Another part of the same division may be added, and without --part the rest.
      #expect(try place.part("4/8", "p3.h5").status == 0)
      #expect(try place.fathom(["run", "job.toml", "-o", "p3.h5"] + Self.size).status == 0)
      #expect(try place.fathom(["run", "job.toml", "-o", "whole.h5"] + Self.size).status == 0)
      #expect(try place.digest("p3.h5") == place.digest("whole.h5"))
      let undivided = try place.part("3/8", "whole.h5")
      #expect(
        undivided.status == 65 && undivided.error.contains("draws of the undivided job")
          && undivided.error.contains("leave --part out"), "\(undivided.error)")
    }

    /// Merge names the parts that are missing or not finished, and joins what is there only if it is told to.
    @Test func mergeNamesTheMissingParts() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      for number in [1, 2, 4, 5] { #expect(try place.part("\(number)/6", "p\(number).h5").status == 0) }
      let there = [1, 2, 4, 5].map { "p\($0).h5" }
      let refused = try place.fathom(["merge"] + there + ["-o", "all.h5"])
      #expect(
        refused.status == 65 && refused.error.contains("parts 3, 6 of 6 are missing or not finished"),
        "\(refused.error)")
      #expect(!place.names().contains("all.h5"))
      let some = try place.fathom(["merge"] + there + ["-o", "some.h5", "--incomplete"])
      #expect(some.status == 0 && some.error.contains("parts 3, 6 of 6"), "\(some.error)")
      #expect(try place.fathom(["verify", "some.h5"]).status == 0)
      // What is merged so far is a part of the same division.
      #expect(try place.part("3/6", "p3.h5").status == 0)
      let five = try place.fathom(["merge", "some.h5", "p3.h5", "-o", "all.h5"])
      #expect(five.status == 65 && five.error.contains("part 6 of 6 is missing"), "\(five.error)")
      #expect(try place.part("6/6", "p6.h5").status == 0)
      let all = try place.fathom(["merge", "some.h5", "p3.h5", "p6.h5", "-o", "all.h5"])
      #expect(all.status == 0, "\(all.error)")
      #expect(try place.fathom(["run", "job.toml", "-o", "whole.h5"] + Self.size).status == 0)
      #expect(try place.digest("all.h5") == place.digest("whole.h5"))
      // Parts of two divisions overlap.
      #expect(try place.part("1/2", "half.h5").status == 0)
      let mixed = try place.fathom(["merge", "half.h5", "p1.h5", "-o", "mixed.h5"])
      #expect(mixed.status == 65 && mixed.error.contains("parts of different divisions"), "\(mixed.error)")
    }

    /// A part that was stopped before its end is named like one that is missing; replicas too.
    @Test func aStoppedPartIsNotFinished() throws {
      let place = try Workplace()
      try place.write(Workplace.job)
      let many = settings([RunUnderWay.draws, RunUnderWay.checkpoints])
      let run = try RunUnderWay(place, "p1.h5", many + ["--part", "1/2"])
      try run.waitForCheckpoints()
      #expect(try run.stop(SIGTERM).status == 75)
      let other = try RunUnderWay(place, "p2.h5", many + ["--part", "2/2"])
      try other.waitForCheckpoints()
      #expect(try other.stop(SIGTERM).status == 75)
      let merge = try place.fathom(["merge", "p1.h5", "p2.h5", "-o", "all.h5"])
      #expect(
        merge.status == 65 && merge.error.contains("parts 1-2 of 2 are missing or not finished"), "\(merge.error)")
    }
  }
}

extension Workplace {
  /// Makes a part of 2,000 draws, unless other settings are given.
  fileprivate func part(_ part: String, _ file: String, _ more: [String] = settings(["network.draws=2000"])) throws
    -> Shell.Result
  { try fathom(["run", "job.toml", "--part", part, "-o", file] + more) }
}
