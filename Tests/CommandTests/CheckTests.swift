import Support
import Testing

extension Commands {
  /// `fathom check` through the program: everything else about it is tested in process (CatalogTests).
  @Suite struct CheckTests {
    @Test func sentencesAndExitCodes() throws {
      let place = try Workplace()
      let right =
        Workplace.job.replacing("draws = 20000", with: "draws = 2000") + """

          [expect]
          "log_V[0]" = { value = -1, tolerance = 1 }
          [check]
          network.draws = 400
          """
      try place.write(right, "right.toml")
      try place.write(
        right.replacing("value = -1", with: "value = 5"), "wrong.toml")
      let held = try place.fathom(["check", "right.toml"])
      #expect(held.status == 0 && held.output.contains("right.toml: 1 of 1 expectations hold"), "\(held)")
      let failed = try place.fathom(["check", "right.toml", "wrong.toml"])
      #expect(failed.status == 1, "\(failed)")
      for words in [
        "right.toml: 1 of 1 expectations hold", "wrong.toml: 0 of 1 expectations hold",
        "DOES NOT HOLD: E log_V[0]: expected 5.0 +- 1.0, found -", "1 expectation does not hold",
      ] { #expect(failed.output.contains(words), "\(words) should be in \(failed.output)") }
      let all = try place.fathom(["check", "right.toml", "--all", "--full"])
      #expect(all.status == 0 && all.output.contains("E log_V[0]: expected -1.0 +- 1.0"), "\(all)")
      #expect(all.output.contains("verdict: main: covariance-sde = "), "\(all)")
      #expect(place.names() == ["right.toml", "wrong.toml"], "it writes no file: \(place.names())")
      try place.write(right + "\nexpect = { \"nothing\" = \"any\" }", "bad.toml")
      let refused = try place.fathom(["check", "bad.toml"])
      #expect(refused.status == 65 && refused.error.contains("check.expect.\"nothing\""), "\(refused)")
    }
  }
}
