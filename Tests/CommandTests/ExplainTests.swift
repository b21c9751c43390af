import Archive
import Foundation
import Support
import Testing

extension Commands {
  /// `fathom explain`: what it says of small results, and that the commands it prints do what it says.
  @Suite struct ExplainTests {
    struct Explained: Decodable {
      struct Statement: Decodable { let part, code, subject, sentence: String }
      struct Run: Decodable {
        let purpose: String
        let command, reason: String?
      }
      let schema: String
      let finished: Bool
      let statements: [Statement]
      let prepare: String?
      let next: [Run]

      func codes(_ part: String) -> Set<String> { Set(statements.filter { $0.part == part }.map(\.code)) }
    }

    private func explain(_ place: borrowing Workplace, _ file: String = "job.h5") throws -> Explained {
      let result = try place.fathom(["explain", file, "--json"])
      #expect(result.status == 0, "\(result)")
      let found = try JSONDecoder().decode(Explained.self, from: Data(result.output.utf8))
      #expect(found.schema == "fathom-explain/1")
      // The text has the same sentences and commands.
      let text = try place.fathom(["explain", file]).output
      for words in found.statements.map(\.sentence) + found.next.compactMap(\.command)
        + [found.prepare].compactMap({ $0 })
      {
        #expect(text.contains(words), "\(words) should be in \(text)")
      }
      return found
    }

    /// Runs a printed line as a shell does; the result file that it writes.
    private func shell(_ place: borrowing Workplace, _ line: String) throws -> String {
      let path = Shell.products + ":" + (Shell.environment["PATH"] ?? "")
      let result = try Shell.run(["sh", "-c", line], in: place.folder, extra: ["PATH": path])
      #expect(result.status == 0 && !result.timedOut, "\(line): \(result.error)")
      let words = line.split(separator: " ")
      return words.firstIndex(of: "-o").map { String(words[$0 + 1]) } ?? "job.h5"
    }

    private static let network = """
      seed = 11
      [network]
      architecture = "mlp"
      activation = "relu"
      width = 256
      depth = 2
      inputs = { count = 1 }
      observables = ["V"]
      draws = 1000

      """
    private static let particles = """
      seed = 1
      [particles]
      system = "cosine-well"
      integrator = "lmc"
      number = 16
      step = 0.2
      warm_up = 100
      steps = 1000
      replicas = 8

      """

    private func run(_ place: borrowing Workplace, _ text: String, _ more: [String] = []) throws {
      try place.write(text)
      let result = try place.fathom(["run", "job.toml"] + more)
      #expect(result.status == 0, "\(result.error)")
    }

    /// An exact value is decided once the smallest effect is below the tolerance, whatever the draws are.
    @Test func moreDrawsDecide() throws {
      let place = try Workplace()
      try run(place, Self.network)
      let before = try explain(place)
      #expect(before.finished && before.codes("open") == ["no_power"], "\(before)")
      #expect(before.next.count == 1 && before.prepare == nil)
      let line = try #require(before.next.first?.command)
      #expect(line.hasPrefix("fathom run job.toml --set network.draws=") && !line.contains(" -o "), "\(line)")
      #expect(try shell(place, line) == "job.h5")
      let after = try explain(place)
      #expect(
        after.codes("open").isEmpty && !after.codes("shows").isDisjoint(with: ["not_detected", "detected"]), "\(after)")
      #expect(after.next.isEmpty, "\(after.next)")
    }

    /// Settings of the run are kept, but for those that change; a job file that is gone is written out first.
    @Test func settingsAndLostJobFiles() throws {
      let place = try Workplace()
      let job = Self.network + "[[limit]]\nequation = \"infinite-width\"\n[comparison]\nmean = 0.01\n"
      try run(
        place, job.replacing("\"V\"", with: "\"log_V\""),
        settings(["network.width=16", "network.draws=4000", "network.inputs={ count = 2, correlation = 0.1 }"]) + [
          "-o", "a b.h5",
        ])
      try FileManager.default.moveItem(atPath: place.folder + "/job.toml", toPath: place.folder + "/other.toml")
      let found = try explain(place, "a b.h5")
      #expect(found.codes("shows").contains("beyond_tolerance"), "\(found)")
      #expect(found.prepare == "fathom show 'a b.h5' --job > job.toml")
      let line = try #require(found.next.first?.command)
      #expect(line.contains("--set 'network.inputs={ count = 2, correlation = 0.1 }'"), "\(line)")
      #expect(line.contains("[16, 32, 64]") && !line.contains("network.width=16"), "\(line)")
      _ = try shell(place, try #require(found.prepare))
      let path = place.folder
      #expect(
        try String(contentsOfFile: path + "/job.toml", encoding: .utf8)
          == String(contentsOfFile: path + "/other.toml", encoding: .utf8))
      _ = try shell(place, line)
      // Now that it is there, with the text of the run, it need not be written.
      #expect(try explain(place, "a b.h5").prepare == nil)
      // Another text under that name is not taken for it.
      try place.write(Self.network)
      #expect(try explain(place, "a b.h5").prepare == "fathom show 'a b.h5' --job > job-2.toml")
    }

    /// A sweep whose largest size differs, and the size at which the order of the difference has the limit agree.
    @Test func sizes() throws {
      let place = try Workplace()
      try run(
        place,
        """
        seed = 3
        [network]
        architecture = "gated-mlp"
        activation = "silu"
        width = 64
        depth = 4
        inputs = { correlation = 0.3 }
        observables = ["rho"]
        draws = 50_000
        [[limit]]
        equation = "infinite-width"
        [sweep]
        "network.width" = [16, 32, 64]
        [comparison]
        mean = 0.1
        """)
      let found = try explain(place)
      #expect(found.codes("shows").isSuperset(of: ["beyond_tolerance", "order", "remainder"]), "\(found)")
      let line = try #require(found.next.first { $0.command?.contains("network.width") == true }?.command)
      let after = try explain(place, try shell(place, line))
      // One over n with the coefficient that the sweep found: the tolerance is met, or nearly.
      #expect(after.codes("shows").contains("within_tolerance") || after.codes("open").contains("no_power"), "\(after)")
    }

    @Test func stepsAndChains() throws {
      let place = try Workplace()
      try run(place, Self.particles + "[bias]\n")
      let found = try explain(place)
      #expect(found.codes("shows").isSuperset(of: ["bias_step", "not_stationary"]), "\(found)")
      let line = try #require(found.next.first?.command)
      for words in ["particles.step=0.1", "particles.steps=2000", "particles.warm_up=200", "-o job-finer.h5"] {
        #expect(line.contains(words), "\(line)")
      }
      func bias(_ explained: Explained) throws -> Double {
        let sentence = try #require(
          explained.statements.first { $0.code == "bias_step" && $0.part == "shows" }?.sentence)
        return try #require(sentence.firstMatch(of: /is (-?[0-9.e-]+) \+-/).flatMap { Double($0.1) })
      }
      let after = try explain(place, try shell(place, line))
      #expect(try bias(after) < 0.75 * bias(found))
      // Chains that do not leave the well that they start in.
      try run(
        place,
        Self.particles.replacing("cosine-well", with: "double-well").replacing("number = 16", with: "number = 4")
          .replacing("steps = 1000", with: "steps = 400").replacing("step = 0.2", with: "step = 0.02")
          + "theta = 0.1\ninverse_temperature = 6.0\n", ["-o", "well.h5"])
      let well = try explain(place, "well.h5")
      #expect(well.codes("open").contains("not_mixed"), "\(well)")
      let longer = try #require(well.next.first?.command)
      #expect(longer.contains("particles.steps=") && longer.hasSuffix("-o well-longer.h5"), "\(longer)")
      _ = try shell(place, longer)
    }

    @Test func unfinished() throws {
      let place = try Workplace()
      try run(place, Self.network, ["--part", "1/4"])
      let found = try explain(place)
      #expect(!found.finished && found.codes("open").contains("unfinished"), "\(found)")
      #expect(found.statements.first { $0.code == "unfinished" }!.sentence.contains("250 of 1,000 draws"), "\(found)")
      #expect(found.next.map(\.command) == ["fathom run job.toml"])
      _ = try shell(place, found.next[0].command!)
      #expect(try explain(place).finished)
    }

    /// Files of an earlier format: their draws cannot be added to.
    @Test func earlierFormats() throws {
      let place = try Workplace()
      let old = Shell.root + "/Tests/ResultsTests/Format2/network.h5"
      try FileManager.default.copyItem(atPath: old, toPath: place.folder + "/old.h5")
      let found = try explain(place, "old.h5")
      #expect(found.prepare == "fathom show old.h5 --job > old.toml")
      let run = try #require(found.next.first)
      #expect(
        run.purpose.contains("version 1 of the random streams") && run.command?.contains("-o old-more.h5") == true)
      _ = try shell(place, try #require(found.prepare))
      _ = try shell(place, try #require(run.command) + " --set network.draws=300")
    }

    @Test func refusals() throws {
      let place = try Workplace()
      try place.write(Self.network)
      for (file, words) in [("none.h5", "none.h5: no such file"), ("job.toml", "not a fathom result file")] {
        let result = try place.fathom(["explain", file])
        #expect(result.status == 65 && result.error.contains(words) && result.output.isEmpty, "\(result)")
      }
      #expect(try place.fathom(["explain"]).status == 64)
      #expect(try place.fathom(["show", "--job", "--json", "x.h5"]).status == 64)
    }
  }
}
