import Foundation
import Support
import Testing

extension Commands {
  /// Files of another version of the random streams, made by a former program: shown with a note, never mixed with draws of this one.
  @Suite struct StreamVersionTests {
    static let samples = Shell.root + "/Tests/ResultsTests/Format2/"

    @Test(arguments: ["network", "particles", "unfinished"])
    func otherStreamsAreShownButNotMixed(name: String) throws {
      let place = try Workplace()
      for file in ["old.h5", "other.h5"] {
        try FileManager.default.copyItem(atPath: Self.samples + "\(name).h5", toPath: "\(place.folder)/\(file)")
      }
      try FileManager.default.copyItem(atPath: Self.samples + "\(name).toml", toPath: "\(place.folder)/job.toml")
      let before = place.bytes("old.h5")
      for ranks in [0, 2] {
        let run = try place.fathom(["run", "job.toml", "-o", "old.h5"], ranks: ranks)
        #expect(
          run.status == 65 && run.error.contains("version 1 of the random streams, this program makes version 4"),
          "\(run.status) \(run.error)")
      }
      let merge = try place.fathom(["merge", "old.h5", "other.h5", "-o", "all.h5"])
      #expect(merge.status == 65 && merge.error.contains("they cannot be mixed"), "\(merge.error)")
      #expect(place.bytes("old.h5") == before && !place.names().contains("all.h5"))
      let show = try place.fathom(["show", "old.h5"])
      #expect(show.status == 0 && (show.output + show.error).contains("version 1"), "\(show.output) \(show.error)")
      let verify = try place.fathom(["verify", "old.h5"])
      #expect(verify.status == 0, "\(verify.error)")
    }
  }
}
