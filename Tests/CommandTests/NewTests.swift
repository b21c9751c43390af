import Foundation
import Support
import Testing

extension Commands {
  /// `fathom new`: what is in the examples is tested in process (CatalogTests).
  @Suite struct NewTests {
    @Test func examplesAreListedAndWritten() throws {
      let place = try Workplace()
      for arguments in [["new"], ["new", "--list"]] {
        let listed = try place.fathom(arguments)
        #expect(
          listed.status == 0 && listed.output.contains("collapse") && listed.output.contains("at which depth?"),
          "\(listed)")
      }
      let written = try place.fathom(["new", "wide-enough"])
      #expect(written.status == 0 && written.output.contains("wrote wide-enough.toml"), "\(written)")
      let text = try String(contentsOfFile: place.folder + "/wide-enough.toml", encoding: .utf8)
      #expect(text.contains("fathom run wide-enough.toml") && text.contains("an integer in [1, 1000000000]"), "\(text)")
      // It runs as it is.
      #expect(try place.fathom(["run", "wide-enough.toml"], ranks: 2).status == 0)
      #expect(try place.fathom(["explain", "wide-enough.h5"]).output.contains("agree within the tolerance"))
      let shown = try place.fathom(["new", "wide-enough", "-o", "-"])
      #expect(shown.output == text)
    }

    @Test func refusals() throws {
      let place = try Workplace()
      try place.write("mine", "job.toml")
      let twice = try place.fathom(["new", "mixing", "-o", "job.toml"])
      #expect(
        twice.status == 74 && twice.error.contains("job.toml exists already; give another name with -o"), "\(twice)")
      #expect(try String(contentsOfFile: place.folder + "/job.toml", encoding: .utf8) == "mine")
      let missing = try place.fathom(["new", "mixing", "-o", "no/such/job.toml"])
      #expect(missing.status == 74 && missing.error.contains("No such file or directory"), "\(missing)")
      let unknown = try place.fathom(["new", "mixng"])
      #expect(unknown.status == 64 && unknown.error.contains("did you mean mixing?"), "\(unknown)")
      for arguments in [["new", "mixing", "--list"], ["new", "-o", "x.toml"]] {
        #expect(try place.fathom(arguments).status == 64)
      }
      #expect(place.names() == ["job.toml"])
    }

    /// On a terminal, which `script` makes.
    @Test func questions() throws {
      let place = try Workplace()
      let fathom = Shell.products + "/fathom"
      func answer(_ lines: String) throws -> String {
        let line = "printf '\(lines)' | script -qec '\(fathom) new' /dev/null"
        let result = try Shell.run(["sh", "-c", line], in: place.folder)
        #expect(!result.timedOut)
        return result.output
      }
      // All defaults; then a name, a size that is refused, a file that exists.
      #expect(try answer("\\n\\n\\n").contains("wrote collapse.toml"))
      let other = try answer("deep-network\\n0 5\\n40 20\\ncollapse.toml\\nmine.toml\\n")
      for words in ["network.width = 0: must be", "collapse.toml exists already", "wrote mine.toml"] {
        #expect(other.contains(words), "\(words) should be in \(other)")
      }
      let text = try String(contentsOfFile: place.folder + "/mine.toml", encoding: .utf8)
      #expect(text.contains("\nwidth = 40 ") && text.contains("\ndepth = 20 "), "\(text)")
      // The end of input writes nothing.
      #expect(try answer("99\\nmixing\\n\\n\\004").contains("nothing was written"))
      #expect(place.names() == ["collapse.toml", "mine.toml"])
    }
  }
}
